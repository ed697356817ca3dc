# A NOR flash chip: erase to ones, program to zeros, and lose power where you ask it to.
# MIT licence.
"""Block devices for `vfs.VfsLfs2` (docs of MicroPython: `vfs.AbstractBlockDev`) that obey the rules of NOR flash.

    flash = RamNor(bytearray(...), page=256)      # the explorer: an image in RAM, snapshots are copies
    flash = FileNor(open_file, blocks, page=256)  # the virtual board: written through, what a SIGKILL leaves is the truth

* An *operation* is the erase of one 4 KiB block or the program of one page (`page` bytes, RP2040) or of one run of
  bytes inside a page (`page=0`: byte-granular, ESP32; runs end at 256-byte borders there too).
* Programming can only clear bits. Asking it to set one is a defect of the caller: the chip does what a chip does
  (old AND new), counts it in `violations` and answers EIO.
* `ops` counts operations, `wear` erases per block. A block erased more than `endurance` times is worn out: some of its cells
  stay zero, and nothing reports it.
* `cut(at, kind, fraction)`: when `ops` reaches `at` the power goes `BEFORE`, in the middle (`TORN`: a program stops after
  that fraction of its bytes with one byte half done; an erase after that fraction of the block), in the middle of an erase
  with weak bits all over the block (`WEAK`) or `AFTER` the operation. `PowerCut` is raised, and by every later access.
* `fail_read`, `fail_program`, `fail_erase`: the number of the access that answers EIO (once; `sticky` for ever).

Facts implemented (platform.md, section 5, "Raw NOR"): erase blocks of 4 KiB, pages of 256 bytes on RP2040 and single bytes on
ESP32, bits that only go to 0. Weak bits, wear and bits that turn over are assumptions on the safe side, not measured.

Sizes are bytes. Accesses answer 0 or a negative errno. A cut raises PowerCut, and so does every later access; a `polite`
chip answers EIO instead and leaves it to whoever holds it to look at `lost`: an exception must not fly through littlefs,
whose list of open files it would leave in ruins for their finalisers."""

import errno
import hashlib
from array import array

BLOCK = 4096
BEFORE = 0
TORN = 1
WEAK = 2
AFTER = 3

_ONES = b"\xff" * BLOCK
_PAGE = 256  # no chip programs across a 256-byte border in one go

_random = b""


def _noise():
    """A block and a bit of bits that look random and are the same every time."""
    global _random
    if not _random:
        out = b""
        while len(out) < BLOCK + 64:
            out += hashlib.sha256(out[-32:]).digest()
        _random = out
    return _random


class PowerCut(KeyboardInterrupt):
    """The power is gone; nothing that runs after this has happened."""


