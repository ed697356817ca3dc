# The judge's questions about single algorithms; loaded when one is asked.
# MIT licence.
"""Byte strings are hex. A function raises SuitError where the whole question is refused.

{"kind": "decrypt", "info", "ciphertext" or null when it is inside, "keys": COSE_KeySet,
"external", "other": SuppPubInfo other, absent: that of SUIT; "tag", "open_alg", "nonce": what is
known beside the message} -> {"result": plaintext}
{"kind": "kdf-context", "alg", "protected"} -> {"result": context}
{"kind": "cipher", "name": "gcm" or "chacha", "tests": [[key, iv, aad, ciphertext, tag]]} ->
{"results": [plaintext or null]}
{"kind": "unwrap", "tests": [[key, wrapped]]}, {"kind": "hkdf", "tests": [[secret, salt, info,
size]]},
{"kind": "agree", "curve": "p256" or "x25519", "tests": [[private, public]]} -> {"results": [bytes
or null]}"""

from suit import numbers as n
from suit.crypto import load
from suit.crypto.digest import same
from suit.errors import SuitError
from suit.region import MemoryRegion
from suit.trust import TrustStore

h = bytes.fromhex


def _each(tests, function):
    """[hex or null]; what the device lacks is not a verdict on one test."""
    results = []
    for test in tests:
        try:
            results.append(bytes(function(*test)).hex())
        except SuitError as error:
            if error.reason == n.R_ALG_UNSUPPORTED:
                raise
            results.append(None)
        except ValueError:
            results.append(None)
    return {"results": results}


def decrypt(case):
    from suit.content_key import SUIT
    from suit.decrypt import open as opened

    other = h(case["other"]) if case.get("other") is not None else None
    if "other" not in case:
        other = SUIT
    ciphertext = case.get("ciphertext")
    region = None if ciphertext is None else MemoryRegion(h(ciphertext))
    keys = TrustStore(h(case["keys"]))
    nonce = h(case["nonce"]) if case.get("nonce") else None
    known = (case.get("tag"), case.get("open_alg", False), nonce)
    found = opened(h(case["info"]), region, keys, h(case.get("external") or ""), other, *known)
    return {"result": found.hex()}


def kdf_context(case):
    from suit.content_key import kdf_context as made

    return {"result": bytes(made(case["alg"], h(case["protected"]))).hex()}


def cipher(case):
    name = case["name"]
    make = getattr(load(name, case["alg"]), {"gcm": "GCM", "chacha": "ChaCha"}[name])

    def one(key, iv, aad, ciphertext, tag):
        machine = make(h(key), h(iv), h(aad))
        data = bytearray(h(ciphertext))
        machine.decrypt(data)
        if not same(machine.tag(), h(tag)):
            raise SuitError(n.R_DECRYPTION, "tag")
        return data

    return _each(case["tests"], one)


def unwrap(case):
    from suit.crypto.keywrap import unwrap as made

    return _each(case["tests"], lambda key, wrapped: made(h(key), h(wrapped)))


def hkdf(case):
    from suit.crypto.hkdf import derive

    def one(secret, salt, info, size):
        return derive(h(secret), h(salt), h(info), size)

    return _each(case["tests"], one)


def agree(case):
    curve = case["curve"]
    shared = load(curve, n.ALG_ECDH_ES_A128KW).shared

    def one(private, public):
        public = h(public)
        if curve == "x25519":
            return shared(h(private), public)
        # a compressed point is no use to a COSE_Key of this board
        if len(public) != 65 or public[0] != 4:
            raise SuitError(n.R_UNAUTHORISED, "point")
        return shared(h(private), public[1:33], public[33:])

    return _each(case["tests"], one)


KINDS = {
    "decrypt": decrypt,
    "kdf-context": kdf_context,
    "cipher": cipher,
    "unwrap": unwrap,
    "hkdf": hkdf,
    "agree": agree,
}
