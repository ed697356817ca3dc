"""COSE_Sign1, COSE_Sign, COSE_Mac0 and COSE_Mac over a detached SUIT_Digest (suit-manifest section 8.3), with pycose
for the structures of RFC 9052 and suitup's keys and algorithms in them."""

import secrets

from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap
from pycose.headers import KID, Algorithm
from pycose.messages import Mac0Message, Sign1Message

from suitup import cbor
from suitup import numbers as n
from suitup.cose.algorithms import MACS, SIGNATURES, default_algorithm
from suitup.errors import Failure
from suitup.keys.model import K, Key


class CoseError(ValueError):
    """A block that is no block, or that no key verifies. `unsupported` tells an unknown algorithm."""

    def __init__(self, text, unsupported=False):
        super().__init__(text)
        self.unsupported = unsupported


def _algorithm(key: Key, alg, table):
    alg = default_algorithm(key) if alg is None else alg
    chosen = table.get(alg)
    if chosen is None:
        raise Failure(
            f"a {key.kind} key cannot be used here", f"algorithm {alg} is not one for it"
        )
    if not chosen.fits(key):
        raise Failure(f"a {key.kind} key does not fit algorithm {chosen.fullname}")
    return chosen


def _headers(chosen, key):
    return {"phdr": {Algorithm: chosen}, "uhdr": {KID: key.thumbprint}}


def is_mac(key: Key) -> bool:
    """Does this key make MACs, not signatures?"""
    return key.kty == n.KTY_SYMMETRIC


def to_be_signed(digest: bytes, key: Key, alg=None) -> bytes:
    """The Sig_structure a COSE_Sign1 by `key` over `digest` (an encoded SUIT_Digest) signs; only its public half is
    needed."""
    return Sign1Message(**_headers(_algorithm(key, alg, SIGNATURES), key))._create_sig_structure(
        digest
    )


def _from_der(signature: bytes) -> bytes:
    """An ECDSA signature as most HSMs and openssl write it, as r || s (RFC 9053 section 2.1)."""
    try:
        r, s = decode_dss_signature(signature)
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")
    except (ValueError, OverflowError):
        raise Failure(
            "this is no ECDSA signature over P-256",
            f"it is {len(signature)} bytes, neither r || s nor DER",
        ) from None


def attach(digest: bytes, key: Key, signature: bytes, alg=None) -> bytes:
    """The tagged COSE_Sign1 with a `signature` made elsewhere; refused when it does not verify."""
    chosen = _algorithm(key, alg, SIGNATURES)
    if key.kty == n.KTY_EC2 and len(signature) != 64:
        signature = _from_der(signature)
    message = Sign1Message(**_headers(chosen, key))
    if not chosen.verify(key, message._create_sig_structure(digest), signature):
        raise Failure(
            "this signature is not by that key over this manifest",
            hint="sign what --to-be-signed wrote, with SHA-256 for ECDSA",
        )
    message.signature = signature
    return message.encode(sign=False)


def sign1(digest: bytes, key: Key, alg=None) -> bytes:
    """A tagged COSE_Sign1 over `digest`, payload detached, kid = the key's thumbprint."""
    chosen = _algorithm(key, alg, SIGNATURES)
    message = Sign1Message(**_headers(chosen, key))
    message.signature = chosen.sign(key, message._create_sig_structure(digest))
    return message.encode(sign=False)


def mac0(digest: bytes, key: Key, alg=None) -> bytes:
    """A tagged COSE_Mac0 over `digest`."""
    chosen = _algorithm(key, alg, MACS)
    message = Mac0Message(**_headers(chosen, key), payload=digest)
    tag = chosen.compute_tag(key, message._mac_structure)
    # pycose has no detached payload for MACs: the structure is written here
    parts = [message.phdr_encoded, {n.HDR_KID: key.thumbprint}, None, tag]
    return cbor.encode(cbor.CBORTag(message.cbor_tag, parts))


_KEY_WRAP = {n.ALG_A128KW: 16, n.ALG_A192KW: 24, n.ALG_A256KW: 32}
_MAC_KEY = 32  # bytes, as long as the hash (RFC 9053 section 3.1)


def _wraps(key: Key, alg) -> bool:
    return key.kty == n.KTY_SYMMETRIC and key.alg == alg and len(key.params[K]) == _KEY_WRAP[alg]


