"""The release store over CoAP (RFC 7252): GET with Block2, ETag and Size2 (7959), Observe (7641),
Echo (9175).

The server keeps nothing about a transfer: each request names its block, which is read from the
file and sent, so a million half-open transfers cost what none does, and a repeated datagram is
simply answered again. That is why it stands on a datagram endpoint of its own: aiocoap's, which
`suitup push` uses as a client, remembers every request for four minutes, as servers of unsafe
methods must. What is kept is bounded:

* MAX_OBSERVERS observations, MAX_PER_HOST of one address; one that does not acknowledge a
  notification, or has neither registered nor acknowledged for OBSERVE_S, is forgotten;
* MAX_UPLOADS reports on their way (Block1), MAX_REPORT bytes and UPLOAD_S each, and the answer to a whole one for as long, so
  that a repeated datagram is the same report;
* MAX_VERIFIED addresses that have shown, by Echo, that they receive what is sent to them, for
  VERIFIED_S.

Amplification: an answer can be forty times its request, which makes an open server a weapon for
whoever forges the sender. An address outside the loopback, private and link-local ranges therefore
gets 4.01 with an Echo option, no longer than its request three times over, until it has returned
it (`echo="always"` asks everybody, "never" nobody). Devices of this project and libcoap answer it
by themselves."""

import asyncio
import hashlib
import hmac
import ipaddress
import secrets
import struct
import time

from suitup.serve import inbox as inboxes
from suitup.serve import message as coap
from suitup.serve.message import Message, MessageError
from suitup.serve.store import NotThere, ReleaseStore

MAX_EXPONENT = 6  # blocks of 1024 bytes, the largest there are over UDP
MAX_OBSERVERS = 1024
MAX_PER_HOST = 32
OBSERVE_S = 86400
MAX_VERIFIED = 4096
VERIFIED_S = 600
ECHO_S = 60  # how long an Echo value is fresh
WATCH_S = 0.5  # how often observed files are looked at: one stat() unless something changed
# RFC 7252, 4.2, without its random factor: nothing here sends in step
RETRANSMIT_S = (2, 4, 8, 16)
MAX_QUEUED = 1 << 18  # bytes waiting for the network; more is dropped, as the network would
MAX_UPLOADS = 256
UPLOAD_S = 60
LINKS_S = 1  # how long a listing is kept

_KNOWN_CRITICAL = {
    coap.URI_HOST, coap.URI_PORT, coap.URI_PATH, coap.URI_QUERY, coap.ACCEPT, coap.BLOCK2, coap.BLOCK1,
    coap.PROXY_URI, coap.PROXY_SCHEME,
}  # fmt: skip
_WELL_KNOWN = ".well-known/core"


class _Text:
    """A generated answer with the interface of store.Item."""

    def __init__(self, content):
        self._content = content
        self.size = len(content)
        self.etag = hashlib.sha256(content).digest()[:8]

    def read(self, offset, length):
        return self._content[offset : offset + length]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


class _Observer:
    """One client that wants to hear of changes to one file."""

    def __init__(self, peer, token, name, exponent, etag):
        self.peer = peer
        self.token = token
        self.name = name
        self.exponent = exponent  # block size it asked for
        self.etag = etag  # of what it was told last
        self.sequence = 0
        self.seen = time.monotonic()  # last registration or acknowledgement
        self.message_id = None  # of the notification that is not acknowledged yet
        self.timer = None


class _Echo:
    """Values that only somebody who receives our datagrams can return; nothing is stored for one
    that is asked."""

    def __init__(self, policy):
        if policy not in ("auto", "always", "never"):
            raise ValueError(f"echo policy {policy!r}")
        self._policy = policy
        self._secret = secrets.token_bytes(32)
        self._verified = {}  # address -> monotonic time until which it counts

    def value(self, host):
        return self._make(host, int(time.monotonic()))

    def _make(self, host, now):
        stamp = struct.pack("!I", now & 0xFFFFFFFF)
        return stamp + hmac.digest(self._secret, stamp + host.encode(), "sha256")[:8]

    def needed(self, host, value):
        """Must this address still be asked? `value`: the Echo option of its request, or None."""
        if self._policy == "never" or (self._policy == "auto" and _nearby(host)):
            return False
        now = time.monotonic()
        if self._verified.get(host, 0) > now:
            return False
        if value is None or len(value) != 12:
            return True
        stamp = struct.unpack("!I", value[:4])[0]
        if not 0 <= int(now) - stamp <= ECHO_S or not hmac.compare_digest(
            value, self._make(host, stamp)
        ):
            return True
        self._verified.pop(host, None)
        if len(self._verified) >= MAX_VERIFIED:
            del self._verified[next(iter(self._verified))]
        self._verified[host] = now + VERIFIED_S
        return False


