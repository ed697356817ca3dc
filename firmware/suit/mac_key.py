# The key of a COSE_Mac that is wrapped for a key of the trust store (RFC 9052 section 8.5.2).
# MIT licence.
"""`candidates(trust, kid, alg, wrapped)` yields a `MacKey` for each key of the trust store that unwraps it, the one that
`kid` names first: `k` is the key of the MAC, `kek` the trust.Key whose holder made it. `alg` is A128KW, A192KW (where the
port has AES-192) or A256KW. Raises SuitError: R_COSE_UNSUPPORTED for another algorithm or length, R_ALG_UNSUPPORTED.

Only a symmetric key that says so (`alg` is the key wrap, `key_ops` do not leave out unwrapping) wraps keys here; what may
be authenticated is up to its roles. It must be used for nothing else, payload encryption least of all: who knows a key
that it wrapped can make MACs with that. For the same reason `cose.py` takes no second recipient, who would know the key
too, and ECDH-ES is refused: the board's public key is public, anybody could wrap a key for it."""

from .crypto import load
from .errors import SuitError
from .numbers import (
    ALG_A128KW,
    ALG_A192KW,
    ALG_A256KW,
    KTY_SYMMETRIC,
    R_COSE_UNSUPPORTED,
    R_DECRYPTION,
)

_SIZES = {ALG_A128KW: 16, ALG_A192KW: 24, ALG_A256KW: 32}
_UNWRAP = 6  # key_ops of RFC 9052, table 5
_KEY = 32  # bytes, as long as the hash (RFC 9053 section 3.1)


class MacKey:
    def __init__(self, k, kek):
        self.k = k
        self.kek = kek


def candidates(trust, kid, alg, wrapped):
    if alg not in _SIZES:
        raise SuitError(R_COSE_UNSUPPORTED, "the recipient is neither direct nor a key wrap")
    if len(wrapped) != _KEY + 8:
        raise SuitError(R_COSE_UNSUPPORTED, "wrapped key length")
    keywrap = load("keywrap", alg)
    found = [
        key
        for key in trust.keys
        if key.kty == KTY_SYMMETRIC
        and key.alg == alg
        and len(key.k) == _SIZES[alg]
        and (key.ops is None or _UNWRAP in key.ops)
    ]
    for named in (True, False):
        for key in found:
            if key.named(kid) == named:
                try:
                    k = keywrap.unwrap(key.k, wrapped)
                except SuitError as error:
                    if error.reason != R_DECRYPTION:
                        raise
                    continue
                try:
                    yield MacKey(k, key)
                finally:
                    keywrap.wipe(k)
