# ML-DSA-44 and ML-DSA-65 signatures (FIPS 204; RFC 9964 for COSE).
# MIT licence.
"""`verify(key, message, signature, context=b"")`: pure ML-DSA; COSE uses the empty context. `key.alg`
says which set, `key.pub` is the encoded public key, `signature` a region, read once in pieces of at
most 160 bytes. Raises SuitError: R_ALG_UNSUPPORTED for another set, else R_UNAUTHORISED with what is
wrong.

w' = A z - c t1 2^d is worked out row by row: of the matrix there is never more than a block of the
SHAKE128 output that it is sampled from, of w' one polynomial. Polynomials are 256 words of 32 bits;
their arithmetic is an engine. Working memory for ML-DSA-44: about 7.5 KiB."""

import struct

from ..errors import SuitError
from ..numbers import ALG_ML_DSA_44, ALG_ML_DSA_65, R_ALG_UNSUPPORTED, R_UNAUTHORISED
from . import engine
from .keccak import RATE128, RATE256, Shake

try:
    from micropython import const
except ImportError:

    def const(n):
        return n


_Q = const(8380417)
_POLY = const(1024)  # bytes
_D = const(13)

# k, l, bits of a coefficient of z, tau, beta, omega, bytes of c~; then of w1: alpha = 2 gamma2, m,
# bits, and the multiplier and shift that divide by alpha (as the reference does)
_SETS = {
    ALG_ML_DSA_44: (4, 4, 18, 39, 78, 80, 32, 190464, 44, 6, 11275, 24),
    ALG_ML_DSA_65: (6, 5, 20, 49, 196, 55, 48, 523776, 16, 4, 1025, 22),
}


def _answers(engine):
    # -(a * X) turns a by one place; and three candidates from a block, the middle one too large
    a = bytearray(_POLY)
    x = bytearray(_POLY)
    for i in range(256):
        struct.pack_into("<I", a, 4 * i, (i * 7919 + 8370000) % _Q)
    struct.pack_into("<I", x, 4, 1)
    last = struct.unpack_from("<I", a, 1020)[0]
    before = struct.unpack_from("<I", a, 4 * 99)[0]
    engine.ntt(a, 0)
    engine.ntt(x, 0)
    engine.multiply(a, 0, x)
    engine.invert(a, 0)
    if struct.unpack_from("<I", a, 0)[0] != last:
        return False
    if struct.unpack_from("<I", a, 400)[0] != _Q - before:
        return False
    block = b"\x02\0\0\xff\xff\xff\xe0\x7f\xff" + bytes(159)
    ones = struct.pack("<4I", 3, 3, 3, 3) + bytes(_POLY - 16)
    acc = bytearray(_POLY)
    engine.sample(acc, 0, ones, block, 0)
    first, second, third = struct.unpack_from("<3I", acc, 0)
    return first % _Q == 6 and second % _Q == 3 * 0x7F7FE0 % _Q and third == 0


def _refuse(why):
    raise SuitError(R_UNAUTHORISED, "ML-DSA: " + why)


def _read(region, at, out):
    if region.read_at(at, out) != len(out):
        _refuse("truncated")


def _check_hints(hint, omega, k):
    """Positions of each polynomial in rising order, counts in rising order, zeros behind the last."""
    first = 0
    for i in range(k):
        end = hint[omega + i]
        if end < first or end > omega:
            _refuse("hint count")
        for j in range(first + 1, end):
            if hint[j] <= hint[j - 1]:
                _refuse("hint order")
        first = end
    for j in range(first, omega):
        if hint[j]:
            _refuse("hint padding")


def _read_z(signature, at, z, l, bits, beta):
    """The vector z, in its NTT form; all its coefficients are within the bound."""
    gamma1 = 1 << (bits - 1)
    piece = memoryview(bytearray(8 * bits))  # 64 coefficients
    for start in range(0, _POLY * l, 256):
        _read(signature, at, piece)
        at += len(piece)
        _engine.unpack(piece, bits, 0, z, start, 64)
        if not _engine.center(z, start, 64, gamma1, gamma1 - beta):
            _refuse("norm of z")
    for start in range(0, _POLY * l, _POLY):
        _engine.ntt(z, start)


