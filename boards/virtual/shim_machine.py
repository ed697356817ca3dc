# `machine` on the virtual board: what a Pico or an ESP32 has of it and an updater needs.
# MIT licence.
"""Stands in `sys.modules` as `machine`. What a process cannot do to itself (end, be killed by a watchdog) is asked of the
supervisor over the control channel, one line per request.

Constants have the values that RP2040 and ESP32 agree on. `WDT` is ESP32's: building it again changes the timeout, a huge
timeout disarms it, nothing else does. `Timer` callbacks run between bytecodes of the main program, as soft timers do.
Facts implemented (platform.md): section 1, "WDT" and reset causes of ESP32 (its watchdog has no stop call and is built again);
section 2, reset causes of RP2040 (power 1, watchdog 3), not its 8.4 s limit and its registers: those are emulated
(tests/board/test_rp2040.py) or counted in tests/unit/test_ports.py.
No `mem_backup` (new in MicroPython 1.29) and no `mem32`: there is no register behind it here."""

import _thread
import time

import micropython

PWRON_RESET = 1
HARD_RESET = 2
WDT_RESET = 3
DEEPSLEEP_RESET = 4
SOFT_RESET = 5

VIRTUAL = True  # so that a port can tell

_control = None
_uid = b""
_cause = PWRON_RESET
_sleep_ms = time.sleep_ms


def setup(control, uid, cause):
    """Called once by board.py, before anything else of a board runs."""
    global _control, _uid, _cause
    _control = control
    _uid = uid
    _cause = cause


def ask(line):
    """Tell the supervisor. Short writes to a pipe are whole, from any thread."""
    _control.write(line + b"\n")


_TORN = b"torn\n"


def end_torn():
    """Ask for a new interpreter without a byte of new memory: there is none to be had."""
    _control.write(_TORN)
    while True:
        try:
            _sleep_ms(1000)
        except KeyboardInterrupt:
            pass


def end(line):
    """Ask for something that ends this interpreter, and wait for it."""
    while True:
        try:
            ask(line)
            break
        except KeyboardInterrupt:
            pass
    while True:
        try:
            _sleep_ms(1000)
        except KeyboardInterrupt:
            pass


def reset():
    end(b"reset")


def soft_reset():
    raise SystemExit


def reset_cause():
    return _cause


def unique_id():
    return _uid


def freq():
    return 125_000_000


def idle():
    _sleep_ms(1)


def lightsleep(ms=0):
    _sleep_ms(ms)


class WDT:
    """`timeout` in ms; fed by `feed()`, which costs nothing when called often."""

    def __init__(self, id=0, timeout=5000):
        if timeout <= 0:
            raise ValueError("WDT timeout too short")
        self._fed = time.ticks_ms()
        # no need to tell the supervisor more often than this
        self._rest = min(100, timeout // 10)
        ask(b"wdt %d" % timeout)

    def feed(self):
        now = time.ticks_ms()
        if time.ticks_diff(now, self._fed) > self._rest:
            self._fed = now
            ask(b"feed")


class Timer:
    """A soft timer: `Timer(-1, period=ms, mode=Timer.PERIODIC, callback=f)`."""

    ONE_SHOT = 0
    PERIODIC = 1

    def __init__(self, id=-1, **options):
        self._life = 0  # counts init and deinit, so that an old thread sees that it is no longer meant
        self._callback = None
        self._waiting = False
        self._call = self._run  # made once: scheduling must not allocate
        if options:
            self.init(**options)

    def init(self, *, mode=PERIODIC, period=-1, freq=-1, callback=None, tick_hz=1000, hard=False):
        if period <= 0 and freq <= 0:
            raise ValueError("period or freq")
        ms = int(1000 / freq) if freq > 0 else period * 1000 // tick_hz
        self._life += 1
        self._callback = callback
        self._waiting = False
        _thread.start_new_thread(self._tick, (self._life, max(1, ms), mode))

    def deinit(self):
        self._life += 1
        self._callback = None

    def _tick(self, life, ms, mode):
        while True:
            _sleep_ms(ms)
            if life != self._life:
                return
            if not self._waiting:
                self._waiting = True
                try:
                    micropython.schedule(self._call, life)
                except RuntimeError:  # the queue is full; the next tick tries again
                    self._waiting = False
            if mode == 0:
                return

    def _run(self, life):
        self._waiting = False
        if life == self._life and self._callback:
            self._callback(self)
