"""The ESP32 partition table: 32-byte entries, an MD5 row, 0xFF up to 3 KiB (ESP-IDF, "Partition Tables").

`parse_csv` reads the same text as ESP-IDF's own tool, `encode` writes the bytes that lie at 0x8000 of the flash,
`decode` reads them back. Every rule broken is a `Failure` that names the entry."""

import hashlib
import struct
from dataclasses import dataclass
from pathlib import Path

from suitup.errors import Failure

OFFSET = 0x8000  # where the table lies (CONFIG_PARTITION_TABLE_OFFSET of MicroPython's builds)
SECTOR = 0x1000
SIZE = 0xC00  # bytes of a table; the rest of its sector is for a signature
_ENTRY = struct.Struct("<2sBBLL16sL")
_MAGIC = b"\xaa\x50"
_MD5_MAGIC = b"\xeb\xeb" + b"\xff" * 14
_TYPES = {"app": 0, "data": 1}
_SUBTYPES = {
    0: {"factory": 0, "test": 0x20, "tee_0": 0x30, "tee_1": 0x31}
    | {f"ota_{n}": 0x10 + n for n in range(16)},
    1: {
        "ota": 0,
        "phy": 1,
        "nvs": 2,
        "coredump": 3,
        "nvs_keys": 4,
        "efuse": 5,
        "undefined": 6,
        "esphttpd": 0x80,
        "fat": 0x81,
        "spiffs": 0x82,
        "littlefs": 0x83,
        "tee_ota": 0x90,
        "": 6,
    },
}
_FLAGS = {"encrypted": 1, "readonly": 2}
_ALIGN = {0: 0x10000}  # of offsets; else a sector
_NVS_LEAST = 0x3000  # bytes, if it is to be written
_WRITTEN = {(1, 0): "otadata", (1, 3): "coredump"}  # (type, subtype) of what cannot be readonly


@dataclass(frozen=True)
class Partition:
    """One entry; `offset` and `size` in bytes."""

    name: str
    type: int
    subtype: int
    offset: int
    size: int
    flags: int = 0

    @property
    def end(self) -> int:
        return self.offset + self.size


def _number(text: str, names: dict, what: str) -> int:
    if text in names:
        return names[text]
    scale = {"K": 1024, "M": 1024 * 1024}.get(text[-1:].upper(), 1)
    try:
        return int(text[:-1] if scale > 1 else text, 0) * scale
    except ValueError:
        raise Failure(
            f"partition table: {what} {text!r} is not a number or a known name"
        ) from None


