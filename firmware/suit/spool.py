# An envelope on its way to flash, judged by its heads before the rest of it is taken.
# MIT licence.
"""`fetch(url, path, room)` is a generator that writes what lies at `url` to the file `path`; `room` are
the bytes there may be. With `vouch`, a generator function of a region, nothing
behind the manifest is taken before it has agreed (raised nothing) to what is there by then: the
envelope as it would be without its severed members and payloads, which nobody vouches for yet. So a
stranger can have 80 KiB of signatures and two times 8 KiB written, and no more.

`Outline` follows the outer map of an envelope (suit-manifest 8.2) while its bytes go by. It looks at
heads only, and refuses as soon as one says so: what is no envelope, more members than envelope.py
takes, a wrapper or a manifest over its limit, something larger than `room` or than the stream. It is
no verdict; envelope.py reads everything again.

SuitError: R_CBOR_PARSE, R_STRUCTURE, R_LIMIT with the offset; R_TOO_LARGE. OSError from the storage
passes through."""

try:
    from micropython import const
except ImportError:

    def const(value):
        return value


from .cbor import BSTR, MAP, TAG, TSTR, UINT, head
from .errors import SuitError
from .numbers import (
    ENV_AUTHENTICATION,
    ENV_MANIFEST,
    MAX_AUTHENTICATION,
    MAX_MANIFEST,
    MAX_URI,
    R_CBOR_PARSE,
    R_LIMIT,
    R_STRUCTURE,
    R_TOO_LARGE,
    TAG_SUIT_ENVELOPE,
)
from .region import FileRegion

_MAX_MEMBERS = const(64)
_AROUND = const(8)  # members of MAX_MANIFEST bytes beside the payloads: text and severed sequences
# what the next head is
_START = const(0)
_MEMBERS = const(1)
_KEY = const(2)
_VALUE = const(3)
_END = const(4)


def room(config, free):
    """-> bytes an envelope may have: what the configuration says, and not more than are `free`."""
    limit = config.spool
    if limit is None and config.slot is not None:
        limit = config.slot + MAX_AUTHENTICATION + _AROUND * MAX_MANIFEST
    return free if limit is None else min(free, limit)


