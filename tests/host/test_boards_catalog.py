"""Board folders are complete and agree with each other and with the partition tables they name."""

import functools

import pytest
from suitup.boards import catalog, updater
from suitup.errors import Failure
from suitup.identity import ARCHITECTURES
from suitup.images import esp32, partitions, romfs

BOARDS = [catalog.load(name) for name in catalog.names()]
REAL = [board for board in BOARDS if board.port != "unix"]


def test_every_board_of_the_plan_is_there():
    assert {
        "RPI_PICO",
        "RPI_PICO_W",
        "RPI_PICO2",
        "RPI_PICO2_W",
        "ESP32_GENERIC",
        "ESP32_GENERIC_OTA",
        "ESP32_GENERIC_S3",
        "ESP32_GENERIC_C3",
    } <= set(catalog.names())


def test_an_unknown_board_is_refused_with_the_ones_there_are():
    with pytest.raises(Failure) as failure:
        catalog.load("PICO9")
    assert "RPI_PICO" in failure.value.hint and failure.value.code == 2


def test_a_board_is_found_however_its_name_is_spelt():
    assert catalog.load("esp32-generic-c3").id == "ESP32_GENERIC_C3"


BLOCK = 4096
OTHERS = 23  # blocks: folders, settings, keys, state, two manifests; measured on a blank filesystem
SPARE = 8  # what an envelope is spooled to, and files beside the app


@functools.cache
def updater_blocks(arch):
    return sum(-(-len(data) // BLOCK) for data in updater.files(arch).values())


# the two kinds of native code there is; the others are smaller
@pytest.mark.parametrize("port, arch", [("rp2", "armv6m"), ("esp32", "xtensawin")])
def test_two_slots_and_the_updater_fit_the_filesystem(port, arch):
    taken = updater_blocks(arch) + OTHERS + SPARE
    image = -(-len(romfs.write(updater.package(arch))) // BLOCK)
    for board in BOARDS:
        if board.port == port or (board.port, port) == ("unix", "rp2"):
            left = board["filesystem"]["size"] // BLOCK - taken
            assert board.slot_size % BLOCK == 0 and 2 * board.slot_size // BLOCK <= left, board.id
            # an updater in each slot beside that in /lib, or the board says that it cannot
            says = any("the updater itself" in line for line in board.cannot)
            assert says == (left < 2 * image + 2 * 8), board.id


@pytest.mark.parametrize("board", REAL, ids=lambda b: b.id)
def test_a_board_says_how_it_is_flashed_and_what_it_cannot_do(board):
    assert board["flash"]["method"] in ("uf2", "esptool")
    assert board.mpy_arch in ARCHITECTURES
    assert any("USB cable" in line for line in board.cannot)
    if board.port == "esp32":
        assert (
            esp32.CHIPS[board["firmware"]["chip-id"]]
            == board.data["mcu"]
            == board["flash"]["chip"]
        )


def test_the_ota_board_agrees_with_its_partition_table():
    board = catalog.load("ESP32_GENERIC_OTA")
    table = partitions.load(board.folder.parent / "ESP32_GENERIC" / "partitions-ota.csv")
    slots = [p for p in table if p.type == 0]
    assert [p.size for p in slots] == [board["firmware"]["slot-size"]] * board.firmware_slots
    assert max(p.end for p in table) == board["filesystem"]["offset"]
