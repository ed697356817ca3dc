"""Envelopes for tests of the device, made with its own writer and signed with HMAC: small, on both
interpreters, and no crypto of the host's."""

import hashlib

from suit import numbers as n
from suit.cbor import TAG, encode, head

KEY = b"a shared key, thirty-two bytes!!"
OTHER_KEY = b"not the key that the board has.."
VENDOR = bytes(range(16))
CLASS = bytes(range(16, 32))


def sha256(data):
    return hashlib.sha256(data).digest()


def hmac(key, message):
    """RFC 2104, written out: the device's own is under test."""
    key = key + bytes(64 - len(key))
    inner = sha256(bytes(b ^ 0x36 for b in key) + message)
    return sha256(bytes(b ^ 0x5C for b in key) + inner)


def trust_store(key=KEY, roles=n.ROLE_APP, **labels):
    cose_key = {1: n.KTY_SYMMETRIC, 3: n.ALG_HMAC256, -1: key, n.KEY_ROLES: roles}
    if labels.get("development"):
        cose_key[n.KEY_DEVELOPMENT] = True
    return encode([cose_key])


def config(**more):
    settings = {"name": "unit", "vendor": VENDOR, "class": [CLASS]}
    settings.update(more)
    return encode(settings)


def digest_item(data):
    return encode([n.ALG_SHA256, sha256(data)])


def envelope(sequence, parts, key=KEY, **o):
    """`parts`: [(identifier, content, uri)...]; a uri "#name" makes it integrated. Options: `validate`
    (indices that are matched then), `install_match`, `invoke`, `vendor`, `component_id`,
    `sizes` (say sizes that are not true), `before` (commands at the start of install, for the first)."""
    everything = tuple(range(len(parts)))
    shared = []
    install = [n.C_SET_COMPONENT_INDEX, 0] + o["before"] if "before" in o else []
    validate = []
    for i, (_, content, uri) in enumerate(parts):
        size = o.get("sizes", {}).get(i, len(content))
        params = {n.P_IMAGE_DIGEST: digest_item(content), n.P_IMAGE_SIZE: size}
        if i == 0:
            params[n.P_VENDOR_ID] = o.get("vendor", VENDOR)
            params[n.P_CLASS_ID] = CLASS
        shared += [n.C_SET_COMPONENT_INDEX, i, n.C_OVERRIDE_PARAMETERS, params]
        if i == 0:
            shared += [n.C_VENDOR_ID, 15, n.C_CLASS_ID, 15]
        install += [n.C_SET_COMPONENT_INDEX, i, n.C_OVERRIDE_PARAMETERS, {n.P_URI: uri}]
        install += [n.C_FETCH, 2]
        if o.get("install_match", True):
            install += [n.C_IMAGE_MATCH, 15]
        if i in o.get("validate", everything):
            validate += [n.C_SET_COMPONENT_INDEX, i, n.C_IMAGE_MATCH, 15]
    invoke = [n.C_SET_COMPONENT_INDEX, o.get("invoke", 0), n.C_INVOKE, 2]
    common = {
        n.COMMON_COMPONENTS: [part[0] for part in parts],
        n.COMMON_SHARED_SEQUENCE: encode(shared),
    }
    manifest = {
        n.M_VERSION: 1,
        n.M_SEQUENCE_NUMBER: sequence,
        n.M_COMMON: encode(common),
        n.M_INVOKE: encode(invoke),
        n.M_INSTALL: encode(install),
    }
    if validate:
        manifest[n.M_VALIDATE] = encode(validate)
    if o.get("component_id"):
        manifest[n.M_COMPONENT_ID] = o["component_id"]
    data = encode(manifest)
    digest = digest_item(encode(data))  # with the head of its byte string (8.3)
    protected = encode({n.HDR_ALG: n.ALG_HMAC256})
    tag = hmac(key, encode(["MAC0", protected, b"", digest]))
    block = head(TAG, n.TAG_MAC0) + encode([protected, {}, None, tag])
    members = {n.ENV_AUTHENTICATION: encode([digest, block]), n.ENV_MANIFEST: data}
    for _, content, uri in parts:
        if uri.startswith("#"):
            members[uri] = content
    return head(TAG, n.TAG_SUIT_ENVELOPE) + encode(members)


def manifest_digest(sealed):
    """The digest of an envelope's manifest."""
    from harness import finish
    from suit.envelope import authenticate
    from suit.region import MemoryRegion
    from suit.trust import TrustStore

    return bytes(finish(authenticate(MemoryRegion(sealed), TrustStore(trust_store()))).digest)
