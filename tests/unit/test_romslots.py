"""romslots.py: app images in two halves of a mapped flash, on a modelled NOR chip that programs pages and erases blocks."""

from author import envelope
from harness import finish, raises
from nor import AFTER, BEFORE, BLOCK, TORN, WEAK, PowerCut, RamNor
from storage import write
from suit import decide, romslots, runtime, updater
from suit import numbers as n
from suit.errors import SuitError
from suit.slots import Slot, exists
from test_romvfs import file, image
from test_updater import APP, Bench

ONE = image(file("main.py", b"one " * 700))
TWO = image(file("main.py", b"two, a longer one " * 300))
FOUR = image(file("main.py", b"four, longer than two " * 200))
SETTINGS = [b"file", b"settings.json"]


class Chip:
    """A flash of 1 + 2 * `blocks` blocks and what a port would say of it."""

    def __init__(self, blocks=2):
        self.data = bytearray(b"\xff" * ((1 + 2 * blocks) * BLOCK))
        self.nor = RamNor(self.data, 256)

    def area(self, index):
        return romslots.Area(self.nor, memoryview(self.data), index)

    def on(self, bench):
        bench.chip.rom_area = self.area
        romslots.find = self.area


def component(chip, index=0, writable=True):
    return romslots.RomComponent(Slot("/nowhere", index), chip.area(index), writable)


def put(target, data, piece=100):
    assert target.begin(len(data)) == 0
    for at in range(0, len(data), piece):
        target.write(memoryview(data)[at : at + piece])
    target.end()


def content(target):
    buf = bytearray(target.size())
    assert target.read_at(0, buf) == len(buf)
    return bytes(buf)


def test_the_halves_do_not_touch_and_the_first_block_stays_erased():
    chip = Chip()
    for piece in (1, 255, 256, 4096):
        put(component(chip, 0), ONE, piece)
        put(component(chip, 1), TWO, piece)
        assert content(component(chip, 0)) == ONE and content(component(chip, 1)) == TWO
    assert chip.data[:BLOCK] == b"\xff" * BLOCK
    assert chip.nor.violations == 0


def test_what_does_not_fit_is_refused_before_the_first_byte():
    chip = Chip()
    put(component(chip), ONE)
    before = bytes(chip.data)
    target = component(chip)
    raises(SuitError, target.begin, 2 * BLOCK + 1, reason=n.R_TOO_LARGE)
    assert chip.data == before
    assert target.begin(2 * BLOCK) == 0
    target.write(bytes(2 * BLOCK))
    raises(SuitError, target.write, b"?", reason=n.R_TOO_LARGE)
    raises(SuitError, component(chip, writable=False).begin, 1, reason=n.R_NOT_ALLOWED)


def test_a_length_that_runs_out_of_the_area_is_no_image():
    chip = Chip()
    for head in (
        b"\xd2\xcd\x31\xff\xff\x7f",
        b"\xd2\xcd\x31" + b"\xff" * 20,
        b"\xd2\xcd\x30\x02ab",
        b"",
    ):
        chip.data[BLOCK:] = (head + b"\xff" * BLOCK * 4)[: 4 * BLOCK]
        assert component(chip).size() is None
        assert component(chip).read_at(0, bytearray(8)) == 0


def test_an_update_goes_from_one_area_to_the_other_and_back():
    b, chip = Bench(), Chip()
    chip.on(b)
    b.install("v1", 1, ONE)
    assert content(component(chip, 0)) == ONE and not exists(b.root + "/a/app.img")
    b.install("v2", 2, TWO, b"{}")
    assert content(component(chip, 1)) == TWO and content(component(chip, 0)) == ONE
    assert b.start() == (1, False)
    # the same app with another file: copied from the other half, not fetched
    b.publish("v3", 3, TWO, b"{3}")
    write(b.out + "/v3.app", b"not there any more")
    b.update("v3")
    assert b.start() == (0, True) and content(component(chip, 0)) == TWO
    assert chip.nor.violations == 0


def test_a_damaged_area_does_not_run():
    b, chip = Bench(), Chip()
    chip.on(b)
    b.install("v1", 1, ONE)
    b.publish("v2", 2, TWO)
    b.update("v2")
    chip.data[3 * BLOCK + 700] ^= 1
    assert b.start() == (0, False) and runtime.record().back_detail == n.R_DIGEST
    b.update("v2")
    assert b.start() == (1, True)


def test_an_app_that_came_as_a_file_by_cable_runs_until_its_slot_is_written():
    b, chip = Bench(), Chip()
    b.install("v1", 1, ONE)
    assert exists(b.root + "/a/app.img")
    chip.on(b)
    assert b.start() == (0, False)
    b.install("v2", 2, TWO)
    b.install("v3", 3, ONE)
    assert not exists(b.root + "/a/app.img") and content(component(chip, 0)) == ONE
    assert b.start() == (0, False)


def test_an_image_that_is_there_already_is_only_hashed():
    b, chip = Bench(), Chip()
    chip.on(b)
    b.install("v1", 1, ONE)
    parts = [(APP, TWO, "v2.app"), (SETTINGS, b"{}", "v2.set")]
    write(b.out + "/v2.suit", envelope(2, parts))
    write(b.out + "/v2.app", TWO)
    raises(SuitError, b.update, "v2")  # the file is not there
    erases = chip.nor.erases
    write(b.out + "/v2.set", b"{}")
    b.update("v2")
    assert chip.nor.erases == erases and b.start() == (1, True)


def test_a_removed_image_is_gone():
    chip = Chip()
    target = component(chip)
    put(target, ONE)
    target.remove()
    assert target.size() is None
    assert finish(target.local_copy(bytes(32), len(ONE))) is False


def test_a_cut_at_any_operation_of_an_area_leaves_the_old_version_and_the_update_repeats():
    b, chip = Bench(), Chip()
    chip.on(b)
    b.install("v1", 1, ONE)
    b.install("v2", 2, TWO)
    b.install("v3", 3, ONE)
    b.publish("v4", 4, FOUR)
    areas = bytes(chip.data)
    saved = [b.root + "/state.0", b.root + "/state.1"]
    records = [open(path, "rb").read() for path in saved]
    points = 0
    for kind, fraction in ((BEFORE, 0), (TORN, 0.1), (TORN, 0.5), (TORN, 0.9), (WEAK, 0.5), (AFTER, 0)):
        at = 0
        while True:
            chip.data[:] = areas
            for path, data in zip(saved, records):
                write(path, data)
            assert b.start() == (0, False)
            chip.nor.power_on()
            chip.nor.cut(chip.nor.ops + at, kind, fraction)
            try:
                b.update("v4")
            except PowerCut:
                pass
            if not chip.nor.lost:
                break
            points += 1
            at += 1
            chip.nor.power_on()
            runtime.running = None
            updater._busy = False
            assert b.start(decide.CAUSE_POWER) == (0, False), (kind, fraction, at)
            assert content(component(chip, 0)) == ONE
            b.update("v4")
            assert b.start() == (1, True), (kind, fraction, at)
            assert content(component(chip, 1)) == FOUR
    assert points > 100 and chip.nor.violations == 0
