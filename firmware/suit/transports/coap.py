# A CoAP resource as a stream: blockwise, one block under way.
# MIT licence.
"""`CoAPStream(uri)`: GET with Block2 (RFC 7959) as a stream (see `suit.transports`).

* Blocks of 1024 bytes (`size`: 16 to 1024); the server may choose smaller ones.
* The ETag of the first block is pinned: another one later is SuitError(R_CONTENT_CHANGED, "etag").
  It is the mark.
* Size2 is asked for and gives `total`; a server that ends elsewhere is
  SuitError(R_CONTENT_CHANGED, "size").
* Resume at any offset, by the block it lies in. A server that forgot the transfer (4.08) is asked
  for its first block again; one that cannot begin in the middle begins at 0.
* 4.01 with an Echo option is answered once per request, and an Echo in any other answer by the
  next request (RFC 9175); 5.03 and 4.29 are waited out three times, at most 10 s each. Any other
  error is SuitError(R_SERVER, 404) for 4.04."""

from ..errors import SuitError
from ..numbers import R_CONTENT_CHANGED, R_SERVER
from . import net
from .coap_client import Client
from .coap_message import status

try:
    from micropython import const
except ImportError:

    def const(n):
        return n


_BUSY = const(3)  # times to wait for a busy server
_LONGEST = const(10)  # seconds to wait each time


class CoAPStream:
    size = 1024

    def __init__(self, uri):
        self._client = Client(uri, self.size)
        self._szx = 0
        while 16 << self._szx < self.size:
            self._szx += 1
        self._etag = None
        self._start = self._held = self._at = 0  # the block at hand; where the reader is
        self._more = False
        self._pace = net.Pace()
        self.total = None
        self.offset = 0
        self.mark = None

    def start(self, offset=0, mark=None):
        # the block before a boundary is sure to exist, the one behind it is not
        at = offset - 1 if offset else 0
        try:
            yield from self._block(at)
        except SuitError as error:
            if not offset or error.reason != R_SERVER or error.detail not in (400, 402, 408):
                raise
            yield from self._restart()
            offset = 0
        if offset and mark and not self._etag and self._start:
            # libcoap gives the ETag with the first block only
            yield from self._restart()
            if self._text() == mark:
                yield from self._block(at)
        if offset and (mark and self._text() != mark or offset > self._start + self._held):
            yield from self._restart()
            offset = 0
        self.mark = self._text()
        self._at = self.offset = offset

    def _restart(self):
        self._etag = self.total = None
        yield from self._block(0)

    def _text(self):
        return self._etag and "".join(["%02x" % c for c in self._etag])

    def readinto(self, view):
        if self._at >= self._start + self._held and self._more:
            yield from self._block(self._at)
        if self._at >= self._start + self._held:
            self.total = self._at
            return 0
        skip = self._at - self._start
        m = self._client.message
        n = min(len(view), self._held - skip)
        view[:n] = self._client.rx[m.payload + skip : m.payload + skip + n]
        self._at += n
        self._pace.count(n)
        return n

    def close(self):
        self._client.close()

    def _block(self, at):
        """Fetch the block that byte `at` lies in: its payload is `_held` bytes from `_start`
        on."""
        num = at >> self._szx + 4
        code = yield from self._ask(num)
        if code == 408 and num and (yield from self._ask(0)) == 205:
            self._check(0)
            num = at >> self._szx + 4
            code = yield from self._ask(num)
        if code != 205:
            raise SuitError(R_SERVER, code)
        self._check(num)

    def _ask(self, num):
        client = self._client
        expect = None
        if self.total is not None:
            expect = min(16 << self._szx, max(self.total - (num << self._szx + 4), 0))
        challenged = False
        busy = 0
        while True:
            echo = client.echo
            size2 = self.total is None
            code = yield from client.get(num << 4 | self._szx, size2, echo=echo, expect=expect)
            code = status(code)
            if code == 401 and client.echo and not challenged:
                challenged = True
            elif code in (503, 429) and busy < _BUSY:
                busy += 1
                yield min(client.max_age, _LONGEST) * 1000 or 500
            else:
                return code

    def _check(self, num):
        """Judge the block just received against the request for block `num` and what came
        before."""
        client = self._client
        m = client.message
        if self._etag is None:
            self._etag = client.etag
        elif client.etag not in (None, self._etag):
            raise SuitError(R_CONTENT_CHANGED, "etag")
        asked = num << self._szx + 4
        self._held = m.stop - m.payload
        if client.block is None:
            self._start, self._more = 0, False  # all of it at once
        else:
            szx = client.block & 7
            if szx > self._szx or client.block >> 4 << szx + 4 != asked:
                raise SuitError(R_SERVER, "block")
            self._szx = szx
            self._start, self._more = asked, bool(client.block & 8)
            if self._held > 16 << szx:
                m.stop = m.payload + (16 << szx)  # what follows is another datagram
                self._held = 16 << szx
            if self._more and self._held < 16 << szx:
                raise SuitError(R_SERVER, "block")
        end = self._start + self._held
        if self.total is None:
            self.total = client.size2 if self._more else end
        if self.total is not None and (end >= self.total if self._more else end != self.total):
            raise SuitError(R_CONTENT_CHANGED, "size")
