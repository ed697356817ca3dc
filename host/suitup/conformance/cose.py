"""Kind cose: signatures and MACs of the COSE working group's examples."""

import base64

import cbor2

from suitup import numbers as n
from suitup.conformance import Unsupported, Wrong
from suitup.conformance.crypto import ask

_TAGS = {"sign0": n.TAG_SIGN1, "sign": n.TAG_SIGN, "mac0": n.TAG_MAC0, "mac": n.TAG_MAC}
_CURVES = {"P-256": n.CRV_P256, "Ed25519": n.CRV_ED25519}


def _bytes(jwk, name):
    if name + "_hex" in jwk:
        return bytes.fromhex(jwk[name + "_hex"])
    text = jwk[name]
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def jwk_to_cose(jwk, secret=False) -> dict:
    """A COSE_Key bound to no algorithm; `secret`: with its private member."""
    kty = jwk["kty"]
    if kty in ("EC", "EC2", "OKP"):
        if jwk["crv"] not in _CURVES:
            raise Unsupported(f"curve {jwk['crv']}")
        key = {n.KEY_KTY: n.KTY_OKP if kty == "OKP" else n.KTY_EC2, -1: _CURVES[jwk["crv"]], -2: _bytes(jwk, "x")}
        if kty != "OKP":
            key[-3] = _bytes(jwk, "y")
        if secret:
            key[-4] = _bytes(jwk, "d")
        return key
    if kty == "oct":
        return {n.KEY_KTY: n.KTY_SYMMETRIC, -1: _bytes(jwk, "k")}
    if kty == "HSS-LMS":
        return {n.KEY_KTY: n.KTY_HSS_LMS, -1: bytes.fromhex(jwk["public"])}
    raise Unsupported(f"key type {kty}")


def _gluecose(case, data):
    """What to ask about a case in the other layout."""
    for name, field in (("sign1::verify", "taggedCOSESign1"), ("sign1::sign", "expectedOutput")):
        if name in data:
            part = data[name]
            payload = part.get("payload")
            message = bytes.fromhex(part[field]["cborHex"])
            detached = payload if payload and cbor2.loads(message).value[2] is None else None
            return {"message": message.hex(), "trust": [jwk_to_cose(data["key"])],
                    "external": part.get("external") or "", "payload": detached}
    raise Unsupported("neither sign1::verify nor sign1::sign")


def _examples(case, data):
    """The same of a cose-wg example."""
    source = data["input"]
    name = next(name for name in _TAGS if name in source)
    part = source[name]
    if "key" in part:
        entries = [part]
    elif name == "sign":
        entries = part["signers"]
    else:
        entries = part["recipients"]
        if any((entry.get("unprotected") or {}).get("alg") != "direct" for entry in entries):
            raise Unsupported("a MAC key that is derived or wrapped")
    # an application knows what type it expects where the tag was left out, reads an algorithm wherever COSE lets
    # it stand, and knows the headers it put there; SUIT's own, stricter use is what kind suit judges
    return {
        "message": case.bytes("cbor").hex(),
        "trust": [jwk_to_cose(entry["key"]) for entry in entries],
        "external": part.get("external") or entries[0].get("external") or "",
        "payload": None,
        "tag": _TAGS[name],
        "open_alg": True,
        "understood": (part.get("protected") or {}).get("crit", []),
    }


def _decrypted(case, judge, part, tag):
    """COSE_Encrypt0 and COSE_Encrypt with the ciphertext inside; as above, an application knows what it expects."""
    if not all("key" in entry for entry in part["recipients"]):
        raise Unsupported("recipients of recipients")
    question = {
        "kind": "decrypt", "info": case.bytes("cbor").hex(), "ciphertext": None, "external": part.get("external") or "",
        "keys": cbor2.dumps([jwk_to_cose(entry["key"], True) for entry in part["recipients"]]).hex(), "other": None,
        "tag": tag, "open_alg": True, "nonce": (part.get("unsent") or {}).get("IV_hex"),
    }
    answer = judge.ask(question)
    if answer["result"] in ("crash", "hang"):
        raise Wrong(f"{answer['result']}: {answer.get('traceback') or answer.get('detail')}")
    if "reason" in answer:
        if case.accept is False:
            return f"refused, {answer['detail']}"
        if answer["reason"] in (n.R_ALG_UNSUPPORTED, n.R_COSE_UNSUPPORTED):
            raise Unsupported(f"{answer['detail']} in encrypted messages")
        raise Wrong(f"{answer['result']}: {answer['detail']}")
    source = case.json()["input"]
    plaintext = bytes.fromhex(source["plaintext_hex"]) if "plaintext_hex" in source else source["plaintext"].encode()
    if case.accept is False or (case.accept and answer["result"] != plaintext.hex()):
        raise Wrong("accepted" if case.accept is False else "another plaintext")
    return "decrypted"


def judge(case, judge):
    data = case.json()
    for name, tag in (("encrypted", n.TAG_ENCRYPT0), ("enveloped", n.TAG_ENCRYPT)):
        if name in data.get("input", ()):
            return _decrypted(case, judge, data["input"][name], tag)
    question = (_examples if "input" in data else _gluecose)(case, data)
    question["trust"] = cbor2.dumps(question["trust"]).hex()
    answer = judge.ask({"kind": "cose", **question}) if case.accept is False else ask(
        judge, {"kind": "cose", **question})
    if answer["result"] in ("crash", "hang"):
        raise Wrong(f"{answer['result']}: {answer.get('traceback') or answer.get('detail')}")
    accepted = answer["result"] == "ok"
    if case.accept is not None and accepted != case.accept:
        raise Wrong(f"{answer['result']}: {answer.get('detail')}")
    return "verified" if accepted else f"refused, {answer.get('detail')}"
