"""cbor.py: what is refused, what is read, and the published lists of RFC 8949 and CDE."""

import json

from harness import raises
from suit import cbor
from suit.cbor import Cursor, encode, value
from suit.errors import SuitError
from suit.numbers import R_CBOR_PARSE, R_STRUCTURE

VECTORS = __file__.rsplit("/", 2)[0] + "/vectors/cbor/"


def h(text):
    return bytes.fromhex(text)


def refused(item, offset=None, ordered=True):
    error = raises(SuitError, lambda: value_of_any(item, ordered), reason=R_CBOR_PARSE)
    if offset is not None:
        assert error.offset == offset, error.args
    return error


def value_of_any(item, ordered=True):
    c = Cursor(item)
    c.skip(ordered)
    c.end()


def test_integers_of_every_length_are_read():
    for n in (
        0,
        23,
        24,
        255,
        256,
        65535,
        65536,
        (1 << 30) - 1,
        1 << 30,
        (1 << 31) - 1,
        1 << 31,
        (1 << 32) - 1,
        1 << 32,
        (1 << 62),
        (1 << 63) - 1,
        1 << 63,
        (1 << 64) - 1,
    ):
        assert Cursor(encode(n)).uint() == n
        assert Cursor(encode(-1 - n)).int() == -1 - n


def test_longer_heads_than_needed_are_refused():
    for item in (
        "1817",
        "1900ff",
        "1a0000ffff",
        "1b00000000ffffffff",
        "3817",
        "580161",
        "780161",
        "980100",
        "b8010000",
        "d80100",
        "f818",
        "f800",
    ):
        refused(h(item), 0)


def test_indefinite_lengths_breaks_and_reserved_heads_are_refused():
    for item in (
        "5f4101ff",
        "7f6161ff",
        "9f01ff",
        "bf0101ff",
        "ff",
        "1c",
        "3d",
        "5e",
        "fc",
        "1f",
        "df",
    ):
        refused(h(item), 0)


def test_floats_are_refused():
    for item in ("f93c00", "fa47c35000", "fb3ff199999999999a"):
        refused(h(item), 0)


def test_a_length_of_64_bits_is_not_taken_for_a_short_one():
    for item in (
        "5bffffffffffffffff61",
        "7b800000000000000161",
        "9bffffffffffffffff00",
        "bb8000000000000000",
        "bbffffffffffffffff0000",
        "5b000000010000000161",
        "9b000000010000000000",
    ):
        refused(h(item), 0)


def test_truncated_items_are_refused():
    for item in (
        "",
        "18",
        "19ff",
        "1affffff",
        "4161"[:2],
        "6261",
        "82",
        "8201",
        "a1",
        "a101",
        "c0",
        "d818",
    ):
        refused(h(item))


def test_keys_must_be_sorted_and_unique():
    value_of_any(h("a3010020006161 00".replace(" ", "")))
    refused(h("a202000100"), 3)
    refused(h("a201000100"), 3)
    refused(h("a220000100"), 3)  # -1 sorts after 1
    refused(h("a2616200616100"), 4)
    refused(h("a2190100001800"[:-2] + "1818" + "00"), 5)
    value_of_any(h("a218180019010000"))
    # inside another item too
    refused(h("8101" + "00"))
    refused(h("82a20200010000"), 4)
    # a key may be a container
    value_of_any(h("a281000081010 0".replace(" ", "")))
    refused(h("a28101008100 00".replace(" ", "")), 4)


def test_without_order_duplicates_are_still_refused():
    value_of_any(h("a202000100"), False)
    refused(h("a201000100"), 3, False)
    refused(h("a26161006161 00".replace(" ", "")), 4, False)
    refused(h("81a201000100"), 4, False)
    refused(h("a2810100810100"), 4, False)


def test_text_is_utf8_by_rfc_3629():
    for good in (
        "",
        "61",
        "c280",
        "dfbf",
        "e0a080",
        "ed9fbf",
        "ee8080",
        "efbfbf",
        "f0908080",
        "f48fbfbf",
        "61c3bc62",
    ):
        item = encode(1)[:0] + cbor.head(3, len(h(good))) + h(good)
        assert Cursor(item).tstr().encode() == h(good)
    for bad in (
        "80",
        "c0",
        "c080",
        "c1bf",
        "c2",
        "c2c2",
        "e08080",
        "e09fbf",
        "eda080",
        "edbfbf",
        "e0a0",
        "e18080c0",
        "f08080 80".replace(" ", ""),
        "f08fbfbf",
        "f4908080",
        "f5808080",
        "f0908061",
        "ff",
        "6180",
    ):
        refused(cbor.head(3, len(h(bad))) + h(bad))


def test_a_sequence_of_utf8_does_not_reach_beyond_its_text():
    refused(h("8261c24180"), 2)


def test_nesting_is_bounded():
    value_of_any(h("81" * 8 + "00"))
    assert "deep" in refused(h("81" * 9 + "00"), 8).detail
    refused(h("81" * 200 + "00"), 8)
    refused(h("c1" * 9 + "00"), 8)
    value_of_any(h("8280" + "81" * 7 + "00"))


