"""Kinds wycheproof, lms, mldsa and thumbprint: one algorithm of the device at a time."""

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
    """[bool] for [(message hex, signature hex)]."""
    question = {"kind": "verify", "key": cbor2.dumps(key).hex(), "alg": alg, "tests": tests}
    answer = ask(judge, question)
    if "results" not in answer:
        # a key that is refused altogether verifies nothing
        return [False] * len(tests)
    return answer["results"]


def _ecdsa(judge, group):
    public = bytes.fromhex(group["publicKey"]["uncompressed"])
    key = {n.KEY_KTY: n.KTY_EC2, -1: n.CRV_P256, -2: public[1:33], -3: public[33:]}
    return _verify(judge, key, n.ALG_ESP256, [(test["msg"], test["sig"]) for test in group["tests"]])


def _eddsa(judge, group):
    key = {n.KEY_KTY: n.KTY_OKP, -1: n.CRV_ED25519, -2: bytes.fromhex(group["publicKey"]["pk"])}
    return _verify(judge, key, n.ALG_ED25519, [(test["msg"], test["sig"]) for test in group["tests"]])


def _mldsa_44(judge, group):
    key = {n.KEY_KTY: n.KTY_AKP, n.KEY_ALG: n.ALG_ML_DSA_44, -1: bytes.fromhex(group["publicKey"])}
    results = []
    for test in group["tests"]:
        if test.get("ctx"):
            results.append(None)  # COSE has no context string
        else:
            results += _verify(judge, key, n.ALG_ML_DSA_44, [(test["msg"], test["sig"])])
    return results


def _hmac(judge, group):
    results = []
    for test in group["tests"]:
        key = {n.KEY_KTY: n.KTY_SYMMETRIC, -1: bytes.fromhex(test["key"])}
        results += _verify(judge, key, n.ALG_HMAC256, [(test["msg"], test["tag"])])
    return results


_WYCHEPROOF = {
    ("ECDSA", "EcdsaP1363Verify"): _ecdsa,
    ("EDDSA", "EddsaVerify"): _eddsa,
    ("HMACSHA256", "MacTest"): _hmac,
    ("ML-DSA-44", "MlDsaVerify"): _mldsa_44,
}


def wycheproof(case, judge):
    data = case.json()
    wrong, left_out, count = [], 0, 0
    for group in data["testGroups"]:
        function = _WYCHEPROOF.get((data["algorithm"], group["type"]))
        if function is None:
            raise Unsupported(f"{data['algorithm']}, {group['type']}")
        if group.get("tagSize", 256) != 256 and function is _hmac:
            left_out += len(group["tests"])  # a shorter tag is another algorithm of COSE
            continue
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
    found = _verify(judge, key, n.ALG_HSS_LMS, [(case.bytes("message").hex(), case.bytes("signature").hex())])[0]
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
    count = left_out = 0
    for test in case.json():
        public, message = bytes.fromhex(test["pk"]), bytes.fromhex(test["msg"])
        signature = bytes.fromhex(test["sm"])[: -len(message) or None]
        alg = algorithms.get(len(public))
        if alg is None:
            raise Unsupported(f"a public key of {len(public)} bytes")
        if test.get("ctx"):
            left_out += 1  # COSE has no context string
            continue
        key = {n.KEY_KTY: n.KTY_AKP, n.KEY_ALG: alg, -1: public}
        if _verify(judge, key, alg, [(message.hex(), signature.hex())]) != [case.accept]:
            raise Wrong(f"test {count + left_out} was judged wrongly")
        count += 1
    if not count:
        raise Unsupported("ML-DSA with a context string, which COSE does not use")
    return f"{count} answers" + (f", {left_out} with a context string left out" if left_out else "")


def thumbprint(case, judge):
    """From the key, or from what is hashed, which is the key itself reduced to its required members."""
    role = "cose_key" if "cose_key" in case.files else "to_be_hashed"
    found = ask(judge, {"kind": "thumbprint", "key": case.bytes(role).hex()})["result"]
    if found != case.expect["sha256"]:
        raise Wrong(f"the device computes {found}")
    return found
