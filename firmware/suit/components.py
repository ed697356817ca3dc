# What a manifest can name on this board, as something to read and to write.
# MIT licence.
"""`parse(raw)` turns a component identifier (an array of byte strings) into its parts: ["app"],
["file", name...], ["ram", name] or ["firmware"]; anything else is
SuitError(R_COMPONENT_UNSUPPORTED). `FileComponent` is the first two inside a slot, `RamComponent`
the third; the fourth is in firmware.py.

Writing: `begin(size, digest)` -> bytes that are already there of the same image (0: start anew),
`write(view)`..., `end()`. It raises SuitError(R_TOO_LARGE) before the first byte when `size` does
not fit. Every 16 KiB written is made durable, so that a reset costs no more than that;
`abandon()` keeps it when the digest is known, and `mark` (the ETag of what is being fetched)
beside it. What a component holds is judged by its digest alone, never by having been written."""

import os

try:
    from micropython import const
except ImportError:

    def const(value):
        return value


from .cbor import Cursor
from .errors import SuitError
from .numbers import R_COMPONENT_UNSUPPORTED, R_NOT_ALLOWED, R_OPERATION_FAILED, R_TOO_LARGE
from .slots import file_size, make_folders, remove
from .utf8 import wrong_utf8

_FLUSH = const(16384)  # bytes
_MAX_NAME = const(64)  # bytes of one name
_MAX_NAMES = const(4)  # names in one path
_MAX_RAM = const(16384)  # bytes


def parse(raw):
    """-> list of str; raises SuitError(R_COMPONENT_UNSUPPORTED)."""
    cursor = Cursor(memoryview(raw))
    parts = []
    for _ in range(cursor.array()):
        part = cursor.bstr()
        if wrong_utf8(part, 0, len(part)) is not None:
            raise SuitError(R_COMPONENT_UNSUPPORTED, "not UTF-8")
        parts.append(str(part, "utf-8"))
    kind = parts[0] if parts else None
    if kind in ("app", "firmware", "trust", "updater") and len(parts) == 1:
        return parts
    if kind == "ram" and len(parts) == 2 and 0 < len(parts[1]) <= _MAX_NAME:
        return parts
    if (kind == "file" and 2 <= len(parts) <= 1 + _MAX_NAMES) or (
        kind == "manifest" and len(parts) == 2
    ):
        for name in parts[1:]:
            if (
                name in ("", ".", "..")
                or "/" in name
                or "\0" in name
                or len(name.encode()) > _MAX_NAME
            ):
                break
        else:
            return parts
    raise SuitError(R_COMPONENT_UNSUPPORTED, "/".join(parts)[:_MAX_NAME])


class _Reading:
    """The file that is open for reading, and whose it is."""

    owner = file = None

    def open(self, component):
        self.close()
        self.file = open(component.path, "rb")
        self.owner = component
        return self.file

    def close(self):
        file = self.file
        self.owner = self.file = None
        if file:
            file.close()


_reading = _Reading()


