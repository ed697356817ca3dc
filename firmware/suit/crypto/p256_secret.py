# P-256 with secret scalars: public keys and ECDH.
# MIT licence.
"""`public(private) -> (x, y)` as 32 bytes each, `shared(private, x, y) -> bytearray` (the x of
private * (x, y), RFC 6090 section 4), all 32 bytes, big-endian. SuitError(R_UNAUTHORISED, what) for
a private key outside 1 .. n - 1 and for a point that is not on the curve.

Regular: the same operations in the same order for every scalar (odd signed digits of fixed width,
the sign chosen by a copy), no branch and no length that depends on it; the inversion is blinded.
Not hidden: the addresses of table entries (seen by a probe on the bus, not by time); the handful of
scalars within 32 of a multiple of n, which take the complete formulas; and what big integers leave
in the heap. The buffers here are overwritten; the result is the caller's to overwrite."""

from os import urandom

from suit.crypto import p256, scalar
from suit.crypto import p256_data as data
from suit.errors import SuitError
from suit.numbers import R_UNAUTHORISED

try:
    from micropython import const
except ImportError:

    def const(value):
        return value


_WIDTH = const(4)  # of a digit in `shared`
_WINDOWS = const(64)


def wipe(buffer):
    buffer[:] = bytes(len(buffer))


def little(private):
    """`private` checked and turned, as a bytearray to be wiped; the check takes every byte."""
    if len(private) != 32:
        raise SuitError(R_UNAUTHORISED, "private key")
    out = bytearray(32)
    some = 0
    borrow = 0
    for i in range(32):
        byte = private[31 - i]
        out[i] = byte
        some |= byte
        borrow = (byte - p256.ORDER[i] - borrow) >> 8 & 1
    if not (some and borrow):
        raise SuitError(R_UNAUTHORISED, "private key")
    return out


def random_factor(modulus):
    """For blinding: 1 .. modulus - 1."""
    return int.from_bytes(urandom(40), "little") % (modulus - 1) + 1


def _affine(total):
    """(x, y) of the sum; 1 / Z with Z times a random factor."""
    machine = total.machine
    factor = random_factor(p256.P)
    z = scalar.inverse(machine.get(data.R_Z) * factor, p256.P) * factor % p256.P
    square = z * z % p256.P
    x = machine.get(data.R_X) * square % p256.P
    y = machine.get(data.R_W) * square % p256.P * z % p256.P
    return x, (y >> 1) + (y & 1) * ((p256.P + 1) >> 1)  # W = 2Y


def _finish(total, stopped, digits, k, x, y):
    """(x, y) of k (x, y), by the complete formulas where the others did not hold."""
    try:
        if not stopped:
            return _affine(total)
        from suit.crypto.p256_complete import multiply_add

        return multiply_add(0, int.from_bytes(k, "little"), x, y)
    finally:
        total.machine.wipe()
        for buffer in (total.code, digits, k):
            wipe(buffer)


def multiply_base(k):
    """k G as integers, by the comb; `k` is a bytearray of `little`, wiped here."""
    total = p256.Sum(None, data.NAMED)
    total.machine.table(0, data.BASE)
    digits = bytearray(p256.COLUMNS)
    scratch = bytearray(32)
    scalar.regular(
        k, p256.ORDER, p256.COLUMNS, 1, p256.COLUMNS, p256.TEETH, digits, scratch
    )
    wipe(scratch)
    stopped = total.add_up(digits, p256.COLUMNS, data.SHAPE_G_SECRET, 1)
    from suit.crypto.p256_complete import GX, GY

    return _finish(total, stopped, digits, k, GX, GY)


def public(private):
    x, y = multiply_base(little(private))
    return x.to_bytes(32, "big"), y.to_bytes(32, "big")


def shared(private, x, y):
    x, y = p256.uncompressed(x, y)
    k = little(private)
    total = p256.Sum()
    places = _WIDTH * _WINDOWS
    digits = bytearray(places)
    scratch = bytearray(32)
    stopped = total.multiples(x, y)
    scalar.regular(k, p256.ORDER, _WINDOWS, _WIDTH, 1, _WIDTH, digits, scratch)
    wipe(scratch)
    stopped = stopped or total.add_up(digits, places, data.SHAPE_Q_SECRET, 1)
    return bytearray(_finish(total, stopped, digits, k, x, y)[0].to_bytes(32, "big"))
