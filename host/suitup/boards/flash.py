"""MicroPython onto a board: what would be written where, and the tool that writes it.

`plan(board, image, table)` reads the image and says everything before anything is touched: the pieces with their
addresses, what is erased, what survives. `esptool_flash` and `uf2_flash` carry a plan out. A file that does not fit the
board (another chip, another family, too large, cut short) is a `Failure`."""

import os
import shutil
import struct
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from suitup.boards.catalog import Board
from suitup.errors import Failure
from suitup.images import esp32, partitions

_APP = 0x10000  # where MicroPython's combined images have the application
_UF2 = struct.Struct("<IIIIIIII")
_UF2_MAGIC = (0x0A324655, 0x9E5D5157)
_UF2_END = 0x0AB16F30
_UF2_FAMILY = 0x2000  # flag: the last word of the head is a family
# RP2350 images may carry blocks of this family, which its bootrom ignores (RP2350-E10)
_UF2_ABSOLUTE = 0xE48BFF57


@dataclass
class Plan:
    """What flashing does. `pieces`: [(address, bytes, what)]; `erases`, `keeps`: sentences for people."""

    board: Board
    pieces: list = field(default_factory=list)
    erases: list = field(default_factory=list)
    keeps: list = field(default_factory=list)

    @property
    def size(self) -> int:
        return sum(len(data) for _, data, _ in self.pieces)


def plan(board: Board, image: Path, table: str | None = None) -> Plan:
    """Read `image` for `board`; `table`: None as it is, or "ota" for two firmware slots (ESP32)."""
    data = Path(image).read_bytes()
    method = board["flash"]["method"]
    if method == "uf2":
        if table:
            raise Failure(
                f"{board.name} has no partition table", hint="--table is for ESP32 boards"
            )
        return _plan_uf2(board, data)
    if method == "esptool":
        return _plan_esp32(board, data, table)
    raise Failure(f"{board.name} is not flashed", hint="suitup board create makes a virtual board")


# -- ESP32 ------------------------------------------------------------------------------------------------------


def _plan_esp32(board, data, table):
    base = board["flash"]["offset"]
    mcu = board["mcu"]
    at = partitions.OFFSET - base
    if len(data) <= _APP - base or data[at : at + 2] != b"\xaa\x50":
        raise Failure("this is not a combined MicroPython image", "no partition table where one has to be",
                      hint=f"take the .bin of micropython.org/download/{board['firmware']['download']}")  # fmt: skip
    chip = esp32.CHIPS.get(struct.unpack_from("<H", data, 12)[0]) if data[0] == 0xE9 else None
    if chip != mcu:
        raise Failure(f"the image is for {chip or 'no ESP32 chip'}, {board.name} is an {mcu}")
    app = esp32.inspect(data[_APP - base :])
    if app.chip != mcu:
        raise Failure(f"the application in the image is for {app.chip}, {board.name} is an {mcu}")
    made = Plan(board)
    if table is None:
        made.pieces = [(base, data, f"MicroPython {app.version}, combined")]
        made.erases = ["boot loader, partition table, NVS, otadata and MicroPython as they are"]
        made.keeps = ["the filesystem, if the table stays the same"]
        return made
    if table != "ota":
        raise Failure(f"no partition table {table!r}", hint="ota: two firmware slots on 4 MiB")
    parts = partitions.load(board.folder.parent / "ESP32_GENERIC" / "partitions-ota.csv")
    slot = next(p for p in parts if p.name == "ota_0")
    application = data[_APP - base :][: app.size]
    if app.size > slot.size:
        raise Failure(f"a firmware slot holds {slot.size} bytes, the application is {app.size}",
                      hint="keep the stock table and update apps only")  # fmt: skip
    otadata = next(p for p in parts if p.name == "otadata")
    made.pieces = [
        (base, data[: partitions.OFFSET - base], "boot loader"),
        (partitions.OFFSET, partitions.encode(parts), "partition table with two firmware slots"),
        (otadata.offset, b"\xff" * otadata.size, "otadata, empty"),
        (slot.offset, application, f"MicroPython {app.version} in {slot.name}"),
    ]
    end = max(p.end for p in parts)
    made.erases = [
        f"what lies below {end:#x}, and every file: the filesystem now begins at {end:#x}"
    ]
    return made


def esptool_commands(made: Plan, port: str, folder: Path) -> list[list[str]]:
    """The esptool calls of a plan, in order: what chip is there, then one write of everything."""
    flash = made.board["flash"]
    common = ["--port", port, "--chip", flash["chip"]]
    write = [*common, "--baud", "460800", "write-flash", "--flash-size", "detect"]
    for number, (address, data, _) in enumerate(made.pieces):
        path = folder / f"piece-{number}.bin"
        path.write_bytes(data)
        write += [hex(address), str(path)]
    # the chip is named: esptool itself refuses to go on when another one answers
    return [[*common, "flash-id"], write]


