"""The transports' clock for tests: `with Clock() as now:` time passes when `now[0]` (ms) is changed."""

from suit.transports import net


class Clock:
    def __enter__(self):
        self._saved = net.ticks
        self.now = [1000]
        net.ticks = lambda: self.now[0]
        return self.now

    def __exit__(self, *why):
        net.ticks = self._saved
