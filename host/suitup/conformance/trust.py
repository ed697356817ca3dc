"""Keys of cases as what the device reads: PEM files become COSE_Keys bound to no algorithm."""

import cbor2
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from suitup import numbers as n
from suitup.conformance import Unsupported


def cose_key(path) -> dict:
    """The COSE_Key map in a file, without private members for asymmetric keys."""
    data = path.read_bytes()
    if b"-----BEGIN " not in data:
        return public(cbor2.loads(data))
    try:
        key = serialization.load_pem_public_key(data)
    except ValueError:
        key = serialization.load_pem_private_key(data, None).public_key()
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
        numbers = key.public_numbers()
        return {
            n.KEY_KTY: n.KTY_EC2, -1: n.CRV_P256,
            -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big"),
        }
    if isinstance(key, ed25519.Ed25519PublicKey):
        raw = key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        return {n.KEY_KTY: n.KTY_OKP, -1: n.CRV_ED25519, -2: raw}
    raise Unsupported(f"key type of {path.name}")


def public(key: dict) -> dict:
    """A verifier needs no private member; one that is there must not change a verdict, but is not handed on."""
    private = {n.KTY_EC2: -4, n.KTY_OKP: -4, n.KTY_AKP: -2}.get(key.get(n.KEY_KTY))
    return {label: value for label, value in key.items() if label != private}


def store(case) -> str:
    """`key` and `more_keys` of a case as the hex of a COSE_KeySet."""
    names = [case.get("key")] + list(case.get("more_keys") or ())
    return cbor2.dumps([cose_key(case.key_path(name)) for name in names if name]).hex()


def secrets(case) -> str:
    """`decryption_key` likewise, with its private part."""
    name = case.get("decryption_key")
    return cbor2.dumps([cbor2.loads(case.key_path(name).read_bytes())] if name else []).hex()
