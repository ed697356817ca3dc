# The firmware component: MicroPython itself, in the partition that does not run.
# MIT licence.
"""`Firmware(Partition)` knows the firmware partitions of an ESP32 through `esp32.Partition`, handed
down by port/esp32.py: `running` and `target` are the numbers of the one that runs and of the one
that an update writes (the subtype of the partition: 0 factory, 16 ota_0, 17 ota_1 ...), `expected`
the one the slot being written will run on. `set_boot(number)` and `stay()` speak to the bootloader,
`aborted()` says from which partition it went back. Errors of the flash stay OSError.

`FirmwareComponent` is `["firmware"]` (see components.py for its methods). For the invocation it is
what runs. For an update it is `target`, or what runs when that has the wanted digest already. Size
and chip are checked before the first byte is written: SuitError(R_TOO_LARGE) and (R_IMAGE). Each
4 KiB sector is erased, written and read back. How far that went stands in the slot's file
`firmware`, with the digest it was for, so that an update cut in the middle goes on there; what it
says is hashed again and never believed.

platform.md section 1: which calls there are and what the bootloader makes of them; a partition has
no length of its own, so that of its image is read from the segment headers."""

import struct

try:
    from micropython import const
except ImportError:

    def const(value):
        return value


from .cbor import encode, value
from .errors import SuitError
from .numbers import (
    ALG_SHA256,
    R_IMAGE,
    R_NOT_ALLOWED,
    R_OPERATION_FAILED,
    R_STORAGE,
    R_TOO_LARGE,
)
from .slots import make_folders, remove

_SECTOR = const(4096)
_NOTE = const(16)  # sectors between two notes of how far it went
_HEADER = const(24)
_MAGIC = const(0xE9)
_CHIP_ID = const(12)  # offsets in the header
_HASHED = const(23)
_OTA = const(16)  # subtype of ota_0; 16 of them at most
_OTADATA = const(0)  # subtype
_ABORTED = const(4)  # state in otadata: the bootloader went back
_ERASED = const(0xFFFFFFFF)


def find(Partition):
    """-> Firmware, None where there is no second partition to write (stock tables have one)."""
    try:
        return Firmware(Partition)
    except OSError:
        return None


class Firmware:
    def __init__(self, Partition):
        running = Partition(Partition.RUNNING)
        target = running.get_next_update()
        self._partition = Partition
        self.running = running.info()[1]
        self.target = target.info()[1]
        if self.target == self.running:
            raise OSError(2)
        self.expected = self.running
        self.name = running.info()[4]

    def partition(self, number):
        """Raises OSError(ENOENT) when there is none of that number."""
        found = self._partition.find(self._partition.TYPE_APP, number)
        if not found:
            raise OSError(2)
        return found[0]

    def set_boot(self, number):
        """The bootloader starts that partition at the next reset; it verifies the image first."""
        self.partition(number).set_boot()

    def stay(self):
        """Whatever the bootloader was asked for: the one that runs stays."""
        if self._partition(self._partition.BOOT).info()[1] != self.running:
            self.set_boot(self.running)
            self._partition.mark_app_valid_cancel_rollback()

    def aborted(self):
        """-> number of a partition that the bootloader went back from, None when that cannot be told."""
        try:
            return self._aborted()
        except OSError:
            return None

    def _aborted(self):
        count = len(
            [p for p in self._partition.find(self._partition.TYPE_APP) if p.info()[1] >= _OTA]
        )
        entry = bytearray(32)
        for otadata in self._partition.find(self._partition.TYPE_DATA, _OTADATA)[:1]:
            for sector in (0, 1):
                otadata.readblocks(sector, entry, 0)
                sequence, _, state, _ = struct.unpack("<L20sLL", entry)
                if state == _ABORTED and sequence != _ERASED:
                    return _OTA + (sequence - 1) % count
        return None


