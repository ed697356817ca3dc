# App images in memory-mapped flash: two raw slots that the native VfsRom runs in place.
# MIT licence.
"""For firmware built with a ROMFS partition (boards/*/micropython). Its first block stays erased, so that
MicroPython mounts nothing from it by itself; the rest is halved, one half for each slot. Bytecode and
constants stay in flash then, which leaves an app about half of the RAM that it would need.

    area = find(0)              # Area of slot a; None where the firmware has no such partition
    VfsRom(area.memory)
    RomComponent(slot, area, True)

`RomComponent` is `["app"]` (see components.py for its methods). Flash is erased block by block as it is
written, in pages of 256 bytes out of RAM: the chip cannot read what it is programmed from. A download
that was cut starts anew. An app that a cable put into the slot as a file runs from there until the
slot is written. Docs: `vfs.rom_ioctl`; platform.md sections 2 and 3."""

try:
    from micropython import const
except ImportError:

    def const(value):
        return value


from .errors import SuitError
from .numbers import ALG_SHA256, R_NOT_ALLOWED, R_OPERATION_FAILED, R_TOO_LARGE

_BLOCK = const(4096)
_PAGE = const(256)
_MAGIC = b"\xd2\xcd\x31"
_COUNT = const(1)  # of rom_ioctl
_SEGMENT = const(2)
_BLOCKS = const(4)  # of a block device's ioctl
_ERASE = const(6)


def find(index):
    """-> Area of the slot of that index, None where there is nothing to map."""
    import vfs

    ioctl = getattr(vfs, "rom_ioctl", None)
    if ioctl is None or not hasattr(vfs, "VfsRom") or ioctl(_COUNT) < 1:
        return None
    device = ioctl(_SEGMENT, 0)
    if not hasattr(device, "writeblocks"):
        return None
    return Area(device, memoryview(device), index)


class Area:
    """The half of `device` (block device, mapped as `memory`) that belongs to a slot. `size`: bytes."""

    def __init__(self, device, memory, index):
        blocks = (device.ioctl(_BLOCKS, 0) - 1) // 2
        self.first = 1 + index * blocks
        self.size = blocks * _BLOCK
        self.memory = memory[self.first * _BLOCK : self.first * _BLOCK + self.size]
        self._device = device

    def erase(self, at):
        self._done(self._device.ioctl(_ERASE, self.first + at // _BLOCK))

    def program(self, at, page):
        """A page of RAM to the erased flash at `at`."""
        self._done(self._device.writeblocks(self.first + at // _BLOCK, page, at % _BLOCK))

    def _done(self, answer):
        if answer:
            raise OSError(-answer)

    def stored(self):
        """-> bytes of the image that begins here, None when none does."""
        memory = self.memory
        if memory[:3] != _MAGIC:
            return None
        size = 0
        for at in range(3, 13):
            byte = memory[at]
            size = size << 7 | byte & 0x7F
            if byte < 0x80:
                size += at + 1
                return size if size <= self.size else None
        return None


class RomComponent:
    path = None
    mark = None
    progress = None

    def __init__(self, slot, area, writable):
        self.slot = slot.index
        self._slot = slot
        self._area = area
        self._writable = writable
        self._page = None  # while something is being written
        self._at = 0  # bytes taken so far
        self._size = None

    def size(self):
        return self._area.stored()

    def read_at(self, offset, buf):
        memory = self._area.memory
        n = min(len(buf), (self.size() or 0) - offset)
        if n <= 0:
            return 0
        buf[:n] = memory[offset : offset + n]
        return n

    def begin(self, size=None, digest=None):
        self._allowed()
        if size is not None and size > self._area.size:
            self._too_large(size)
        self._size = size
        self._page = bytearray(_PAGE)
        stored = self.size()
        # complete, from an update that did not get as far as its last component; hashed again
        self._at = stored if digest is not None and stored == size and stored else 0
        self._tell()
        return self._at

    def restart(self):
        self._page = bytearray(_PAGE)
        self._at = 0
        self._tell()

    def write(self, view):
        if self._at + len(view) > self._area.size:
            self._too_large(self._at + len(view))
        taken = 0
        while taken < len(view):
            within = self._at % _PAGE
            n = min(_PAGE - within, len(view) - taken)
            self._page[within : within + n] = view[taken : taken + n]
            taken += n
            self._at += n
            if within + n == _PAGE:
                self._program(self._at - _PAGE)
        self._tell()

    def _program(self, at):
        if at % _BLOCK == 0:
            self._area.erase(at)
        self._area.program(at, self._page)

    def end(self):
        within = self._at % _PAGE
        if within and self._page:
            for i in range(within, _PAGE):
                self._page[i] = 0xFF
            self._program(self._at - within)
        self._page = None

    def abandon(self):
        self._page = None

    def remove(self):
        self._allowed()
        self._area.erase(0)

    def swap(self, other):
        raise SuitError(R_OPERATION_FAILED, "these cannot be swapped")

    def local_copy(self, digest, size=None, alg=ALG_SHA256):
        """Generator: True when the image of that digest is here already, or is copied from the other
        slot."""
        if not self._writable or size is None:
            return False
        if self.size() == size and (yield from self._matches(self._area, size, digest, alg)):
            return True
        other = find(1 - self.slot)
        if other is None or other.stored() != size:
            return False
        if not (yield from self._matches(other, size, digest, alg)):
            return False
        self.begin(size)
        for at in range(0, size, _PAGE):
            self.write(other.memory[at : min(at + _PAGE, size)])
            yield
        self.end()
        return True

    def _matches(self, area, size, digest, alg):
        from .crypto.digest import new

        hasher = new(alg)
        for at in range(0, size, _BLOCK):
            hasher.update(area.memory[at : min(at + _BLOCK, size)])
            yield
        return hasher.digest() == bytes(digest)

    def close(self):
        pass

    def _allowed(self):
        if not self._writable:
            raise SuitError(R_NOT_ALLOWED, "slot %s is running" % self._slot.name)

    def _tell(self):
        if self.progress:
            self.progress.done = self._at
            self.progress.total = self._size or 0

    def _too_large(self, size):
        text = "slot %s holds %d bytes, the image is %d"
        raise SuitError(R_TOO_LARGE, text % (self._slot.name, self._area.size, size))
