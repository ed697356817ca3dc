# Reachable by CoAP: discovery, status, nudge; and looking at the servers from behind a NAT.
# MIT licence.
"""`await suit.listen()` and `await suit.poll()` beside an asyncio app; `serve()` and `look()` are
the generators behind them (see wait.py), for whoever drives them otherwise.

    GET  /.well-known/core    what is here (RFC 6690)
    GET  /suit/status         CBOR, observable (see api.status)
    POST /suit/nudge          the URI of an envelope, or nothing: look at the configured servers

A nudge says where to look and nothing else. It is taken when the URI is at a configured server, or
at the address the nudge came from (coap_server asks for an Echo first); 4.03 otherwise, 5.03 while
an update or a trial runs. The update then runs here, with requests answered in between.

`look` asks every `poll` seconds of the configuration, an eighth more or less so that not all
boards come at once. Where the first server speaks CoAP its envelope is observed, and nothing is
fetched until it changes. It ends at once where the configuration names no server or no
interval."""

import os
import socket

from . import runtime, transports
from .errors import SuitError
from .transports import net
from .wait import READ, drive

try:
    from micropython import const
except ImportError:

    def const(n):
        return n


_STEP_MS = const(500)  # at least so often are observers looked after
_SLICE_MS = const(20)  # between requests while an update waits for its own socket
_AGAIN_S = const(300)  # at most, after an attempt that failed


async def listen():
    await drive(serve())


async def poll():
    await drive(look())


class Site:
    """What the server shows, and the nudge it has taken: `wanted` is a URI, "" or None."""

    def __init__(self, config):
        self._servers = config.servers
        self.wanted = None

    def status(self):
        from . import api
        from .cbor import encode

        told = api.status()
        body = encode(told)
        for key in ("uptime", "free"):
            told.pop(key)
        return body, encode(told)

    def report(self):
        from .optional import optional

        reporting = optional("reporting")
        return reporting.load() if reporting else None

    def nudge(self, uri, host):
        from . import updater
        from .transports.coap_message import CHANGED, FORBIDDEN, UNAVAILABLE

        if not (may_look(uri, host, self._servers) if uri else self._servers):
            return FORBIDDEN
        if self.wanted is not None or updater.busy():
            return UNAVAILABLE
        self.wanted = uri
        return CHANGED


def may_look(uri, host, servers):
    """Whether `uri` is at `host`, the address of who asks, or at one of `servers`."""
    place = _place(uri)
    if not place or place[0] not in ("http", "https", "coap"):
        return False
    return place[1] == host or place in [_place(server) for server in servers]


def _place(uri):
    """(scheme, host, port), or None for what is no URL."""
    try:
        return transports.split(uri)[:3]
    except SuitError:
        return None


def serve(config=None):
    """Generator without an end: answer requests and run the updates that nudges ask for."""
    from . import updater
    from .coap_server import Server

    if config is None:
        from .config import read

        config = read(runtime.root)
    found = net.address(config.bind, config.port, socket.SOCK_DGRAM)
    sock = socket.socket(found[0], socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)
        sock.bind(found[-1])
        site = Site(config)
        server = Server(sock, site)
        want = [sock, READ, _STEP_MS]
        while True:
            yield want
            server.step()
            if runtime.settle_at is not None:
                _settle()
            if site.wanted is not None:
                uri, site.wanted = site.wanted or None, None
                try:
                    yield from _beside(updater.update(uri), server)
                except Exception:
                    # whatever an update meets, the board stays reachable; the progress has the reason
                    pass
    finally:
        sock.close()


def _settle():
    from . import api

    try:
        api.settle()
    except OSError:
        pass  # the next boot counts one crash too many


def _beside(gen, server):
    """Drive `gen`, letting `server` answer between its steps."""
    answer = None
    wait = [None, READ, 0]
    while True:
        try:
            want = gen.send(answer)
        except StopIteration:
            return
        server.step()
        answer = None
        if want is None:
            yield
            continue
        waits = isinstance(want, list)
        left = want[2] if waits else want
        while left > 0:
            slice_ms = min(left, _SLICE_MS)
            left -= slice_ms
            if waits:
                wait[0], wait[1], wait[2] = want[0], want[1], slice_ms
                answer = yield wait
                server.step()
                if answer:
                    break
            else:
                yield slice_ms
                server.step()


def look(config=None):
    """Generator: update whenever there may be something new."""
    if config is None:
        from .config import read

        config = read(runtime.root)
    if not config.poll or not config.servers:
        return
    observer = None
    first = config.servers[0]
    if transports.scheme(first) == "coap":
        from .transports.coap_observe import Observer

        observer = Observer(first + "latest.suit" if first.endswith("/") else first)
    settled = False  # the last attempt gave an answer
    pause = os.urandom(1)[0] * 20  # ms; boards that were switched on together
    while True:
        news = True
        if observer:
            try:
                news = yield from observer.wait(pause)
            except SuitError:
                yield pause
        else:
            yield pause
        watched = observer and observer.registered and len(config.servers) == 1
        if news or not settled or not watched:
            settled = yield from _attempt()
        seconds = config.poll if settled else min(config.poll, _AGAIN_S)
        pause = seconds * (896 + os.urandom(1)[0])  # ms, 7/8 to 9/8


def _attempt():
    """One look at the servers; whether they gave an answer, good or bad."""
    from . import updater

    if updater.busy():
        return False
    try:
        yield from updater.update()
    except Exception:
        pass  # as in `serve`
    return runtime.progress.state not in ("failed", "waiting")
