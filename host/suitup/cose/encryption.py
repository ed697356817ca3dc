"""Encrypted payloads (suit-firmware-encryption): SUIT_Encryption_Info, a COSE_Encrypt with detached ciphertext.

A fresh content key encrypts exactly one payload, so that no key ever meets the same nonce twice. It is wrapped to each
recipient: with AES Key Wrap by a shared key, or with ECDH-ES + A128KW to a P-256 or X25519 key. pycose has neither AES-CTR
nor the SUIT KDF context, so the layers of RFC 9052 section 5 are built here."""

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, x25519
from cryptography.hazmat.primitives.ciphers import Cipher, aead, algorithms, modes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from suitup import cbor
from suitup import numbers as n
from suitup.cose.messages import CoseError
from suitup.errors import Failure
from suitup.keys import convert
from suitup.keys.model import BadKey, K, Key, from_cose_key

# content algorithm -> (key bytes, nonce bytes, AEAD class or None for counter mode)
CONTENT = {
    n.ALG_A128GCM: (16, 12, aead.AESGCM),
    n.ALG_A256GCM: (32, 12, aead.AESGCM),
    n.ALG_CHACHA20_POLY1305: (32, 12, aead.ChaCha20Poly1305),
    n.ALG_A128CTR: (16, 16, None),
    n.ALG_A256CTR: (32, 16, None),
}
CONTENT_NAMES = {
    "A128GCM": n.ALG_A128GCM,
    "A256GCM": n.ALG_A256GCM,
    "ChaCha20-Poly1305": n.ALG_CHACHA20_POLY1305,
    "A128CTR": n.ALG_A128CTR,
    "A256CTR": n.ALG_A256CTR,
}
_WRAPPING = {n.ALG_A128KW: 16, n.ALG_A192KW: 24, n.ALG_A256KW: 32}
_KDF_OTHER = b"SUIT Payload Encryption"


def kdf_context(recipient_protected: bytes) -> bytes:
    """COSE_KDF_Context for ECDH-ES + A128KW (firmware-encryption section 6.2.3)."""
    nobody = [None, None, None]
    return cbor.encode([n.ALG_A128KW, nobody, nobody, [128, recipient_protected, _KDF_OTHER]])


def _shared_secret(private: Key, public: Key) -> bytes:
    if (private.kty, private.crv) != (public.kty, public.crv):
        raise CoseError("the ephemeral key is on another curve")
    secret, point = convert.private_object(private), convert.public_object(public)
    try:
        return (
            secret.exchange(ec.ECDH(), point)
            if private.kty == n.KTY_EC2
            else secret.exchange(point)
        )
    except ValueError:
        raise CoseError("the ephemeral key is of small order") from None


def _wrapping_key(private, public, protected):
    return HKDF(hashes.SHA256(), 16, salt=None, info=kdf_context(protected)).derive(
        _shared_secret(private, public)
    )


def is_recipient(key: Key) -> bool:
    """Can a content key be wrapped to this key?"""
    return key.alg in _WRAPPING or (
        key.alg in (None, n.ALG_ECDH_ES_A128KW) and key.crv in (n.CRV_P256, n.CRV_X25519)
    )


def _recipient(key: Key, cek: bytes) -> list:
    """One COSE_recipient that wraps `cek` to `key`."""
    if key.alg in _WRAPPING:
        return [
            b"",
            {n.HDR_ALG: key.alg, n.HDR_KID: key.thumbprint},
            aes_key_wrap(key.params[K], cek),
        ]
    if not is_recipient(key):
        raise Failure(
            f"nothing can be encrypted to a {key.kind} key",
            hint="make one with keygen --alg A128KW, A256KW, ECDH-P256 or X25519",
        )
    fresh = (
        ec.generate_private_key(ec.SECP256R1())
        if key.kty == n.KTY_EC2
        else x25519.X25519PrivateKey.generate()
    )
    ephemeral = convert.from_object(fresh)
    protected = cbor.encode({n.HDR_ALG: n.ALG_ECDH_ES_A128KW})
    wrapped = aes_key_wrap(_wrapping_key(ephemeral, key, protected), cek)
    return [
        protected,
        {n.HDR_KID: key.thumbprint, n.HDR_EPHEMERAL: dict(ephemeral.public().params)},
        wrapped,
    ]