class Outline:
    """`add(view)` with the bytes in their order. `at`: how many there were; `front`: offset behind
    the manifest once it is complete, else None; `first`: offset of the first member; `taken`: members
    up to there; `alone`: there is no other."""

    def __init__(self, room, total=None):
        self._room = room
        self._total = total
        self.at = 0
        self.first = self.front = None
        self.taken = 0
        self.alone = False
        self._state = _START
        self._left = 0  # members that are still to come
        self._skip = 0  # bytes of content that nobody needs to look at
        self._more = 0  # bytes of a head's argument that are missing
        self._major = self._value = 0
        self._key = -1  # of the member at hand
        self._behind = False  # its content ends the front

    def add(self, view):
        """Look at the next bytes; -> how many of them were taken. It stops behind the manifest, to be
        called again with the others."""
        i = 0
        size = len(view)
        while i < size:
            if self._skip:
                n = min(self._skip, size - i)
                self._skip -= n
            else:
                n = 1
                self._byte(view[i])
            self.at += n
            i += n
            if self._behind and not self._skip:
                self._behind = False
                self.front = self.at
                self.alone = not self._left
                break
        return i

    def _byte(self, byte):
        if self._more:
            self._value = self._value << 8 | byte
            self._more -= 1
        else:
            self._major = byte >> 5
            self._value = byte & 31
            if self._value > 27:
                self._fail("no envelope")
            if self._value > 23:
                self._more = 1 << self._value - 24
                self._value = 0
        if not self._more:
            self._head(self._major, self._value)

    def _head(self, major, value):
        state = self._state
        if state == _START and major == TAG:
            if value != TAG_SUIT_ENVELOPE:
                self._fail("not a SUIT envelope")
            self._state = _MEMBERS
        elif state <= _MEMBERS:
            if major != MAP:
                self._fail("not a SUIT envelope")
            if value > _MAX_MEMBERS:
                self._fail("too many members", R_LIMIT)
            self._left = value
            self.first = self.at + 1
            self._state = _KEY if value else _END
        elif state == _KEY:
            self._name(major, value)
            self._state = _VALUE
        elif state == _VALUE:
            self._content(major, value)
        else:
            self._fail("trailing bytes", R_CBOR_PARSE)

    def _name(self, major, value):
        early = self._key < ENV_MANIFEST  # of the members up to the manifest not all were there
        if early and (major != UINT or not self._key < value <= ENV_MANIFEST):
            self._fail("no authentication wrapper or no manifest")
        if early and value == ENV_MANIFEST and self._key != ENV_AUTHENTICATION:
            self._fail("no authentication wrapper or no manifest")
        if major == TSTR:
            if value > MAX_URI:
                self._fail("URI is too long", R_LIMIT)
            self._skip = value
        if early:
            self._key = value
            self.taken += 1

    def _content(self, major, value):
        if major != BSTR:
            self._fail("member is no byte string")
        end = self.at + 1 + value
        if self.front is None:
            # nobody has vouched for anything yet
            limit = MAX_AUTHENTICATION if self._key == ENV_AUTHENTICATION else MAX_MANIFEST
            if value > limit:
                self._fail(value, R_LIMIT)
            self._behind = self._key == ENV_MANIFEST
        if end > self._room:
            raise SuitError(R_TOO_LARGE, "room for %d bytes, the envelope needs %d" % (self._room, end))
        if self._total is not None and end > self._total:
            self._fail("ends too early", R_CBOR_PARSE)
        self._skip = value
        self._left -= 1
        self._state = _KEY if self._left else _END

    def _fail(self, what, reason=R_STRUCTURE):
        raise SuitError(reason, what, self.at)


class Front:
    """The envelope in `file` up to its manifest as a region: what it would be if nothing came
    behind."""

    def __init__(self, file, outline):
        self._file = FileRegion(file)
        self._head = head(TAG, TAG_SUIT_ENVELOPE) + head(MAP, outline.taken)
        self._first = outline.first
        self.size = len(self._head) + outline.front - outline.first

    def read_at(self, offset, buf):
        start = len(self._head)
        n = min(len(buf), self.size - offset)
        if n <= 0:
            return 0
        if offset >= start:
            return self._file.read_at(self._first + offset - start, memoryview(buf)[:n])
        n = min(n, start - offset)
        buf[:n] = self._head[offset : offset + n]
        # who reads across the seam reads again from there
        return n + self.read_at(start, memoryview(buf)[n:]) if n < len(buf) else n


def fetch(url, path, room, vouch=None):
    """Generator: what lies at `url` into `path`, see above."""
    from . import transports

    stream = transports.open(url)
    try:
        yield from stream.start(0, None)
        yield from receive(stream, path, room, vouch)
    finally:
        stream.close()


def receive(stream, path, room, vouch=None):
    """Generator: everything that `stream` (started) gives into `path`."""
    if stream.total is not None and stream.total > room:
        raise SuitError(
            R_TOO_LARGE, "room for %d bytes, the envelope is %d" % (room, stream.total)
        )
    outline = Outline(room, stream.total)
    buf = bytearray(512)
    view = memoryview(buf)
    file = open(path, "wb")
    try:
        while True:
            n = yield from stream.readinto(view)
            if not n:
                break
            taken = outline.add(view[:n])
            file.write(view[:taken])
            if outline.front == outline.at:
                if vouch and not outline.alone:
                    file.close()
                    with open(path, "rb") as front:
                        yield from vouch(Front(front, outline))
                    file = open(path, "ab")
                outline.add(view[taken:n])
                file.write(view[taken:n])
    finally:
        file.close()
