# ESP32 firmware slots: otadata and the bootloader, cut at every operation.
# MIT licence.
"""`explore(report, full)` on the model of `esp32.Partition` and its bootloader (boards/virtual/shim_esp32.py): a second firmware
is chosen, started once, found good (or not) and kept (or rolled back). The chip is cut at every operation, and once more at
every operation of what follows. Always: something verified boots; firmware found good is never rolled back; firmware that
was not, never stays; the next update works."""

import hashlib
import struct

import nor
import shim_esp32
import world as w

_SLOT = 0x10000
_TABLE = (
    ("nvs", 1, 2, 0x9000, 0x4000),
    ("otadata", 1, 0, 0xD000, 0x2000),
    ("ota_0", 0, 0x10, 0x10000, _SLOT),
    ("ota_1", 0, 0x11, 0x20000, _SLOT),
)
_KINDS = (
    (nor.BEFORE, 0), (nor.TORN, 0.0), (nor.TORN, 0.1), (nor.TORN, 0.5), (nor.TORN, 0.95), (nor.WEAK, 0), (nor.AFTER, 0),
)  # fmt: skip


def image(text):
    """An image the bootloader takes: header, one segment, checksum, SHA-256."""
    body = text + bytes(256 - len(text))
    data = struct.pack("<BBBBLB3sHBHH4sB", 0xE9, 1, 2, 32, 0, 238, b"\0\0\0", 0, 0, 0, 0xFFFF, b"\0\0\0\0", 1)
    data += struct.pack("<LL", 0x3F400020, len(body)) + body
    checksum = 0xEF
    for byte in body:
        checksum ^= byte
    data += bytes(15 - len(data) % 16) + bytes((checksum,))
    return data + hashlib.sha256(data).digest()


class Board:
    """A chip with two firmware slots, the first one kept."""

    def __init__(self):
        self.flash = nor.RamNor(bytearray(b"\xff" * 0x30000), 0)
        self.chip = shim_esp32.Chip(self.flash, _TABLE)
        for label, text in (("ota_0", b"one"), ("ota_1", b"two")):
            data = image(text)
            start = 0x10000 if label == "ota_0" else 0x20000
            self.flash.image[start : start + len(data)] = data
        self.chip.boot()
        self.chip.Partition("ota_0").set_boot()
        self.chip.boot()
        self.chip.mark_valid()
        self.start = self.flash.snapshot()

    def story(self, good):
        """Choose the second firmware, start it, judge it, start again."""
        chip = self.chip
        if not self.chosen:
            chip.Partition("ota_1").set_boot()
            self.chosen = True
        if chip.boot() == "ota_1" and good:
            chip.mark_valid()
            self.kept = True
        return chip.boot()

    def live(self, good, cuts):
        """Through the story with these cuts; -> how many of them happened."""
        happened = 0
        while True:
            self.flash.power_on()
            if happened < len(cuts):
                self.flash.cut(*cuts[happened])
            try:
                last = self.story(good)
                break
            except nor.PowerCut:
                happened += 1
                self.chip.running = self._after()
        self.flash.power_on()
        self._judge(good, last)
        return happened

    def _after(self):
        """What boots after a cut (on a copy: the story boots by itself). Something has to."""
        kept = self.flash.snapshot()
        self.flash.power_on()
        first = self.chip.boot()
        if first is None:
            raise w.Violation("nothing boots")
        if self.kept and first != "ota_1":
            raise w.Violation("firmware that was found good is gone")
        self.flash.restore(kept)
        return "ota_0" if not self.kept else "ota_1"

    def _judge(self, good, last):
        if last is None:
            raise w.Violation("nothing boots in the end")
        if self.kept and last != "ota_1":
            raise w.Violation("firmware that was found good was rolled back")
        if not good and self.chip.boot() == "ota_1" and self.chip.boot() == "ota_1":
            raise w.Violation("firmware that was not found good stays")
        # and the next update works
        now = self.chip.boot()
        other = "ota_1" if now == "ota_0" else "ota_0"
        self.chip.Partition(other).set_boot()
        if self.chip.boot() != other:
            raise w.Violation("the next update does not start")

    def play(self, good, cuts):
        self.flash.restore(self.start)
        self.chip.running = "ota_0"
        self.chosen = self.kept = False
        return self.live(good, cuts)


def explore(stop):
    """-> (operations, tried, survived, lost)."""
    board = Board()
    board.play(True, [])
    tried = survived = lost = operations = 0
    for good in (True, False):
        at = 0
        while True:
            reached = False
            for first in _KINDS:
                for second in (None,) + tuple((n, kind) for n in range(8) for kind in _KINDS):
                    cuts = [(at,) + first]
                    if second:
                        cuts.append((second[0],) + second[1])
                    try:
                        happened = board.play(good, cuts)
                    except w.Violation as error:
                        lost += 1
                        happened = len(cuts)
                        if lost <= 5:
                            w.report("LOST", "otadata", (good, cuts), error)
                        if stop:
                            return operations, tried, survived, lost
                        tried += 1
                        reached = True
                        continue
                    if happened == len(cuts):
                        tried += 1
                        survived += 1
                        reached = True
            if not reached:
                break
            at += 1
            operations = max(operations, at)
    return operations, tried, survived, lost
