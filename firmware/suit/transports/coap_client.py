# One CoAP request at a time: retransmission, deduplication, separate responses.
# MIT licence.
"""`Client(uri)` is an endpoint that talks to one server (RFC 7252 sections 4 and 5).

    client = Client("coap://192.168.4.2/thermo/latest.suit")
    code = yield from client.get(block=6)        # Block2 number, more, SZX as one number
    client.rx[client.message.payload:client.message.stop]

After `get`: `etag`, `echo` (bytes or None), `block`, `size2`, `observe` (int or None), `max_age`.
A request is confirmable and answered by a piggybacked or a separate response; a repeated separate
response is acknowledged again, everything else that arrives is ignored, and reset where it is
confirmable. A response with a critical option that is not understood is SuitError(R_SERVER,
"option N"). No answer is SuitError(R_NETWORK, "timeout"), or the errno where the way there is
refused. After some timeouts in a row the name is looked up again on a new socket: the address of
either end may have changed.

The token is 4 random bytes and a count of 2, so that somebody off the path can not make up an
answer."""

import os
import socket

from ..errors import SuitError
from ..numbers import R_NETWORK, R_NO_PAYLOAD, R_SERVER
from ..wait import READ
from . import net, split, unquote
from .coap_message import (
    ACK,
    BLOCK1,
    BLOCK2,
    CON,
    CONTENT_FORMAT,
    ECHO,
    EMPTY,
    ETAG,
    GET,
    MAX_AGE,
    OBSERVE,
    POST,
    RST,
    SIZE2,
    URI_HOST,
    URI_PATH,
    URI_QUERY,
    Message,
    Writer,
)
from .coap_timing import elapsed_us, ticks_us, timing

try:
    from micropython import const
except ImportError:

    def const(n):
        return n


_PORT = const(5683)
_OVERHEAD = const(128)  # header, token and options of a response
_REQUEST = const(640)  # a URI of 512 bytes and the rest
_REFUSED = const(4)  # ICMP errors in a row after which a server never heard of is given up
_REOPEN = const(4)  # timeouts in a row after which the address is looked up again
_SEPARATE = const(15000)  # ms to wait for a separate response before asking again


