"""Between Key and the objects of `cryptography`."""

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, x25519

from suitup import numbers as n
from suitup.keys.model import CRV, PRIV, PUB, BadKey, D, Key, X, Y

_OKP = {
    n.CRV_ED25519: (ed25519.Ed25519PrivateKey, ed25519.Ed25519PublicKey),
    n.CRV_X25519: (x25519.X25519PrivateKey, x25519.X25519PublicKey),
}
_ML_DSA = {
    n.ALG_ML_DSA_44: (mldsa.MLDSA44PrivateKey, mldsa.MLDSA44PublicKey),
    n.ALG_ML_DSA_65: (mldsa.MLDSA65PrivateKey, mldsa.MLDSA65PublicKey),
}


def from_object(obj, alg=None, development=False) -> Key:
    """A Key from a private or public key object; `alg` binds it to one algorithm."""
    bound = {} if alg is None else {n.KEY_ALG: alg}
    private = hasattr(obj, "public_key")
    public = obj.public_key() if private else obj
    if isinstance(public, ec.EllipticCurvePublicKey):
        if public.curve.name != "secp256r1":
            raise BadKey(f"curve {public.curve.name} is not P-256")
        numbers = public.public_numbers()
        params = {
            n.KEY_KTY: n.KTY_EC2,
            **bound,
            CRV: n.CRV_P256,
            X: numbers.x.to_bytes(32, "big"),
            Y: numbers.y.to_bytes(32, "big"),
        }
        if private:
            params[D] = obj.private_numbers().private_value.to_bytes(32, "big")
        return Key(params, development)
    for crv, (_, kind) in _OKP.items():
        if isinstance(public, kind):
            params = {n.KEY_KTY: n.KTY_OKP, **bound, CRV: crv, X: public.public_bytes_raw()}
            if private:
                params[D] = obj.private_bytes_raw()
            return Key(params, development)
    for number, (_, kind) in _ML_DSA.items():
        if isinstance(public, kind):
            params = {n.KEY_KTY: n.KTY_AKP, n.KEY_ALG: number, PUB: public.public_bytes_raw()}
            if private:
                params[PRIV] = obj.private_bytes_raw()
            return Key(params, development)
    raise BadKey(f"{type(obj).__name__} is not of a kind suitup uses")


def private_object(key: Key):
    """The private key object of `cryptography`; BadKey when the private part is not held."""
    secret = key.secret
    if secret is None:
        raise BadKey("this is a public key")
    if key.kty == n.KTY_EC2:
        return ec.derive_private_key(int.from_bytes(secret, "big"), ec.SECP256R1())
    if key.kty == n.KTY_OKP:
        return _OKP[key.crv][0].from_private_bytes(secret)
    if key.kty == n.KTY_AKP and key.alg in _ML_DSA:
        return _ML_DSA[key.alg][0].from_seed_bytes(secret)
    raise BadKey(f"a {key.kind} key has no private key object")


def public_object(key: Key):
    """The public key object of `cryptography`; BadKey when the point is not on its curve."""
    try:
        if key.kty == n.KTY_EC2:
            return ec.EllipticCurvePublicKey.from_encoded_point(
                ec.SECP256R1(), b"\x04" + key.params[X] + key.params[Y]
            )
        if key.kty == n.KTY_OKP:
            return _OKP[key.crv][1].from_public_bytes(key.params[X])
        if key.kty == n.KTY_AKP and key.alg in _ML_DSA:
            return _ML_DSA[key.alg][1].from_public_bytes(key.params[PUB])
    except ValueError as error:
        raise BadKey(str(error)) from None
    raise BadKey(f"a {key.kind} key has no public key object")