def _nearby(host):
    address = ipaddress.ip_address(host.split("%")[0])
    address = getattr(address, "ipv4_mapped", None) or address
    return address.is_loopback or address.is_private or address.is_link_local


class CoAPServer(asyncio.DatagramProtocol):
    """`await start(bind, port)`, then `port` is what it listens on; `await stop()`.

    `log(peer, text)` is called at the first and the last block of a transfer, and for what is
    refused."""

    def __init__(self, store: ReleaseStore, log=None, echo="auto", inbox=None):
        self._store = store
        self._inbox = inbox
        self._uploads = {}  # peer -> [until, bytes so far, (message id, code) of the answer]
        self._log = log or (lambda peer, text: None)
        self._echo = _Echo(echo)
        self._transport = None
        self._watcher = None
        self._observers = {}  # (peer, token) -> _Observer
        self._unacknowledged = {}  # message id -> _Observer
        self._next_id = secrets.randbelow(65536)
        self._links = (0, b"")
        self.port = None

    @property
    def observers(self) -> int:
        """How many observations there are."""
        return len(self._observers)

    async def start(self, bind="127.0.0.1", port=0):
        loop = asyncio.get_running_loop()
        await loop.create_datagram_endpoint(lambda: self, local_addr=(bind, port))
        self.port = self._transport.get_extra_info("sockname")[1]
        self._watcher = loop.create_task(self._watch())

    async def stop(self):
        """Forget every observer and close the socket."""
        if self._watcher:
            self._watcher.cancel()
            await asyncio.gather(self._watcher, return_exceptions=True)
            self._watcher = None
        for observer in list(self._observers.values()):
            self._forget(observer)
        if self._transport:
            self._transport.close()
            self._transport = None

    # -- datagrams

    def connection_made(self, transport):
        self._transport = transport

    def error_received(self, error):
        """An ICMP error of some earlier datagram; whoever it was for asks again or not."""

    def datagram_received(self, data, peer):
        peer = peer[:2]
        try:
            request = Message.decode(data)
            answer = self._answer(request, peer)
        except MessageError as wrong:
            # a confirmable message that cannot be understood is reset (4.2), anything else ignored
            # (4.3)
            if wrong.kind == coap.CON:
                self._send(Message(coap.RST, coap.EMPTY, wrong.message_id), peer)
            return
        if answer is not None:
            self._send(answer, peer)

    def _send(self, message, peer):
        if self._transport and self._transport.get_write_buffer_size() < MAX_QUEUED:
            self._transport.sendto(message.encode(), peer)

    def _answer(self, request, peer):
        """The message to send back, or None."""
        if request.kind in (coap.ACK, coap.RST):
            self._settled(request, peer)
            return None
        if request.code == coap.EMPTY or request.code >> 5:
            # a ping, or a response nobody waits for
            if request.kind == coap.CON:
                return Message(coap.RST, coap.EMPTY, request.message_id)
            return None
        unknown = [n for n, _ in request.options if n & 1 and n not in _KNOWN_CRITICAL]
        if unknown and request.kind == coap.NON:
            return None  # 5.4.1
        if request.kind == coap.CON:
            answer = Message(coap.ACK, coap.CONTENT, request.message_id, request.token)
        else:
            answer = Message(coap.NON, coap.CONTENT, self._new_id(), request.token)
        if unknown:
            answer.code = coap.BAD_OPTION
        elif request.one(coap.PROXY_URI) is not None or request.one(coap.PROXY_SCHEME) is not None:
            answer.code = coap.PROXYING_UNSUPPORTED
        elif request.code != coap.GET and not self._for_inbox(request):
            answer.code = coap.NOT_ALLOWED
        elif self._echo.needed(peer[0], request.one(coap.ECHO)):
            answer.code = coap.UNAUTHORIZED
            answer.add(coap.ECHO, self._echo.value(peer[0]))
        elif request.code == coap.POST:
            self._post(request, answer, peer)
        else:
            self._get(request, answer, peer)
        return answer

    # -- POST: reports

    def _for_inbox(self, request):
        path = request.all(coap.URI_PATH)
        return self._inbox and request.code == coap.POST and path == [inboxes.NAME.encode()]

    def _post(self, request, answer, peer):
        """One block of a report, in their order (RFC 7959, 2.5); no Block1: all of it."""
        now = time.monotonic()
        self._uploads = {key: each for key, each in self._uploads.items() if each[0] > now}
        block = request.uint(coap.BLOCK1, 3)
        number, more = (0, False) if block is None else (block >> 4, bool(block & 8))
        upload = self._uploads.get(peer)
        if upload and upload[2] and upload[2][0] == request.message_id:
            answer.code = upload[2][1]  # the answer was lost
        elif number and (upload is None or upload[2] or len(upload[1]) != number << (block & 7) + 4):
            answer.code = coap.INCOMPLETE
        elif not number and len(self._uploads) >= MAX_UPLOADS and not upload:
            answer.code = coap.UNAVAILABLE
        else:
            data = (upload[1] if number else b"") + request.payload
            if len(data) > inboxes.MAX_REPORT or (more and len(request.payload) != 16 << (block & 7)):
                answer.code = coap.TOO_LARGE if len(data) > inboxes.MAX_REPORT else coap.BAD_REQUEST
                self._uploads.pop(peer, None)
                return
            answer.code = coap.CONTINUE if more else self._taken(data, peer)
            done = None if more else (request.message_id, answer.code)
            self._uploads[peer] = [now + UPLOAD_S, b"" if done else data, done]
        if block is not None:
            answer.add_uint(coap.BLOCK1, block)

    def _taken(self, data, peer):
        try:
            path = self._inbox.take(data)
        except inboxes.Refused as why:
            self._log(peer, f"report refused: {why}")
            return coap.BAD_REQUEST if why.malformed else coap.FORBIDDEN
        self._log(peer, f"report {path.parent.name}/{path.name}")
        return coap.CHANGED

    # -- GET

    def _get(self, request, answer, peer):
        block = request.uint(coap.BLOCK2, 3)
        exponent = MAX_EXPONENT if block is None else block & 7
        number = 0 if block is None else block >> 4
        if exponent > MAX_EXPONENT:
            answer.code = coap.BAD_REQUEST  # RFC 7959, 2.2: reserved
            return
        try:
            name, item, content_format = self._find(request)
        except NotThere as missing:
            answer.code = coap.NOT_FOUND
            self._log(peer, f"GET {missing} 4.04")
            return
        with item:
            accept = request.uint(coap.ACCEPT, 2)
            if accept not in (None, content_format):
                answer.code = coap.NOT_ACCEPTABLE
                return
            offset = number << (exponent + 4)
            if number and offset >= item.size:
                answer.code = coap.BAD_REQUEST
                self._log(peer, f"GET {name} 4.00 block {number} is after the end")
                return
            observe = request.uint(coap.OBSERVE, 3)
            if observe is not None and not number and isinstance(item, _Text):
                observe = None  # listings are not observable
            if (
                observe == 0
                and not number
                and self._observe(peer, request.token, name, exponent, item.etag)
            ):
                answer.add_uint(coap.OBSERVE, 0)
            elif observe == 1:
                observer = self._observers.get((peer, request.token))
                if observer:
                    self._forget(observer)
            if item.etag in request.all(coap.ETAG) and not number:
                answer.code = coap.VALID
                answer.add(coap.ETAG, item.etag)
                return
            self._fill(answer, item, number, exponent, content_format, block is not None)
            if request.one(coap.SIZE2) is not None and number:
                answer.add_uint(coap.SIZE2, item.size)
            self._note(peer, name, item, number, exponent)

    def _find(self, request):
        segments = request.all(coap.URI_PATH)
        try:
            name = "/".join(segment.decode() for segment in segments)
        except UnicodeDecodeError:
            raise NotThere("(not UTF-8)")
        if name == _WELL_KNOWN and len(segments) == 2:
            return name, _Text(self._listing(request.all(coap.URI_QUERY))), coap.FORMAT_LINKS
        if self._inbox and name == inboxes.NAME:
            return name, _Text(self._inbox.nonce()), coap.FORMAT_OCTETS
        if any(b"/" in segment for segment in segments):
            raise NotThere("(a separator inside a segment)")
        try:
            item = self._store.open(name)
        except NotThere:
            raise NotThere("".join(c if " " < c < "\x7f" else "?" for c in name[:80]))
        return name, item, _format(name)

    @staticmethod
    def _fill(answer, item, number, exponent, content_format, asked):
        """Put one block into an answer, with the options that describe it."""
        length = 16 << exponent
        offset = number * length
        answer.payload = item.read(offset, length)
        more = offset + length < item.size
        answer.add(coap.ETAG, item.etag)
        answer.add_uint(coap.CONTENT_FORMAT, content_format)
        if more or number or asked:
            answer.add_uint(coap.BLOCK2, number << 4 | more << 3 | exponent)
        if not number:
            answer.add_uint(coap.SIZE2, item.size)

    def _note(self, peer, name, item, number, exponent):
        length = 16 << exponent
        if (number + 1) * length >= item.size:
            blocks = f" (block {number} of {length})" if number else ""
            self._log(peer, f"GET {name} done, {item.size} B{blocks}")
        elif not number:
            self._log(peer, f"GET {name} begins, {item.size} B in blocks of {length}")

    def _listing(self, queries):
        """`/.well-known/core` (RFC 6690): the envelopes and the index; payloads are found through
        them."""
        made, links = self._links
        if time.monotonic() - made > LINKS_S or not links:
            links = []
            for name in self._store.names():
                if name.endswith(".suit"):
                    links.append((name, "suit.envelope"))
                elif name.endswith("index.cbor"):
                    links.append((name, "suit.index"))
            self._links = (time.monotonic(), links)
        for query in queries:
            key, _, wanted = query.decode("utf-8", "replace").partition("=")
            if key in ("rt", "href"):
                links = [
                    link
                    for link in links
                    if _matches(link[1] if key == "rt" else "/" + link[0], wanted)
                ]
        return ",".join(f'</{name}>;rt="{kind}";obs' for name, kind in links).encode()

    # -- observations (RFC 7641)

    def _observe(self, peer, token, name, exponent, etag):
        key = (peer, token)
        known = self._observers.pop(key, None)
        if known:
            self._quiet(known)
        elif len(self._observers) >= MAX_OBSERVERS:
            return False
        elif sum(1 for host, _ in self._observers if host[0] == peer[0]) >= MAX_PER_HOST:
            return False
        self._observers[key] = _Observer(peer, token, name, exponent, etag)
        return True

    def _forget(self, observer):
        self._quiet(observer)
        self._observers.pop((observer.peer, observer.token), None)

    def _quiet(self, observer):
        if observer.timer:
            observer.timer.cancel()
            observer.timer = None
        if observer.message_id is not None:
            self._unacknowledged.pop(observer.message_id, None)
            observer.message_id = None

    def _settled(self, message, peer):
        observer = self._unacknowledged.get(message.message_id)
        if observer is None or observer.peer != peer:
            return
        if message.kind == coap.RST:
            self._forget(observer)
        else:
            self._quiet(observer)
            observer.seen = time.monotonic()

    async def _watch(self):
        while True:
            await asyncio.sleep(WATCH_S)
            oldest = time.monotonic() - OBSERVE_S
            now = {}
            for observer in list(self._observers.values()):
                name = observer.name
                if name not in now:
                    now[name] = self._store.etag(name)
                if observer.seen < oldest:
                    self._forget(observer)
                elif now[name] != observer.etag:
                    self._notify(observer)

    def _notify(self, observer):
        self._quiet(observer)
        message_id = self._new_id()
        message = Message(coap.CON, coap.CONTENT, message_id, observer.token)
        try:
            with self._store.open(observer.name) as item:
                observer.etag = item.etag
                observer.sequence = (observer.sequence + 1) & 0xFFFFFF
                message.add_uint(coap.OBSERVE, observer.sequence)
                kind = _format(observer.name)
                self._fill(message, item, 0, observer.exponent, kind, True)
            self._log(observer.peer, f"told of a new {observer.name}")
        except NotThere:  # 3.2: an error ends the observation
            message.code = coap.NOT_FOUND
            self._forget(observer)
            self._send(message, observer.peer)
            return
        observer.message_id = message_id
        self._unacknowledged[message_id] = observer
        self._transmit(observer, message, 0)

    def _transmit(self, observer, message, tries):
        if tries == len(RETRANSMIT_S):
            self._log(observer.peer, f"no answer about {observer.name}: forgotten")
            self._forget(observer)
            return
        self._send(message, observer.peer)
        observer.timer = asyncio.get_running_loop().call_later(
            RETRANSMIT_S[tries], self._transmit, observer, message, tries + 1
        )

    def _new_id(self):
        self._next_id = (self._next_id + 1) & 0xFFFF
        return self._next_id


def _format(name):
    # application/suit-envelope+cose has no CoAP number
    return coap.FORMAT_CBOR if name.endswith(".cbor") else coap.FORMAT_OCTETS


def _matches(value, wanted):
    return value.startswith(wanted[:-1]) if wanted.endswith("*") else value == wanted
