# Reachable by CoAP: discovery, status, nudge; and looking at the servers from behind a NAT.
# MIT licence.
"""`await suit.listen()` and `await suit.poll()` beside an asyncio app; `serve()` and `look()` are
the generators behind them (see wait.py), for whoever drives them otherwise. Both join the Wi-Fi of the
configuration first (online.py).

    GET  /.well-known/core    what is here (RFC 6690)
    GET  /suit/status         CBOR, observable (see api.status)
    POST /suit/nudge          the URI of an envelope, or nothing: look at the configured servers

A nudge says where to look and nothing else. It is taken when the URI is at a configured server, or
at the address the nudge came from (coap_server asks for an Echo first); 4.03 otherwise, 5.03 while
an update or a trial runs, 4.29 to who came in vain too often. The update then runs here, with
requests answered in between. What it may cost when a stranger asked for it, and that a configured
server goes first, is in strangers.py.

`look` asks every `poll` seconds of the configuration, an eighth more or less so that not all
boards come at once. Where the first server speaks CoAP its envelope is observed, and nothing is
fetched until it changes. It ends at once where the configuration names no server or no
interval."""

import os
import socket

from . import runtime, strangers, thrift, transports
from .errors import SuitError
from .online import online
from .port import chip
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
_REST_MS = const(2000)  # after an attempt that a server's news led to; doubles up to the time between polls
_TURNS = const(100)  # times 20 ms until an update has made way


async def listen():
    await online()
    _reports()
    await drive(serve())


async def poll():
    await online()
    _reports()
    await drive(look())


def _reports():
    from .optional import optional

    delivery = optional("delivery")
    if delivery:
        delivery.start()


class Site:
    """What the server shows, and the nudge it has taken: `wanted` is a Visit that has not begun."""

    def __init__(self, config):
        self._servers = config.servers
        self._visitors = strangers.Visitors()
        self.wanted = None
        self.again = 10  # s

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
        from .transports.coap_message import CHANGED, FORBIDDEN, TOO_MANY, UNAVAILABLE

        known = at_server(uri, self._servers) if uri else bool(self._servers)
        if not known and not (uri and at_host(uri, host)):
            return FORBIDDEN
        wait = self._visitors.wait_ms(host)
        self.again = wait // 1000 + 1 if wait else 10
        if wait:
            return TOO_MANY
        if self.wanted is not None or updater.busy() and not (known and make_way()):
            return UNAVAILABLE
        self.wanted = strangers.Visit(uri, host, not known)
        return CHANGED

    def left(self, visit):
        self._visitors.left(visit)


_visit = None  # the nudge that is being followed


def make_way():
    """Whether what is under way ends for an update from a configured server, and see to it."""
    if _visit is None or not _visit.makes_way():
        return False
    _visit.over = True
    return True


def at_host(uri, host):
    """Whether `uri` is at `host`, the address of who asks."""
    place = _place(uri)
    return bool(place) and place[1] == host


def at_server(uri, servers):
    """Whether `uri` is at one of `servers`."""
    place = _place(uri)
    return bool(place) and place in [_place(server) for server in servers]


def _place(uri):
    """(scheme, host, port), or None for what is no URL on a network."""
    try:
        place = transports.split(uri)[:3]
    except SuitError:
        return None
    return place if place[0] in ("http", "https", "coap") else None


def serve(config=None):
    """Generator without an end: answer requests and run the updates that nudges ask for."""
    from .coap_server import Server

    if config is None:
        from .config import read

        config = read(runtime.root)
    from .optional import optional

    multicast = optional("multicast")
    found = net.address(config.bind, config.port, socket.SOCK_DGRAM)
    sock = socket.socket(found[0], socket.SOCK_DGRAM)
    server = None
    try:
        sock.setblocking(False)
        sock.bind(found[-1])
        site = Site(config)
        server = Server(sock, site)
        if multicast:
            server = multicast.beside(server, config)
        want = [sock, READ, _STEP_MS]
        while True:
            yield want
            server.step()
            if runtime.settle_at is not None:
                _settle()
            if site.wanted is not None:
                yield from _follow(site, server)
    finally:
        if server and multicast:
            server.close()
        sock.close()


def _follow(site, server):
    """The update that a nudge asked for."""
    global _visit
    visit = _visit = site.wanted
    site.wanted = None
    visit.begin()
    try:
        update = _updater().update(visit.uri or None, strict=visit.stranger)
        yield from _beside(update, server, visit)
    except Exception:
        # whatever an update meets, the board stays reachable; the progress has the reason
        pass
    finally:
        _visit = None
        site.left(visit)


def _updater():
    """The module, which is large and comes when an app has its heap in use: it may use the reserve, and
    where there is no room that is no reason to end the app."""
    before = thrift.begin()
    try:
        from . import updater
    finally:
        thrift.end(before)
    return updater


def _settle():
    from . import api

    try:
        api.settle()
    except OSError:
        pass  # the next boot counts one crash too many


def _beside(gen, server, visit):
    """Drive `gen`, letting `server` answer between its steps, for as long as `visit` may last."""
    answer = None
    wait = [None, READ, 0]
    while True:
        why = visit.verdict()
        if why:
            gen.close()
            runtime.progress.reason, runtime.progress.detail = why
            return
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
        while left > 0 and not visit.verdict():
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
    # while the update is fetched from here nobody sees to it that the observer gives up its socket
    share = observer and getattr(chip(), "FEW_SOCKETS", False)
    settled = False  # the last attempt gave an answer
    rest = _REST_MS
    pause = os.urandom(1)[0] * 20  # ms; boards that were switched on together
    while True:
        news = True
        if observer:
            try:
                news = yield from observer.wait(pause)
            except SuitError:
                if share:
                    observer.close()
                yield pause
        else:
            yield pause
        watched = observer and observer.registered and len(config.servers) == 1
        if news or not settled or not watched:
            if share:
                observer.close()
            settled = yield from _attempt()
            if observer:
                # whoever answers for the server has no say in how often flash is written
                yield rest
                rest = min(rest * 2, config.poll * 1000)
        seconds = config.poll if settled else min(config.poll, _AGAIN_S)
        pause = seconds * (896 + os.urandom(1)[0])  # ms, 7/8 to 9/8


def _attempt():
    """One look at the servers; whether they gave an answer, good or bad."""
    try:
        updater = _updater()
        if updater.busy():
            if not make_way():
                return False
            for _ in range(_TURNS):
                yield _SLICE_MS
                if not updater.busy():
                    break
        yield from updater.update()
    except MemoryError:
        return False
    except Exception:
        pass  # as in `_follow`
    return runtime.progress.state not in ("failed", "waiting")