def _challenge(c, seed, tau, shake):
    """c: tau coefficients of 1 or -1, as SampleInBall of `seed` says (algorithm 29), in NTT form."""
    shake.reset(RATE256)
    shake.absorb(seed)
    shake.finish()
    block = shake.state
    signs = block[:8]
    at = 8
    for n in range(tau):
        i = 256 - tau + n
        while True:
            if at == RATE256:
                shake.permute()
                at = 0
            j = block[at]
            at += 1
            if j <= i:
                break
        c[4 * i : 4 * i + 4] = c[4 * j : 4 * j + 4]
        struct.pack_into("<I", c, 4 * j, _Q - 1 if signs[n >> 3] >> (n & 7) & 1 else 1)
    _engine.ntt(c, 0)


def _add_row(acc, z, l, rho, row, shake):
    """acc += the sum of A[row][j] z[j]; A is sampled as it goes (algorithm 30)."""
    place = bytearray(2)
    for j in range(l):
        shake.reset(RATE128)
        shake.absorb(rho)
        place[0] = j
        place[1] = row
        shake.absorb(place)
        shake.finish()
        n = _engine.sample(acc, _POLY * j, z, shake.state, 0)
        while n < 256:
            shake.permute()
            n = _engine.sample(acc, _POLY * j, z, shake.state, n)


def verify(key, message, signature, context=b""):
    if key.alg not in _SETS:
        raise SuitError(R_ALG_UNSUPPORTED, key.alg)
    k, l, bits, tau, beta, omega, seed_size, alpha, m, w1_bits, multiplier, shift = _SETS[key.alg]
    public = memoryview(key.pub)
    if len(public) != 32 + 320 * k:
        _refuse("public key length")
    z_size = 32 * bits * l
    if signature.size != seed_size + z_size + omega + k:
        _refuse("length")
    if len(context) > 255:
        _refuse("context")
    hint = bytearray(omega + k)
    _read(signature, seed_size + z_size, hint)
    _check_hints(hint, omega, k)
    z = bytearray(_POLY * l)
    _read_z(signature, seed_size, z, l, bits, beta)
    seed = bytearray(seed_size)
    _read(signature, 0, seed)
    shake = Shake(RATE256)
    c = bytearray(_POLY)
    _challenge(c, seed, tau, shake)
    # mu = H(H(pk) || 0 || context || message)
    digest = bytearray(64)
    shake.reset(RATE256)
    shake.absorb(public)
    shake.squeeze(digest)
    total = Shake(RATE256)
    total.absorb(digest)
    total.absorb(bytes((0, len(context))))
    total.absorb(context)
    total.absorb(message)
    total.squeeze(digest)
    # c~ must be H(mu || w1)
    total.reset(RATE256)
    total.absorb(digest)
    acc = bytearray(_POLY)
    w1 = bytearray(32 * w1_bits)
    rho = public[:32]
    first = 0
    for row in range(k):
        _engine.unpack(public[32 + 320 * row : 352 + 320 * row], 10, _D, acc, 0, 256)
        _engine.ntt(acc, 0)
        _engine.multiply(acc, 0, c)
        _add_row(acc, z, l, rho, row, shake)
        _engine.invert(acc, 0)
        end = hint[omega + row]
        _engine.use_hint(acc, hint, first, end, w1, alpha, m, w1_bits, multiplier, shift)
        first = end
        total.absorb(w1)
    again = bytearray(seed_size)
    total.squeeze(again)
    if again != seed:
        _refuse("signature")
    # the verdict is reached twice, once to raise and once to return: see crypto/__init__.py
    return key if seed == again else None


_engine = engine.best("mldsa", _answers)
