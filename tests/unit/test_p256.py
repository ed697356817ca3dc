"""ECDSA with P-256: what is accepted, what is refused and why."""

import json

from suit.crypto import p256
from suit.errors import SuitError
from suit.numbers import R_UNAUTHORISED
from suit.region import MemoryRegion

VECTORS = __file__.rsplit("/", 2)[0] + "/vectors/"


class Key:
    table = None

    def __init__(self, x, y):
        self.x = memoryview(x)
        self.y = memoryview(y)


def wycheproof(name):
    with open(VECTORS + "wycheproof/" + name + "_test.json") as f:
        return json.load(f)["testGroups"]


def point(text):
    data = bytes.fromhex(text)
    assert data[0] == 4 and len(data) == 65
    return data[1:33], data[33:]


def verdict(key, message, signature):
    try:
        p256.verify(key, message, MemoryRegion(signature))
        return True
    except SuitError as error:
        assert error.reason == R_UNAUTHORISED
        return False


def test_every_wycheproof_signature_gets_its_verdict():
    n = 0
    for group in wycheproof("ecdsa_secp256r1_sha256_p1363"):
        key = Key(*point(group["publicKey"]["uncompressed"]))
        for case in group["tests"]:
            got = verdict(key, bytes.fromhex(case["msg"]), bytes.fromhex(case["sig"]))
            assert got == (case["result"] == "valid"), case
            n += 1
    assert n == 175, n
