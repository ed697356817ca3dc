"""One release folder served over HTTP and CoAP at once.

    async with ReleaseServer("build/release", http_port=8080, coap_port=5683) as server:
        print(server.urls("latest.suit"))

Ports: 0 takes a free one, None leaves that protocol out; `server.http_port` and `server.coap_port` say which they became.
`inbox` (inbox.Inbox) takes the reports of boards, at /reports. `log(protocol, peer, text)` is called for what devices ask."""

import errno
import socket

from suitup.errors import Failure
from suitup.serve.coap import CoAPServer
from suitup.serve.http import HTTPServer
from suitup.serve.store import ReleaseStore

LATEST = "latest.suit"


class ReleaseServer:
    """See above. `bind`: an address of this machine; "0.0.0.0" or "::" for all of them."""

    def __init__(self, folder, bind="127.0.0.1", http_port=0, coap_port=0, log=None, echo="auto", inbox=None):
        self.store = ReleaseStore(folder)
        self._bind = bind
        self._wanted = (http_port, coap_port)
        log = log or (lambda protocol, peer, text: None)
        self._http = HTTPServer(self.store, lambda peer, text: log("http", peer, text), inbox=inbox)
        self._coap = CoAPServer(
            self.store, lambda peer, text: log("coap", _address(peer), text), echo, inbox
        )

    @property
    def http_port(self):
        return self._http.port

    @property
    def coap_port(self):
        return self._coap.port

    async def __aenter__(self):
        try:
            for part, port in zip((self._http, self._coap), self._wanted):
                if port is not None:
                    await self._start(part, port)
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(self, *_):
        await self.stop()

    async def stop(self):
        await self._http.stop()
        await self._coap.stop()

    async def _start(self, part, port):
        try:
            await part.start(self._bind, port)
        except OSError as error:
            kind = "TCP" if part is self._http else "UDP"
            hints = {
                errno.EADDRINUSE: "another program serves there: name another port, or 0 for any",
                errno.EACCES: "ports below 1024 need privileges: name a higher one",
                errno.EADDRNOTAVAIL: "--bind takes an address of this machine, or 0.0.0.0",
            }
            raise Failure(
                f"cannot listen on {self._bind} {kind} port {port}",
                error.strerror,
                hints.get(error.errno),
            )

    def url(self, protocol: str, name=LATEST, towards=None) -> str:
        """Where a device finds a file. `protocol`: "http" or "coap"; `towards`: address of the
        device, so that the URL names the interface that faces it when all are served."""
        port = self._http.port if protocol == "http" else self._coap.port
        host = self._bind
        if host in ("0.0.0.0", "::"):
            host = own_address(towards)
        if ":" in host:
            host = f"[{host}]"
        default = {"http": 80, "coap": 5683}[protocol]
        return f"{protocol}://{host}{'' if port == default else f':{port}'}/{name}"

    def urls(self, name=LATEST) -> list:
        """The URLs of a file over every protocol that is served."""
        ports = (("coap", self._coap.port), ("http", self._http.port))
        return [self.url(protocol, name) for protocol, port in ports if port is not None]


def own_address(towards=None) -> str:
    """The address of this machine that faces `towards` (default: the way out), without sending
    anything."""
    towards = towards or "192.0.2.1"  # documentation range: any routed address does
    family = socket.AF_INET6 if ":" in towards else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((towards, 9))
            return probe.getsockname()[0]
        except OSError:
            return "127.0.0.1"


def _address(peer):
    return f"[{peer[0]}]:{peer[1]}" if ":" in peer[0] else f"{peer[0]}:{peer[1]}"
