# A board that is found by those who do not know its address: CoAP discovery by multicast.
# MIT licence.
"""`beside(server, config)` gives something with the `step` and `close` of a coap_server.Server that also
answers `GET /.well-known/core` sent to all CoAP nodes (224.0.1.187 port 5683; RFC 7252 sections 8 and
12.8). Where the network cannot do that it is the server all the same.

The group has a socket of its own. Of what comes there only that one request is heard, and only when
it is non-confirmable and its query (RFC 6690 section 4.1), where it has one, asks for an `rt` that is
here; no errors (8.1). The answer is the server's own, from its own port, after a random while of up to
a second so that not all boards speak at once (8.2). Four may be waiting.

A port with few sockets (`FEW_SOCKETS`) has its server's socket join the group, if that has the port of
the group; then the server answers at once."""

import os
import select
import socket

from .errors import SuitError
from .port import chip
from .transports import coap_message as coap
from .transports import net

try:
    from micropython import const
except ImportError:

    def const(n):
        return n


GROUP = "224.0.1.187"
_PORT = const(5683)
_REQUEST = const(128)  # bytes
_LINK_FORMAT = const(40)
_WAITING = const(4)
_LEISURE_MS = const(1000)
_HERE = ("suit.status", "suit.nudge", "suit.report")


def _four(address):
    return bytes([int(part) for part in address.split(".")])


def _join(sock, interface):
    # as POSIX has it: group, then the address of an interface
    level = getattr(socket, "IPPROTO_IP", 0)
    sock.setsockopt(level, socket.IP_ADD_MEMBERSHIP, _four(GROUP) + _four(interface))


def _share(sock, how):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, how)


def _opened(own, config):
    """A socket that hears the group beside `own`, the server's."""
    found = net.address(GROUP, _PORT, socket.SOCK_DGRAM)
    sock = socket.socket(found[0], socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)
        # several boards on one machine, and `own` may have the same port
        _share(sock, 1)
        if config.port == _PORT:
            _share(own, 1)
        sock.bind(found[-1])
        _join(sock, config.bind)
        return sock
    except (OSError, ValueError, AttributeError):
        sock.close()
        raise
    finally:
        if config.port == _PORT:
            _share(own, 0)


def beside(server, config):
    try:
        if not getattr(chip(), "FEW_SOCKETS", False):
            return Found(server, _opened(server.sock, config))
        if config.port == _PORT:
            _join(server.sock, config.bind)
    except (OSError, SuitError, ValueError, AttributeError):
        pass  # no such option, no network that has groups, an address of IPv6: found by its address
    return Found(server, None)


def wanted(data):
    """Whether the datagram `data` is the one request that the group may ask."""
    m = coap.Message(data)
    m.parse(0, len(data))
    if m.type != coap.NON or m.code != coap.GET:
        return False
    path = []
    while m.next():
        if m.number == coap.URI_PATH:
            path.append(m.value())
        elif m.number == coap.URI_QUERY:
            name, _, value = str(m.value(), "utf-8").partition("=")
            start = value[:-1] if value[-1:] == "*" else None
            if name != "rt" or not [
                rt for rt in _HERE if rt == value or start is not None and rt.startswith(start)
            ]:
                return False
        elif m.number == coap.ACCEPT:
            if m.uint() != _LINK_FORMAT:
                return False
        elif m.number & 1 and m.number not in (coap.URI_HOST, coap.URI_PORT, coap.BLOCK2):
            return False
    return path == [b".well-known", b"core"]


class Found:
    """`server`, and what `sock` (None: nothing) hears."""

    def __init__(self, server, sock):
        self._server = server
        self._sock = sock
        self._waiting = []  # (ticks, ms after them, datagram, peer)
        if sock:
            self._poller = select.poll()
            self._poller.register(sock, select.POLLIN)

    def step(self):
        self._server.step()
        if self._sock:
            self._hear()
        now = net.ticks()
        for entry in self._waiting:
            if net.elapsed(now, entry[0]) >= entry[1]:
                self._waiting.remove(entry)
                try:
                    self._server._message(memoryview(entry[2]), entry[3])
                except (SuitError, MemoryError):
                    pass  # as if it had been lost
                break  # the others at the next step

    def _hear(self):
        if not self._poller.poll(0):
            return
        try:
            data, peer = self._sock.recvfrom(_REQUEST)
            if len(self._waiting) < _WAITING and len(data) < _REQUEST and wanted(data):
                # ticks wrap, so that nothing may be added to them
                pause = os.urandom(1)[0] * _LEISURE_MS // 256
                self._waiting.append((net.ticks(), pause, data, peer))
        except (OSError, SuitError, MemoryError, UnicodeError):
            pass

    def close(self):
        if self._sock:
            self._sock.close()
            self._sock = None
