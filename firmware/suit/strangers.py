# Updates that somebody asked for over the network: what one may cost, and how often.
# MIT licence.
"""Whoever answers an Echo can make a board fetch an envelope. `Visit` is one such update, `Visitors`
remembers who came in vain:

    wait_ms = visitors.wait_ms(host)    # 0: a nudge from there may be taken
    visit = Visit(uri, host, stranger)  # `stranger`: not to a configured server
    visit.begin()
    ...                                 # visit.verdict() between the steps of the update
    visitors.left(visit)

* An update that was not armed costs its visitor a point, and one more for every five seconds as long
  as no trusted key had signed for what was offered. Twenty points are free; then comes a pause of 1 s
  that every further point doubles, up to a quarter of an hour. Points are forgotten four hours after
  the last one, and at a reset.
* Four visitors are remembered. A fifth goes on from the points of the one who has fewest, so that
  many addresses are no way around it.
* A stranger's envelope has to be there and signed by a trusted key within two minutes.
* Until then, and once it has taken five, it makes way for an update from a configured server
  (`makes_way`, `over`); not any more while what was fetched is being judged.

Times are ticks of net.py in ms."""

from . import runtime
from .numbers import R_BUSY, R_NETWORK
from .transports import net

try:
    from micropython import const
except ImportError:

    def const(n):
        return n


_MOST = const(4)  # visitors that are remembered
_FREE = const(20)  # points
_LONGEST = const(900000)  # ms
_DOUBLINGS = const(10)  # from one second to more than _LONGEST
_FORGET_MS = const(14400000)
_POINT_MS = const(5000)
_SIGNED_MS = const(120000)
_UNDISTURBED_MS = const(300000)


class Visit:
    """`over`: it was asked to make way."""

    def __init__(self, uri, host, stranger):
        self.uri = uri
        self.host = host
        self.stranger = stranger
        self.over = False
        self.begin()

    def begin(self):
        self._began = net.ticks()

    def elapsed(self):
        return net.elapsed(net.ticks(), self._began)

    def makes_way(self):
        """May a configured server's update end this one?"""
        p = runtime.progress
        early = not p.vouched or self.elapsed() > _UNDISTURBED_MS
        return self.stranger and early and p.state in ("checking", "fetching")

    def verdict(self):
        """-> (reason, detail) why it has to end now, or None."""
        if self.over:
            return R_BUSY, "a configured server goes first"
        if self.stranger and not runtime.progress.vouched and self.elapsed() > _SIGNED_MS:
            return R_NETWORK, "slow"
        return None


class Visitors:
    def __init__(self):
        self._all = []  # [host, points, when the last one came]

    def _find(self, host):
        """The entry that holds for `host`, or None."""
        now = net.ticks()
        self._all = [e for e in self._all if 0 <= net.elapsed(now, e[2]) < _FORGET_MS]
        least = None
        for entry in self._all:
            if entry[0] == host:
                return entry
            if least is None or entry[1] < least[1]:
                least = entry
        return least if len(self._all) >= _MOST else None

    def wait_ms(self, host):
        """-> ms until `host` may ask again, 0 for now."""
        entry = self._find(host)
        if entry is None or entry[1] < _FREE:
            return 0
        pause = min(1000 << min(entry[1] - _FREE, _DOUBLINGS), _LONGEST)
        return max(pause - net.elapsed(net.ticks(), entry[2]), 0)

    def left(self, visit):
        """`visit` is over; count what it cost."""
        p = runtime.progress
        if p.state == "armed":
            return
        entry = self._find(visit.host)
        if entry is None:
            entry = [visit.host, 0, 0]
            self._all.append(entry)
        entry[0] = visit.host
        entry[1] += 1 if p.vouched else 1 + max(visit.elapsed(), 0) // _POINT_MS
        entry[2] = net.ticks()
