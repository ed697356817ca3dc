# Streams over what is already on the board: a file, or a payload inside the envelope.
# MIT licence.
"""`RegionStream(region)` for an integrated payload (suit-manifest 8.5), `FileStream(path)` for a
local file or a memory stick: the same `start`, `readinto`, `close` as a network stream, so that
nothing else needs to know.

A path that cannot be opened raises SuitError(R_NO_PAYLOAD, path); read errors pass through as
OSError."""

from ..errors import SuitError
from ..numbers import R_NO_PAYLOAD
from ..region import FileRegion, rest


class RegionStream:
    """Reads a region from `start`'s offset to its end. `mark` is None: what is inside the envelope
    is covered by it."""

    def __init__(self, region):
        self._region = region
        self.total = region.size
        self.offset = 0
        self.mark = None

    def start(self, offset=0, mark=None):
        self.offset = self._at = offset if offset <= self.total else 0
        yield

    def readinto(self, view):
        n = self._region.read_at(self._at, view)
        self._at += n
        yield
        return n

    def close(self):
        rest(self._region)  # an open file has more than a KiB, and who follows may need that


class FileStream(RegionStream):
    """Reads the file at `path`, opened here and closed by `close`."""

    def __init__(self, path):
        try:
            self._file = open(path, "rb")
        except OSError:
            raise SuitError(R_NO_PAYLOAD, path)
        RegionStream.__init__(self, FileRegion(self._file))

    def close(self):
        self._file.close()
