"""The release store over HTTP/1.1: GET and HEAD with Range, If-Range and If-None-Match, streamed.

Nothing here trusts a client, and nothing a client does costs more than the constants below allow:

* a connection that has not sent a whole request header HEADER_S seconds after it was opened, or
  after its last answer, is cut off (slow-loris), and so is one that sends more than MAX_HEADER
  bytes without completing one;
* a connection that takes less than MIN_RATE bytes a second of an answer is cut off, because a
  device that has lost its link comes back with Range; WRITE_S is how long one chunk may take;
* at most MAX_CONNECTIONS at a time, MAX_PER_HOST of one address (loopback too); the one too many
  is closed at once;
* only GET and HEAD; a request body is never read, but for a POST of a report, when there is an inbox (inbox.py)."""

import asyncio
import re

from aiohttp import web

from suitup.serve import inbox as inboxes
from suitup.serve.store import NotThere, ReleaseStore

HEADER_S = 10  # seconds to send a whole request header; also how long an idle connection is kept
MAX_HEADER = 16384  # bytes received for one request
MAX_LINE = 2048  # bytes of the request line, and of one header line
MAX_CONNECTIONS = 512
MAX_PER_HOST = 64
CHUNK = 16384  # bytes per write
WRITE_S = 20  # seconds for one chunk to be taken
MIN_RATE = 256  # bytes a second, measured over an answer once it has run for WRITE_S

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})\Z")


class _Guard(asyncio.Protocol):
    """Stands between a connection and aiohttp: counts connections, bytes and seconds."""

    def __init__(self, door, inner):
        self._door = door
        self._inner = inner
        self._transport = None
        self._host = None
        self._timer = None
        self._received = 0

    def connection_made(self, transport):
        self._transport = transport
        peer = transport.get_extra_info("peername")
        host = peer[0] if peer else ""
        if not self._door.enter(host):
            transport.abort()
            self._inner = None
            return
        self._host = host
        self._door.guards[transport] = self
        self.waiting()
        self._inner.connection_made(transport)

    def waiting(self):
        """The next request header must arrive in time, counted from when the last answer was
        taken."""
        self.handling()
        self._received = 0
        self._arm(0)

    def _arm(self, unsent):
        self._timer = asyncio.get_running_loop().call_later(
            self._door.header_s, self._late, unsent
        )

    def _late(self, unsent_before):
        unsent = self._transport.get_write_buffer_size()
        if unsent and (not unsent_before or unsent < unsent_before):
            self._arm(unsent)  # a slow link is still taking the end of the answer
        else:
            self._transport.abort()

    def handling(self):
        """A request is complete: the answer has limits of its own."""
        if self._timer:
            self._timer.cancel()
            self._timer = None

    def data_received(self, data):
        if self._inner is None:
            return
        self._received += len(data)
        if self._received > MAX_HEADER:
            self._transport.abort()
            return
        self._inner.data_received(data)

    def eof_received(self):
        return self._inner.eof_received() if self._inner else None

    def pause_writing(self):
        self._inner.pause_writing()

    def resume_writing(self):
        self._inner.resume_writing()

    def connection_lost(self, error):
        self.handling()
        if self._inner is None:
            return
        self._door.guards.pop(self._transport, None)
        self._door.leave(self._host)
        self._inner.connection_lost(error)


class _Door:
    """Who is connected."""

    def __init__(self, header_s):
        self.header_s = header_s
        self.guards = {}  # transport -> _Guard
        self._hosts = {}  # address -> connections

    def enter(self, host):
        here = self._hosts.get(host, 0)
        if here >= MAX_PER_HOST or len(self.guards) >= MAX_CONNECTIONS:
            return False
        self._hosts[host] = here + 1
        return True

    def leave(self, host):
        left = self._hosts[host] - 1
        if left:
            self._hosts[host] = left
        else:
            del self._hosts[host]


def parse_range(header, size):
    """(first, length) of a Range header for a file of `size` bytes (RFC 9110, 14.1.2); None to
    send it all.

    Raises ValueError when nothing of it can be satisfied. Several ranges at once are answered with
    the whole file, which the text allows: no device asks for them, and they are how servers were
    made to send the same bytes often."""
    match = _RANGE.match(header.strip())
    if not match or match.group(0) == "bytes=-":
        return None
    first, last = match.groups()
    if not first:  # the last N bytes
        length = min(int(last), size)
        if not length:
            raise ValueError("empty range")
        return size - length, length
    first = int(first)
    last = min(int(last), size - 1) if last else size - 1
    if first >= size:
        raise ValueError("range starts after the end")
    if last < first:
        return None
    return first, last - first + 1