def esptool_flash(made: Plan, port: str) -> None:
    """Write a plan with esptool, whose own progress shows; Failure with what it said last."""
    with tempfile.TemporaryDirectory() as folder:
        for arguments in esptool_commands(made, port, Path(folder)):
            done = subprocess.run([sys.executable, "-m", "esptool", *arguments])
            if done.returncode:
                raise Failure(f"esptool {arguments[-1] if len(arguments) < 6 else 'write-flash'} failed "
                              f"(exit {done.returncode})", "see above",
                              hint="is it the right --port and --board? Hold BOOT while plugging in, then try again")  # fmt: skip


# -- RP2 ----------------------------------------------------------------------------------------------------------


def uf2_blocks(data: bytes):
    """(family or None, address, payload) of every block; Failure when the file is not UF2 or is cut short."""
    if not data or len(data) % 512:
        raise Failure("not a UF2 file", f"{len(data)} bytes are not blocks of 512")
    for at in range(0, len(data), 512):
        a, b, flags, address, size, _, _, family = _UF2.unpack_from(data, at)
        end = struct.unpack_from("<I", data, at + 508)[0]
        if (a, b) != _UF2_MAGIC or end != _UF2_END or size > 476:
            raise Failure("not a UF2 file", f"block {at // 512} is damaged")
        yield (family if flags & _UF2_FAMILY else None), address, data[at + 32 : at + 32 + size]


def _plan_uf2(board, data):
    wanted = board["flash"]["uf2-family"]
    top = 0
    for family, address, payload in uf2_blocks(data):
        if family == _UF2_ABSOLUTE and family != wanted:
            continue
        if family != wanted:
            raise Failure(f"the UF2 is for family {family or 0:#010x}, {board.name} is {wanted:#010x}",
                          hint=f"take the one of micropython.org/download/{board['firmware']['download']}")  # fmt: skip
        top = max(top, address + len(payload) - 0x10000000)
    limit = board["filesystem"]["offset"]
    if top > limit:
        raise Failure(f"the image ends at {top:#x}, where the files of {board.name} lie ({limit:#x})",
                      hint="is it a build for a board with more flash?")  # fmt: skip
    return Plan(board, [(0x10000000, data, "MicroPython (UF2)")], ["MicroPython as it is"],
                ["the filesystem, if this build gives it the same size (else MicroPython formats it)"])  # fmt: skip


def uf2_drives(name: str) -> list[Path]:
    """Mounted boot drives whose INFO_UF2.TXT names `name` (RPI-RP2, RP2350)."""
    found = []
    for root in ("/media", "/run/media", "/Volumes", "/mnt"):
        for depth in ("*", "*/*"):
            for info in Path(root).glob(f"{depth}/INFO_UF2.TXT"):
                if uf2_is(info.parent, name):
                    found.append(info.parent)
    return found


def uf2_is(drive: Path, name: str) -> bool:
    """Whether `drive` is the boot drive of a board that calls itself `name`."""
    try:
        return f"Board-ID: {name}" in (Path(drive) / "INFO_UF2.TXT").read_text(errors="replace")
    except OSError:
        return False


def uf2_flash(made: Plan, drive: Path | None = None, progress=lambda done: None) -> str:
    """Copy a plan to the boot drive (found, or given), or hand it to picotool; returns where it went."""
    name = made.board["flash"]["drive"]
    drives = [Path(drive)] if drive else uf2_drives(name)
    if drive and not uf2_is(drives[0], name):
        raise Failure(
            f"{drive} is not the boot drive of a {made.board.name}",
            f"its INFO_UF2.TXT does not say {name}",
        )
    if len(drives) > 1:
        raise Failure(
            "several boards wait to be flashed: " + ", ".join(map(str, drives)),
            hint="choose one: --port FOLDER",
        )
    data = made.pieces[0][1]
    if drives:
        with open(drives[0] / "micropython.uf2", "wb") as file:
            for at in range(0, len(data), 65536):
                file.write(data[at : at + 65536])
                progress(min(at + 65536, len(data)))
            file.flush()
            os.fsync(file.fileno())
        return str(drives[0])
    if shutil.which("picotool"):
        with tempfile.NamedTemporaryFile(suffix=".uf2") as file:
            file.write(data)
            file.flush()
            if subprocess.run(["picotool", "load", "-x", file.name]).returncode:
                raise Failure("picotool could not load the image", "see above")
        return "picotool"
    raise Failure(
        f"no {name} drive is there",
        hint="hold BOOTSEL while plugging the board in, then try again",
    )
