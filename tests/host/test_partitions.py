"""The ESP32 partition table: written as ESP-IDF writes it, refused where the bootloader would refuse it."""

import hashlib

import pytest
from suitup import paths
from suitup.errors import Failure
from suitup.images import partitions

CSV = paths.boards() / "ESP32_GENERIC" / "partitions-ota.csv"


def test_entries_have_the_documented_layout_and_an_md5_row():
    data = partitions.encode(partitions.load(CSV))
    assert len(data) == 0xC00
    # ota_0 as the documentation gives an entry: magic, type, subtype, offset, size, name, flags
    assert data[96:128] == bytes.fromhex("aa50 00 10 00000100 00001800") + b"ota_0".ljust(
        16, b"\0"
    ) + bytes(4)
    assert data[160:176] == b"\xeb\xeb" + b"\xff" * 14
    assert data[176:192] == hashlib.md5(data[:160]).digest()
    assert set(data[192:]) == {0xFF}


def test_a_table_read_back_is_the_table_written():
    table = partitions.load(CSV)
    assert partitions.decode(partitions.encode(table)) == table


def test_empty_offsets_follow_on_with_the_alignment_of_their_type():
    table = partitions.parse_csv("nvs,data,nvs,,16K\notadata,data,ota,,8K\nota_0,app,ota_0,,1M\n")
    assert [p.offset for p in table] == [0x9000, 0xD000, 0x10000]


def test_flags_are_kept():
    table = partitions.parse_csv(
        "a,data,nvs,0x9000,4K,readonly\nb,data,fat,,4K,encrypted:readonly\nc,data,,,4K\n"
    )
    assert [p.flags for p in table] == [2, 3, 0] and table[2].subtype == 6
    assert partitions.decode(partitions.encode(table)) == table


@pytest.mark.parametrize(
    "line, word",
    [
        ("a,app,ota_0,0x10000,1M", "otadata"),
        ("otadata,data,ota,0xd000,0x1000", "0x2000"),
        ("x,data,nvs,0x8000,4K", "overlaps"),
        ("x,app,factory,0x11000,1M", "multiple"),
        ("x,data,fat,0x9000,4K\nx,data,fat,0xa000,4K", "two partitions"),
        ("x,data,fat,0x9000,8K\ny,data,fat,0xa000,4K", "overlaps"),
        ("a_name_of_16_byte,data,fat,0x9000,4K", "15 bytes"),
        ("x,data,what,0x9000,4K", "subtype"),
        ("x,data,nvs,0x9000,0x2000", "0x3000"),
        ("otadata,data,ota,0xd000,0x2000,readonly", "readonly"),
        ("x,data,fat,0x9000,4K,encrypted:secret", "secret"),
        ("x,app,factory,0x10000,0x10800", "size"),
        ("x,data,nvs", "five fields"),
    ],
)
def test_a_table_that_would_not_boot_is_refused(line, word):
    with pytest.raises(Failure) as failure:
        partitions.parse_csv(line)
    assert word in str(failure.value)


def test_a_table_larger_than_the_flash_is_refused():
    with pytest.raises(Failure):
        partitions.check(partitions.load(CSV), flash_size=2 * 1024 * 1024)


@pytest.mark.parametrize("at", [0, 100, 165, 180])
def test_a_damaged_table_is_refused(at):
    data = bytearray(partitions.encode(partitions.load(CSV)))
    data[at] ^= 0x55
    with pytest.raises(Failure):
        partitions.decode(bytes(data))
