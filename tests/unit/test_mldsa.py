# ML-DSA.
# MIT licence.
"""Published signatures pass; bad hints, norms, lengths and bits are refused; engines agree."""

import json
import struct

from harness import MICROPYTHON, raises
from suit.crypto import mldsa, mldsa_plain
from suit.errors import SuitError
from suit.numbers import ALG_ML_DSA_44, ALG_ML_DSA_65, R_ALG_UNSUPPORTED, R_UNAUTHORISED
from suit.region import MemoryRegion
from suit.trust import Key

VECTORS = __file__.rsplit("/", 2)[0] + "/vectors/"
Q = 8380417


class Public:
    def __init__(self, pub, alg=ALG_ML_DSA_44):
        self.pub = memoryview(pub)
        self.alg = alg


class Meter:
    """A region that knows the largest piece it was asked for, and refuses to be overrun."""

    def __init__(self, data):
        self._region = MemoryRegion(data)
        self.size = len(data)
        self.largest = 0

    def read_at(self, offset, buf):
        assert 0 <= offset and offset + len(buf) <= self.size, "read past the end"
        self.largest = max(self.largest, len(buf))
        return self._region.read_at(offset, buf)


def read(path):
    with open(VECTORS + path, "rb") as f:
        return f.read()


def known():
    """(pk, message, signature, context) of the first known answers for ML-DSA-44."""
    for one in json.loads(read("mldsa/mldsa44-kat.json")):
        pk, message, sm, context = [bytes.fromhex(one[part]) for part in ("pk", "msg", "sm", "ctx")]
        yield pk, message, sm[: len(sm) - len(message)], context


def refused(pk, message, signature, context=b"", why=None):
    error = raises(
        SuitError, mldsa.verify, Public(pk), message, Meter(signature), context,
        reason=R_UNAUTHORISED,
    )  # fmt: skip
    if why:
        assert why in error.detail, error.detail


def changed(data, at, value):
    out = bytearray(data)
    out[at] = value
    return bytes(out)


def test_known_answers_with_and_without_a_context():
    n = 0
    for pk, message, signature, context in known():
        region = Meter(signature)
        mldsa.verify(Public(pk), message, region, context)
        assert region.largest <= 160
        refused(pk, message + b"x", signature, context, "signature")
        refused(pk, message, signature, context + b"x", "signature")
        n += 1
        if n == 3 and not MICROPYTHON:
            break
    assert n >= 3


def test_wycheproof_gives_every_verdict():
    groups = json.loads(read("wycheproof/mldsa_44_verify_test.json"))["testGroups"]
    judged = slow = 0
    for group in groups:
        pk = bytes.fromhex(group["publicKey"])
        for test in group["tests"]:
            part = [bytes.fromhex(test.get(name, "")) for name in ("msg", "sig", "ctx")]
            # plain Python takes its time over what goes all the way; some of each is enough there
            if not MICROPYTHON and len(pk) == 1312 and len(part[1]) == 2420:
                slow += 1
                if slow % 3:
                    continue
            try:
                mldsa.verify(Public(pk), part[0], Meter(part[1]), part[2])
                verdict = "valid"
            except SuitError as error:
                assert error.reason == R_UNAUTHORISED
                verdict = "invalid"
            assert verdict == test["result"], test["tcId"]
            judged += 1
    assert judged > 20


def cose_example(name):
    """The Sig_structure, the signature and the key of an example of RFC 9964."""
    key = Key(read("mldsa/%s.cose_key.cbor" % name))
    from suit.cbor import Cursor, encode

    c = Cursor(read("mldsa/%s.sign1.cbor" % name))
    c.tag()
    c.array()
    protected = bytes(c.bstr())
    c.skip(False)
    payload = bytes(c.bstr())
    return key, encode(["Signature1", protected, b"", payload]), bytes(c.bstr())


def test_the_cose_examples_verify():
    for name, alg in (("ML_DSA_44", ALG_ML_DSA_44), ("ML_DSA_65", ALG_ML_DSA_65)):
        key, message, signature = cose_example(name)
        assert key.alg == alg
        mldsa.verify(key, message, Meter(signature))
        raises(SuitError, mldsa.verify, key, message[1:], Meter(signature), reason=R_UNAUTHORISED)


def test_another_parameter_set_is_unsupported_or_does_not_fit():
    pk, message, signature, context = next(known())
    for alg in (-50, None, -47):
        raises(
            SuitError, mldsa.verify, Public(pk, alg), message, Meter(signature),
            reason=R_ALG_UNSUPPORTED,
        )  # fmt: skip
    raises(
        SuitError, mldsa.verify, Public(pk, ALG_ML_DSA_65), message, Meter(signature),
        reason=R_UNAUTHORISED,
    )  # fmt: skip


def test_wrong_lengths_are_refused():
    pk, message, signature, context = next(known())
    for n in (0, 1, 31, 1311):
        refused(pk[:n], message, signature, context, "public key length")
    refused(pk + b"\0", message, signature, context, "public key length")
    for n in (0, 1, 32, 2419):
        refused(pk, message, signature[:n], context, "length")
    refused(pk, message, signature + b"\0", context, "length")
    refused(pk, message, signature, bytes(256), "context")