class FirmwareComponent:
    """Over `firmware` (Firmware), for `slot` (slots.Slot)."""

    def __init__(self, firmware, slot, writable):
        self.slot = slot.index
        self.path = slot.path + "/firmware"  # the note
        self.mark = None
        self.progress = None
        self._firmware = firmware
        self._writable = writable
        self._use(firmware.expected)
        self._sector = None  # the bytes not written yet, while something is being written
        self._at = 0  # bytes taken so far
        self._stored = 0  # of them in the partition
        self._wanted = None  # size that begin was told
        self._digest = None

    def _use(self, number):
        self._firmware.expected = number
        self._part = self._firmware.partition(number)
        self._room = self._part.info()[3]

    # reading

    def size(self):
        """-> bytes of the image in the partition, None where there is none."""
        head = bytearray(_HEADER)
        self._read(0, head)
        if head[0] != _MAGIC:
            return None
        at = _HEADER
        segment = bytearray(8)
        for _ in range(head[1]):
            if at + 8 > self._room:
                return None
            self._read(at, segment)
            at += 8 + struct.unpack_from("<L", segment, 4)[0]
        at += 16 - at % 16  # padding and checksum
        if head[_HASHED]:
            at += 32
        return at if at <= self._room else None

    def read_at(self, offset, buf):
        end = self._at if self._sector else self.size() or 0
        n = min(len(buf), end - offset)
        if n <= 0:
            return 0
        self._read(offset, memoryview(buf)[:n])
        return n

    def _read(self, offset, buf):
        self._part.readblocks(offset // _SECTOR, buf, offset % _SECTOR)

    def local_copy(self, digest, size=None, alg=ALG_SHA256):
        """Generator: True when the firmware of that digest runs already; it is kept then."""
        from .crypto.digest import new, same

        if not self._writable:
            return False
        self._use(self._firmware.running)
        if size in (None, self.size()):
            hasher = new(alg)
            buf = memoryview(bytearray(1024))
            at = 0
            while True:
                n = self.read_at(at, buf)
                if not n:
                    break
                hasher.update(buf[:n])
                at += n
                yield
            if same(hasher.digest(), digest):
                return True
        self._use(self._firmware.target)
        return False

    # writing

    def begin(self, size=None, digest=None):
        if not self._writable:
            raise SuitError(R_NOT_ALLOWED, "this firmware is running")
        self._use(self._firmware.target)
        if size is not None and size > self._room:
            self._too_large(size)
        self._wanted = size
        self._digest = None if digest is None else bytes(digest)
        self.mark = None
        self._sector = bytearray(_SECTOR)
        self._at = self._stored = self._resumable()
        self._tell()
        return self._at

    def _resumable(self):
        """-> bytes that the note says are there of what is wanted."""
        if self._digest is None or self._wanted is None:
            return 0
        try:
            with open(self.path, "rb") as file:
                number, digest, done, mark = value(memoryview(file.read(1024)))
        except (OSError, SuitError, ValueError, TypeError):
            return 0
        if number != self._firmware.target or digest != self._digest:
            return 0
        if done > self._wanted or (done % _SECTOR and done != self._wanted):
            return 0
        self.mark = mark
        return done

    def _note(self):
        if self._digest is not None:
            make_folders(self.path)
            with open(self.path, "wb") as file:
                file.write(encode([self._firmware.target, self._digest, self._at, self.mark]))

    def restart(self):
        remove(self.path)
        self._at = self._stored = 0
        self.mark = None
        self._tell()

    def write(self, view):
        if self._at + len(view) > self._room:
            self._too_large(self._at + len(view))
        while len(view):
            start = self._at % _SECTOR
            n = min(len(view), _SECTOR - start)
            self._sector[start : start + n] = view[:n]
            self._at += n
            view = view[n:]
            if start + n == _SECTOR:
                self._write_sector(self._at - _SECTOR)
                if self._at % (_SECTOR * _NOTE) == 0:
                    self._note()
        self._tell()

    def _write_sector(self, start):
        """Erase, write and compare the sector at `start`."""
        if start == 0:
            self._check_header()
        self._part.writeblocks(start // _SECTOR, self._sector)
        stored = memoryview(bytearray(512))
        view = memoryview(self._sector)
        for at in range(0, _SECTOR, 512):
            self._read(start + at, stored)
            if stored != view[at : at + 512]:
                raise SuitError(R_STORAGE, "firmware")
        self._stored = self._at

    def _check_header(self):
        """Before anything is erased: is this for the chip that runs?"""
        here = bytearray(_HEADER)
        self._firmware.partition(self._firmware.running).readblocks(0, here, 0)
        if self._sector[0] != _MAGIC:
            raise SuitError(R_IMAGE, "no application image")
        found = struct.unpack_from("<H", self._sector, _CHIP_ID)[0]
        chip = struct.unpack_from("<H", here, _CHIP_ID)[0]
        if found != chip:
            raise SuitError(R_IMAGE, "chip %d, this one is %d" % (found, chip))

    def end(self):
        rest = self._at % _SECTOR
        if self._stored < self._at:
            for i in range(rest, _SECTOR):
                self._sector[i] = 0xFF
            self._write_sector(self._at - rest)
        self._sector = None
        if self.size() != self._at:
            raise SuitError(R_IMAGE, "%d bytes, its header says otherwise" % self._at)
        self._note()

    def abandon(self):
        """An error: what the last note says can be resumed."""
        self._sector = None

    def swap(self, other):
        raise SuitError(R_OPERATION_FAILED, "these cannot be swapped")

    def close(self):
        self._sector = None

    def _tell(self):
        if self.progress:
            self.progress.done = self._at
            self.progress.total = self._wanted or 0

    def _too_large(self, size):
        text = "the firmware partition holds %d bytes, the image is %d"
        raise SuitError(R_TOO_LARGE, text % (self._room, size))
