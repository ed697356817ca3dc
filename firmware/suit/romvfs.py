# A read-only ROMFS for firmware without vfs.VfsRom.
# MIT licence.
"""Mounts an app image (the format of MicroPython's extmod/vfs_rom.c) from any region, so that
modules are imported from it without unpacking:

    vfs.mount(RomVfs(FileRegion(open("/suit/a/app.img", "rb"))), "/rom_a")

Unlike the native one it checks every record against the one around it, pointers included: a
damaged image raises OSError(EIO), never reads outside itself, never loops. Paths are walked, not
recursed into. Reads happen on demand and only small heads pass through RAM. Other errors are
those of a filesystem: ENOENT, EISDIR, ENOTDIR, EROFS."""

import io

try:
    from micropython import const
except ImportError:

    def const(value):
        return value


_PADDING = const(1)
_DATA = const(2)
_POINTER = const(3)
_DIR = const(4)
_FILE = const(5)

_ENOENT = const(2)
_EIO = const(5)
_ENOTDIR = const(20)
_EISDIR = const(21)
_EINVAL = const(22)
_EROFS = const(30)

_IFDIR = const(0x4000)
_IFREG = const(0x8000)

_HEAD = const(24)  # bytes: two padded varuints
_MAX_VARUINT = const(10)  # bytes
_MAX_NAME = const(255)  # bytes


class RomVfs:
    """The filesystem object to be mounted. Raises OSError(EINVAL) when the region holds no
    ROMFS."""

    def __init__(self, region):
        self._region = region
        self._head = bytearray(_HEAD)
        self._have = 0  # bytes in _head
        self._from = 0  # where they come from
        self._pos = 0  # after the varuint last read
        self._cwd = "/"
        magic = bytearray(3)
        region.read_at(0, magic)
        if magic != b"\xd2\xcd\x31":
            raise OSError(_EINVAL)
        size = self._uint(3, region.size)
        self._root = (_DIR, self._pos, self._pos + size)
        if self._pos + size > region.size:
            raise OSError(_EIO)

    # records

    def _uint(self, pos, end):
        """The varuint at `pos`; leaves the position after it in `_pos`."""
        head = self._head
        at = pos - self._from
        # kind, size and length of the name of an entry come with one reading
        if not 0 <= at <= min(_HEAD - _MAX_VARUINT, self._have):
            self._have = -1  # nothing that counts, should reading fail
            self._have = self._region.read_at(pos, head)
            self._from = pos
            at = 0
        have = min(self._have - at, end - pos, _MAX_VARUINT)
        value = 0
        for i in range(have):
            byte = head[at + i]
            value = value << 7 | byte & 0x7F
            if value > self._region.size + _FILE:
                break  # also for kinds: all of them are small
            if byte < 0x80:
                self._pos = pos + i + 1
                return value
        raise OSError(_EIO)

    def _record(self, pos, end):
        """-> (kind, start, end of its payload) of the record at `pos`, which may reach to
        `end`."""
        kind = self._uint(pos, end)
        size = self._uint(self._pos, end)
        if size > end - self._pos:
            raise OSError(_EIO)
        return kind, self._pos, self._pos + size

    def _named(self, record):
        """-> (start of the name, start of what follows it)."""
        size = self._uint(record[1], record[2])
        if size == 0 or size > _MAX_NAME or size > record[2] - self._pos:
            raise OSError(_EIO)
        return self._pos, self._pos + size

    def _bytes(self, start, end):
        data = bytearray(end - start)
        if self._region.read_at(start, data) != len(data):
            raise OSError(_EIO)
        return bytes(data)

    def _entries(self, pos, end):
        """The files and folders between `pos` and `end`: (record, start of the name, its end)."""
        while pos < end:
            record = self._record(pos, end)
            pos = record[2]
            if record[0] in (_DIR, _FILE):
                start, rest = self._named(record)
                yield record, start, rest

    def _content(self, pos, end):
        """-> (start, end) of the bytes of a file whose records lie between `pos` and `end`."""
        while pos < end:
            kind, start, stop = self._record(pos, end)
            if kind == _DATA:
                return start, stop
            if kind == _POINTER:
                size = self._uint(start, stop)
                offset = self._uint(self._pos, stop)
                start = self._root[1] + offset
                if start + size > self._root[2]:
                    raise OSError(_EIO)
                return start, start + size
            pos = stop
        raise OSError(_EIO)

    def _find(self, path):
        """-> (kind, start, end): of a folder its entries, of a file its bytes. Raises ENOENT,
        ENOTDIR."""
        found = self._root
        for name in self._absolute(path).split("/"):
            if not name:
                continue
            if found[0] != _DIR:
                raise OSError(_ENOTDIR)
            name = name.encode()
            for record, start, rest in self._entries(found[1], found[2]):
                if rest - start == len(name) and self._bytes(start, rest) == name:
                    if record[0] == _DIR:
                        found = (_DIR, rest, record[2])
                    else:
                        start, rest = self._content(rest, record[2])
                        found = (_FILE, start, rest)
                    break
            else:
                raise OSError(_ENOENT)
        return found

    def _absolute(self, path):
        if path.startswith("/"):
            return path
        return self._cwd + path if self._cwd.endswith("/") else self._cwd + "/" + path

    # what MicroPython calls

    def mount(self, readonly, mkfs):
        if mkfs:
            raise OSError(_EROFS)

    def umount(self):
        pass

    def chdir(self, path):
        if self._find(path)[0] != _DIR:
            raise OSError(_ENOTDIR)
        self._cwd = self._absolute(path)

    def getcwd(self):
        return self._cwd

    def stat(self, path):
        kind, start, end = self._find(path)
        if kind == _DIR:
            return (_IFDIR, 0, 0, 0, 0, 0, 0, 0, 0, 0)
        return (_IFREG, 0, 0, 0, 0, 0, end - start, 0, 0, 0)

    def statvfs(self, path):
        return (1, 1, self._region.size, 0, 0, 0, 0, 0, 1, 255)

    def ilistdir(self, path):
        kind, pos, end = self._find(path)
        if kind != _DIR:
            raise OSError(_ENOTDIR)
        return self._listed(pos, end)

    def _listed(self, pos, end):
        for record, start, rest in self._entries(pos, end):
            try:
                name = self._bytes(start, rest).decode()
            except UnicodeError:
                raise OSError(_EIO)
            if record[0] == _DIR:
                yield name, _IFDIR, 0, 0
            else:
                start, stop = self._content(rest, record[2])
                yield name, _IFREG, 0, stop - start

    def open(self, path, mode):
        if "w" in mode or "a" in mode or "+" in mode or "x" in mode:
            raise OSError(_EROFS)
        kind, start, end = self._find(path)
        if kind == _DIR:
            raise OSError(_EISDIR)
        return RomFile(self._region, start, end, "b" not in mode)

    def _read_only(self, *args):
        raise OSError(_EROFS)

    remove = rename = mkdir = rmdir = _read_only


