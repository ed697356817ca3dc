# The CoAP server of a board: requests in, small answers out, in bounded memory.
# MIT licence.
"""`Server(sock, site)` answers the datagrams of `sock` (RFC 7252, 7641, 7959, 9175). `site` gives

    site.status()           (bytes of /suit/status in CBOR, the same without what always changes)
    site.report()           bytes of /suit/report or None
    site.nudge(uri, host)   response code of a POST to /suit/nudge; `uri` text or "", `host` the
                            sender's; for 5.03 and 4.29 `site.again` are seconds to wait

and `server.step()` handles what has arrived and tells observers what is new; it never waits.

What a stranger can make it do is limited:

* A nudge needs a fresh Echo option: the first answer is 4.01 with twelve bytes that bind sender
  and time, for which nothing is kept here. It shows that the sender receives what is sent to its
  address, within the last minute.
* Until an address has shown that, no answer to it is longer than 136 bytes (RFC 9175 section 2.4
  item 3): status goes out in blocks of 64 bytes, and to observe it takes an Echo as well. The last
  four to show it, two from one address, get blocks of up to 1024.
* Four observers, at most two from one address; see coap_observers.py.
* A repeated nudge (same message id) gets the answer it got before; the last eight are kept.
* Unknown critical options, other methods, paths, malformed messages: refused as RFC 7252 says."""

import binascii
import hashlib
import os
import select

from .coap_observers import Observers
from .errors import SuitError
from .transports import coap_message as coap
from .transports import net
from .transports.coap_message import Message, Writer
from .transports.coap_timing import timing

try:
    from micropython import const
except ImportError:

    def const(n):
        return n


_REQUEST = const(768)  # bytes; a nudge is 512 of URI and some options
_OVERHEAD = const(48)  # header, token and options of an answer
_SMALL = const(2)  # SZX of the blocks for an address that is not verified: 64 bytes
_LARGE = const(6)
_PEERS = const(4)  # verified addresses
_RECENT = const(8)
_BATCH = const(8)  # datagrams in one step
_FRESH_MS = const(60000)  # of an Echo value
_PROMPT_MS = const(500)  # an Echo returned so soon tells how long the way is
_LIFETIME_MS = const(247000)  # EXCHANGE_LIFETIME
_VERIFIED_MS = const(600000)
_LOOK_MS = const(500)  # age at which a snapshot of the status is taken again; after six days it looks negative
_CLOCK = const(0x3FFFFFFF)  # ticks wrap here on boards
_LINK_FORMAT = const(40)
_REPORT = const(270)  # suit-report+cose
_CBOR = const(60)

_LINKS = b'</suit/status>;rt="suit.status";ct=60;obs,</suit/nudge>;rt="suit.nudge",</suit/report>;rt="suit.report";ct=270'


