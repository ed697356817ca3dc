# Hash functions by COSE algorithm number (RFC 9054).
# MIT licence.
"""`new(alg)` is an object with `update(data)` and `digest()`; `SIZE[alg]` its length in bytes.
SHA-256 comes from the firmware, the others from `sha512.py` and `keccak.py`, loaded on first use.
SuitError(R_ALG_UNSUPPORTED, alg) for all others."""

from hashlib import sha256

from ..errors import SuitError
from ..numbers import (
    ALG_SHA256,
    ALG_SHA384,
    ALG_SHA512,
    ALG_SHAKE128,
    ALG_SHAKE256,
    R_ALG_UNSUPPORTED,
)

# RFC 9054 section 3.3: SHAKE128 gives 32 bytes, SHAKE256 gives 64
SIZE = {ALG_SHA256: 32, ALG_SHAKE128: 32, ALG_SHA384: 48, ALG_SHA512: 64, ALG_SHAKE256: 64}

_FILES = {
    ALG_SHA384: ("sha512", "SHA384"),
    ALG_SHA512: ("sha512", "SHA512"),
    ALG_SHAKE128: ("keccak", "SHAKE128"),
    ALG_SHAKE256: ("keccak", "SHAKE256"),
}


def new(alg):
    if alg == ALG_SHA256:
        return sha256()
    if alg not in _FILES:
        raise SuitError(R_ALG_UNSUPPORTED, alg)
    from . import load

    file, name = _FILES[alg]
    return getattr(load(file, alg), name)()


def same(a, b):
    """Compare two digests or tags; the time tells nothing about where they differ."""
    if len(a) != len(b):
        return False
    residual = 0
    for i in range(len(a)):
        residual |= a[i] ^ b[i]
    return residual == 0
