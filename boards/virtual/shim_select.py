# `select` whose waits let timers run, as on a board.
# MIT licence.
"""Stands in `sys.modules` as `select`: a long wait becomes short ones, and soft timers run in between."""

import select as _select
import time
from select import POLLERR, POLLHUP, POLLIN, POLLOUT  # noqa: F401

_SLICE = 20  # ms; the most a timer callback waits


class _Poll:
    def __init__(self):
        self._poll = _select.poll()
        self.register = self._poll.register
        self.unregister = self._poll.unregister
        self.modify = self._poll.modify

    def _wait(self, wait, timeout, *flags):
        if 0 <= timeout <= _SLICE:
            return wait(timeout, *flags)
        start = time.ticks_ms()
        while True:
            left = _SLICE if timeout < 0 else timeout - time.ticks_diff(time.ticks_ms(), start)
            if left <= _SLICE:
                if timeout >= 0:
                    return wait(max(left, 0), *flags)
                left = _SLICE
            # whether something is ready is asked of poll(): an exhausted ipoll() could not be handed on
            if self._poll.poll(min(left, _SLICE)):
                return wait(0, *flags)

    def poll(self, timeout=-1, *flags):
        return self._wait(self._poll.poll, timeout, *flags)

    def ipoll(self, timeout=-1, *flags):
        return self._wait(self._poll.ipoll, timeout, *flags)


def poll():
    return _Poll()
