# AES Key Wrap and HKDF.
# MIT licence.
"""Published vectors; changed, cut and lengthened input."""

import json

from harness import MICROPYTHON, raises
from suit.crypto import hkdf, keywrap
from suit.errors import SuitError
from suit.numbers import R_ALG_UNSUPPORTED, R_DECRYPTION

VECTORS = __file__.rsplit("/", 2)[0] + "/vectors/"
KEK = bytes(range(16))
WRAPPED = bytes.fromhex("1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5")
KEY = bytes.fromhex("00112233445566778899aabbccddeeff")


def groups(name):
    with open(VECTORS + "wycheproof/" + name + "_test.json") as f:
        return json.load(f)["testGroups"]


def test_rfc_3394_example():
    assert keywrap.unwrap(KEK, WRAPPED) == KEY


def test_key_wrap_gives_every_verdict_of_wycheproof():
    judged = 0
    for group in groups("aes_wrap"):
        for test in group["tests"]:
            key, wrapped, message = [bytes.fromhex(test[part]) for part in ("key", "ct", "msg")]
            try:
                got = keywrap.unwrap(key, wrapped)
            except SuitError as error:
                if MICROPYTHON and len(key) == 24 and error.reason == R_ALG_UNSUPPORTED:
                    continue
                assert error.reason == R_DECRYPTION
                got = None
            judged += 1
            if test["result"] == "valid":
                assert got == message, test["tcId"]
            elif test["result"] == "invalid":
                assert got is None, test["tcId"]
    assert judged > 60


def test_hkdf_gives_every_verdict_of_wycheproof():
    judged = 0
    for group in groups("hkdf_sha256"):
        for test in group["tests"]:
            secret, salt, info, out = [
                bytes.fromhex(test[part]) for part in ("ikm", "salt", "info", "okm")
            ]
            judged += 1
            if test["result"] == "valid":
                assert hkdf.derive(secret, salt, info, test["size"]) == out, test["tcId"]
            else:
                raises(ValueError, hkdf.derive, secret, salt, info, test["size"])
    assert judged > 50


def test_every_bit_of_a_wrapped_key_counts():
    for i in range(len(WRAPPED)):
        wrong = bytearray(WRAPPED)
        wrong[i] ^= 1 << i % 8
        raises(SuitError, keywrap.unwrap, KEK, wrong, reason=R_DECRYPTION)
    raises(SuitError, keywrap.unwrap, bytes(16), WRAPPED, reason=R_DECRYPTION)


def test_wrapped_keys_of_other_lengths_are_refused():
    for n in list(range(24)) + [25, 31, 33, 39]:
        raises(SuitError, keywrap.unwrap, KEK, bytes(n), reason=R_DECRYPTION)
    for n in (0, 1, 15, 17, 33):
        raises(SuitError, keywrap.unwrap, bytes(n), WRAPPED, reason=R_DECRYPTION)


def test_a_memoryview_does_as_well_and_is_not_changed():
    wrapped = bytearray(b"x" + WRAPPED)
    assert keywrap.unwrap(memoryview(KEK), memoryview(wrapped)[1:]) == KEY
    assert wrapped[1:] == WRAPPED