class FileComponent:
    """A file of `slot` (slots.Slot). Only where `writable` can it be written. Of all of them one at
    a time is open for reading: an open file costs more than a KiB."""

    # of the class as long as nobody sets them: there may be many, and most are never written
    _read_at = 0  # where the reader stands
    _begun = False  # something is being written
    _writer = None  # the file then, open from the first byte on
    _at = 0  # bytes stored then
    _size = None  # what begin was told
    _room = 0  # bytes that fit
    _digest = None
    _mark = None
    _flushed = 0  # bytes known to be durable
    progress = None  # where `done` and `total` are told, or None

    def __init__(self, slot, path, writable):
        """`path`, or the encoded identifier that it is made of whenever somebody asks: it may be longer
        than all the rest of this."""
        self.slot = slot.index
        self._path = path
        self._slot = slot
        self._writable = writable

    @property
    def path(self):
        path = self._path
        return path if isinstance(path, str) else self._slot.component(parse(path))

    def size(self):
        """-> stored bytes, None when absent."""
        return file_size(self.path)

    def read_at(self, offset, buf):
        reader = _reading.file
        if _reading.owner is not self:
            reader = _reading.open(self)
            self._read_at = 0
        if offset != self._read_at:
            reader.seek(offset)
        n = reader.readinto(buf) or 0
        self._read_at = offset + n
        return n

    def begin(self, size=None, digest=None):
        if not self._writable:
            raise SuitError(R_NOT_ALLOWED, "slot %s is running" % self._slot.name)
        self.close()
        self._room = self._slot.room(self.path)
        if size is not None and size > self._room:
            self._too_large(size)
        self._size = size
        self._digest = None if digest is None else bytes(digest)
        self._mark = None
        done = self._resumable()
        if done:
            self._at = self._flushed = done
            self._begun = True
        else:
            self._fresh()
        self._tell()
        return done

    def _tell(self):
        if self.progress:
            self.progress.done = self._at
            self.progress.total = self._size or 0

    def _resumable(self):
        """-> how many stored bytes may be the beginning of what is wanted; they will be hashed
        again."""
        if self._digest is None:
            return 0
        stored = self.size() or 0
        part = self._slot.part()
        if part and part[0] == self.path:
            if part[1] != self._digest or (self._size is not None and stored > self._size):
                return 0
            self._mark = part[2]
            return stored
        # complete, from an update that did not get as far as its last component
        return stored if stored == self._size else 0

    def _fresh(self):
        # the old content goes first, or its blocks would be taken while the new one is written
        remove(self.path)
        if self._digest is not None:
            self._slot.set_part(self.path, self._digest, None)
        make_folders(self.path)
        self._writer = open(self.path, "wb")
        self._begun = True
        self._at = self._flushed = 0
        self._mark = None

    def restart(self):
        """Throw away what is there and start at zero."""
        self.close()
        self._fresh()
        self._tell()

    @property
    def mark(self):
        return self._mark

    @mark.setter
    def mark(self, mark):
        if self._begun and self._digest is not None and mark != self._mark:
            self._slot.set_part(self.path, self._digest, mark)
        self._mark = mark

    def write(self, view):
        n = len(view)
        if self._at + n > self._room:
            self._too_large(self._at + n)
        if self._writer is None:
            _reading.close()  # what was there has been hashed
            self._writer = open(self.path, "ab")
        self._writer.write(view)
        self._at += n
        if self._at - self._flushed >= _FLUSH:
            self._writer.flush()
            self._flushed = self._at
        self._tell()

    def end(self):
        self.close()
        self._slot.end_part(self.path)

    def abandon(self):
        """An error: keep only what can be resumed."""
        if not self._begun:
            return
        try:
            self.close()
        finally:
            if self._digest is None:
                remove(self.path)

    def swap(self, other):
        """Exchange what both hold; `other` is a file of the same slot too."""
        if not (self._writable and isinstance(other, FileComponent)):
            raise SuitError(R_OPERATION_FAILED, "these cannot be swapped")
        self.close()
        other.close()
        spare = self.path + "~"
        os.rename(other.path, spare)
        if self.size() is not None:
            os.rename(self.path, other.path)
        make_folders(self.path)
        os.rename(spare, self.path)

    def remove(self):
        """Nobody needs it any more (unlink)."""
        if not self._writable:
            raise SuitError(R_NOT_ALLOWED, "slot %s is running" % self._slot.name)
        self.close()
        remove(self.path)
        self._slot.end_part(self.path)

    def close(self):
        """Let go of the file, whichever way it is open."""
        writer = self._writer
        self._writer = None
        self._begun = False
        if _reading.owner is self:
            _reading.close()
        if writer:
            writer.close()

    def _too_large(self, size):
        text = "slot %s holds %d bytes, the image is %d"
        raise SuitError(R_TOO_LARGE, text % (self._slot.name, self._room, size))


class RamComponent:
    """Bytes that last until the procedure is over."""

    path = None

    def __init__(self, slot_index):
        self.slot = slot_index
        self.mark = None
        self._data = None

    def size(self):
        return None if self._data is None else len(self._data)

    def read_at(self, offset, buf):
        n = min(len(buf), len(self._data or b"") - offset)
        if n <= 0:
            return 0
        buf[:n] = memoryview(self._data)[offset : offset + n]
        return n

    def begin(self, size=None, digest=None):
        self._check(size or 0)
        self._data = bytearray()
        return 0

    def restart(self):
        self._data = bytearray()

    def write(self, view):
        self._check(len(self._data) + len(view))
        self._data.extend(view)

    def end(self):
        pass

    def abandon(self):
        self._data = None

    def remove(self):
        self._data = None

    def swap(self, other):
        if not isinstance(other, RamComponent):
            raise SuitError(R_OPERATION_FAILED, "these cannot be swapped")
        self._data, other._data = other._data, self._data

    def close(self):
        pass

    def _check(self, size):
        if size > _MAX_RAM:
            raise SuitError(R_TOO_LARGE, "ram holds %d bytes, the image is %d" % (_MAX_RAM, size))