class RomFile(io.IOBase):
    """An open file of the image. The interpreter reads it through `readinto` (stream protocol)."""

    def __init__(self, region, start, end, text):
        self._region = region
        self._start = start
        self._end = end
        self._at = start
        self._text = text

    def readinto(self, buf):
        n = min(len(buf), self._end - self._at)
        if n <= 0:
            return 0
        if n < len(buf):
            buf = memoryview(buf)[:n]
        if self._region.read_at(self._at, buf) != n:
            raise OSError(_EIO)
        self._at += n
        return n

    def ioctl(self, request, arg):
        if request == 4:  # MP_STREAM_CLOSE
            return 0
        if request == 11:  # MP_STREAM_GET_BUFFER_SIZE: fewer calls while importing
            return 256
        return -_EINVAL

    def read(self, size=-1):
        left = self._end - self._at
        data = bytearray(left if size is None or size < 0 else min(size, left))
        self.readinto(data)
        return data.decode() if self._text else bytes(data)

    def readline(self, size=-1):
        line = bytearray()
        piece = bytearray(32)
        while size < 0 or len(line) < size:
            start = self._at
            n = self.readinto(piece)
            if n == 0:
                break
            end = piece.find(b"\n", 0, n) + 1
            take = end or n
            if size >= 0:
                take = min(take, size - len(line))
            line.extend(memoryview(piece)[:take])
            self._at = start + take
            if end:
                break
        return line.decode() if self._text else bytes(line)

    def __iter__(self):
        return self

    def __next__(self):
        line = self.readline()
        if not line:
            raise StopIteration
        return line

    def seek(self, offset, whence=0):
        base = self._start if whence == 0 else self._at if whence == 1 else self._end
        self._at = min(max(base + offset, self._start), self._end)
        return self._at - self._start

    def tell(self):
        return self._at - self._start

    def close(self):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *args):
        pass
