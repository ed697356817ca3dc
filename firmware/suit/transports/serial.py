# Over the cable: the workstation answers from its release folder, line by line.
# MIT licence.
"""`SerialStream("serial:/thermo-2.suit")`: a stream (see `suit.transports`) over the console. The
workstation starts it through the raw REPL with `import suit; suit.update("serial:/latest.suit")`,
keeps reading what the board prints, and answers the lines that begin with "suit:get ". References
in the envelope resolve beside it, as with any other scheme.

The board asks, one line, nothing under way but the answer:

    suit:get OFFSET COUNT PATH

OFFSET and COUNT in decimal, COUNT at most 384; PATH is the URI's path without its "/",
percent-encoded, and up to the end of the line. The workstation answers with one line, ended by
"\\n" or "\\r":

    suit:is OFFSET TOTAL MARK DATA CRC       or       suit:no WHY

OFFSET as asked; TOTAL the size of the file; MARK a word that changes with its content (16 hex
digits of its SHA-256), "-" for none; DATA the bytes from OFFSET on, at most COUNT, base64 on one
line, "-" when there are none; CRC the CRC-32 of the line up to and without the space before it, 8
hex digits. WHY is one word. A board prints other lines too; they are for people.

Neither side keeps anything: a line that is damaged or missing for `timeout_ms` is asked for again,
`attempts` times, and a transfer is taken up at any byte. Only printable characters travel, so
Ctrl-C ends it as it ends any program. SuitError(R_NETWORK, "timeout"), (R_SERVER, WHY),
(R_CONTENT_CHANGED, "mark")."""

import binascii
import select
import sys

from ..errors import SuitError
from ..numbers import R_CONTENT_CHANGED, R_NETWORK, R_SERVER
from ..wait import READ

try:
    from micropython import const
except ImportError:

    def const(n):
        return n


_COUNT = const(384)  # bytes in one answer; 512 characters
_LINE = const(640)  # a longer one fails its CRC
_NOISE = const(4096)  # other characters while an answer is waited for


class SerialStream:
    timeout_ms = 2000  # for one answer
    attempts = 8

    def __init__(self, uri, source=None, sink=None):
        """`source`, `sink`: binary streams, the console unless given."""
        self._path = uri.split(":", 1)[1].lstrip("/")
        self._source = sys.stdin if source is None else source
        self._in = getattr(self._source, "buffer", self._source)
        self._out = getattr(sys.stdout, "buffer", sys.stdout) if sink is None else sink
        self._poller = select.poll()
        self._poller.register(self._source, READ)
        self._want = [self._source, READ, 0]
        self._line = bytearray(_LINE)
        self._one = bytearray(1)
        self._data = b""  # what came with the last answer and is not used yet
        self.total = self._total = None
        self.offset = 0
        self.mark = None

    def start(self, offset=0, mark=None):
        yield from self._get(offset)
        if offset and (offset > self.total or mark and mark != self.mark):
            offset = 0
            self._total = self.mark = None
            yield from self._get(0)
        self.offset = self._at = offset

    def readinto(self, view):
        if not self._data and self._at < self.total:
            yield from self._get(self._at)
            if not self._data:
                raise SuitError(R_CONTENT_CHANGED, "size")
        n = min(len(view), len(self._data))
        view[:n] = self._data[:n]
        self._data = self._data[n:]
        self._at += n
        return n

    def close(self):
        pass

    def _get(self, offset):
        """Ask for what lies at `offset` until a good answer has come."""
        question = ("suit:get %d %d %s\n" % (offset, _COUNT, self._path)).encode()
        for _ in range(self.attempts):
            self._out.write(question)
            if hasattr(self._out, "flush"):
                self._out.flush()
            answer = yield from self._answer()
            if not answer or answer[0] != offset:
                continue
            _, total, mark, data = answer
            if self.mark not in (None, mark) or self._total not in (None, total):
                raise SuitError(R_CONTENT_CHANGED, "mark")
            self.total = self._total = total
            self.mark = mark
            self._data = memoryview(data)
            return
        raise SuitError(R_NETWORK, "timeout")

    def _answer(self):
        """The next answer; None when it is damaged or does not come."""
        size = read = 0
        while read < _NOISE:
            while self._poller.poll(0):
                if not self._in.readinto(self._one):
                    raise SuitError(R_NETWORK, "cut")
                read += 1
                c = self._one[0]
                if c != 10 and c != 13:
                    if size < _LINE:
                        self._line[size] = c
                        size += 1
                    continue
                line = bytes(memoryview(self._line)[:size])
                size = 0
                if line[:8] == b"suit:no ":
                    raise SuitError(R_SERVER, _word(line[8:]))
                if line[:8] == b"suit:is ":
                    return _parsed(line)
            self._want[2] = self.timeout_ms
            if not (yield self._want):
                break
        return None


def _parsed(line):
    """(offset, total, mark, data), or None."""
    parts = line.split(b" ")
    if len(parts) != 6:
        return None
    try:
        if int(parts[5], 16) != binascii.crc32(line[: line.rfind(b" ")]):
            return None
        data = b"" if parts[4] == b"-" else binascii.a2b_base64(parts[4])
        mark = None if parts[3] == b"-" else _word(parts[3])
        return int(parts[1]), int(parts[2]), mark, data
    except ValueError:
        return None


def _word(text):
    """At most 32 printable characters of `text`."""
    return "".join([chr(c) for c in text[:32] if 32 < c < 127])
