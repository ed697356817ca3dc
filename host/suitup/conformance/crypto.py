"""Kinds wycheproof, lms, mldsa, thumbprint, encryption-info and kdf-context: one algorithm of the device at a time."""

import hashlib

import cbor2

from suitup import numbers as n
from suitup.conformance import Unsupported, Wrong, trust


def ask(judge, question):
    """The answer; raises for what is not a verdict."""
    answer = judge.ask(question)
    if answer.get("lacks"):
        raise Unsupported(f"the device has no code for {answer['lacks']}")
    if answer.get("result") in ("crash", "hang"):
        raise Wrong(f"{answer['result']}: {answer.get('traceback') or answer.get('detail')}")
    return answer


def _verify(judge, key, alg, tests):
    """[bool] for [(message hex, signature hex, context hex)]."""
    question = {"kind": "verify", "key": cbor2.dumps(key).hex(), "alg": alg, "tests": tests}
    answer = ask(judge, question)
    if "results" not in answer:
        # a key that is refused altogether verifies nothing
        return [False] * len(tests)
    return answer["results"]


def _signatures(group, name="sig"):
    return [(test["msg"], test[name], test.get("ctx", "")) for test in group["tests"]]


def _ecdsa(judge, group):
    public = bytes.fromhex(group["publicKey"]["uncompressed"])
    key = {n.KEY_KTY: n.KTY_EC2, -1: n.CRV_P256, -2: public[1:33], -3: public[33:]}
    return _verify(judge, key, n.ALG_ESP256, _signatures(group))


def _eddsa(judge, group):
    key = {n.KEY_KTY: n.KTY_OKP, -1: n.CRV_ED25519, -2: bytes.fromhex(group["publicKey"]["pk"])}
    return _verify(judge, key, n.ALG_ED25519, _signatures(group))


def _mldsa(alg):
    def verify(judge, group):
        key = {n.KEY_KTY: n.KTY_AKP, n.KEY_ALG: alg, -1: bytes.fromhex(group["publicKey"])}
        return _verify(judge, key, alg, _signatures(group))

    return verify


def _hmac(judge, group):
    if group["tagSize"] != 256:
        return [None] * len(group["tests"])  # a shorter tag is another algorithm of COSE
    results = []
    for test in group["tests"]:
        key = {n.KEY_KTY: n.KTY_SYMMETRIC, -1: bytes.fromhex(test["key"])}
        results += _verify(judge, key, n.ALG_HMAC256, [(test["msg"], test["tag"], "")])
    return results


def _equal(answer, tests, name):
    """A test passes when the device computes what the test says; what it refuses is refused."""
    return [found == test[name] for found, test in zip(answer["results"], tests, strict=True)]


def _aead(name, sizes, alg):
    def decrypt(judge, group):
        tests = group["tests"]
        if group["tagSize"] != 128 or group["keySize"] not in sizes or group["ivSize"] != 96:
            return [None] * len(tests)  # not in any profile
        rows = [[test[field] for field in ("key", "iv", "aad", "ct", "tag")] for test in tests]
        return _equal(ask(judge, {"kind": "cipher", "name": name, "alg": alg, "tests": rows}), tests, "msg")

    return decrypt


def _unwrap(judge, group):
    tests = group["tests"]
    if group["keySize"] == 192:
        return [None] * len(tests)  # left to ports whose AES has it
    rows = [[test["key"], test["ct"]] for test in tests]
    return _equal(ask(judge, {"kind": "unwrap", "tests": rows}), tests, "msg")


def _hkdf(judge, group):
    rows = [[test["ikm"], test["salt"], test["info"], test["size"]] for test in group["tests"]]
    return _equal(ask(judge, {"kind": "hkdf", "tests": rows}), group["tests"], "okm")


def _agree(curve):
    def agree(judge, group):
        tests, rows = group["tests"], []
        for test in tests:
            private = test["private"]
            if curve == "p256":
                # a number without leading zeros, or with one too many, there; 32 bytes here
                private = bytes.fromhex(private)[-32:].rjust(32, b"\0").hex()
            rows.append([private, test["public"]])
        results = _equal(ask(judge, {"kind": "agree", "curve": curve, "tests": rows}), tests, "shared")
        compressed = [curve == "p256" and test["public"][:2] in ("02", "03") for test in tests]
        return [None if skip else found for skip, found in zip(compressed, results, strict=True)]

    return agree


_WYCHEPROOF = {
    ("ECDSA", "EcdsaP1363Verify"): _ecdsa,
    ("EDDSA", "EddsaVerify"): _eddsa,
    ("HMACSHA256", "MacTest"): _hmac,
    ("ML-DSA-44", "MlDsaVerify"): _mldsa(n.ALG_ML_DSA_44),
    ("ML-DSA-65", "MlDsaVerify"): _mldsa(n.ALG_ML_DSA_65),
    ("AES-GCM", "AeadTest"): _aead("gcm", (128, 256), n.ALG_A128GCM),
    ("CHACHA20-POLY1305", "AeadTest"): _aead("chacha", (256,), n.ALG_CHACHA20_POLY1305),
    ("AES-WRAP", "KeywrapTest"): _unwrap,
    ("HKDF-SHA-256", "HkdfTest"): _hkdf,
    ("XDH", "XdhComp"): _agree("x25519"),
    ("ECDH", "EcdhEcpointTest"): _agree("p256"),
}


