# The watchdog of a trial: a timer feeds it until the deadline, then nobody does.
# MIT licence.
"""A hardware watchdog may last only seconds (RP2040: 8.4), a self-test longer, and an app should
not have to feed it:

    w = Watchdog(chip)
    w.start(300)        # seconds for the validation
    w.start(60)         # seconds the app has to confirm
    w.stop()            # confirmed, or Ctrl-C at the console

A hang that keeps even the timer from running resets sooner, one that does not at the deadline."""

import time


class Watchdog:
    """Over `chip`, a port module. `limit_ms`: what the hardware is set to, None for the port's
    own."""

    def __init__(self, chip, limit_ms=None):
        self._chip = chip
        self._limit_ms = min(limit_ms or chip.WDT_LIMIT, chip.WDT_LIMIT)
        self._hardware = None
        self._timer = None
        self._deadline = 0

    def start(self, seconds):
        """Watch from now on, or move the deadline. At most six days."""
        self._deadline = time.ticks_add(time.ticks_ms(), min(seconds, 518400) * 1000)
        if self._hardware is None:
            self._hardware = self._chip.watch(self._limit_ms)
            self._timer = self._chip.timer(self._tick)

    def _tick(self, timer):
        if self._hardware and time.ticks_diff(self._deadline, time.ticks_ms()) > 0:
            self._hardware.feed()

    def stop(self):
        """Nobody watches any more."""
        if self._hardware:
            self._hardware = None
            self._timer.deinit()
            self._chip.unwatch()