def mac(digest: bytes, key: Key) -> bytes:
    """A tagged COSE_Mac over `digest` under a fresh key, wrapped to `key`: a key wrap key of the trust store that is used
    for nothing else. One recipient: a second one would know the key of the MAC and could make others with it."""
    if key.alg not in _KEY_WRAP or not _wraps(key, key.alg):
        raise Failure(
            f"a {key.kind} key wraps no keys of MACs",
            hint="make one with keygen --alg A128KW or A256KW",
        )
    chosen, fresh = MACS[n.ALG_HMAC256], secrets.token_bytes(_MAC_KEY)
    protected = cbor.encode({n.HDR_ALG: chosen.identifier})
    tag = chosen.compute_tag(
        Key({n.KEY_KTY: n.KTY_SYMMETRIC, K: fresh}), cbor.encode(["MAC", protected, b"", digest])
    )
    headers = {n.HDR_ALG: key.alg, n.HDR_KID: key.thumbprint}
    recipient = [b"", headers, aes_key_wrap(key.params[K], fresh)]
    return cbor.encode(cbor.CBORTag(n.TAG_MAC, [protected, {}, None, tag, [recipient]]))


def block(digest: bytes, key: Key, alg=None) -> bytes:
    """An authentication block of the kind that fits `key`."""
    if alg is None and key.alg in _KEY_WRAP:
        return mac(digest, key)
    return mac0(digest, key, alg) if is_mac(key) else sign1(digest, key, alg)


def sign(digest: bytes, signers: list[Key]) -> bytes:
    """A tagged COSE_Sign with one signature per key, body headers empty."""
    signatures = []
    for key in signers:
        chosen = _algorithm(key, None, SIGNATURES)
        protected = cbor.encode({n.HDR_ALG: chosen.identifier})
        signed = cbor.encode(["Signature", b"", protected, b"", digest])
        signatures.append([protected, {n.HDR_KID: key.thumbprint}, chosen.sign(key, signed)])
    return cbor.encode(cbor.CBORTag(n.TAG_SIGN, [b"", {}, None, signatures]))


# what a `crit` list may name: headers that are acted on here, or left aside knowingly
_UNDERSTOOD = (n.HDR_ALG, n.HDR_KID, 3)


def _check_headers(protected: dict, unprotected: dict):
    """What RFC 9052 asks of a recipient: nothing critical we do not know, no label in both buckets; returns alg."""
    for label in (*protected, *unprotected):
        if not isinstance(label, int | str) or isinstance(label, bool):
            raise CoseError("a header is neither an integer nor text")
    if set(protected) & set(unprotected):
        raise CoseError("a header stands in both buckets")
    if n.HDR_CRIT in unprotected:
        raise CoseError("crit is not protected")
    critical = protected.get(n.HDR_CRIT, (n.HDR_ALG,))
    if n.HDR_CRIT in protected and (
        not isinstance(critical, list)
        or not critical
        or any(
            each not in _UNDERSTOOD or each not in protected or isinstance(each, bool)
            for each in critical
        )
    ):
        raise CoseError("crit names headers that are not understood")
    for headers in (protected, unprotected):
        if not isinstance(headers.get(n.HDR_KID, b""), bytes):
            raise CoseError("kid is not a byte string")
        alg = headers.get(n.HDR_ALG, 0)
        if not isinstance(alg, int | str) or isinstance(alg, bool):
            raise CoseError("alg is neither an integer nor text")
    return protected.get(n.HDR_ALG)


def _protected_algorithm(protected, unprotected):
    alg = _check_headers(protected, unprotected)
    if alg is None or n.HDR_ALG in unprotected:
        raise CoseError("alg is not protected")
    return alg


def _protected(data) -> dict:
    if not isinstance(data, bytes):
        raise CoseError("protected headers are not a byte string")
    if not data:
        return {}
    try:
        headers = cbor.decode(data, sort=False)
    except cbor.NotDeterministic as error:
        raise CoseError(str(error)) from None
    if not isinstance(headers, dict):
        raise CoseError("protected headers are not a map")
    return headers


def _candidates(keys, chosen, kid):
    """Keys that fit, the one the kid names first; a kid that names none is only a hint."""
    fitting = [key for key in keys if chosen.fits(key)]
    return sorted(fitting, key=lambda key: key.thumbprint != kid)


def verify(data: bytes, digest: bytes, keys) -> Key:
    """The trusted key that authenticates `digest` in this block (a tagged COSE message); raises CoseError."""
    try:
        item = cbor.decode(data, sort=False)
    except cbor.NotDeterministic as error:
        raise CoseError(f"not a COSE message: {error}") from None
    if not isinstance(item, cbor.CBORTag) or not isinstance(item.value, list):
        raise CoseError("not a tagged COSE message")
    value, size = (
        item.value,
        {n.TAG_SIGN1: 4, n.TAG_MAC0: 4, n.TAG_SIGN: 4, n.TAG_MAC: 5}.get(item.tag),
    )
    if size is None or len(value) != size or not isinstance(value[1], dict):
        raise CoseError("not a COSE structure that authenticates")
    if value[2] is not None:
        raise CoseError("the payload is not detached")
    protected = _protected(value[0])
    if item.tag in (n.TAG_SIGN1, n.TAG_MAC0):
        return _verify_single(item, protected, digest, keys)
    if item.tag == n.TAG_SIGN:
        return _verify_sign(value, protected, digest, keys)
    return _verify_mac(value, protected, digest, keys)


