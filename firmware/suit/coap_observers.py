# Who observes the status of a board, and when each is told.
# MIT licence.
"""`Observers` keeps at most four (RFC 7641 section 4). Notifications are confirmable, one on its way
to each. One that is not acknowledged is sent again as a new message with the state as it is by then
(section 4.5.2), four times in all; then its observer is forgotten, as it is after a reset.

Nobody can push those out who are there: from one address there are two, its older one makes way.
For another address, when all four places are taken, the oldest one makes way that never acknowledged
a notification; the first one is sent two seconds after it came, so that whoever is there has a
chance to. Are there none, the new one gets its answer and no notifications."""

from .transports import net

try:
    from micropython import const
except ImportError:

    def const(n):
        return n


_MOST = const(4)
_EACH = const(2)  # from one address
_PROVE_MS = const(2000)  # until somebody new is asked for an acknowledgement
_LOOK_MS = const(500)  # between looks at the status, while somebody observes it
_RENEW_MS = const(50000)  # a notification at least so often: Max-Age is 60 s
_FIRST_MS = const(2000)  # until it is sent again, then doubled
_TRIES = const(4)


class Observer:
    """`mid`: of the notification on its way, or None; `seen`: ETag of what it was told last; `there`:
    it has acknowledged one."""

    def __init__(self, peer, token, szx, etag):
        self.peer = peer
        self.token = token
        self.szx = szx
        self.seen = etag
        self.mid = None
        self.there = False
        self.tries = 0
        self.wait = 0  # ms
        self.sent = net.ticks()


class Observers:
    def __init__(self):
        self._all = []
        self._sequence = 0
        self._looked = net.ticks()

    def register(self, peer, token, szx, etag, wanted):
        """Take (peer, token) off the list, and on to it when `wanted`; -> the value of the Observe
        option, or None when it does not observe."""
        new = Observer(peer, token, szx, etag)
        for old in self._all:
            if old.peer == peer and old.token == token:
                new.there = old.there
                self._all.remove(old)
                break
        if not wanted or not self._room(peer):
            return None
        self._all.append(new)
        return self._sequence

    def _room(self, peer):
        """Make room for one more from `peer`; whether there is some."""
        host = net.peer(peer)[0]
        same = [old for old in self._all if net.peer(old.peer)[0] == host]
        if len(same) >= _EACH:
            # of two that are there it is the sender who decides
            self._all.remove(same[0])
        elif len(self._all) >= _MOST:
            for old in self._all:
                if not old.there:
                    self._all.remove(old)
                    return True
            return False
        return True

    def answered(self, peer, mid, reset):
        """An acknowledgement or a reset has come."""
        for observer in self._all:
            if observer.mid == mid and observer.peer == peer:
                observer.mid = None
                observer.there = True
                if reset:
                    self._all.remove(observer)
                return

    def notify(self, server):
        """Tell those who do not know yet; called often."""
        if not self._all:
            return
        now = net.ticks()
        if not 0 <= net.elapsed(now, self._looked) <= _LOOK_MS:  # negative after six days
            self._looked = now
            server.look(True)
        for observer in self._all:
            since = net.elapsed(now, observer.sent)
            if observer.mid is not None:
                if since < observer.wait:
                    continue
                if observer.tries >= _TRIES:
                    self._all.remove(observer)
                    return  # the others in the next step
                observer.tries += 1
                observer.wait *= 2
            elif (
                observer.seen != server.etag
                or since > _RENEW_MS
                or not observer.there and since > _PROVE_MS
            ):
                observer.tries = 1
                observer.wait = _FIRST_MS
            else:
                continue
            self._sequence = self._sequence + 1 & 0xFFFFFF
            observer.sent = now
            observer.seen = server.etag
            observer.mid = server.notify(
                observer.peer, observer.token, observer.szx, self._sequence
            )
