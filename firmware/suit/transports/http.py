# HTTP/1.1: a body streamed into the caller's buffer, taken up again where it was cut.
# MIT licence.
"""`HTTPStream(uri, allowed)`: GET as a stream (see `suit.transports`), RFC 9110 and RFC 9112.

* Content-Length, chunked, or until the server closes; no content coding.
* Resume: `Range`, with `If-Range` when the mark is a strong ETag. A 206 must begin where it was
  asked to; a 200 begins at 0 again; a 416 at the very end means that nothing is missing. A
  connection lost in the middle is taken up again by itself, at most `attempts` times in a row
  without a byte of progress and 32 times in all. If ETag or size are others by then, that is
  SuitError(R_CONTENT_CHANGED).
* Redirects: at most 3, over http and https only, to the same host or where `allowed(uri)` says so,
  never from https down to http. A stream that is taken up again starts at its first URI: what a
  redirect names may expire.
* `timeout_ms` without a byte ends a wait; a header must be there within twice that, and the request
  (over https the handshake too) sent within four times that.

Raises SuitError(R_SERVER, status or what is wrong), (R_NETWORK, errno, "dns", "timeout" or "cut"),
(R_NOT_ALLOWED, "redirect"); over https (R_TLS, why) too, see tls.py."""

import socket

from ..errors import SuitError
from ..numbers import R_CONTENT_CHANGED, R_NETWORK, R_NOT_ALLOWED, R_SERVER
from ..wait import WRITE
from . import net, resolve, split
from .http_response import Response

try:
    from micropython import const
except ImportError:

    def const(n):
        return n


_BUFFER = const(640)  # a Location of 512 bytes fits
_REDIRECTS = const(3)
_RESUMES = const(32)
_REST = "Accept-Encoding: identity\r\nConnection: close\r\n\r\n"


class HTTPStream:
    timeout_ms = 15000  # without a byte
    attempts = 8  # connections in a row without progress
    pause_ms = 100  # before the second attempt, doubled before each further one

    def __init__(self, uri, allowed=None):
        self._uri = uri
        self._allowed = allowed
        self._sock = None
        self._at = 0
        self._response = Response(bytearray(_BUFFER))
        self._resumes = _RESUMES
        self._pace = net.Pace()
        self.total = None
        self.offset = 0
        self.mark = None

    def start(self, offset=0, mark=None):
        r = self._response
        yield from self._get(offset, mark)
        if offset and (
            r.status == 416 and r.size != offset or r.status == 206 and mark and r.etag != mark
        ):
            # other content than last time, or we hold more than there is
            offset = 0
            yield from self._get(0, None)
        self._at = self.offset = self._accept(offset)
        self.mark = r.etag if r.status != 416 else mark

    def readinto(self, view):
        failures = 0
        while True:
            try:
                if failures:
                    self.close()
                    yield self.pause_ms << failures - 1
                    yield from self._again(view)
                n = 0 if self._at == self.total else (yield from self._response.body(view))
                if not n and self.total is not None and self._at < self.total:
                    raise SuitError(R_NETWORK, "cut")
                self._at += n
                break
            except SuitError as error:
                failures += 1
                self._resumes -= 1
                if not _passing(error) or failures >= self.attempts or self._resumes < 0:
                    raise
        self._pace.count(n)
        return n

    def close(self):
        if self._sock:
            self._sock.close()
            self._sock = None

    def _accept(self, offset):
        """Judge the answer to a request for everything from `offset` on; returns where its body
        begins."""
        r = self._response
        if r.coded:
            raise SuitError(R_SERVER, "content coding")
        if r.status == 200:
            self._size(r.length)
            return 0
        if r.status == 206 and offset:
            if r.first != offset or r.length not in (None, r.last + 1 - r.first):
                raise SuitError(R_SERVER, "range")
            self._size(r.size)
            return offset
        if r.status == 416 and offset and r.size == offset:
            self.total = offset
            return offset
        raise SuitError(R_SERVER, r.status)

    def _size(self, size):
        if size is not None:
            if self.total not in (None, size):
                raise SuitError(R_CONTENT_CHANGED, "size")
            self.total = size

    def _again(self, view):
        """Connect again and continue at `_at`; `view` is scratch space when the server can only
        begin at 0."""
        yield from self._get(self._at, self.mark)
        r = self._response
        if r.status == 416 or r.status in (200, 206) and r.etag != self.mark:
            raise SuitError(R_CONTENT_CHANGED, "etag")
        skip = self._at - self._accept(self._at)
        while skip:
            n = yield from r.body(view if skip >= len(view) else view[:skip])
            if not n:
                raise SuitError(R_NETWORK, "cut")
            skip -= n

    def _get(self, offset, mark):
        """Ask for everything from `offset` on, following redirects, up to the end of the
        header."""
        uri = self._uri
        for _ in range(_REDIRECTS + 1):
            yield from self._exchange(uri, offset, mark)
            r = self._response
            if r.status not in (301, 302, 303, 307, 308):
                return
            uri = self._redirected(uri, r.location)
        raise SuitError(R_SERVER, "redirects")

    def _redirected(self, uri, location):
        if not location:
            raise SuitError(R_SERVER, "location")
        target = resolve(uri, location)
        old, new = split(uri), split(target)
        if new[0] != "https" and (new[0] != "http" or old[0] == "https"):
            raise SuitError(R_NOT_ALLOWED, "redirect")
        if new[1] != old[1] and not (self._allowed and self._allowed(target)):
            raise SuitError(R_NOT_ALLOWED, "redirect")
        return target

    def _exchange(self, uri, offset, mark):
        self.close()
        kind, host, port, path = split(uri)
        secure = kind == "https"
        if secure:
            from . import tls

            yield from tls.clock()
            context = tls.context()  # first, since it may say that nothing will come of it
        usual = 443 if secure else 80
        self._sock = net.connect(host, port or usual, socket.SOCK_STREAM)
        want = [self._sock, WRITE, self.timeout_ms]
        if not (yield want):
            raise SuitError(R_NETWORK, "timeout")
        if secure:
            self._sock = want[0] = tls.wrap(context, self._sock, host)
        name = "[" + host + "]" if ":" in host else host
        if port:
            name = "%s:%d" % (name, port)
        request = "GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: suitup\r\n" % (path, name)
        if offset:
            request += "Range: bytes=%d-\r\n" % offset
            if mark and mark[0] == '"':  # not a weak one (RFC 9110 section 13.1.5)
                request += "If-Range: %s\r\n" % mark
        start = net.ticks()
        view = memoryview((request + _REST).encode())
        while len(view):
            n = tls.send(self._sock, view) if secure else net.send(self._sock, view)
            if n:
                view = view[n:]
            elif not (yield want) or net.elapsed(net.ticks(), start) > 4 * self.timeout_ms:
                raise SuitError(R_NETWORK, "timeout")  # the other end, or a handshake in drops
        self._response.begin(self._sock, self.timeout_ms)
        yield from self._response.head()


def _passing(error):
    """Whether trying again may help."""
    if error.reason == R_SERVER:
        return isinstance(error.detail, int) and error.detail >= 500
    return error.reason == R_NETWORK
