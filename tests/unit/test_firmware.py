"""Firmware and app together on the model of esp32.Partition, otadata and the bootloader: the real updater,
launcher, confirm and port/esp32.py over it. Whatever is cut, the app never runs on another firmware than its own."""

import nor
import shim_esp32
from author import envelope, trust_store
from harness import raises
from storage import power_cut, read, write
from suit import api, decide, firmware, launcher, runtime, updater
from suit import numbers as n
from suit.config import read as read_config
from test_esp32_model import TABLE, image, put
from test_ports import Module, load, machine
from test_updater import APP, Bench, Cut, Cuts, Hook, Reset

FIRMWARE = [b"firmware"]
BOTH = n.ROLE_APP | n.ROLE_FIRMWARE
SIZE = 9000  # of a firmware's segment: three sectors


def fw(version, chip_id=0, size=SIZE):
    return image(b"firmware %d" % version, chip_id, size)


def app(version):
    return b"app version %d" % version * 40


class Esp32(Bench):
    """A board with version 1 of both running and confirmed."""

    def __init__(self, table=TABLE, **settings):
        Bench.__init__(self, **settings)
        write(self.root + "/trust.cbor", trust_store(roles=BOTH))
        self.flash = nor.RamNor(bytearray(b"\xff" * 0x40000), 0)
        self.esp = shim_esp32.Chip(self.flash, table)
        put(self.esp, "ota_0", fw(1))
        with machine(), Module("esp32", Partition=self.esp.Partition):
            self.chip = load("esp32")
        self.chip.reset = self.reset
        self.chip.cause = lambda: self.cause
        self.cause = decide.CAUSE_OTHER
        launcher._mount = launcher._watch = lambda *args: None
        assert self.esp.boot() == "ota_0"
        self.publish("v1", 1, None)
        self.update("v1")
        assert self.boot() == 1
        assert api.confirm()
        assert self.boot() == 1

    def reset(self):
        raise Reset()

    def publish(self, name, sequence, firmware, content=None, **options):
        parts = [(APP, content or app(sequence), name + ".app")]
        write("%s/%s.app" % (self.out, name), parts[0][1])
        if firmware is not None:
            parts.append((FIRMWARE, firmware, name + ".fw"))
            write("%s/%s.fw" % (self.out, name), firmware)
        write("%s/%s.suit" % (self.out, name), envelope(sequence, parts, **options))

    def forget(self):
        """What a reset does to RAM."""
        runtime.running = runtime.recovery = runtime.watchdog = None
        runtime.trial = False
        runtime.progress.begin("idle")
        updater._busy = False

    def boot(self):
        """Reset until something runs: -> sequence of the app, None in recovery."""
        for _ in range(8):
            assert self.esp.boot(), "a dark board"
            self.forget()
            try:
                slot = launcher._choose(self.chip, read_config(self.root))
            except Reset:
                continue
            if slot is None:
                return None
            sequence = self.record().slots[slot.index].sequence
            assert read(slot.app) == app(sequence)
            return sequence
        raise AssertionError("it resets for ever")

    def runs(self):
        """The text in the firmware that runs."""
        part = self.esp.Partition(self.esp.Partition.RUNNING)
        text = bytearray(10)
        part.readblocks(0, text, 32)
        return int(bytes(text[9:10]))

    def back(self):
        return self.record().back_reason, self.record().back_detail


def test_firmware_and_app_are_installed_and_confirmed_together():
    b = Esp32()
    b.publish("v2", 2, fw(2))
    b.update("v2")
    assert b.runs() == 1 and b.record().slots[1].firmware == 0x11
    assert b.boot() == 2 and b.runs() == 2 and runtime.trial
    assert api.confirm()
    for _ in range(3):
        assert b.boot() == 2 and b.runs() == 2 and not runtime.trial
    assert b.record().slots[0].firmware == 0x10
    b.publish("v3", 3, fw(3))
    b.update("v3")
    assert b.boot() == 3 and b.runs() == 3 and api.confirm() and b.boot() == 3
    assert b.esp.running == "ota_0"


def test_an_app_alone_keeps_the_firmware_that_runs_even_through_resets_on_trial():
    b = Esp32()
    b.publish("v2", 2, None)
    b.update("v2")
    assert b.record().slots[1].firmware == 0x10
    for tries in (2, 1, 0):
        assert b.boot() == 2 and b.record().tries == tries and b.runs() == 1
    assert b.boot() == 1 and b.back()[0] == n.R_BACK_TRIES and b.runs() == 1


def test_firmware_that_runs_already_is_not_written_again():
    b = Esp32()
    b.publish("v2", 2, fw(1))
    before = b.flash.snapshot()
    b.update("v2")
    assert b.flash.snapshot() == before
    assert b.boot() == 2 and b.runs() == 1 and api.confirm() and b.boot() == 2


