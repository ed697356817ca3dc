# Watching a CoAP resource for changes, from behind a NAT.
# MIT licence.
"""`Observer(uri)` registers for notifications of a resource (RFC 7641):

    observer = Observer("coap://updates.example/thermo/latest.suit")
    if (yield from observer.wait(3600000)):
        ...  # it is there for the first time, or its content changed

Only its first 64 bytes and the ETag travel. The registration is renewed, with the same token, some
seconds after Max-Age, and after two minutes at the latest: a NAT forgets the way back. A server
that does not know observation is asked again after each `wait` instead. Raises SuitError as
`coap_client` does.

Where sockets are so few that somebody finds none (`net.short`: an update, a report on its way) the
observer gives its own away within a second, and registers again half a minute later when no update
is under way. What it knows of the resource it keeps, so that a change in between is news."""

import os

from .. import runtime
from ..errors import SuitError
from ..numbers import R_SERVER
from . import net
from .coap_client import Client
from .coap_message import status

try:
    from micropython import const
except ImportError:

    def const(n):
        return n


_SZX = const(2)  # blocks of 64 bytes
_NAT_S = const(120)
_REORDER_MS = const(128000)  # RFC 7641 section 3.4
_LOOK_MS = const(1000)  # at least so often it looks whether its socket is wanted
_AWAY_MS = const(30000)
_BUSY = ("checking", "fetching", "installing")


class Observer:
    def __init__(self, uri):
        self.registered = False  # the server will tell
        self._client = Client(uri, 64)
        self._known = None
        self._sequence = 0
        self._heard = 0  # when, ticks
        self._keep = 0  # ms after that the registration is renewed

    def close(self):
        """Leave. The server is told once, without waiting for an answer; else it finds out by
        itself. `wait` registers anew."""
        if self.registered:
            self._client.send_get(_SZX, observe=1, again=True)
            self.registered = False
        self._client.close()

    def wait(self, timeout_ms):
        """True as soon as the resource is new, False when it stayed as it was for `timeout_ms`."""
        client = self._client
        start = net.ticks()
        asked = False
        while True:
            if net.short:
                self.close()
                asked = net.short = False
                yield _AWAY_MS
                while runtime.progress.state in _BUSY:
                    yield _LOOK_MS
            left = timeout_ms - net.elapsed(net.ticks(), start)
            keep = self._keep - net.elapsed(net.ticks(), self._heard)
            if keep <= 0 if self.registered else not asked:
                asked = True
                code = yield from client.get(_SZX, observe=0, again=self.registered)
                if client.echo and status(code) == 401:
                    echo = client.echo
                    code = yield from client.get(_SZX, observe=0, echo=echo)
                self.registered = client.observe is not None
                if self._news(code, True):
                    return True
            elif left <= 0:
                return False
            elif not self.registered:
                client.close()  # nobody will tell
                yield left
            else:
                heard = yield from client.listen(min(left, keep, _LOOK_MS))
                if heard and self._news(client.message.code, False):
                    return True

    def _news(self, code, solicited):
        """Judge a response or a notification; whether it shows other content than before."""
        client = self._client
        now = net.ticks()
        if not solicited and client.observe is not None:
            ahead = client.observe - self._sequence & 0xFFFFFF
            if not 0 < ahead < 0x800000 and net.elapsed(now, self._heard) < _REORDER_MS:
                return False  # an older one that took longer
        if status(code) != 205 or client.observe is None:
            self.registered = False
        if status(code) != 205:
            raise SuitError(R_SERVER, status(code))
        self._sequence = client.observe
        self._heard = now
        # 5 to 15 s after it has gone stale, and not in step with others
        self._keep = (min(client.max_age, _NAT_S) + 5) * 1000 + os.urandom(1)[0] * 39
        m = client.message
        found = client.etag or bytes(client.rx[m.payload : m.stop])
        changed, self._known = found != self._known, found
        return changed