def test_trailing_bytes_are_refused():
    refused(h("0000"), 1)
    c = Cursor(h("8100"))
    c.array()
    raises(SuitError, c.end, reason=R_CBOR_PARSE)


def test_a_getter_that_refuses_does_not_move():
    c = Cursor(h("6161" + "1800"))
    for getter in (c.uint, c.int, c.bstr, c.bool, c.null, c.array, c.map, c.tag, c.inner):
        raises(SuitError, getter, reason=R_STRUCTURE)
        assert c.pos == 0
    assert c.tstr() == "a"
    for getter in (c.uint, c.skip, c.raw):
        raises(SuitError, getter, reason=R_CBOR_PARSE)
        assert c.pos == 2
    c = Cursor(h("82a2020001" + "0000"))
    raises(SuitError, c.skip, reason=R_CBOR_PARSE)
    assert c.pos == 0


def test_every_getter_returns_its_value():
    c = Cursor(
        h(
            "89"
            + "05"
            + "24"
            + "4261ff"
            + "63c3bc62"
            + "f4"
            + "f5"
            + "f6"
            + "81"
            + "00"
            + "a10102"
            + "d86b80"
        )
    )
    assert c.array() == 9
    assert c.uint() == 5 and c.int() == -5 and bytes(c.bstr()) == b"a\xff" and c.tstr() == "\xfcb"
    assert c.bool() is False and c.bool() is True
    assert c.is_null() and c.null() is None
    assert c.peek() == cbor.ARRAY and c.array() == 1 and c.uint() == 0
    assert c.map() == 1 and (c.uint(), c.uint()) == (1, 2)
    assert c.tag() == 107 and c.array() == 0
    c.end()


def test_raw_is_the_item_with_its_head():
    c = Cursor(h("82" + "4161" + "a10102"))
    c.array()
    assert bytes(c.raw()) == h("4161")
    assert bytes(c.raw()) == h("a10102")


def test_offsets_inside_a_wrapped_item_are_those_of_the_view():
    c = Cursor(h("8243820118"), base=100)
    c.array()
    inner = c.inner()
    assert inner.array() == 2 and inner.uint() == 1
    error = raises(SuitError, inner.uint, reason=R_CBOR_PARSE)
    assert error.offset == 104  # 18 without its byte
    assert not c.more()


def test_a_wrapped_item_ends_with_its_bytes():
    c = Cursor(h("4118" + "18"))
    inner = c.inner()
    raises(SuitError, inner.uint, reason=R_CBOR_PARSE)


def test_the_writer_is_deterministic_and_reads_back():
    thing = {
        "b": [1, -1, b"x", None, True, False, {1: 2, -1: 3, 100: "u"}],
        "a": "text",
        10: 1 << 40,
    }
    item = encode(thing)
    assert item == encode(value(item))
    assert value(item) == thing
    assert item[:5] == h("a30a1b0000")
    raises(TypeError, encode, 1.5)
    raises(ValueError, encode, 1 << 64)
    assert encode(bytearray(b"ab")) == encode(memoryview(b"ab")) == h("426162")


def test_value_refuses_what_is_not_deterministic():
    raises(SuitError, value, h("a202000100"), reason=R_CBOR_PARSE)
    assert value(h("a202000100"), False) == {1: 0, 2: 0}
    raises(SuitError, value, h("c100"), reason=R_STRUCTURE)
    raises(SuitError, value, h("0000"), reason=R_CBOR_PARSE)


def is_float(item):
    return item[0] in (0xF9, 0xFA, 0xFB)


def is_float_error(error):
    return error.detail == "float"


def test_rfc_8949_appendix_a():
    with open(VECTORS + "appendix_a.json") as f:
        tests = json.load(f)
    read = 0
    for test in tests:
        item = h(test["hex"])
        good = test["roundtrip"] and test["hex"] != "f818"
        try:
            value_of_any(item)
            ok = True
            read += 1
        except SuitError as error:
            ok = False
            if good and is_float_error(error):
                continue
        assert ok == good, test
    assert read > 40


def test_items_of_rfc_8949_appendix_f_are_refused():
    with open(VECTORS + "not-well-formed.json") as f:
        tests = json.load(f)
    assert len(tests) == 62
    for test in tests:
        refused(h(test["hex"]))


def test_the_cde_example_table():
    bad = good = 0
    with open(VECTORS + "cde-example-table-input.csv") as f:
        for line in f:
            # no field after the value holds a comma but the last one
            kind = line.split(",", 1)[0]
            item = [part for part in line.split(",") if is_hex(part)]
            item = [part for part in item if len(part) % 2 == 0 and not part.startswith("-")]
            item = item[-1] if kind != "int" else line.split(",")[2]
            if item in ("c34a00010000000000000000", "c243010000"):
                continue
            if kind == "bad":
                refused(h(item))
                bad += 1
            elif kind == "int":
                value_of_any(h(item))
                good += 1
    assert bad == 8 and good == 22


def is_hex(part):
    return part != "" and all(c in "0123456789abcdef" for c in part)