def _apply(alg, cek, nonce, data, protected, encrypting):
    cipher = CONTENT[alg][2]
    if cipher is None:
        run = Cipher(algorithms.AES(cek), modes.CTR(nonce))
        context = run.encryptor() if encrypting else run.decryptor()
        return context.update(data) + context.finalize()
    aad = cbor.encode(["Encrypt", protected, b""])
    if encrypting:
        return cipher(cek).encrypt(nonce, data, aad)
    return cipher(cek).decrypt(nonce, data, aad)


def encrypt(plaintext: bytes, recipients: list[Key], alg=n.ALG_A128GCM) -> tuple[bytes, bytes]:
    """(SUIT_Encryption_Info, ciphertext): `plaintext` under a fresh key, wrapped to every recipient."""
    key_size, nonce_size, cipher = CONTENT[alg]
    cek, nonce = secrets.token_bytes(key_size), secrets.token_bytes(nonce_size)
    # counter mode is no AEAD: its algorithm may not be protected (RFC 9459)
    protected = cbor.encode({n.HDR_ALG: alg}) if cipher else b""
    open_headers = {n.HDR_IV: nonce} if cipher else {n.HDR_ALG: alg, n.HDR_IV: nonce}
    info = cbor.encode(
        cbor.CBORTag(
            n.TAG_ENCRYPT,
            [protected, open_headers, None, [_recipient(key, cek) for key in recipients]],
        )
    )
    return info, _apply(alg, cek, nonce, plaintext, protected, True)


def _unwrap(item, keys) -> bytes:
    """The content key in a COSE_recipient, by the first of `keys` that opens it."""
    if (
        not isinstance(item, list)
        or len(item) != 3
        or not isinstance(item[1], dict)
        or not isinstance(item[0], bytes)
        or not isinstance(item[2], bytes)
    ):
        raise CoseError("not a COSE_recipient")
    protected, headers, wrapped = item
    alg = (cbor.decode(protected, sort=False) if protected else headers).get(n.HDR_ALG)
    for key in keys:
        try:
            if (
                alg in _WRAPPING
                and key.kty == n.KTY_SYMMETRIC
                and len(key.params[K]) == _WRAPPING[alg]
                and key.alg in (None, alg)
            ):
                return aes_key_unwrap(key.params[K], wrapped)
            if alg == n.ALG_ECDH_ES_A128KW and key.crv is not None and key.secret:
                ephemeral = from_cose_key(headers.get(n.HDR_EPHEMERAL))
                return aes_key_unwrap(_wrapping_key(key, ephemeral, protected), wrapped)
        except (InvalidUnwrap, ValueError, BadKey, CoseError):
            continue
    raise CoseError("no key opens it")


def decrypt(info: bytes, ciphertext: bytes, keys: list[Key]) -> bytes:
    """The plaintext; raises CoseError when no key opens it or it was changed."""
    try:
        item = cbor.decode(info, sort=False)
        if not isinstance(item, cbor.CBORTag) or item.tag != n.TAG_ENCRYPT or len(item.value) != 4:
            raise CoseError("not a COSE_Encrypt")
        protected, headers, inside, recipients = item.value
        if inside is not None:
            raise CoseError("the ciphertext is not detached")
        alg = (cbor.decode(protected, sort=False) if protected else headers).get(n.HDR_ALG)
        if alg not in CONTENT:
            raise CoseError(f"algorithm {alg!r} is not supported", unsupported=True)
        if (CONTENT[alg][2] is None) == bool(protected):
            raise CoseError("alg stands in the wrong bucket")
        key_size, nonce_size, _ = CONTENT[alg]
        nonce = headers.get(n.HDR_IV)
        if not isinstance(nonce, bytes) or len(nonce) != nonce_size:
            raise CoseError("no nonce of the right size")
        failure = CoseError("nobody it was encrypted to")
        for each in recipients:
            try:
                cek = _unwrap(each, keys)
            except CoseError as error:
                failure = error
                continue
            if len(cek) != key_size:
                raise CoseError("the content key has another size")
            return _apply(alg, cek, nonce, ciphertext, protected, False)
        raise failure
    except (cbor.NotDeterministic, TypeError, AttributeError) as error:
        raise CoseError(f"not a COSE_Encrypt: {error}") from None
    except InvalidTag:
        raise CoseError(
            "the tag does not match: another key, or the content was changed"
        ) from None
