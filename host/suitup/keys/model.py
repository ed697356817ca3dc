"""One key, as the COSE_Key map it is on the wire (RFC 9052 section 7, RFC 9053, 8778, 9964)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from suitup import cbor
from suitup import numbers as n

CRV, X, Y, D = -1, -2, -3, -4  # EC2, OKP
K = -1  # Symmetric
PUB, PRIV = -1, -2  # HSS-LMS (public only), AKP

# labels that may not leave the workstation, per key type
_SECRET = {
    n.KTY_EC2: (D,),
    n.KTY_OKP: (D,),
    n.KTY_SYMMETRIC: (K,),
    n.KTY_AKP: (PRIV,),
    n.KTY_HSS_LMS: (),
}
# what the thumbprint covers (RFC 9679 section 4; AKP: RFC 9964)
_THUMBPRINT = {
    n.KTY_EC2: (n.KEY_KTY, CRV, X, Y),
    n.KTY_OKP: (n.KEY_KTY, CRV, X),
    n.KTY_SYMMETRIC: (n.KEY_KTY, K),
    n.KTY_HSS_LMS: (n.KEY_KTY, PUB),
    n.KTY_AKP: (n.KEY_KTY, n.KEY_ALG, PUB),
}
_CURVE_SIZE = {n.CRV_P256: 32, n.CRV_X25519: 32, n.CRV_ED25519: 32}


class BadKey(ValueError):
    """Not a key, or one of a kind that suitup does not know; the text says which."""


@dataclass(frozen=True)
class Key:
    """`params`: the COSE_Key map, private members included when they are held. `state`: path of a stateful
    private key (HSS-LMS), whose secret is never in memory longer than a signature takes."""

    params: Mapping = field(repr=False)
    development: bool = False
    state: object = field(default=None, repr=False, compare=False)

    def __post_init__(self):
        kty = self.params.get(n.KEY_KTY)
        if kty not in _THUMBPRINT:
            raise BadKey(f"key type {kty!r} is not known")
        if kty in (n.KTY_EC2, n.KTY_OKP):
            size = _CURVE_SIZE.get(self.params.get(CRV))
            if size is None:
                raise BadKey(f"curve {self.params.get(CRV)!r} is not known")
            for label in (X, Y, D) if kty == n.KTY_EC2 else (X, D):
                value = self.params.get(label)
                if value is None and label != D:
                    raise BadKey("a coordinate is missing")
                if value is not None and (not isinstance(value, bytes) or len(value) != size):
                    raise BadKey(f"a coordinate is not {size} bytes")
        for label in _THUMBPRINT[kty]:
            if label not in self.params:
                raise BadKey(f"label {label} is missing")

    @property
    def kty(self) -> int:
        return self.params[n.KEY_KTY]

    @property
    def alg(self) -> int | None:
        """The one algorithm this key is for, or None when it is bound to none."""
        return self.params.get(n.KEY_ALG)

    @property
    def crv(self) -> int | None:
        return self.params.get(CRV) if self.kty in (n.KTY_EC2, n.KTY_OKP) else None

    @property
    def secret(self) -> bytes | None:
        """The private part (scalar, seed or symmetric key), or None in a public key."""
        labels = _SECRET[self.kty]
        return self.params.get(labels[0]) if labels else None

    @property
    def private(self) -> bool:
        """Can this key sign, MAC or decrypt?"""
        return self.secret is not None or self.state is not None

    def public(self) -> Key:
        """Without what may not leave the workstation. A symmetric key has no public half: it stays as it is."""
        if self.kty == n.KTY_SYMMETRIC:
            return self
        hidden = _SECRET[self.kty]
        params = {label: value for label, value in self.params.items() if label not in hidden}
        return Key(params, self.development)

    @property
    def thumbprint(self) -> bytes:
        """COSE Key Thumbprint (RFC 9679) with SHA-256, 32 bytes: the key id everywhere in suitup."""
        required = {label: self.params[label] for label in _THUMBPRINT[self.kty]}
        return hashlib.sha256(cbor.encode(required)).digest()

    @property
    def kid(self) -> str:
        """The thumbprint as hex, as it is printed."""
        return self.thumbprint.hex()

    def cose_key(self) -> bytes:
        """Deterministic COSE_Key with everything held, private members included."""
        return cbor.encode(dict(self.params))

    def describe(self) -> str:
        """A few words for people: `ESP256 key 3f2a..., private, development`."""
        words = [f"{self.kind} key {self.kid[:16]}"]
        if self.private:
            words.append("private" if self.kty != n.KTY_SYMMETRIC else "secret")
        if self.development:
            words.append("development")
        return ", ".join(words)

    @property
    def kind(self) -> str:
        """What the key is for, in the words of `keygen --alg`."""
        if self.kty == n.KTY_EC2:
            return "ECDH-P256" if self.alg == n.ALG_ECDH_ES_A128KW else "ESP256"
        if self.kty == n.KTY_OKP:
            return "X25519" if self.crv == n.CRV_X25519 else "Ed25519"
        return {
            n.ALG_HMAC256: "HMAC-256",
            n.ALG_A128KW: "A128KW",
            n.ALG_A192KW: "A192KW",
            n.ALG_A256KW: "A256KW",
            n.ALG_ML_DSA_44: "ML-DSA-44",
            n.ALG_ML_DSA_65: "ML-DSA-65",
            n.ALG_HSS_LMS: "HSS-LMS",
        }.get(self.alg, "HSS-LMS" if self.kty == n.KTY_HSS_LMS else "symmetric")


def from_cose_key(data) -> Key:
    """A Key from an encoded COSE_Key or from its decoded map; raises BadKey."""
    if not isinstance(data, dict):
        try:
            data = cbor.decode(data, sort=False)
        except cbor.NotDeterministic as error:
            raise BadKey(f"not a COSE_Key: {error}") from None
    if not isinstance(data, dict):
        raise BadKey("a COSE_Key is a map")
    return Key(data, development=bool(data.get(n.KEY_DEVELOPMENT)))