def test_what_is_for_another_chip_or_too_large_is_refused_before_its_first_byte():
    b = Esp32()
    before = b.flash.snapshot()
    for name, content, reason in (
        ("chip", fw(2, chip_id=9), n.R_IMAGE),
        ("text", b"no firmware at all " * 600, n.R_IMAGE),
        ("combined", b"\xff" * 4096 + fw(2), n.R_IMAGE),
        ("large", fw(2, size=0x10000), n.R_TOO_LARGE),
    ):
        b.publish(name, 2, content)
        b.refuse(name, reason)
        assert b.flash.snapshot() == before, name
        assert b.boot() == 1 and b.runs() == 1


def test_an_image_that_is_longer_than_its_header_says_is_refused():
    b = Esp32()
    b.publish("v2", 2, fw(2) + b"more")
    b.refuse("v2", n.R_IMAGE)
    assert b.boot() == 1


def test_what_the_bootloader_refuses_is_not_armed():
    b = Esp32()
    wrong = bytearray(fw(2))
    wrong[-1] ^= 1  # its own digest
    b.publish("v2", 2, bytes(wrong))
    b.refuse("v2", n.R_IMAGE)
    assert b.record().trial is None and b.boot() == 1 and b.runs() == 1
    assert b.boot() == 1 and b.record().switches == 0


def test_firmware_wants_its_own_role_and_a_second_partition():
    b = Esp32()
    b.publish("v2", 2, fw(2))
    before = b.flash.snapshot()
    write(b.root + "/trust.cbor", trust_store(roles=n.ROLE_APP))
    b.refuse("v2", n.R_COMPONENT_UNAUTHORISED)
    write(b.root + "/trust.cbor", trust_store(roles=BOTH))
    b.esp.table = TABLE[:3]
    b.refuse("v2", n.R_COMPONENT_UNSUPPORTED)
    assert firmware.find(b.esp.Partition) is None
    assert b.flash.snapshot() == before


def test_a_part_that_the_manifest_forgets_to_validate_is_not_armed():
    b = Esp32()
    b.publish("v2", 2, fw(2), validate=(0,))
    b.refuse("v2", n.R_NOT_MATCHED)


def test_a_reset_on_trial_is_the_bootloaders_going_back_and_takes_the_app_along():
    b = Esp32()
    b.publish("v2", 2, fw(2))
    b.update("v2")
    assert b.boot() == 2 and b.runs() == 2
    assert b.boot() == 1 and b.runs() == 1
    assert b.back() == (n.R_BACK_FIRMWARE, 1)
    b.refuse("v2", n.R_KNOWN_BAD)
    assert b.boot() == 1 and b.record().switches == 0


def test_firmware_that_never_gets_as_far_as_python_is_started_twice_and_gone_back_from():
    b = Esp32()
    b.publish("v2", 2, fw(2))
    b.update("v2")
    assert b.esp.boot() == "ota_1"  # hangs; somebody presses reset
    assert b.esp.boot() == "ota_0"
    b.forget()
    raises(Reset, launcher._choose, b.chip, read_config(b.root))  # once more
    assert b.esp.boot() == "ota_1"
    assert b.boot() == 1 and b.runs() == 1 and b.back() == (n.R_BACK_FIRMWARE, 1)
    b.refuse("v2", n.R_KNOWN_BAD)


def test_firmware_that_was_never_started_is_not_known_bad():
    b = Esp32()
    b.publish("v2", 2, fw(2))
    with Hook(firmware.Firmware, "set_boot", lambda *a: raise_cut()):
        raises(Cut, b.update, "v2")
        assert b.esp.boot() == "ota_0"
        b.forget()
        raises(Cut, launcher._choose, b.chip, read_config(b.root))
    assert b.boot() == 1 and b.back() == (n.R_BACK_FIRMWARE, 0)
    b.update("v2")
    assert b.boot() == 2 and b.runs() == 2


def test_going_back_from_firmware_that_was_marked_valid_brings_the_old_one_back_for_good():
    b = Esp32()
    b.publish("v2", 2, fw(2))
    b.update("v2")
    assert b.boot() == 2
    b.chip.mark_valid()  # confirm got this far
    raises(Reset, api.rollback)
    for _ in range(4):
        assert b.boot() == 1 and b.runs() == 1
    assert b.back()[0] == n.R_BACK_MANUAL and b.record().switches == 0


def test_where_the_old_firmware_is_damaged_there_is_recovery_and_never_a_mixture():
    b = Esp32()
    b.publish("v2", 2, fw(2))
    b.update("v2")
    assert b.boot() == 2
    b.chip.mark_valid()
    b.flash.image[0x10000 + 500] ^= 1
    raises(Reset, api.rollback)
    for _ in range(6):
        assert b.boot() is None and b.runs() == 2
    b.publish("v3", 3, fw(3))  # and it can be updated from there
    b.update("v3")
    assert b.boot() == 3 and b.runs() == 3 and api.confirm() and b.boot() == 3


