"""New keys, one way per algorithm."""

import secrets

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, x25519

from suitup import numbers as n
from suitup.errors import USAGE, Failure
from suitup.keys import convert
from suitup.keys.model import K, Key


def _symmetric(alg, size):
    return lambda: Key({n.KEY_KTY: n.KTY_SYMMETRIC, n.KEY_ALG: alg, K: secrets.token_bytes(size)})


def _asymmetric(make, alg=None):
    return lambda: convert.from_object(make(), alg)


# P-256 PEM files are bound to no algorithm: the same key serves ESP256 and its older name ES256
ALGORITHMS = {
    "ESP256": _asymmetric(lambda: ec.generate_private_key(ec.SECP256R1())),
    "Ed25519": _asymmetric(ed25519.Ed25519PrivateKey.generate),
    "ML-DSA-44": _asymmetric(mldsa.MLDSA44PrivateKey.generate),
    "ML-DSA-65": _asymmetric(mldsa.MLDSA65PrivateKey.generate),
    "HMAC-256": _symmetric(n.ALG_HMAC256, 32),
    "A128KW": _symmetric(n.ALG_A128KW, 16),
    "A256KW": _symmetric(n.ALG_A256KW, 32),
    "ECDH-P256": _asymmetric(
        lambda: ec.generate_private_key(ec.SECP256R1()), n.ALG_ECDH_ES_A128KW
    ),
    "X25519": _asymmetric(x25519.X25519PrivateKey.generate, n.ALG_ECDH_ES_A128KW),
}


# the one kind that is not just a secret: it is made where it will live, by hsslms.create
STATEFUL = "HSS-LMS"


def generate(algorithm="ESP256", development=False) -> Key:
    """A fresh key for `algorithm` (a name in ALGORITHMS)."""
    try:
        make = ALGORITHMS[algorithm]
    except KeyError:
        raise Failure(
            f"algorithm {algorithm} is not known",
            hint="one of " + ", ".join([*ALGORITHMS, STATEFUL]),
            code=USAGE,
        ) from None
    return Key(make().params, development)
