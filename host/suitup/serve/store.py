"""The release store: a folder of files that are published whole and read by the block.

    store = ReleaseStore("build/release")
    item = store.open("demo-2.0.0.suit")    # an Item with .size, .etag and .read(offset, length)

Names are URL paths relative to the folder. A file is only found when each segment is a plain name:
no `..`, no hidden file, no separator, and when the file it leads to lies inside the folder with
every symbolic link followed. ETags are made from the content, so the same release has the same one
over HTTP and CoAP, on another server and after a restart: a device may resume a transfer on any of
them.

Publishing writes a temporary file in the folder, syncs it and renames it: a reader sees the old or
the new one."""

import hashlib
import os
import re
import stat
import tempfile
from pathlib import Path

from suitup.errors import Failure

MAX_NAME = 512  # bytes of a path; suit-manifest URIs are at most as long on the device
MAX_DEPTH = 8  # folders below the store
ETAG_BYTES = 8  # the longest CoAP allows (RFC 7252, 5.10.6)
MAX_KNOWN = 1024  # ETags kept; the oldest is forgotten and computed again

# a leading dot is a temporary or hidden file, and `.` and `..`
_SEGMENT = re.compile(r"[A-Za-z0-9_+~@=,-][A-Za-z0-9._+~@=,-]*\Z")
_CHUNK = 65536


class NotThere(Exception):
    """No such file in the store, or a name that could lead out of it; the two are not told
    apart."""


class Item:
    """One version of one file: reads go on seeing it after it has been replaced. Close it (or use
    `with`)."""

    def __init__(self, fd: int, size: int, etag: bytes):
        self._fd = fd
        self.size = size
        self.etag = etag

    def read(self, offset: int, length: int) -> bytes:
        """At most `length` bytes from `offset`; empty from the end on."""
        return os.pread(self._fd, length, offset)

    def close(self):
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class ReleaseStore:
    """The files of `folder`. `etag(name)` costs a read of the file once per version."""

    def __init__(self, folder):
        self.folder = Path(folder).resolve()
        if not self.folder.is_dir():
            raise Failure(
                f"{folder} is not a folder",
                hint="`suitup sign` (or `make sign`) makes a release folder",
            )
        self._known = {}  # identity of a file version -> ETag

    def open(self, name: str) -> Item:
        """The file under this URL path, without its leading slash; raises NotThere."""
        path = self._path(name)
        try:
            # O_NONBLOCK: a FIFO in the folder must not stop the server
            fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            raise NotThere(name)
        try:
            status = os.fstat(fd)
            if not stat.S_ISREG(status.st_mode):
                raise NotThere(name)
            return Item(fd, status.st_size, self._etag(fd, status))
        except BaseException:
            os.close(fd)
            raise

    def etag(self, name: str) -> bytes | None:
        """The ETag of what this name means now; None when there is no such file."""
        try:
            with self.open(name) as item:
                return item.etag
        except NotThere:
            return None

    def names(self) -> list:
        """Every name that can be opened, sorted."""
        found = []
        for path in self.folder.rglob("*"):
            name = path.relative_to(self.folder).as_posix()
            try:
                self.open(name).close()
            except NotThere:
                continue
            found.append(name)
        return sorted(found)

    def _path(self, name):
        segments = name.split("/")
        if len(name) > MAX_NAME or len(segments) > MAX_DEPTH:
            raise NotThere(name)
        if not all(_SEGMENT.match(segment) for segment in segments):
            raise NotThere(name)
        path = Path(os.path.realpath(self.folder.joinpath(*segments)))
        if self.folder not in path.parents:
            raise NotThere(name)
        return path

    def _etag(self, fd, status):
        version = (
            status.st_dev,
            status.st_ino,
            status.st_size,
            status.st_mtime_ns,
            status.st_ctime_ns,
        )
        known = self._known.get(version)
        if known is None:
            digest = hashlib.sha256()
            offset = 0
            while chunk := os.pread(fd, _CHUNK, offset):
                digest.update(chunk)
                offset += len(chunk)
            known = digest.digest()[:ETAG_BYTES]
            if len(self._known) >= MAX_KNOWN:
                del self._known[next(iter(self._known))]
            self._known[version] = known
        return known


def publish(folder, name: str, content: bytes) -> Path:
    """Put `content` into the folder under this name, whole or not at all; returns its path.

    A name that cannot be served is refused with a Failure. OSError as the filesystem raises it."""
    if not _SEGMENT.match(name):
        raise Failure(
            f"{name!r} cannot be the name of a released file",
            hint="letters, digits and . _ + ~ @ = , - only, and no dot in front",
        )
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    fd, temporary = tempfile.mkstemp(prefix=".", suffix=".part", dir=folder)
    try:
        with os.fdopen(fd, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
            os.fchmod(stream.fileno(), 0o644)
        os.replace(temporary, folder / name)
    except BaseException:
        os.unlink(temporary)
        raise
    return folder / name
