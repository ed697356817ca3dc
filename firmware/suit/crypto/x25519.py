# X25519 (RFC 7748): the Diffie-Hellman of COSE's OKP keys.
# MIT licence.
"""`shared(private, public) -> bytearray` of 32 bytes, from 32 bytes each; `public(private)` the
public key. Raises SuitError(R_UNAUTHORISED, what) for a key of another length and for a point of
small order, whose shared secret is zero whatever the private key is.

Every step of the ladder is the same operations for a 0 and a 1, and the last inversion is blinded.
Not hidden: which of two equal programs a bit picks (seen by a probe on the bus, not by time), and
copies that big integers leave in the heap. The buffers here are overwritten; the result is the
caller's to overwrite."""

from os import urandom

from suit.crypto import engine, scalar
from suit.crypto import x25519_data as data
from suit.errors import SuitError
from suit.numbers import R_UNAUTHORISED

try:
    from micropython import const
except ImportError:

    def const(value):
        return value


P = 2**255 - 19
_BITS = const(255)


def _ladder(module, private, u):
    """x of the private key times the point with x = u."""
    start = len(data.LIBRARY)
    code = bytearray(start + 4 * _BITS + 4)
    code[:start] = data.LIBRARY
    machine = module.Machine(data.REGISTERS, code, 1)
    for register, value in (
        (data.R_A, 1), (data.R_C, u), (data.R_D, 1), (data.R_U, u), (data.R_K, 121665)
    ):
        machine.put(register, value)
    k = bytearray(private)
    k[0] &= 248
    k[31] = (k[31] & 127) | 64
    scalar.ladder(k, _BITS, data.STEP, code, start)
    machine.run(start)
    # 1 / z, with z times a random factor so that the time says nothing about it
    blind = int.from_bytes(urandom(32), "little") % (P - 1) + 1
    z = scalar.inverse(machine.get(data.R_B) * blind, P) * blind
    x = machine.get(data.R_A) * z % P
    machine.wipe()
    for buffer in (k, code):
        buffer[:] = bytes(len(buffer))
    return x


def _works(module):
    """The known-answer test: a private key of ones times the base point."""
    return _ladder(module, b"\1" * 32, 9) & 0xFFFFFFF == 0x292E0A4


def shared(private, public):
    if len(private) != 32 or len(public) != 32:
        raise SuitError(R_UNAUTHORISED, "key length")
    # the highest bit is ignored and u may be p or more (RFC 7748 section 5)
    u = (int.from_bytes(public, "little") & ((1 << 255) - 1)) % P
    x = _ladder(_engine, private, u)
    if x == 0:
        raise SuitError(R_UNAUTHORISED, "small order")
    return bytearray(x.to_bytes(32, "little"))


def public(private):
    return shared(private, b"\x09" + bytes(31))


scalar.choose()
_engine = engine.best("c25519", _works)