class Server:
    def __init__(self, sock, site):
        self.sock = sock
        self._site = site
        self._poller = select.poll()
        self._poller.register(sock, select.POLLIN)
        self._tx = memoryview(bytearray(1024 + _OVERHEAD))
        self._writer = Writer(self._tx)
        self._secret = os.urandom(16)
        seed = os.urandom(2)
        self._mid = seed[0] << 8 | seed[1]
        self._verified = []  # [peer, when]
        self._recent = []  # [peer, message id, answer, when]
        self._observers = Observers()
        self._body = None  # the status as it was when taken
        self.etag = b""
        self._taken = net.ticks()
        self._stale = True

    def step(self):
        """Handle what has arrived, at most eight datagrams, and notify."""
        for _ in range(_BATCH):
            if not self._poller.poll(0):
                break
            try:
                data, peer = self.sock.recvfrom(_REQUEST)
            except OSError:
                continue  # an error of an earlier send
            except MemoryError:
                self._drop()
                continue
            if len(data) < _REQUEST:
                try:
                    self._message(memoryview(data), peer)
                except (SuitError, MemoryError):
                    pass  # an answer that does not fit, here or in memory: none
        try:
            self._observers.notify(self)
        except MemoryError:
            pass  # later

    def _drop(self):
        """No room for a datagram: whoever sent it will send it again, and it must not stay here."""
        try:
            self.sock.recvfrom(16)
        except (OSError, MemoryError):
            pass

    # -- one message

    def _message(self, data, peer):
        m = self._m = Message(data)
        self._data = data
        self._peer = peer
        try:
            m.parse(0, len(data))
        except SuitError as error:
            if len(data) >= 4 and error.detail != "version" and data[0] & 0x30 == 0:
                self._empty(coap.RST, data[2] << 8 | data[3])
            return
        if m.type in (coap.ACK, coap.RST):
            self._observers.answered(peer, m.mid, m.type == coap.RST)
        elif 0 < m.code < 32:
            self._request()
        elif m.type == coap.CON:
            self._empty(coap.RST, m.mid)  # a ping, or a response to nothing

    def _request(self):
        m = self._m
        now = net.ticks()
        for entry in self._recent:
            if entry[1] == m.mid and entry[0] == self._peer:
                if 0 <= net.elapsed(now, entry[3]) < _LIFETIME_MS:
                    self._send(entry[2])
                    return
        path = []
        echo = observe = self._block = self._known = self._accept = None
        while m.next():
            number, size = m.number, m.end - m.at
            if number == coap.URI_PATH and len(path) < 4:
                path.append(m.value())
            elif number == coap.ECHO and size <= 40:
                echo = m.value()
            elif number == coap.OBSERVE and size <= 3:
                observe = m.uint()
            elif number == coap.BLOCK2 and size <= 3 and self._block is None and m.uint() & 7 < 7:
                self._block = m.uint()
            elif number == coap.ETAG:
                self._known = m.value()
            elif number == coap.ACCEPT and size <= 2:
                self._accept = m.uint()
            elif number == coap.BLOCK1 and size <= 3 and m.uint() >> 3 == 0:
                pass  # all of it in its first block
            elif number & 1 and number not in (coap.URI_HOST, coap.URI_PORT, coap.URI_QUERY):
                self._refuse(coap.BAD_OPTION)
                return
        fresh = self._check(echo, now)
        if path == [b".well-known", b"core"]:
            method, act = coap.GET, self._links
        elif path == [b"suit", b"status"]:
            method, act = coap.GET, self._status
        elif path == [b"suit", b"report"]:
            method, act = coap.GET, self._report
        elif path == [b"suit", b"nudge"]:
            method, act = coap.POST, self._nudge
        else:
            self._refuse(coap.NOT_FOUND)
            return
        if m.code != method:
            self._refuse(coap.NOT_ALLOWED)
        else:
            act(fresh, observe)

    # -- the resources

    def _links(self, fresh, observe):
        if self._accept not in (None, _LINK_FORMAT):
            self._refuse(coap.NOT_ACCEPTABLE)
            return
        start, szx = self._asked()
        self._begin(coap.CONTENT)
        self._content(_LINKS, None, _LINK_FORMAT, None, start, szx)
        self._reply()

    def _nudge(self, fresh, observe):
        m = self._m
        if not fresh:
            self._challenge()
            return
        try:
            uri = str(bytes(self._data[m.payload : m.stop]), "utf-8")
        except UnicodeError:
            self._refuse(coap.BAD_REQUEST)
            return
        code = self._site.nudge(uri, net.peer(self._peer)[0])
        self._stale = True  # who asked wants to see what came of it
        w = self._begin(code)
        if code in (coap.UNAVAILABLE, coap.TOO_MANY):
            w.uint(coap.MAX_AGE, self._site.again)
        answer = bytes(self._reply())
        if len(self._recent) >= _RECENT:
            self._recent.pop(0)
        self._recent.append((self._peer, m.mid, answer, net.ticks()))

    def _report(self, fresh, observe):
        if self._accept not in (None, _REPORT):
            self._refuse(coap.NOT_ACCEPTABLE)
            return
        body = self._site.report()
        start, szx = self._asked()
        if body is None:
            self._refuse(coap.NOT_FOUND)
        elif start and start >= len(body):
            self._refuse(coap.BAD_OPTION)
        else:
            self._begin(coap.CONTENT)
            etag = binascii.crc32(body).to_bytes(4, "big")
            self._content(body, etag, _REPORT, None, start, szx)
            self._reply()

    def _status(self, fresh, observe):
        if self._accept not in (None, _CBOR):
            self._refuse(coap.NOT_ACCEPTABLE)
            return
        if observe == 0 and not self._is_verified():
            self._challenge()
            return
        start, szx = self._asked()
        if start == 0:
            # later blocks come from the same snapshot
            self.look(self._stale or not 0 <= net.elapsed(net.ticks(), self._taken) <= _LOOK_MS)
        if start and start >= len(self._body or b""):
            self._refuse(coap.BAD_OPTION)
            return
        if observe is not None:
            m = self._m
            token = bytes(self._data[m.token : m.token + m.token_size])
            wanted = observe == 0 and start == 0
            observe = self._observers.register(self._peer, token, szx, self.etag, wanted)
        if self._known == self.etag and start == 0:
            w = self._begin(coap.VALID)
            w.option(coap.ETAG, self.etag)
            if observe is not None:
                w.uint(coap.OBSERVE, observe)
        else:
            self._begin(coap.CONTENT)
            self._content(self._body, self.etag, _CBOR, observe, start, szx)
        self._reply()

    def look(self, anew):
        """Take a new snapshot of the status; its ETag leaves out what changes all the time."""
        if self._body is not None and not anew:
            return
        self._body, steady = self._site.status()
        self.etag = binascii.crc32(steady).to_bytes(4, "big")
        self._taken = net.ticks()
        self._stale = False

    def _asked(self):
        """(first byte, SZX) of the block to send: what was asked for, but small for a stranger."""
        block = _LARGE if self._block is None else self._block
        szx = min(block & 7, _LARGE if self._is_verified() else _SMALL)
        return block >> 4 << (block & 7) + 4, szx

    def _content(self, body, etag, form, sequence, start, szx):
        w = self._writer
        size = 16 << szx
        more = start + size < len(body)
        if etag:
            w.option(coap.ETAG, etag)
        if sequence is not None:
            w.uint(coap.OBSERVE, sequence)
        w.uint(coap.CONTENT_FORMAT, form)
        if more or start or self._block is not None:
            w.uint(coap.BLOCK2, start >> szx + 4 << 4 | more << 3 | szx)
        if more and not start:
            w.uint(coap.SIZE2, len(body))
        w.body(memoryview(body)[start : start + size])

    def notify(self, peer, token, szx, sequence):
        """Send a notification of the latest snapshot; -> its message id."""
        self._mid = self._mid + 1 & 0xFFFF
        self._peer = peer
        self._block = None
        self._writer.begin(coap.CON, coap.CONTENT, self._mid, token)
        self._content(self._body, self.etag, _CBOR, sequence, 0, szx)
        self._reply()
        return self._mid

    # -- answers

    def _begin(self, code):
        m = self._m
        token = self._data[m.token : m.token + m.token_size]
        if m.type == coap.CON:
            self._writer.begin(coap.ACK, code, m.mid, token)
        else:
            self._mid = self._mid + 1 & 0xFFFF
            self._writer.begin(coap.NON, code, self._mid, token)
        return self._writer

    def _refuse(self, code):
        self._begin(code)
        self._reply()

    def _reply(self):
        answer = self._tx[: self._writer.size]
        self._send(answer)
        return answer

    def _empty(self, kind, mid):
        self._writer.begin(kind, coap.EMPTY, mid)
        self._reply()

    def _send(self, data):
        try:
            self.sock.sendto(data, self._peer)
        except OSError:
            pass  # as good as lost; whoever asked will ask again

    # -- who is there

    def _challenge(self):
        w = self._begin(coap.UNAUTHORIZED)
        w.option(coap.ECHO, self._echo(net.ticks()))
        self._reply()

    def _echo(self, when):
        stamp = (when & _CLOCK).to_bytes(4, "big")
        proof = hashlib.sha256(self._secret + stamp + repr(self._peer).encode()).digest()
        return stamp + proof[:8]

    def _check(self, echo, now):
        """Whether the request is fresh; if so its sender gets large answers for some minutes."""
        if not echo or len(echo) != 12:
            return False
        when = int.from_bytes(echo[:4], "big")
        age = (now - when) & _CLOCK
        if age >= _FRESH_MS or echo != self._echo(when):
            return False
        host = net.peer(self._peer)[0]
        if age < _PROMPT_MS:
            # our question and its answer are a round trip; the update most often comes from there
            timing(host).hint((age + 1) * 1000)
        # with many ports nobody pushes the others out
        self._verified = [entry for entry in self._verified if entry[0] != self._peer]
        same = [entry for entry in self._verified if net.peer(entry[0])[0] == host]
        if len(same) > 1 or len(self._verified) >= _PEERS:
            self._verified.remove((same or self._verified)[0])
        self._verified.append((self._peer, now))
        return True

    def _is_verified(self):
        now = net.ticks()
        ages = [net.elapsed(now, when) for peer, when in self._verified if peer == self._peer]
        return bool(ages) and 0 <= ages[0] < _VERIFIED_MS  # ticks wrap