def verify_attached(data: bytes, keys) -> tuple[Key, bytes]:
    """(the trusted key that signed, the payload) of a tagged COSE_Sign1 that carries its payload; raises CoseError."""
    try:
        item = cbor.decode(data, sort=False)
    except cbor.NotDeterministic as error:
        raise CoseError(f"not a COSE message: {error}") from None
    value = item.value if isinstance(item, cbor.CBORTag) and item.tag == n.TAG_SIGN1 else None
    if not isinstance(value, list) or len(value) != 4 or not isinstance(value[1], dict):
        raise CoseError("not a COSE_Sign1")
    if not isinstance(value[2], bytes):
        raise CoseError("no payload")
    return _verify_single(item, _protected(value[0]), value[2], keys), value[2]


def _lookup(table, alg):
    try:
        return table[alg]
    except (KeyError, TypeError):
        raise CoseError(f"algorithm {alg!r} is not supported", unsupported=True) from None


def _verify_single(item, protected, digest, keys):
    alg = _protected_algorithm(protected, item.value[1])
    signed = item.tag == n.TAG_SIGN1
    chosen = _lookup(SIGNATURES if signed else MACS, alg)
    proof = item.value[3]
    if not isinstance(proof, bytes):
        raise CoseError("no signature or tag")
    # pycose would also judge the types of headers that nobody reads here, so the structure is built from the bytes
    covered = cbor.encode(["Signature1" if signed else "MAC0", item.value[0], b"", digest])
    for key in _candidates(keys, chosen, item.value[1].get(n.HDR_KID)):
        good = (
            chosen.verify(key, covered, proof)
            if signed
            else chosen.verify_tag(key, proof, covered)
        )
        if good:
            return key
    raise CoseError("no trusted key verifies it")


def _verify_sign(value, body, digest, keys):
    _check_headers(body, value[1])
    if not isinstance(value[3], list) or not value[3]:
        raise CoseError("no signatures")
    unsupported = None
    for signature in value[3]:
        if (
            not isinstance(signature, list)
            or len(signature) != 3
            or not isinstance(signature[1], dict)
            or not isinstance(signature[2], bytes)
        ):
            raise CoseError("not a COSE_Signature")
        try:
            alg = _protected_algorithm(_protected(signature[0]), signature[1])
            chosen = _lookup(SIGNATURES, alg)
        except CoseError as error:
            unsupported = error
            continue
        covered = cbor.encode(["Signature", value[0], signature[0], b"", digest])
        for key in _candidates(keys, chosen, signature[1].get(n.HDR_KID)):
            if chosen.verify(key, covered, signature[2]):
                return key
    raise unsupported or CoseError("no trusted key verifies it")


def _verify_mac(value, protected, digest, keys):
    """COSE_Mac with one recipient: `direct` (the key itself is shared) or a key wrap by a trusted key."""
    alg = _protected_algorithm(protected, value[1])
    proof, recipients = value[3], value[4]
    if not isinstance(proof, bytes) or not isinstance(recipients, list) or len(recipients) != 1:
        raise CoseError("not a COSE_Mac with one recipient")
    recipient = recipients[0]
    if (
        not isinstance(recipient, list)
        or len(recipient) != 3
        or recipient[0] != b""
        or not isinstance(recipient[1], dict)
        or not isinstance(recipient[2], bytes)
    ):
        raise CoseError("the recipient is neither direct nor a key wrap")
    _check_headers({}, recipient[1])
    how, wrapped = recipient[1].get(n.HDR_ALG), recipient[2]
    chosen = _lookup(MACS, alg)
    covered = cbor.encode(["MAC", value[0], b"", digest])
    kid = value[1].get(n.HDR_KID, recipient[1].get(n.HDR_KID))
    if how == n.ALG_DIRECT and not wrapped:
        for key in _candidates(keys, chosen, kid):
            if chosen.verify_tag(key, proof, covered):
                return key
    elif how in _KEY_WRAP and len(wrapped) == _MAC_KEY + 8:
        for key in keys:
            if not _wraps(key, how):
                continue
            try:
                made = Key({n.KEY_KTY: n.KTY_SYMMETRIC, K: aes_key_unwrap(key.params[K], wrapped)})
            except InvalidUnwrap:
                continue
            if chosen.verify_tag(made, proof, covered):
                return key
    else:
        raise CoseError("the recipient is neither direct nor a key wrap")
    raise CoseError("no trusted key verifies it")