def wycheproof(case, judge):
    data = case.json()
    wrong, left_out, count = [], 0, 0
    for group in data["testGroups"]:
        function = _WYCHEPROOF.get((data["algorithm"], group["type"]))
        if function is None:
            raise Unsupported(f"{data['algorithm']}, {group['type']}")
        for test, found in zip(group["tests"], function(judge, group), strict=True):
            if found is None:
                left_out += 1
                continue
            count += 1
            if test["result"] != "acceptable" and found != (test["result"] == "valid"):
                wrong.append(f"tcId {test['tcId']} was {'accepted' if found else 'refused'} ({test['comment']})")
    if wrong:
        raise Wrong("; ".join(wrong[:5]) + (f" and {len(wrong) - 5} more" if len(wrong) > 5 else ""))
    if not count:
        raise Unsupported(f"{data['algorithm']} in this form")
    return f"{count} tests" + (f", {left_out} of other forms left out" if left_out else "")


def lms(case, judge):
    key = {n.KEY_KTY: n.KTY_HSS_LMS, -1: case.bytes("public_key")}
    found = _verify(judge, key, n.ALG_HSS_LMS, [(case.bytes("message").hex(), case.bytes("signature").hex(), "")])[0]
    if case.accept is not None and found != case.accept:
        raise Wrong("accepted" if found else "refused")
    return "accepted" if found else "refused"


def mldsa(case, judge):
    if "cose" not in case.files:
        return _mldsa_answers(case, judge)
    question = {"kind": "cose", "message": case.bytes("cose").hex(), "payload": None, "external": "",
                "trust": trust.store(case)}
    answer = ask(judge, question)
    if case.accept is not None and (answer["result"] == "ok") != case.accept:
        raise Wrong(f"{answer['result']}: {answer.get('detail')}")
    if case.expect.get("kid_is_thumbprint"):
        message = cbor2.loads(case.bytes("cose")).value
        kid = {**(cbor2.loads(message[0]) if message[0] else {}), **message[1]}.get(n.HDR_KID)
        key = cbor2.dumps(trust.cose_key(case.key_path(case.get("key")))).hex()
        if ask(judge, {"kind": "thumbprint", "key": key})["result"] != (kid or b"").hex():
            raise Wrong("kid is not the thumbprint the device computes")
    return answer["result"]


def _mldsa_answers(case, judge):
    """Known answers: pk, msg, sm = signature followed by msg, ctx."""
    algorithms = {1312: n.ALG_ML_DSA_44, 1952: n.ALG_ML_DSA_65}
    answers = case.json()
    for number, test in enumerate(answers):
        public, message = bytes.fromhex(test["pk"]), bytes.fromhex(test["msg"])
        signature = bytes.fromhex(test["sm"])[: -len(message) or None]
        alg = algorithms.get(len(public))
        if alg is None:
            raise Unsupported(f"a public key of {len(public)} bytes")
        key = {n.KEY_KTY: n.KTY_AKP, n.KEY_ALG: alg, -1: public}
        if _verify(judge, key, alg, [(message.hex(), signature.hex(), test.get("ctx") or "")]) != [case.accept]:
            raise Wrong(f"answer {number} was judged wrongly")
    return f"{len(answers)} answers"


def thumbprint(case, judge):
    """From the key, or from what is hashed, which is the key itself reduced to its required members."""
    role = "cose_key" if "cose_key" in case.files else "to_be_hashed"
    found = ask(judge, {"kind": "thumbprint", "key": case.bytes(role).hex()})["result"]
    if found != case.expect["sha256"]:
        raise Wrong(f"the device computes {found}")
    return found


def encryption_info(case, judge):
    keys = cbor2.dumps([cbor2.loads(case.key_path(case.get("key")).read_bytes())]).hex()
    answer = ask(judge, {
        "kind": "decrypt", "info": case.bytes("encryption_info").hex(), "ciphertext": case.bytes("ciphertext").hex(),
        "keys": keys,
    })
    plaintext = case.bytes("plaintext").hex() if "plaintext" in case.files else None
    if "reason" in answer:
        if case.accept:
            raise Wrong(f"{answer['result']}: {answer['detail']}")
        return f"refused, {answer['detail']}"
    if case.accept is False or (plaintext is not None and answer["result"] != plaintext):
        raise Wrong("another plaintext" if case.accept else "accepted")
    wanted = case.expect.get("plaintext_sha256")
    if wanted and hashlib.sha256(bytes.fromhex(answer["result"])).hexdigest() != wanted:
        raise Wrong("another plaintext")
    return f"{len(answer['result']) // 2} bytes"


def kdf_context(case, judge):
    """The context of ECDH-ES + A128KW: AlgorithmID A128KW, the recipient's protected header {1: -29}."""
    wanted = case.bytes("kdf_context")
    _, _, _, public = cbor2.loads(wanted)[:4]
    answer = ask(judge, {"kind": "kdf-context", "alg": cbor2.loads(wanted)[0], "protected": public[1].hex()})
    if answer["result"] != wanted.hex():
        raise Wrong(f"the device makes {answer['result']}")
    return ""
