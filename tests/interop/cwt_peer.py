"""Run by the interpreter that has python-cwt: answers one JSON request per line.

{"verify": COSE message, "payload": detached payload, "keys": [COSE_Key ...]}  -> {"ok": bool, "why"}
{"sign": payload, "alg": name, "keys": [COSE_Key ...], "kind": "Sign1" | "Sign" | "Mac0"}  -> {"cose": message}
All values are hex."""

import json
import sys

import cbor2
from cwt import COSE, COSEKey, COSEMessage, Signer


def key(data):
    item = cbor2.loads(bytes.fromhex(data))
    return COSEKey.new(item)


def verify(request):
    keys = [key(each) for each in request["keys"]]
    message = bytes.fromhex(request["verify"])
    payload = bytes.fromhex(request["payload"])
    COSE.new().decode(message, keys, detached_payload=payload)
    return {"ok": True}


def sign(request):
    keys = [key(each) for each in request["keys"]]
    payload = bytes.fromhex(request["sign"])
    context = COSE.new(alg_auto_inclusion=True, kid_auto_inclusion=True)
    if request["kind"] == "Mac0":
        message = context.encode_and_mac(payload, keys[0])
    elif request["kind"] == "Sign1":
        message = context.encode_and_sign(payload, keys[0])
    else:
        signers = [
            Signer.new(each, protected={1: each.alg}, unprotected={4: each.kid}) for each in keys
        ]
        message = context.encode_and_sign(payload, signers=signers)
    found = COSEMessage.loads(message)
    assert found is not None
    return {"cose": message.hex()}


for line in sys.stdin:
    request = json.loads(line)
    try:
        answer = verify(request) if "verify" in request else sign(request)
    except Exception as error:  # whatever it is, it is the peer's verdict
        answer = {"ok": False, "why": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), flush=True)
