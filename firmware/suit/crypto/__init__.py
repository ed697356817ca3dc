# Which file checks which algorithm; loaded when first asked for.
# MIT licence.
"""`verifier(alg)` is the module whose `verify(key, message, signature)` serves that COSE
algorithm: `key` a `trust.Key`, `message` bytes-like, `signature` a region. It returns `key` itself
or raises SuitError(R_UNAUTHORISED, what). It reaches its verdict twice, once to raise and once to
return, and who calls takes nothing but the returned key, so that one skipped statement or one
inverted branch is not enough to get past it (tests/fuzz/faults.py). SuitError(R_ALG_UNSUPPORTED,
alg) for an algorithm nobody serves, or whose file is not on this board."""

from ..errors import SuitError
from ..numbers import (
    ALG_ED25519,
    ALG_EDDSA,
    ALG_ES256,
    ALG_ESP256,
    ALG_HMAC256,
    ALG_HSS_LMS,
    ALG_ML_DSA_44,
    ALG_ML_DSA_65,
    R_ALG_UNSUPPORTED,
)
from ..optional import optional

_FILES = {
    ALG_ES256: "p256",
    ALG_ESP256: "p256",
    ALG_EDDSA: "ed25519",
    ALG_ED25519: "ed25519",
    ALG_HSS_LMS: "lms",
    ALG_ML_DSA_44: "mldsa",
    ALG_ML_DSA_65: "mldsa",
    ALG_HMAC256: "hmac256",
}


def load(name, alg):
    """Module `suit.crypto.<name>`; where its file is left out on this board, `alg` is
    unsupported."""
    module = optional("crypto." + name)
    if module is None:
        raise SuitError(R_ALG_UNSUPPORTED, alg)
    return module


def verifier(alg):
    name = _FILES.get(alg)
    if name is None:
        raise SuitError(R_ALG_UNSUPPORTED, alg)
    return load(name, alg)


def supported():
    """The COSE algorithms that the files on this board check signatures, MACs and digests with."""
    from .digest import SIZE

    return [alg for alg, name in _FILES.items() if optional("crypto." + name)] + list(SIZE)
