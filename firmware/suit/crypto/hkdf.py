# HKDF with SHA-256 (RFC 5869).
# MIT licence.
"""`derive(secret, salt, info, n)` -> n bytes (bytearray, the caller's to wipe); an empty salt is the
one of 32 zero bytes. ValueError for more than 8160 bytes."""

from .hmac256 import hmac


def derive(secret, salt, info, n):
    if n > 255 * 32:
        raise ValueError("HKDF")
    key = hmac(salt or bytes(32), secret)
    out = bytearray(n)
    block = b""
    at = 0
    counter = 1
    while at < n:
        block = hmac(key, block, info, bytes((counter,)))
        take = min(32, n - at)
        out[at : at + take] = memoryview(block)[:take]
        at += take
        counter += 1
    return out
