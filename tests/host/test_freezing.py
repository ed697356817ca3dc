"""What a MicroPython built with our board definitions freezes: the manifests, evaluated as MicroPython's
tools/manifestfile.py does it."""

import os
from pathlib import Path

import pytest
from suitup.boards import updater
from suitup.images import partitions

ROOT = Path(__file__).resolve().parents[2]
BOARDS = sorted(path.parent.parent.name for path in ROOT.glob("boards/*/micropython/manifest.py"))
ARCHITECTURES = {"RPI_PICO": "armv6m", "RPI_PICO_W": "armv6m", "ESP32_GENERIC_OTA": "xtensawin"}


class Options:
    """`options` of the manifest language: defaults, overridden by the arguments of include()."""

    def __init__(self, given):
        self.__dict__.update(given)

    def defaults(self, **values):
        for name, value in values.items():
            self.__dict__.setdefault(name, value)


class Manifest:
    """The functions that our manifests use; paths are relative to the manifest that says them."""

    def __init__(self):
        self.files = set()
        self.ports = []

    def evaluate(self, path, **options):
        before = os.getcwd()
        os.chdir(path.parent)
        try:
            names = {
                "include": self.include, "package": self.package, "module": self.module,
                "options": Options(options),
            }  # fmt: skip
            exec(compile(path.read_text(), str(path), "exec"), names)
        finally:
            os.chdir(before)

    def include(self, path, **options):
        if path.startswith("$(PORT_DIR)"):
            self.ports.append(path)
        else:
            self.evaluate(Path(path).resolve(), **options)

    def package(self, name, files, base_path, opt):
        for file in files:
            assert (Path(base_path) / name / file).is_file(), file
            self.files.add(f"{name}/{file}")

    def module(self, name, base_path, opt):
        assert (Path(base_path) / name).is_file(), name
        self.files.add(name)


@pytest.mark.parametrize("board", BOARDS)
def test_the_whole_updater_is_frozen_with_the_engines_of_the_chip(board):
    manifest = Manifest()
    manifest.evaluate(ROOT / "boards" / board / "micropython" / "manifest.py")
    wanted = {"boot.py", "main.py", "suit_start.py"}
    wanted |= {name for _, name in updater.modules(ARCHITECTURES[board])} | {updater.NUMBERS}
    assert manifest.files == wanted
    assert "$(PORT_DIR)/boards/manifest.py" in manifest.ports


def test_the_boards_are_those_of_the_catalogue_and_keep_the_stock_filesystem():
    assert set(BOARDS) == set(ARCHITECTURES)
    for board in ("RPI_PICO", "RPI_PICO_W"):
        folder = ROOT / "boards" / board / "micropython"
        # another storage size would make stock MicroPython format the filesystem
        assert f'#include "boards/{board}/mpconfigboard.h"' in (folder / "mpconfigboard.h").read_text()
        assert "STORAGE_BYTES" not in (folder / "mpconfigboard.h").read_text()


def test_the_esp32_build_maps_two_app_slots_that_its_own_table_has():
    folder = ROOT / "boards" / "ESP32_GENERIC_OTA" / "micropython"
    table = {part.name: part for part in partitions.load(folder / "partitions.csv")}
    rom = table["romfs"]  # the name that MicroPython looks for
    # romslots.py: one block stays erased; memory is mapped in pages of 64 KiB
    blocks = rom.size // 4096 - 1
    assert rom.type == 1 and rom.offset % 0x10000 == 0 and blocks % 2 == 0
    assert "two app slots of %d KiB" % (blocks // 2 * 4) in (folder / "partitions.csv").read_text()
    assert table["ota_0"].size == table["ota_1"].size > 0x180000  # of the stock table, without an updater
    left = 4 * 1024 * 1024 - max(part.end for part in table.values())
    assert left == 324 * 1024 and rom.end + left == 4 * 1024 * 1024
    cmake = (folder / "mpconfigboard.cmake").read_text()
    assert "${MICROPY_BOARD_DIR}/partitions.csv" in cmake and "boards/ESP32_GENERIC/sdkconfig.ota" in cmake
    assert "#define MICROPY_VFS_ROM (1)" in (folder / "mpconfigboard.h").read_text()
