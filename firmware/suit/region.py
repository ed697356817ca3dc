# Random access to bytes that may lie in RAM or in a file, without copying them.
# MIT licence.
"""A *region* has `size` (bytes) and `read_at(offset, buf) -> n`, which fills `buf` as far as there are bytes and
returns how many it wrote. An envelope is read from one, so that 80 KiB of signatures never stand in RAM.
`rest(region)`: whoever has read it for now lets go of its file, if it has one of its own."""


def rest(region):
    let_go = getattr(region, "rest", None)
    if let_go:
        let_go()


class MemoryRegion:
    """A region over bytes, bytearray or memoryview."""

    def __init__(self, data):
        self._view = memoryview(data)
        self.size = len(data)

    def read_at(self, offset, buf):
        n = min(len(buf), self.size - offset)
        if n <= 0:
            return 0
        buf[:n] = self._view[offset : offset + n]
        return n


class FileRegion:
    """A region over an open binary file; the file stays the caller's to close. Raises OSError."""

    def __init__(self, file):
        self._file = file
        self.size = file.seek(0, 2)

    def read_at(self, offset, buf):
        self._file.seek(offset)
        return self._file.readinto(buf) or 0


class PathRegion:
    """A region over the file at `path`, opened when it is read. An open file of littlefs costs more
    than a KiB: `rest()` closes it until somebody reads again."""

    def __init__(self, path):
        self._path = path
        self._file = None
        self.read_at(0, bytearray(1))
        self.size = self._file.seek(0, 2)

    def read_at(self, offset, buf):
        if self._file is None:
            self._file = open(self._path, "rb")
        self._file.seek(offset)
        return self._file.readinto(buf) or 0

    def rest(self):
        if self._file:
            self._file.close()
            self._file = None


class SubRegion:
    """`size` bytes of `parent` from `offset` on; never reads outside them."""

    def __init__(self, parent, offset, size):
        if offset < 0 or size < 0 or offset + size > parent.size:
            raise ValueError("outside the parent")
        self._parent = parent
        self._offset = offset
        self.size = size

    def read_at(self, offset, buf):
        n = min(len(buf), self.size - offset)
        if n <= 0:
            return 0
        if n < len(buf):
            buf = memoryview(buf)[:n]
        return self._parent.read_at(self._offset + offset, buf)

    def rest(self):
        rest(self._parent)