class HTTPServer:
    """`await start(bind, port)`, then `port` is what it listens on; `await stop()`.

    `log(peer, text)` is called once for each answer."""

    def __init__(self, store: ReleaseStore, log=None, header_s=HEADER_S, write_s=WRITE_S, *, inbox=None):
        self._store = store
        self._inbox = inbox
        self._log = log or (lambda peer, text: None)
        self._door = _Door(header_s)
        self._write_s = write_s
        self._server = None
        self._inner = None
        self.port = None

    @property
    def connections(self) -> int:
        """How many are open now."""
        return len(self._door.guards)

    async def start(self, bind="127.0.0.1", port=0):
        self._inner = web.Server(
            self._answer,
            access_log=None,
            max_line_size=MAX_LINE,
            max_field_size=MAX_LINE,
            keepalive_timeout=self._door.header_s,
            lingering_time=0,
        )
        self._server = await asyncio.get_running_loop().create_server(
            lambda: _Guard(self._door, self._inner()), bind, port, backlog=128
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self):
        """Stop listening, cut what is under way (devices resume), and wait until it is gone."""
        if self._server:
            self._server.close()
            await self._inner.shutdown(1)
            for transport in list(self._door.guards):
                transport.abort()
            await self._server.wait_closed()
            self._server = None

    async def _answer(self, request):
        guard = self._door.guards.get(request.transport)
        if guard is None:  # lost in the meantime
            return web.Response(status=400)
        guard.handling()
        try:
            return await self._respond(request)
        finally:
            guard.waiting()

    async def _respond(self, request):
        peer = request.remote
        if self._inbox and request.raw_path == "/" + inboxes.NAME:
            response = await self._reports(request, peer)
            if response:
                response.force_close()
                return response
        if request.method not in ("GET", "HEAD"):
            response = web.Response(status=405, headers={"Allow": "GET, HEAD"})
            response.force_close()
            self._log(peer, f"{request.method} refused")
            return response
        if request.body_exists:
            response = web.Response(status=413)
            response.force_close()
            return response
        # the raw path: an escaped slash or dot must not become one
        name = request.raw_path.split("?")[0].lstrip("/")
        try:
            item = self._store.open(name)
        except NotThere:
            self._log(peer, f"GET {_shown(name)} 404")
            return web.Response(status=404, text="no such file\n")
        with item:
            return await self._send(request, peer, name, item)

    async def _reports(self, request, peer):
        """The answer to a GET of a nonce or a POST of a report; None for anything else."""
        if request.method == "GET" and not request.body_exists:
            headers = {"Cache-Control": "no-store", "Content-Type": "application/octet-stream"}
            return web.Response(body=self._inbox.nonce(), headers=headers)
        if request.method != "POST":
            return None
        length = request.content_length
        if length is None:
            return web.Response(status=411)
        if length > inboxes.MAX_REPORT:
            return web.Response(status=413)
        try:
            data = await asyncio.wait_for(request.read(), self._door.header_s)
        except (asyncio.TimeoutError, OSError, web.RequestPayloadError):
            return web.Response(status=408)
        try:
            path = self._inbox.take(data)
        except inboxes.Refused as why:
            self._log(peer, f"report refused: {why}")
            return web.Response(status=400 if why.malformed else 403)
        self._log(peer, f"report {path.parent.name}/{path.name}")
        return web.Response(status=204)

    async def _send(self, request, peer, name, item):
        etag = f'"{item.etag.hex()}"'
        headers = {
            "ETag": etag,
            "Accept-Ranges": "bytes",
            "Content-Type": "application/octet-stream",
            # a device behind a cache must learn of a new release, and may keep what has not
            # changed
            "Cache-Control": "no-cache",
            "X-Content-Type-Options": "nosniff",
        }
        matches = [tag.strip() for tag in request.headers.get("If-None-Match", "").split(",")]
        if etag in matches or "*" in matches:
            self._log(peer, f"GET {name} 304")
            return web.Response(status=304, headers=headers)
        first, length, status = 0, item.size, 200
        wanted = request.headers.get("Range")
        # If-Range (RFC 9110, 13.1.5): another version means all of it; a date is never ours
        if wanted and request.headers.get("If-Range", etag) == etag:
            try:
                part = parse_range(wanted, item.size)
            except ValueError:
                headers["Content-Range"] = f"bytes */{item.size}"
                self._log(peer, f"GET {name} 416")
                return web.Response(status=416, headers=headers)
            if part:
                first, length = part
                status = 206
                headers["Content-Range"] = f"bytes {first}-{first + length - 1}/{item.size}"
        headers["Content-Length"] = str(length)
        response = web.StreamResponse(status=status, headers=headers)
        await response.prepare(request)
        if request.method == "GET":
            await self._stream(request, response, item, first, length)
        where = f" from {first}" if first else ""
        self._log(peer, f"{request.method} {name} {status} {length} B{where}")
        return response

    async def _stream(self, request, response, item, first, length):
        loop = asyncio.get_running_loop()
        begun = loop.time()
        end = first + length
        position = first
        while position < end:
            chunk = item.read(position, min(CHUNK, end - position))
            try:
                await asyncio.wait_for(response.write(chunk), self._write_s)
            except asyncio.TimeoutError:
                request.transport.abort()
                raise ConnectionResetError("the client takes nothing")
            position += len(chunk)
            took = loop.time() - begun
            if not chunk or (took > self._write_s and (position - first) / took < MIN_RATE):
                request.transport.abort()
                raise ConnectionResetError("the client is too slow")


def _shown(name):
    """A name from outside, fit for a log line."""
    plain = "".join(c if " " < c < "\x7f" else "?" for c in name[:80])
    return plain + ("..." if len(name) > 80 else "")
