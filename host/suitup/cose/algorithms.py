"""Signature and MAC algorithms, registered with pycose: those it lacks, and ECDSA and HMAC through `cryptography`
(pycose's own ECDSA is pure Python, neither fast nor in constant time)."""

import hashlib
import hmac
import struct

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from pycose.algorithms import CoseAlgorithm

from suitup import numbers as n
from suitup.errors import Failure
from suitup.keys import convert
from suitup.keys.model import PUB, K, Key


class _Algorithm(CoseAlgorithm):
    """`sign(key, data) -> bytes`, `verify(key, data, signature) -> bool`, `fits(key)`; keys are suitup's Key."""

    kty = None
    crv = None
    also = ()  # identifiers a key may be bound to besides this one

    @classmethod
    def fits(cls, key: Key) -> bool:
        """Is `key` of the right type, and bound to no other algorithm?"""
        return (
            key.kty == cls.kty
            and key.crv == cls.crv
            and (key.alg is None or key.alg == cls.identifier)
        )


class _P256(_Algorithm):
    kty, crv = n.KTY_EC2, n.CRV_P256

    @classmethod
    def sign(cls, key, data):
        # deterministic nonces (RFC 6979): a bad random source does not give the key away
        der = convert.private_object(key).sign(
            data, ec.ECDSA(hashes.SHA256(), deterministic_signing=True)
        )
        r, s = utils.decode_dss_signature(der)
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    @classmethod
    def verify(cls, key, data, signature):
        if len(signature) != 64:
            return False
        r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
        return _checked(key, utils.encode_dss_signature(r, s), data, ec.ECDSA(hashes.SHA256()))


def _checked(key, signature, data, *how):
    try:
        convert.public_object(key).verify(signature, data, *how)
        return True
    except (InvalidSignature, ValueError):
        return False


@CoseAlgorithm.register_attribute()
class ES256(_P256):
    identifier, fullname = n.ALG_ES256, "ES256"


@CoseAlgorithm.register_attribute()
class ESP256(_P256):
    identifier, fullname = n.ALG_ESP256, "ESP256"


class _Ed25519(_Algorithm):
    kty, crv = n.KTY_OKP, n.CRV_ED25519

    @classmethod
    def sign(cls, key, data):
        return convert.private_object(key).sign(data)

    @classmethod
    def verify(cls, key, data, signature):
        return _checked(key, signature, data)


@CoseAlgorithm.register_attribute()
class EDDSA(_Ed25519):
    identifier, fullname = n.ALG_EDDSA, "EDDSA"


@CoseAlgorithm.register_attribute()
class ED25519(_Ed25519):
    identifier, fullname = n.ALG_ED25519, "ED25519"


class _MLDSA(_Algorithm):
    kty = n.KTY_AKP

    @classmethod
    def sign(cls, key, data):
        return convert.private_object(key).sign(data)

    @classmethod
    def verify(cls, key, data, signature):
        return _checked(key, signature, data)


@CoseAlgorithm.register_attribute()
class MLDSA44(_MLDSA):
    identifier, fullname = n.ALG_ML_DSA_44, "ML-DSA-44"


@CoseAlgorithm.register_attribute()
class MLDSA65(_MLDSA):
    identifier, fullname = n.ALG_ML_DSA_65, "ML-DSA-65"


@CoseAlgorithm.register_attribute()
class HSSLMS(_Algorithm):
    """RFC 8778; verified by pyhsslms, signed by the stateful key itself."""

    identifier, fullname = n.ALG_HSS_LMS, "HSS-LMS"
    kty = n.KTY_HSS_LMS

    @classmethod
    def sign(cls, key, data):
        signature = key.state.sign(data)
        if not cls.verify(key, data, signature):
            raise Failure(
                "the HSS-LMS signature does not verify",
                "the key file or its tree is damaged",
                "remove the .tree file beside the key; it is made anew",
            )
        return signature

    @classmethod
    def verify(cls, key, data, signature):
        import pyhsslms

        try:
            return bool(pyhsslms.HssPublicKey.deserialize(key.params[PUB]).verify(data, signature))
        except (ValueError, IndexError, TypeError, KeyError, struct.error):
            return False  # what is no signature at all


@CoseAlgorithm.register_attribute()
class HMAC256(_Algorithm):
    identifier, fullname = n.ALG_HMAC256, "HS256"
    kty = n.KTY_SYMMETRIC

    @classmethod
    def compute_tag(cls, key, data):
        return hmac.new(key.params[K], data, hashlib.sha256).digest()

    @classmethod
    def verify_tag(cls, key, tag, data):
        return hmac.compare_digest(cls.compute_tag(key, data), tag)


# by identifier; a MAC has compute_tag and verify_tag instead of sign and verify
SIGNATURES = {a.identifier: a for a in (ES256, ESP256, EDDSA, ED25519, HSSLMS, MLDSA44, MLDSA65)}
MACS = {HMAC256.identifier: HMAC256}


def default_algorithm(key: Key) -> int:
    """The algorithm suitup signs or MACs with when nothing else is asked for: fully specified ones (RFC 9864)."""
    if key.alg is not None:
        return key.alg
    return {
        (n.KTY_EC2, n.CRV_P256): n.ALG_ESP256,
        (n.KTY_OKP, n.CRV_ED25519): n.ALG_ED25519,
        (n.KTY_HSS_LMS, None): n.ALG_HSS_LMS,
        (n.KTY_SYMMETRIC, None): n.ALG_HMAC256,
    }[key.kty, key.crv]
