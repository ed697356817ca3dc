# One HTTP response, parsed as it arrives, in bounded memory.
# MIT licence.
"""`Response(buffer)` reads a status line, header and body from a socket (RFC 9112, RFC 9110).

    response.begin(sock, timeout_ms)
    yield from response.head()        # status, length, etag, location, first, last, size
    n = yield from response.body(view)  # 0 at the end

The buffer holds one line at a time; longer header lines are skipped, except the status line. Body
bytes go straight from the socket into the caller's view, apart from those that arrived together
with a line. Nothing is trusted: a number with a sign, two lengths that differ, an unknown coding
are SuitError(R_SERVER, what); an early end is (R_NETWORK, "cut")."""

from ..errors import SuitError
from ..numbers import R_NETWORK, R_SERVER
from ..wait import READ
from . import net

try:
    from micropython import const
except ImportError:

    def const(n):
        return n


_HEADER = const(8192)  # bytes of header of one answer, interim responses and trailers included
_MARK = const(80)  # longest ETag worth keeping


class Response:
    """Attributes after `head`: status; length of this body or None; etag, location: str or None;
    first, last, size: what Content-Range says, or None."""

    def __init__(self, buffer):
        self._buf = buffer
        self._view = memoryview(buffer)
        self._want = [None, READ, 0]
        self._sock = self._left = None
        self._timeout = self._budget = self._from = self._to = self.status = 0
        self._fresh = True
        self._clear()

    def begin(self, sock, timeout_ms):
        self._sock = self._want[0] = sock
        self._timeout = timeout_ms
        self._from = self._to = 0  # what is in the buffer and not yet used
        self._budget = _HEADER

    def head(self):
        start = net.ticks()
        while True:
            line = yield from self._line(start)
            if not line or line[:7] != b"HTTP/1." or line[8:9] != b" " or line[12:13].strip():
                raise SuitError(R_SERVER, "status line")
            self.status = _number(line[9:12])
            if self.status < 100:
                raise SuitError(R_SERVER, "status line")
            self._clear()
            while True:
                line = yield from self._line(start)
                if line == b"":
                    break
                if line:
                    self._header(line)
            if self.status >= 200 or self.status == 101:
                break
        if self._chunked:
            self.length = None
        self._left = 0 if self._chunked or self.status in (204, 304) else self.length
        self._fresh = True  # no chunk has been read yet

    def _clear(self):
        self.length = self.etag = self.location = self.first = self.last = self.size = None
        self._chunked = False
        self.coded = False  # in a content coding nobody asked for

    def _header(self, line):
        colon = line.find(b":")
        try:
            name = line[:colon].decode().lower()
            value = line[colon + 1 :].strip().decode()
        except UnicodeError:
            return
        if colon < 1:
            return
        if name == "content-length":
            length = _number(value)
            if self.length not in (None, length):
                raise SuitError(R_SERVER, "length")
            self.length = length
        elif name == "transfer-encoding":
            if value.lower() != "chunked" or self._chunked:
                raise SuitError(R_SERVER, "transfer coding")
            self._chunked = True
        elif name == "content-encoding":
            self.coded = value.lower() not in ("", "identity")
        elif name == "etag":
            self.etag = value if 0 < len(value) <= _MARK else None
        elif name == "location":
            self.location = value
        elif name == "content-range":
            self._range(value)

    def _range(self, value):
        if value[:6].lower() != "bytes " or "/" not in value:
            raise SuitError(R_SERVER, "range")
        span, size = value[6:].strip().split("/", 1)
        if size != "*":
            self.size = _number(size)
        if span != "*":
            first, _, last = span.partition("-")
            self.first, self.last = _number(first), _number(last)
            if self.last < self.first or self.size is not None and self.last >= self.size:
                raise SuitError(R_SERVER, "range")

    def body(self, view):
        """Fill `view` as far as one read goes; returns the bytes written, 0 at the end."""
        if self._chunked and not self._left:
            yield from self._chunk()
        left = self._left
        if left == 0 or not len(view):
            return 0
        if left is not None and left < len(view):
            view = view[:left]
        held = self._to - self._from
        if held:
            n = min(held, len(view))
            view[:n] = self._view[self._from : self._from + n]
            self._from += n
        else:
            n = yield from self._receive(view)
            if not n:
                if left is None:
                    self._left = 0
                    return 0
                raise SuitError(R_NETWORK, "cut")
        if left is not None:
            self._left = left - n
        return n

    def _chunk(self):
        """Read the line that announces the next chunk; at the last one the trailers too."""
        start = net.ticks()
        self._budget = _HEADER
        if not self._fresh and (yield from self._line(start)) != b"":
            raise SuitError(R_SERVER, "chunk")
        self._fresh = False
        line = yield from self._line(start)
        digits = (line or b"").split(b";", 1)[0].strip()
        if not 0 < len(digits) <= 8:
            raise SuitError(R_SERVER, "chunk")
        self._left = 0
        for c in digits.lower():
            value = b"0123456789abcdef".find(bytes((c,)))
            if value < 0:
                raise SuitError(R_SERVER, "chunk")
            self._left = self._left * 16 + value
        if not self._left:
            self._chunked = False
            while (yield from self._line(start)) != b"":
                pass

    def _line(self, start):
        """The next line without its end, as bytes; None for one that does not fit the buffer."""
        whole = True
        while True:
            at = self._buf.find(b"\n", self._from, self._to)
            if at >= 0:
                end = at - 1 if at > self._from and self._buf[at - 1] == 13 else at
                line = bytes(self._view[self._from : end]) if whole else None
                self._spend(at + 1 - self._from)
                self._from = at + 1
                return line
            if self._from:
                held = self._to - self._from
                self._view[:held] = bytes(self._view[self._from : self._to])
                self._from, self._to = 0, held
            if self._to == len(self._buf):
                whole = False
                self._spend(self._to)
                self._to = 0
            n = yield from self._receive(self._view[self._to :])
            if not n:
                raise SuitError(R_NETWORK, "cut")
            self._to += n
            if net.elapsed(net.ticks(), start) > 2 * self._timeout:
                raise SuitError(R_NETWORK, "timeout")  # a header in drops

    def _spend(self, n):
        self._budget -= n
        if self._budget < 0:
            raise SuitError(R_SERVER, "header")

    def _receive(self, view):
        while True:
            n = net.receive(self._sock, view)
            if n is not None:
                yield
                return n
            self._want[2] = self._timeout
            if not (yield self._want):
                raise SuitError(R_NETWORK, "timeout")


def _number(text):
    """A decimal number of at most ten digits and nothing else."""
    if not text.isdigit() or len(text) > 10:
        raise SuitError(R_SERVER, "number")
    return int(text)
