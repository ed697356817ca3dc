# HSS/LMS.
# MIT licence.
"""Published signatures pass; what is changed, cut or lengthened is refused, with the reason."""

import json

from harness import raises
from suit.crypto import lms
from suit.errors import SuitError
from suit.numbers import R_ALG_UNSUPPORTED, R_UNAUTHORISED
from suit.region import MemoryRegion

VECTORS = __file__.rsplit("/", 2)[0] + "/vectors/lms/"


class Key:
    def __init__(self, pub):
        self.pub = memoryview(pub)


class Meter:
    """A region that knows the largest piece it was asked for."""

    def __init__(self, data):
        self._region = MemoryRegion(data)
        self.size = len(data)
        self.largest = 0

    def read_at(self, offset, buf):
        assert offset + len(buf) <= self.size, "read past the end"
        self.largest = max(self.largest, len(buf))
        return self._region.read_at(offset, buf)


def load(name):
    with open(VECTORS + name, "rb") as f:
        return f.read()


def case(stem):
    return load(stem + ".pub.bin"), load(stem + ".msg.bin"), load(stem + ".sig.bin")


def verify(pub, message, signature):
    lms.verify(Key(pub), message, MemoryRegion(signature))


def refused(pub, message, signature, why=None, reason=R_UNAUTHORISED):
    error = raises(SuitError, verify, pub, message, signature)
    assert error.reason == reason, error.args
    if why:
        assert why in error.detail, error.detail


def test_every_published_case_gives_its_verdict():
    with open(VECTORS + "index.json") as f:
        cases = json.load(f)["cases"]
    assert len(cases) == 13
    for one in cases:
        files = one["files"]
        item = (load(files["public_key"]), load(files["message"]), load(files["signature"]))
        if one["expect"]["accept"]:
            verify(*item)
        else:
            refused(*item)


def test_the_signature_is_never_whole_in_ram():
    pub, message, signature = case("rfc8554-2")
    region = Meter(signature)
    lms.verify(Key(pub), message, region)
    assert region.largest <= 256


def test_a_cut_or_lengthened_signature_is_refused_without_reading_past_it():
    for stem in ("rfc8554-1", "pyhsslms-testVerifySHA256192"):
        pub, message, signature = case(stem)
        step = 37
        for n in list(range(0, 40)) + list(range(40, len(signature), step)):
            raises(SuitError, lms.verify, Key(pub), message, Meter(signature[:n]))
        refused(pub, message, signature + b"\x00", "length")
        refused(pub, message, signature + signature)


def test_a_cut_or_lengthened_key_is_refused():
    pub, message, signature = case("rfc8554-1")
    for n in range(len(pub)):
        raises(SuitError, verify, pub[:n], message, signature)
    refused(pub + b"\x00", message, signature, "public key length")


def test_the_number_of_levels_must_agree_and_be_between_one_and_eight():
    pub, message, signature = case("rfc8554-1")
    for levels in (0, 1, 3, 9, 255):
        refused(bytes([0, 0, 0, levels]) + pub[4:], message, signature)
        refused(pub, message, bytes([0, 0, 0, levels - 1 & 0xFF]) + signature[4:])


def changed(data, at, value):
    out = bytearray(data)
    out[at : at + len(value)] = value
    return bytes(out)


def test_a_key_of_an_unknown_or_mixed_type_is_unsupported():
    pub, message, signature = case("pyhsslms-testVerifyCryptechLMS5LMOTS4")
    for at, code in ((7, 4), (7, 15), (7, 200), (11, 0), (11, 9), (11, 17)):
        refused(changed(pub, at, bytes([code])), message, signature, None, R_ALG_UNSUPPORTED)
    # LM-OTS with n = 24 under LMS with m = 32
    refused(changed(pub, 11, b"\x08"), message, signature, "two hashes", R_ALG_UNSUPPORTED)


def test_types_in_the_signature_must_be_those_of_the_key():
    pub, message, signature = case("pyhsslms-testVerifyCryptechLMS5LMOTS4")
    # one level: Nspk 4, q 4, LM-OTS type 4, C 32, 34 values, LMS type
    refused(pub, message, changed(signature, 11, b"\x03"), "one-time type")
    refused(pub, message, changed(signature, 12 + 32 + 34 * 32 + 3, b"\x06"), "lms: type")


def test_a_leaf_number_outside_the_tree_is_refused():
    pub, message, signature = case("pyhsslms-testVerifyCryptechLMS5LMOTS4")
    for q in (b"\x00\x00\x00\x20", b"\x80\x00\x00\x00", b"\xff\xff\xff\xff"):
        refused(pub, message, changed(signature, 4, q), "leaf number")


def test_one_changed_bit_anywhere_is_refused():
    pub, message, signature = case("pyhsslms-testVerifySHA256192")
    for at in range(0, len(signature), 13):
        refused(pub, message, changed(signature, at, bytes([signature[at] ^ 1 << at % 8])))
    for at in range(4, len(pub), 7):
        raises(SuitError, verify, changed(pub, at, bytes([pub[at] ^ 0x10])), message, signature)


def test_a_type_of_a_lower_level_is_refused_as_part_of_the_signature():
    pub, message, signature = case("rfc8554-1")
    at = 4 + 1292  # LM-OTS W8 under LMS H5: 12 + 32 + 34 * 32 + 5 * 32
    assert signature[at : at + 4] == b"\x00\x00\x00\x05"
    refused(pub, message, changed(signature, at + 3, b"\x0f"), "lower level")
    refused(pub, message, changed(signature, at + 7, b"\x08"), "lower level")
