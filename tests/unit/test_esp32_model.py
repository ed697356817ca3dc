"""The model of esp32.Partition, otadata and the bootloader keeps the rules it was written from."""

import hashlib
import struct

import nor
import shim_esp32 as esp32
from harness import raises

SLOT = 0x10000
TABLE = (
    ("nvs", 1, 2, 0x9000, 0x4000),
    ("otadata", 1, 0, 0xD000, 0x2000),
    ("ota_0", 0, 0x10, 0x10000, SLOT),
    ("ota_1", 0, 0x11, 0x20000, SLOT),
)


def image(text, chip_id=0, size=512):
    """An application image as ESP-IDF lays one out: header, one segment, checksum, appended SHA-256."""
    body = (text + b"\0" * size)[:size]
    data = struct.pack("<BBBBLB3sHBHH4sB", 0xE9, 1, 2, 0x20, 0, 0xEE, b"\0\0\0", chip_id, 0, 0, 0xFFFF, b"\0\0\0\0", 1)
    data += struct.pack("<LL", 0x3F400020, len(body)) + body
    checksum = 0xEF
    for byte in body:
        checksum ^= byte
    data += b"\0" * (15 - len(data) % 16) + bytes((checksum,))
    return data + hashlib.sha256(data).digest()


def put(chip, label, data):
    part = chip.Partition(label)
    data = data + b"\xff" * (-len(data) % 4096)
    part.writeblocks(0, data)


def board():
    flash = nor.RamNor(bytearray(b"\xff" * 0x30000), 0)
    chip = esp32.Chip(flash, TABLE)
    put(chip, "ota_0", image(b"one"))
    assert chip.boot() == "ota_0"
    put(chip, "ota_1", image(b"two"))
    return chip


def state(chip, label):
    """State of the newest entry for that slot."""
    index = chip._slots().index(chip._find(label))
    return [s for q, s, _ in chip._entries() if q != 0xFFFFFFFF and (q - 1) % 2 == index]


def test_entries_of_otadata_have_the_crc_that_dumps_of_real_chips_show():
    assert (esp32._crc(1), esp32._crc(2)) == (0x4743989A, 0x55F63774)


def test_a_chip_with_empty_otadata_boots_the_first_slot():
    chip = board()
    assert chip.Partition(chip.Partition.RUNNING).info()[4] == "ota_0"
    assert chip.Partition(chip.Partition.RUNNING).get_next_update().info()[4] == "ota_1"


def test_a_new_image_runs_once_and_is_rolled_back_when_it_is_not_marked_valid():
    chip = board()
    chip.Partition("ota_0").set_boot()
    chip.boot()
    chip.Partition.mark_app_valid_cancel_rollback()
    chip.Partition("ota_1").set_boot()
    assert chip.boot() == "ota_1"
    assert state(chip, "ota_1") == [1]  # pending
    assert chip.boot() == "ota_0"
    assert state(chip, "ota_1") == [4]  # aborted
    assert chip.boot() == "ota_0"


def test_a_new_image_stays_once_it_is_marked_valid():
    chip = board()
    chip.Partition("ota_1").set_boot()
    assert chip.boot() == "ota_1"
    chip.Partition.mark_app_valid_cancel_rollback()
    chip.Partition.mark_app_valid_cancel_rollback()
    for _ in range(3):
        assert chip.boot() == "ota_1"


def test_set_boot_refuses_an_image_that_does_not_verify():
    chip = board()
    put(chip, "ota_1", image(b"two")[:-1] + b"\0")
    assert raises(OSError, chip.Partition("ota_1").set_boot).args[0] == -5379
    put(chip, "ota_1", image(b"two", chip_id=9))
    assert raises(OSError, chip.Partition("ota_1").set_boot).args[0] == -5379
    assert chip.boot() == "ota_0"


def test_an_image_damaged_after_set_boot_is_passed_over():
    chip = board()
    chip.Partition("ota_1").set_boot()
    chip.nor.image[0x20000 + 100] ^= 0xFF
    assert chip.boot() == "ota_0"


def test_writing_the_running_image_aborts():
    chip = board()
    raises(esp32.Abort, chip.Partition("ota_0").writeblocks, 0, bytes(4096))


def test_a_cut_at_any_operation_of_set_boot_and_confirm_leaves_a_chip_that_boots():
    chip = board()
    flash = chip.nor
    chip.Partition("ota_0").set_boot()
    chip.boot()
    chip.Partition.mark_app_valid_cancel_rollback()
    before = flash.snapshot()

    def act():
        chip.Partition("ota_1").set_boot()
        chip.boot()
        chip.Partition.mark_app_valid_cancel_rollback()

    flash.restore(before)
    act()
    total = flash.ops
    assert total == 6  # three sector rewrites
    for at in range(total):
        for kind, fraction in ((nor.BEFORE, 0), (nor.TORN, 0.1), (nor.TORN, 0.6), (nor.WEAK, 0), (nor.AFTER, 0)):
            flash.restore(before)
            chip.running = "ota_0"
            flash.cut(at, kind, fraction)
            try:
                act()
            except nor.PowerCut:
                pass
            flash.power_on()
            first = chip.boot()
            assert first in ("ota_0", "ota_1"), (at, kind)
            # it settles: whatever it is, it boots again and can be updated again
            assert chip.boot() in ("ota_0", "ota_1")
            other = "ota_1" if chip.running == "ota_0" else "ota_0"
            chip.Partition(other).set_boot()
            assert chip.boot() == other, (at, kind, fraction)
