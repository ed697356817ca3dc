# HMAC with SHA-256 (RFC 2104): COSE algorithm 5, HMAC 256/256.
# MIT licence.
"""`hmac(key, *parts)` -> 32 bytes. `verify(key, message, signature)` as `suit.crypto` says:
`key.k` is the secret, `signature` a region of 32 bytes."""

from hashlib import sha256

from ..errors import SuitError
from ..numbers import R_UNAUTHORISED
from .digest import same


def _pad(key, value):
    block = bytearray(64)
    block[: len(key)] = key
    for i in range(64):
        block[i] ^= value
    return sha256(block)


def hmac(key, *parts):
    if len(key) > 64:
        key = sha256(key).digest()
    inner = _pad(key, 0x36)
    for part in parts:
        inner.update(part)
    outer = _pad(key, 0x5C)
    outer.update(inner.digest())
    return outer.digest()


def verify(key, message, signature):
    tag = bytearray(32)
    if signature.size != 32 or signature.read_at(0, tag) != 32:
        raise SuitError(R_UNAUTHORISED, "tag length")
    made = hmac(key.k, message)
    if not same(made, tag):
        raise SuitError(R_UNAUTHORISED, "tag")
    return key if same(tag, made) else None
