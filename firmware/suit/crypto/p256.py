# ECDSA with P-256 and SHA-256: ES256 and ESP256.
# MIT licence.
"""`verify(key, message, signature)`: `key.x`, `key.y` 32 bytes each, `signature` a region of
exactly 64 bytes (r, s; RFC 9053 section 2.1). Returns None, or raises SuitError(R_UNAUTHORISED,
what): signature length, r or s out of range, key not on the curve, or it does not hold."""

from hashlib import sha256

from suit.crypto import p256_complete as curve
from suit.errors import SuitError
from suit.numbers import R_UNAUTHORISED


def _int(data):
    return int.from_bytes(data, "big")


def verify(key, message, signature):
    if signature.size != 64:
        raise SuitError(R_UNAUTHORISED, "signature length")
    if len(key.x) != 32 or len(key.y) != 32:
        raise SuitError(R_UNAUTHORISED, "key length")
    both = bytearray(64)
    if signature.read_at(0, both) != 64:
        raise SuitError(R_UNAUTHORISED, "signature length")
    r = _int(both[:32])
    s = _int(both[32:])
    if not (0 < r < curve.N and 0 < s < curve.N):
        raise SuitError(R_UNAUTHORISED, "signature range")
    x = _int(bytes(key.x))
    y = _int(bytes(key.y))
    if not curve.on_curve(x, y):
        raise SuitError(R_UNAUTHORISED, "key not on curve")
    w = curve.inverse(s, curve.N)
    e = _int(sha256(message).digest())
    point = curve.multiply_add(e * w % curve.N, r * w % curve.N, x, y)
    if point is None or point[0] % curve.N != r:
        raise SuitError(R_UNAUTHORISED, "signature")