def parse_csv(text: str) -> list[Partition]:
    """Partitions from `name, type, subtype, offset, size[, flags]` lines; an empty offset follows on."""
    table, end = [], OFFSET + SECTOR
    for number, line in enumerate(text.splitlines(), 1):
        line = line.split("#")[0].strip()
        if not line:
            continue
        fields = [field.strip() for field in line.split(",")]
        if len(fields) < 5:
            raise Failure(
                f"partition table line {number}: five fields are needed, {len(fields)} are there"
            )
        name, kind, sub, offset, size = fields[:5]
        type_ = _number(kind, _TYPES, "type")
        align = _ALIGN.get(type_, SECTOR)
        at = _number(offset, {}, "offset") if offset else -(-end // align) * align
        if at < end:  # ESP-IDF wants them in order
            raise Failure(f"partition table line {number}: {at:#x} overlaps what ends at {end:#x}")
        named = [flag for flag in ":".join(fields[5:6]).split(":") if flag]
        if unknown := set(named) - set(_FLAGS):
            raise Failure(f"partition table line {number}: no flag {min(unknown)!r}")
        flags = sum(_FLAGS[flag] for flag in set(named))
        table.append(
            Partition(
                name,
                type_,
                _number(sub, _SUBTYPES.get(type_, {}), "subtype"),
                at,
                _number(size, {}, "size"),
                flags,
            )
        )
        end = table[-1].end
    check(table)
    return table


def check(table: list[Partition], flash_size: int | None = None) -> None:
    """Raise Failure when the bootloader or MicroPython would not take `table`."""
    names = set()
    end = OFFSET + SECTOR
    for part in sorted(table, key=lambda p: p.offset):
        align = _ALIGN.get(part.type, SECTOR)
        if not part.name or len(part.name.encode()) > 15:
            raise Failure(f"partition {part.name!r}: a name has 1 to 15 bytes")
        if part.name in names:
            raise Failure(f"partition {part.name!r}: two partitions have this name")
        names.add(part.name)
        if part.offset % align:
            raise Failure(
                f"partition {part.name!r}: offset {part.offset:#x} is not a multiple of {align:#x}"
            )
        if part.offset < end:
            raise Failure(
                f"partition {part.name!r}: {part.offset:#x} overlaps what ends at {end:#x}"
            )
        if part.size <= 0 or part.size % (SECTOR if part.type == 0 else 4):
            raise Failure(f"partition {part.name!r}: a size of {part.size} bytes cannot be")
        kind = part.type, part.subtype
        if part.flags & 2 and kind in _WRITTEN:
            raise Failure(
                f"partition {part.name!r}: {_WRITTEN[kind]} is written, it cannot be readonly"
            )
        if kind == (1, 2) and part.size < _NVS_LEAST and not part.flags & 2:
            raise Failure(
                f"partition {part.name!r}: NVS that is written has {_NVS_LEAST:#x} bytes or more"
            )
        end = part.end
    otadata = [p for p in table if (p.type, p.subtype) == (1, 0)]
    if any(p.size != 0x2000 for p in otadata) or len(otadata) > 1:
        raise Failure("partition table: there is one otadata partition, of 0x2000 bytes")
    if any(p.type == 0 and 0x10 <= p.subtype < 0x20 for p in table) and not otadata:
        raise Failure("partition table: OTA slots without an otadata partition never boot")
    if flash_size is not None and end > flash_size:
        raise Failure(f"partition table: it ends at {end:#x}, the flash at {flash_size:#x}")


def encode(table: list[Partition]) -> bytes:
    """The 3 KiB that are flashed at `OFFSET`."""
    check(table)
    rows = b"".join(
        _ENTRY.pack(_MAGIC, p.type, p.subtype, p.offset, p.size, p.name.encode(), p.flags)
        for p in table
    )
    rows += _MD5_MAGIC + hashlib.md5(rows).digest()
    if len(rows) > SIZE - _ENTRY.size:
        raise Failure(f"partition table: {len(table)} partitions are too many")
    return rows.ljust(SIZE, b"\xff")


def decode(data: bytes) -> list[Partition]:
    """The partitions of a flashed table; Failure when it is damaged."""
    table = []
    for at in range(0, len(data) - _ENTRY.size + 1, _ENTRY.size):
        row = data[at : at + _ENTRY.size]
        if row == b"\xff" * _ENTRY.size:
            check(table)
            return table
        if row.startswith(_MD5_MAGIC[:2]):
            if row[:16] != _MD5_MAGIC:
                raise Failure(f"partition table: no entry at byte {at}")
            if row[16:] != hashlib.md5(data[:at]).digest():
                raise Failure("partition table: its MD5 row does not match")
            continue
        magic, type_, subtype, offset, size, name, flags = _ENTRY.unpack(row)
        if magic != _MAGIC:
            raise Failure(f"partition table: no entry at byte {at}")
        table.append(
            Partition(
                name.rstrip(b"\0").decode("utf-8", "replace"), type_, subtype, offset, size, flags
            )
        )
    raise Failure("partition table: it has no end")


def load(path: Path) -> list[Partition]:
    """A table from a .csv or .bin file."""
    data = Path(path).read_bytes()
    return decode(data) if data.startswith(_MAGIC) else parse_csv(data.decode("utf-8-sig"))
