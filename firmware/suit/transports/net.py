# Sockets, with what differs between ports and interpreters in one place.
# MIT licence.
"""Nonblocking sockets for the transports and the listener.

* Addresses are opaque: packed bytes on the Unix port, tuples on boards; `peer()` reads both.
* "Nothing yet" is None from `receive` and `send`, whichever way the port says it.
* Failures of the network are SuitError(R_NETWORK, errno or "dns"); the socket is closed by its
  owner.
* `short`: no socket was left for somebody, who tries again. Who can do without its own for a while
  closes it then (coap_observe.py); boards have as few as five.

MicroPython's `readinto` reads on until the buffer is full, so on UDP it would join two queued
datagrams into one. Where the length to expect is not known, `datagram` pays for one allocation and
gets exactly one."""

import errno
import socket
import time

from .. import runtime
from ..errors import SuitError
from ..numbers import R_NETWORK

try:
    from micropython import const
except ImportError:

    def const(n):
        return n


_GRACE = const(120)  # seconds
_SLOWEST = const(64)  # bytes a second
_STRANGERS = const(1024)  # where somebody asked for the update who is no configured server
EMPTY = (errno.EAGAIN, errno.ETIMEDOUT)  # what a port may say for "nothing yet"
short = False
_PENDING = (errno.EINPROGRESS, errno.EALREADY) + EMPTY

try:
    _ticks = time.ticks_ms
    elapsed = time.ticks_diff
except AttributeError:  # CPython

    def _ticks():
        return time.monotonic_ns() // 1000000

    def elapsed(now, then):
        """`now - then` in ms."""
        return now - then


def ticks():
    """A clock in ms; subtract with `elapsed`."""
    return _ticks()


class Pace:
    """Ends a transfer that somebody drags out: less than 64 bytes a second on average (1024 in an
    update that a stranger asked for), once two minutes have passed. An update that hangs on a slow
    server would keep others away."""

    def __init__(self):
        self._least = _STRANGERS if runtime.strict else _SLOWEST
        self._start = ticks()
        self._bytes = 0

    def count(self, n):
        """`n` more bytes have come. SuitError(R_NETWORK, "slow")."""
        self._bytes += n
        seconds = elapsed(ticks(), self._start) // 1000
        if seconds > _GRACE and self._bytes < self._least * seconds:
            raise SuitError(R_NETWORK, "slow")


def address(host, port, kind):
    """The socket address of `host`; getaddrinfo blocks on every port. SuitError(R_NETWORK,
    "dns")."""
    try:
        found = socket.getaddrinfo(host, port, 0, kind)
    except OSError:
        raise SuitError(R_NETWORK, "dns")
    if not found:
        raise SuitError(R_NETWORK, "dns")
    return found[0]


def connect(host, port, kind):
    """A nonblocking socket of `kind` (SOCK_STREAM: connecting; SOCK_DGRAM: hears only this
    peer)."""
    global short
    found = address(host, port, kind)
    try:
        sock = socket.socket(found[0], kind)
    except OSError as error:
        short = True
        raise SuitError(R_NETWORK, error.errno)
    sock.setblocking(False)
    try:
        sock.connect(found[-1])
    except OSError as error:
        if error.errno not in _PENDING:
            sock.close()
            raise SuitError(R_NETWORK, error.errno)
    return sock


def send(sock, view):
    """Bytes sent, or None when the buffers are full. SuitError(R_NETWORK, errno)."""
    try:
        if hasattr(sock, "send"):
            return sock.send(view)
        return sock.write(view)  # TLS
    except OSError as error:
        if error.errno in _PENDING:
            return None
        raise SuitError(R_NETWORK, error.errno)


def receive(sock, view):
    """Bytes read into `view`, 0 when the peer has ended, None when there is nothing yet.
    SuitError(R_NETWORK, errno). A TLS socket works here too."""
    try:
        if hasattr(sock, "readinto"):
            return sock.readinto(view)
        return sock.recv_into(view)
    except OSError as error:
        if error.errno in EMPTY:
            return None
        raise SuitError(R_NETWORK, error.errno)


def datagram(sock, view):
    """As `receive`, but surely one datagram; allocates `len(view)` bytes on MicroPython."""
    if hasattr(sock, "recv_into"):
        return receive(sock, view)
    try:
        data = sock.recv(len(view))
    except MemoryError:
        return receive(sock, view)  # nothing has been read yet
    except OSError as error:
        if error.errno in EMPTY:
            return None
        raise SuitError(R_NETWORK, error.errno)
    view[: len(data)] = data
    return len(data)


def peer(sockaddr):
    """(host as text, port) of a socket address."""
    if isinstance(sockaddr, tuple):
        return sockaddr[0], sockaddr[1]
    parts = socket.sockaddr(sockaddr)
    return socket.inet_ntop(parts[0], parts[1]), parts[2]