def test_an_armed_firmware_update_that_is_replaced_leaves_nothing_to_the_bootloader():
    b = Esp32()
    b.publish("v2", 2, fw(2))
    b.publish("v3", 3, None)
    b.update("v2")
    b.update("v3")
    for _ in range(2):
        assert b.boot() == 3 and b.runs() == 1
    assert api.confirm() and b.boot() == 3 and b.runs() == 1


def test_firmware_put_there_by_cable_is_what_is_expected_from_then_on():
    b = Esp32()
    put(b.esp, "ota_1", fw(7))
    b.esp.Partition("ota_1").set_boot()
    for _ in range(3):
        assert b.boot() == 1 and b.runs() == 7
    assert b.record().slots[0].firmware == 0x11


def test_a_cut_download_of_firmware_goes_on_where_it_was():
    b = Esp32(TABLE[:3] + (("ota_1", 0, 0x11, 0x20000, 0x20000),))
    b.publish("v2", 2, fw(2, size=100000))
    sectors = []

    def stop(component, start):
        sectors.append(start)
        if len(sectors) == 20:
            raise Cut()

    with Hook(firmware.FirmwareComponent, "_write_sector", stop):
        raises(Cut, b.update, "v2")
    power_cut()
    assert b.boot() == 1
    del sectors[:]
    with Hook(firmware.FirmwareComponent, "_write_sector", lambda c, at: sectors.append(at)):
        b.update("v2")
    assert sectors[0] == 16 * 4096 and sectors[-1] == 24 * 4096
    assert b.boot() == 2 and b.runs() == 2


def test_what_a_note_claims_is_not_believed():
    b = Esp32()
    b.publish("v2", 2, fw(2))
    b.update("v2")
    note = read(b.root + "/b/firmware")
    b.publish("v3", 3, None)
    b.update("v3")  # the note is gone with its component
    write(b.root + "/b/firmware", note)
    b.flash.image[0x20000 + 5000] ^= 1
    b.update("v2")
    assert b.boot() == 2 and b.runs() == 2


def raise_cut():
    raise Cut()


# -- power cuts --------------------------------------------------------------------------------------------------


class Acts(Cuts):
    """Cuts that the launcher does not take for a slot that fails to verify."""

    def look(self, *args):
        try:
            Cuts.look(self, *args)
        except Cut:
            raise nor.PowerCut()


def confirming(b):
    """An update's life: installed, run on trial, confirmed, reset."""
    b.update("v2")
    if b.boot() == 2:
        api.confirm()
    b.boot()


def giving_up(b):
    """The longest way back: the firmware marked valid, the record not saved, the app gives up."""
    b.update("v2")
    if b.boot() == 2:
        b.chip.mark_valid()
        try:
            api.rollback()
        except Reset:
            pass
    b.boot()


def replaced(b):
    """Armed with firmware, then replaced by an app alone before the reset."""
    b.update("v2")
    b.update("v3")
    if b.boot() == 3:
        api.confirm()
    b.boot()


def settles(b, where):
    """After a cut: whole sets only, and a board that takes the next update. -> sequence that ran first."""
    b.flash.power_on()
    power_cut()
    first = b.boot()
    assert first in (1, 2, 3), (where, first)
    for _ in range(4):
        ran = b.boot()
        assert b.runs() == (2 if ran == 2 else 1), (where, ran, b.runs())
        if runtime.trial:
            api.confirm()
    assert b.boot() == ran and not runtime.trial and b.record().switches == 0, where
    return first


def lives(life, expected):
    """`life` cut at every flash operation of the firmware's partitions and of otadata, in four ways, and before every
    act on the files, the record's among them."""
    points = [None]
    seen = set()
    tried = 0
    while points:
        point = points.pop()
        b = Esp32()
        b.publish("v2", 2, fw(2))
        b.publish("v3", 3, None)
        hooks = Acts(None)
        b.flash.power_on()
        if point and point[0] == "act":
            hooks.at = point[1]
        elif point:
            b.flash.cut(point[1], *point[2])
        try:
            with hooks:
                life(b)
            assert point is None or point[0] == "flash" and point[2][0] == nor.AFTER, point
        except nor.PowerCut:
            assert point
        if point is None:
            points += [("act", at) for at in range(hooks.count)]
            kinds = ((nor.BEFORE, 0), (nor.TORN, 0.3), (nor.WEAK, 0), (nor.AFTER, 0))
            points += [("flash", at, kind) for at in range(b.flash.ops) for kind in kinds]
        seen.add(settles(b, point))
        tried += 1
    assert seen == expected, seen
    return tried


def test_a_cut_anywhere_in_the_life_of_an_update_leaves_firmware_and_app_whole():
    assert lives(confirming, {1, 2}) > 150


def test_a_cut_anywhere_on_the_way_back_leaves_firmware_and_app_whole():
    assert lives(giving_up, {1, 2}) > 150


def test_a_cut_anywhere_while_one_armed_update_replaces_another_leaves_a_whole_set():
    assert lives(replaced, {1, 2, 3}) > 150