class Nor:
    """The rules; `RamNor` and `FileNor` say where the bytes are."""

    def __init__(self, blocks, page):
        self.blocks = blocks
        self.page = page
        self.ops = 0
        self.reads = 0
        self.violations = 0
        self.wear = array("I", [0] * blocks)
        self.endurance = 0  # 0: for ever
        self.dead = False  # without power, whoever switched it off
        self.lost = False  # the cut that was asked for has happened
        self.polite = False
        self.programs = self.erases = 0
        self.trace = None  # a list: (is_erase, address) of every operation
        self.cut(-1)
        self.fail_read = self.fail_program = self.fail_erase = -1
        self.sticky = False

    def cut(self, at, kind=BEFORE, fraction=0.5):
        """Lose power at operation `at` (counted from 0 by `ops`; -1: never)."""
        self._at = at
        self._kind = kind
        self._fraction = fraction

    # -- what littlefs calls -------------------------------------------------------------------------------

    def readblocks(self, block, buf, offset=0):
        if self.dead:
            return self._dead()
        n = self.reads
        self.reads = n + 1
        if n == self.fail_read or (self.sticky and 0 <= self.fail_read <= n):
            return -errno.EIO
        address = block * BLOCK + offset
        if block < 0 or address + len(buf) > self.blocks * BLOCK:
            return -errno.EINVAL
        self._read(address, buf)
        return 0

    def writeblocks(self, block, buf, offset=None):
        if self.dead:
            return self._dead()
        address = block * BLOCK + (offset or 0)
        size = len(buf)
        if block < 0 or address + size > self.blocks * BLOCK:
            return -errno.EINVAL
        if offset is None:
            for i in range(block, block + (size + BLOCK - 1) // BLOCK):
                answer = self._erase_op(i)
                if answer:
                    return answer
        view = memoryview(buf)
        if self.page and (address % self.page or size % self.page):
            self.violations += 1
            return -errno.EINVAL
        at = 0
        while at < size:
            n = min(size - at, _PAGE - (address + at) % _PAGE)
            answer = self._program_op(address + at, view[at : at + n])
            if answer:
                return answer
            at += n
        return 0

    def ioctl(self, op, arg):
        if self.dead:
            return self._dead()
        if op == 4:
            return self.blocks
        if op == 5:
            return BLOCK
        if op == 6:
            if not 0 <= arg < self.blocks:
                return -errno.EINVAL
            return self._erase_op(arg)
        return 0

    # -- one operation ---------------------------------------------------------------------------------------

    def _lost(self):
        self.dead = self.lost = True
        return self._dead()

    def _dead(self):
        if not self.polite:
            raise PowerCut
        return -errno.EIO

    def _begin(self):
        """Count an operation; 1 when the cut lies inside it, negative when it came before."""
        n = self.ops
        self.ops = n + 1
        if n != self._at:
            return 0
        return self._lost() if self._kind == BEFORE else 1

    def _program_op(self, address, data):
        cut = self._begin()
        if cut < 0:
            return cut
        n = self.programs
        self.programs = n + 1
        if self.trace is not None:
            self.trace.append((False, address))
        if n == self.fail_program or (self.sticky and 0 <= self.fail_program <= n):
            # a failed program leaves some of its bits behind
            self._merge(address, data[: len(data) // 3])
            return -errno.EIO
        if cut and self._kind != AFTER:
            part = int(len(data) * self._fraction)
            self._merge(address, data[:part])
            if part < len(data):
                # the byte being programmed: half of its zeros have arrived
                self._merge(address + part, bytes((data[part] | 0x55,)))
            return self._lost()
        bad = self._merge(address, data)
        if cut:
            return self._lost()
        if bad and not self._is_worn(address // BLOCK):
            self.violations += 1
            return -errno.EIO
        return 0

    def _erase_op(self, block):
        cut = self._begin()
        if cut < 0:
            return cut
        n = self.erases
        self.erases = n + 1
        if self.trace is not None:
            self.trace.append((True, block * BLOCK))
        if n == self.fail_erase or (self.sticky and 0 <= self.fail_erase <= n):
            return -errno.EIO
        worn = self.wear[block] = self.wear[block] + 1
        self._worn(block, worn)
        if cut and self._kind == TORN:
            self._write(block * BLOCK, memoryview(_ONES)[: int(BLOCK * self._fraction)])
            return self._lost()
        if cut and self._kind == WEAK:
            # every cell is on its way to one; which have arrived looks random
            old = bytearray(BLOCK)
            self._read(block * BLOCK, old)
            shift = self.ops % 64
            mixed = int.from_bytes(old, "little") | int.from_bytes(_noise()[shift : shift + BLOCK], "little")
            self._write(block * BLOCK, mixed.to_bytes(BLOCK, "little"))
            return self._lost()
        self._write(block * BLOCK, _ONES)
        if self._is_worn(block):
            self._write(block * BLOCK + worn * 37 % BLOCK, b"\x6f")
        return self._lost() if cut else 0

    def _is_worn(self, block):
        return self.endurance and self.wear[block] > self.endurance

    def _merge(self, address, data):
        """Program: old AND new; True when a bit had to be set, which no program can."""
        n = len(data)
        if not n:
            return False
        old = self._peek(address, n)
        if old == _ONES[:n]:
            self._write(address, data)
            return False
        was = int.from_bytes(old, "little")
        asked = int.from_bytes(data, "little")
        now = was & asked
        self._write(address, now.to_bytes(n, "little"))
        return now != asked

    def _worn(self, block, count):
        pass


class RamNor(Nor):
    """The chip's content in a bytearray; `snapshot()` and `restore()` are copies of it."""

    def __init__(self, image, page=256):
        Nor.__init__(self, len(image) // BLOCK, page)
        self.image = image
        self._view = memoryview(image)

    def snapshot(self):
        return bytes(self.image)

    def restore(self, snapshot):
        """The chip as it was, with power, no faults ahead and the counts at zero."""
        self.image[:] = snapshot
        self.power_on()

    def power_on(self):
        self.dead = self.lost = False
        self.ops = self.reads = self.programs = self.erases = 0
        self.cut(-1)
        self.fail_read = self.fail_program = self.fail_erase = -1
        self.sticky = False

    def _read(self, address, buf):
        buf[:] = self._view[address : address + len(buf)]

    def _peek(self, address, n):
        return self._view[address : address + n]

    def _write(self, address, data):
        self._view[address : address + len(data)] = data


class FileNor(Nor):
    """The chip's content in an open file (and its wear in another), written through."""

    def __init__(self, file, blocks, page=256, wear=None):
        Nor.__init__(self, blocks, page)
        self._file = file
        self._wear = wear
        if wear:
            wear.readinto(self.wear)

    def _read(self, address, buf):
        self._file.seek(address)
        self._file.readinto(buf)

    def _peek(self, address, n):
        self._file.seek(address)
        return self._file.read(n)

    def _write(self, address, data):
        self._file.seek(address)
        self._file.write(data)

    def _worn(self, block, count):
        if self._wear:
            self._wear.seek(block * 4)
            self._wear.write(array("I", (count,)))