def test_hints_must_be_counted_ordered_and_padded():
    pk, message, signature, context = next(known())
    hint = 2420 - 84
    counts = signature[hint + 80 :]
    # counts that fall, or are over omega
    refused(pk, message, changed(signature, hint + 81, counts[0] - 1), context, "hint count")
    refused(pk, message, changed(signature, hint + 83, 81), context, "hint count")
    # two positions equal, or swapped
    assert counts[0] >= 2
    refused(pk, message, changed(signature, hint + 1, signature[hint]), context, "hint order")
    swapped = bytearray(signature)
    swapped[hint], swapped[hint + 1] = swapped[hint + 1], swapped[hint]
    refused(pk, message, bytes(swapped), context, "hint order")
    # anything behind the last
    if counts[3] < 80:
        refused(pk, message, changed(signature, hint + 79, 1), context, "hint padding")


def test_a_coefficient_of_z_on_the_bound_is_refused():
    pk, message, signature, context = next(known())
    for first in (b"\0\0\0", b"\xff\xff\xff", struct.pack("<I", 78)[:3]):
        wrong = bytearray(signature)
        wrong[32:35] = first
        refused(pk, message, bytes(wrong), context, "norm of z")


def test_one_changed_bit_anywhere_is_refused():
    pk, message, signature, context = next(known())
    step = 171 if MICROPYTHON else 800
    for at in range(5, len(signature), step):
        refused(pk, message, changed(signature, at, signature[at] ^ 1 << at % 8), context)
    for at in range(3, len(pk), step):
        refused(changed(pk, at, pk[at] ^ 1 << at % 8), message, signature, context)


def poly(values):
    return bytearray(struct.pack("<256I", *values))


def values_of(buf):
    return [v % Q for v in struct.unpack("<256I", buf)]


def test_engines_agree_at_the_edges():
    fast = mldsa._engine
    edges = (0, 1, Q - 1, Q - 2, Q >> 1, 8191, 1 << 22)
    many = [edges[i * i % 7] for i in range(256)]
    for start in ([Q - 1] * 256, [0] * 255 + [Q - 1], many):
        a, b = poly(start), poly(start)
        fast.ntt(a, 0)
        mldsa_plain.ntt(b, 0)
        assert values_of(a) == values_of(b)
        c, d = bytearray(a), bytearray(b)
        fast.multiply(a, 0, c)
        mldsa_plain.multiply(b, 0, d)
        assert values_of(a) == values_of(b)
        acc, other = bytearray(a), bytearray(b)
        block = bytes(i * 89 & 255 for i in range(168))
        worst = b"\x00\xe0\x7f" * 56  # q - 1
        for one in (block, worst):
            n = m = 0
            while n < 256:
                n = fast.sample(acc, 0, c, one, n)
                m = mldsa_plain.sample(other, 0, d, one, m)
                assert n == m
            assert values_of(acc) == values_of(other)
        for _ in range(4):
            n = 0
            while n < 256:
                n = fast.sample(acc, 0, c, worst, n)
                mldsa_plain.sample(other, 0, d, worst, n - 56 if n < 256 else 224)
        fast.invert(acc, 0)
        mldsa_plain.invert(other, 0)
        assert acc == other
        hint = bytes(range(0, 256, 3))
        for alpha, m, bits, multiplier, shift in (
            (190464, 44, 6, 11275, 24), (523776, 16, 4, 1025, 22),
        ):  # fmt: skip
            x, y = bytearray(32 * bits), bytearray(32 * bits)
            for values in (acc, poly(many)):
                fast.use_hint(values, hint, 1, 80, x, alpha, m, bits, multiplier, shift)
                mldsa_plain.use_hint(values, hint, 1, 80, y, alpha, m, bits, multiplier, shift)
                assert x == y


def test_decompose_agrees_with_its_definition():
    # algorithm 36 by division, at every boundary of a high part
    for alpha, m, bits, multiplier, shift in (
        (190464, 44, 6, 11275, 24), (523776, 16, 4, 1025, 22),
    ):  # fmt: skip
        spots = []
        for high in range(m + 1):
            for near in (-alpha // 2 - 1, -alpha // 2, -alpha // 2 + 1, 0):
                spots.append((high * alpha + near) % Q)
        for start in range(0, len(spots), 256):
            part = (spots[start : start + 256] + [0] * 256)[:256]
            out = bytearray(32 * bits)
            mldsa._engine.use_hint(poly(part), b"", 0, 0, out, alpha, m, bits, multiplier, shift)
            packed = int.from_bytes(out, "little")
            for i, r in enumerate(part):
                low = r % alpha
                if low > alpha // 2:
                    low -= alpha
                expected = 0 if r - low == Q - 1 else (r - low) // alpha
                assert packed >> bits * i & (1 << bits) - 1 == expected, r
