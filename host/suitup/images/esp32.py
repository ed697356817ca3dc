"""What an ESP32 application image must show before it is signed, sent or flashed (ESP-IDF, "App Image Format").

The combined `firmware.bin` of a MicroPython release holds bootloader, partition table and application; only the
application (`.app-bin`, or the part at 0x10000) fits a firmware slot."""

import hashlib
import struct
from dataclasses import dataclass

from suitup.errors import Failure

CHIPS = {
    0: "esp32",
    2: "esp32s2",
    5: "esp32c3",
    9: "esp32s3",
    12: "esp32c2",
    13: "esp32c6",
    16: "esp32h2",
    18: "esp32p4",
    23: "esp32c5",
}
_APP_DESCRIPTION = 0xABCD5432


@dataclass(frozen=True)
class AppImage:
    """What the header says. `size`: bytes of the image with its appended digest."""

    chip: str
    segments: int
    size: int
    version: str
    project: str


def _combined(data: bytes) -> bool:
    """Whether a partition table lies where a combined image has it (the file starts at 0x1000 or at 0)."""
    return any(data[at : at + 2] == b"\xaa\x50" for at in (0x7000, 0x8000))


def stand_in(text: str, chip_id=0, size=6000) -> bytes:
    """An image that no chip can run, but every check accepts: what virtual boards have in their firmware partitions."""
    description = struct.pack("<LL8x32s32s", _APP_DESCRIPTION, 0, text.encode()[:31], b"stand-in")
    body = (description + text.encode()).ljust(size + -size % 4, b"\0")
    head = bytearray(24)
    head[0], head[1], head[23] = 0xE9, 1, 1
    struct.pack_into("<H", head, 12, chip_id)
    data = bytes(head) + struct.pack("<LL", 0x3F400020, len(body)) + body
    checksum = 0xEF
    for byte in body:
        checksum ^= byte
    data += bytes(15 - len(data) % 16) + bytes([checksum])
    return data + hashlib.sha256(data).digest()


def inspect(data: bytes) -> AppImage:
    """Check header, segments, checksum and appended SHA-256 as the bootloader does; Failure says what is wrong."""
    if len(data) < 288 or data[0] != 0xE9:
        if _combined(data):
            raise Failure(
                "this is a combined image (bootloader, partition table and application)",
                hint="a firmware slot takes the application alone: the .app-bin of the release",
            )
        raise Failure("not an ESP32 application image", "its first byte is not 0xE9")
    chip_id = struct.unpack_from("<H", data, 12)[0]
    chip = CHIPS.get(chip_id)
    if chip is None:
        raise Failure(f"an image for chip id {chip_id}", "no chip of that number is known")
    at, checksum = 24, 0xEF
    for number in range(data[1]):
        if at + 8 > len(data):
            raise Failure(f"the image ends before segment {number}")
        length = struct.unpack_from("<L", data, at + 4)[0]
        at += 8
        if length % 4 or at + length > len(data):
            raise Failure(
                f"segment {number} says {length} bytes, the image has {len(data) - at} left"
            )
        for byte in data[at : at + length]:
            checksum ^= byte
        at += length
    at += 15 - at % 16
    if at >= len(data) or data[at] != checksum:
        raise Failure(
            "the image's checksum does not match",
            hint="it is damaged or cut short: fetch it again",
        )
    at += 1
    if data[23]:
        if hashlib.sha256(data[:at]).digest() != data[at : at + 32]:
            raise Failure(
                "the image's appended SHA-256 does not match", hint="it is damaged: fetch it again"
            )
        at += 32
    if struct.unpack_from("<L", data, 32)[0] != _APP_DESCRIPTION:
        if _combined(data):
            raise Failure(
                "this is a combined image that starts with a bootloader",
                hint="a firmware slot takes the application alone: the .app-bin of the release",
            )
        raise Failure(
            "not an application image", "it has no application description (a bootloader has none)"
        )
    version, project = (
        data[n : n + 32].split(b"\0")[0].decode("ascii", "replace") for n in (48, 80)
    )
    return AppImage(chip, data[1], at, version, project)
