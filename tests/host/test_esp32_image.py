"""ESP32 application images are told from combined ones, other chips' and damaged ones before anything is sent."""

import hashlib
import struct

import pytest
from suitup.errors import Failure
from suitup.images import esp32


def app_image(chip_id=0, payload=bytes(range(256)) * 4, description=0xABCD5432, hashed=True):
    """An image laid out as ESP-IDF's "App Image Format" says, with one segment."""
    head = struct.pack("<BBBBL", 0xE9, 1, 2, 0x20, 0x40080000)
    head += struct.pack("<B3sHBHHL", 0xEE, bytes(3), chip_id, 0, 0, 0xFFFF, 0)[:15] + bytes(
        [hashed]
    )
    body = (
        struct.pack("<LLLL", description, 0, 0, 0)
        + b"v1.28".ljust(32, b"\0")
        + b"micropython".ljust(32, b"\0")
    )
    body += payload
    image = head + struct.pack("<LL", 0x3F400020, len(body)) + body
    checksum = 0xEF
    for byte in body:
        checksum ^= byte
    image += bytes(15 - len(image) % 16) + bytes([checksum])
    return image + hashlib.sha256(image).digest() if hashed else image


def test_a_good_image_shows_chip_version_and_size():
    data = app_image(9)
    found = esp32.inspect(data)
    assert (found.chip, found.version, found.project, found.size) == (
        "esp32s3",
        "v1.28",
        "micropython",
        len(data),
    )


def test_a_flipped_bit_anywhere_that_is_hashed_is_seen():
    data = app_image()
    for at in (40, 300, len(data) - 40, len(data) - 1):
        bad = bytearray(data)
        bad[at] ^= 1
        with pytest.raises(Failure):
            esp32.inspect(bytes(bad))


def test_a_combined_image_is_named_as_one():
    bootloader = app_image(description=0x12345678)
    combined = bootloader.ljust(0x7000, b"\xff") + b"\xaa\x50" + bytes(30)
    with pytest.raises(Failure) as failure:
        esp32.inspect(combined)
    assert "combined" in str(failure.value)


def test_cut_short_or_for_an_unknown_chip_it_is_refused():
    with pytest.raises(Failure):
        esp32.inspect(app_image()[:-300])
    with pytest.raises(Failure) as failure:
        esp32.inspect(app_image(chip_id=77))
    assert "77" in str(failure.value)