class Client:
    def __init__(self, uri, size=1024):
        kind, self.host, self.port, path = split(uri)
        if kind != "coap":
            raise SuitError(R_NO_PAYLOAD, kind)
        path, _, query = path.partition("?")
        path = path[1:]
        self._path = [unquote(part).encode() for part in path.split("/")] if path else []
        self._query = [unquote(part).encode() for part in query.split("&")] if query else []
        named = self.host.strip("0123456789.") and ":" not in self.host
        self._name = self.host.encode() if named else None  # RFC 7252 section 6.4 step 5
        self.rx = memoryview(bytearray(size + _OVERHEAD))
        self._tx = memoryview(bytearray(_REQUEST))
        self._small = memoryview(bytearray(4))
        self.message = Message(self.rx)
        self._writer = Writer(self._tx)
        self._answer = Writer(self._small)
        self._token = bytearray(os.urandom(6))
        seed = os.urandom(2)
        self._mid = seed[0] << 8 | seed[1]
        self._settled = -1  # message id of the separate response acknowledged last
        self.timing = timing(self.host)
        # all of them now, not when memory may be short
        self.etag = self.echo = self.block = self.size2 = self.observe = None  # of the response
        self.max_age = 60
        self._heard = self._acked = False
        self._errno = self._sock = None
        self._want = [None, READ, 0]

    def close(self):
        if self._sock:
            self._sock.close()
            self._sock = None

    def get(self, block=None, size2=False, observe=None, echo=None, expect=None, again=False):
        """GET: a generator that returns the response code. `expect`: the payload's length where it
        is known, which saves an allocation (see `net`); a response that was joined with another
        datagram is cut to it. `again`: with the token of the last request."""
        self._write(block, size2, observe, echo, again)
        return self._exchange(expect)

    def post(self, body, format, block, echo=None):
        """POST one block of something: a generator that returns the response code. `block`: Block1 as
        one number."""
        self._count()
        self._begin(POST)
        w = self._writer
        w.uint(CONTENT_FORMAT, format)
        self._ask()
        w.uint(BLOCK1, block)
        if echo:
            w.option(ECHO, echo)
        w.body(body)
        return self._exchange(None)

    def send_get(self, block, observe, again):
        """A GET whose answer nobody waits for."""
        self._write(block, False, observe, None, again)
        self._send()

    def listen(self, timeout_ms):
        """Wait for another response to the last request, a notification; False when none came."""
        self._acked = True
        start = net.ticks()
        while True:
            left = timeout_ms - net.elapsed(net.ticks(), start)
            if left <= 0 or not self._sock:
                if left > 0:
                    yield left
                return False
            self._want[0] = self._sock
            self._want[2] = left
            if (yield self._want):
                n = self._receive(True)
                if n and self._judge(0, n):
                    return True

    def _write(self, block, size2, observe, echo, again):
        if not again:
            self._count()
        self._begin(GET, observe)
        self._ask()
        w = self._writer
        if block is not None:
            w.uint(BLOCK2, block)
        if size2:
            w.uint(SIZE2, 0)
        if echo:
            w.option(ECHO, echo)

    def _begin(self, method, observe=None):
        self._mid = self._mid + 1 & 0xFFFF
        w = self._writer
        w.begin(CON, method, self._mid, self._token)
        if self._name:
            w.option(URI_HOST, self._name)
        if observe is not None:
            w.uint(OBSERVE, observe)
        for part in self._path:
            w.option(URI_PATH, part)

    def _ask(self):
        for part in self._query:
            self._writer.option(URI_QUERY, part)

    def _count(self):
        low = (self._token[4] << 8 | self._token[5]) + 1
        self._token[4], self._token[5] = low >> 8 & 255, low & 255

    def _exchange(self, expect):
        """Send what is in the writer until a response with its token is in `message`."""
        m = self.message
        began = ticks_us()
        timeout = self.timing.first_ms()
        sent = refused = 0
        self._acked = False
        while True:
            refused += self._send()
            sent += 1
            at = net.ticks()
            while True:
                left = timeout - net.elapsed(net.ticks(), at)
                if left <= 0 or refused >= _REFUSED and not self._heard:
                    break
                if not self._sock:
                    yield left
                    break
                self._want[0] = self._sock
                self._want[2] = left
                if not (yield self._want):
                    break
                n = self._receive(expect is None)
                if n == 0:
                    refused += 1
                elif n and self._judge(0, n):
                    self.timing.sample(elapsed_us(ticks_us(), began), sent)
                    self._heard = True
                    if expect is not None and m.stop - m.payload > expect and m.code >> 5 == 2:
                        m.stop = m.payload + expect
                    return m.code
                if self._acked and timeout != _SEPARATE:
                    timeout, at = _SEPARATE, net.ticks()
            if refused >= _REFUSED and not self._heard:
                raise SuitError(R_NETWORK, self._errno)
            if elapsed_us(ticks_us(), began) // 1000 >= self.timing.patience_ms:
                raise SuitError(R_NETWORK, "timeout")
            if self._acked:  # the response was lost: ask again, as a new message
                self._acked = False
                self._mid = self._mid + 1 & 0xFFFF
                self._tx[2], self._tx[3] = self._mid >> 8, self._mid & 255
                timeout = self.timing.first_ms()
            else:
                timeout = min(timeout * 2, 32000)
            if sent % _REOPEN == 0:
                self.close()

    def _send(self):
        """Send the request; 1 when the network refuses, which is like a loss."""
        try:
            if not self._sock:
                self._sock = net.connect(self.host, self.port or _PORT, socket.SOCK_DGRAM)
            net.send(self._sock, self._tx[: self._writer.size])
        except SuitError as error:
            if error.detail == "dns" and not self._heard:
                raise
            self._errno = error.detail
            return 1
        return 0

    def _receive(self, exact):
        """Bytes of one datagram in `rx`, None for nothing, 0 when the network refuses."""
        try:
            return net.datagram(self._sock, self.rx) if exact else net.receive(self._sock, self.rx)
        except SuitError as error:
            self._errno = error.detail
            return 0

    def _judge(self, start, stop):
        """Whether rx[start:stop] is the response that is waited for; acknowledges what is due."""
        m = self.message
        rx = self.rx
        while stop - start > 4 and rx[start] == 0x60 and rx[start + 1] == EMPTY:
            # an empty acknowledgement and what was queued behind it, read as one; there may be hundreds
            if rx[start + 2] << 8 | rx[start + 3] == self._mid:
                self._acked = True
            start += 4
        try:
            m.parse(start, stop)
        except SuitError:
            return False
        mine = m.token_size == 6 and rx[m.token : m.token + 6] == self._token and m.code >= 64
        if m.type == ACK:
            if m.mid == self._mid and m.code == EMPTY:
                self._acked = True
            if not (mine and m.mid == self._mid):
                return False
        elif m.type == RST:
            if m.mid == self._mid:
                raise SuitError(R_SERVER, "reset")
            return False
        elif not mine:
            if m.type == CON:
                self._reply(ACK if m.mid == self._settled else RST, m.mid)
            return False
        problem = self._options()
        if m.type == CON:
            self._reply(RST if problem else ACK, m.mid)
            self._settled = m.mid
        if problem:
            raise SuitError(R_SERVER, problem)
        return True

    def _reply(self, kind, mid):
        self._answer.begin(kind, EMPTY, mid)
        try:
            net.send(self._sock, self._small)
        except SuitError:
            pass  # as good as lost

    def _options(self):
        """Take the response's options; what is wrong with them, or None. An elective option of a
        wrong length is as if absent, a critical one as if unknown (RFC 7252 section 5.4.3)."""
        m = self.message
        self.etag = self.echo = self.block = self.size2 = self.observe = None
        self.max_age = 60
        while m.next():
            number, size = m.number, m.end - m.at
            if number == BLOCK2 and size <= 3 and self.block is None:
                self.block = m.uint()
            elif number == ETAG and 0 < size <= 8 and self.etag is None:
                self.etag = m.value()
            elif number == SIZE2 and size <= 4:
                self.size2 = m.uint()
            elif number == OBSERVE and size <= 3:
                self.observe = m.uint()
            elif number == MAX_AGE and size <= 4:
                self.max_age = m.uint()
            elif number == ECHO and 0 < size <= 40:
                self.echo = m.value()
            elif number & 1 and number not in (CONTENT_FORMAT, BLOCK1):
                return "option %d" % number
        return None
