# Who observes the status of a board, and when each is told.
# MIT licence.
"""`Observers` keeps at most four (RFC 7641 section 4). Notifications are confirmable, one on its way
to each. One that is not acknowledged is sent again as a new message with the state as it is by then
(section 4.5.2), four times in all; then its observer is forgotten, as it is after a reset."""

from .transports import net

try:
    from micropython import const
except ImportError:

    def const(n):
        return n


_MOST = const(4)
_LOOK_MS = const(500)  # between looks at the status, while somebody observes it
_RENEW_MS = const(50000)  # a notification at least so often: Max-Age is 60 s
_FIRST_MS = const(2000)  # until it is sent again, then doubled
_TRIES = const(4)


class Observer:
    """`mid`: of the notification on its way, or None; `seen`: ETag of what it was told last."""

    def __init__(self, peer, token, szx, etag):
        self.peer = peer
        self.token = token
        self.szx = szx
        self.seen = etag
        self.mid = None
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
        for old in self._all:
            if old.peer == peer and old.token == token:
                self._all.remove(old)
                break
        if not wanted or len(self._all) >= _MOST:
            return None
        self._all.append(Observer(peer, token, szx, etag))
        return self._sequence

    def answered(self, peer, mid, reset):
        """An acknowledgement or a reset has come."""
        for observer in self._all:
            if observer.mid == mid and observer.peer == peer:
                observer.mid = None
                if reset:
                    self._all.remove(observer)
                return

    def notify(self, server):
        """Tell those who do not know yet; called often."""
        if not self._all:
            return
        now = net.ticks()
        if net.elapsed(now, self._looked) > _LOOK_MS:
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
            elif observer.seen != server.etag or since > _RENEW_MS:
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
