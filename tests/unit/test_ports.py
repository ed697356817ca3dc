"""The ports against stand-ins for `machine`: reset causes, the watchdog's life, Wi-Fi, the clock."""

import sys

from harness import finish
from suit import decide
from suit.port import common
from suit.port import watchdog as watchdog_module
from suit.port.watchdog import Watchdog


class Module:
    """Stands in sys.modules while a `with` block lasts."""

    def __init__(self, name, **members):
        self.name = name
        for key in members:
            setattr(self, key, members[key])

    def __enter__(self):
        self.before = sys.modules.get(self.name)
        sys.modules[self.name] = self
        return self

    def __exit__(self, *args):
        if self.before is None:
            del sys.modules[self.name]
        else:
            sys.modules[self.name] = self.before


class WDT:
    made = []

    def __init__(self, timeout):
        self.timeout = timeout
        self.fed = 0
        WDT.made.append(self)

    def feed(self):
        self.fed += 1


class Timer:
    PERIODIC = 1
    limit = 4  # hardware timers of the chip
    made = []

    def __init__(self, id, **options):
        if id >= Timer.limit:
            raise ValueError("no such timer")
        self.id = id
        Timer.made.append(self)
        self.running = False
        if options:
            self.init(**options)

    def init(self, period, mode, callback):
        self.period, self.mode, self.callback = period, mode, callback
        self.running = True

    def deinit(self):
        self.running = False

    def tick(self):
        if self.running:
            self.callback(self)


def machine(cause=1, reason=0):
    WDT.made = []
    Timer.made = []
    Timer.limit = 4
    return Module(
        "machine",
        PWRON_RESET=1,
        HARD_RESET=2,
        WDT_RESET=3,
        DEEPSLEEP_RESET=4,
        SOFT_RESET=5,
        reset_cause=lambda: cause,
        mem32={0x40058008: reason, 0x400D8008: reason},
        unique_id=lambda: b"12345678",
        reset=None,
        WDT=WDT,
        Timer=Timer,
    )


class Partition:
    wrong = None
    marked = 0

    @staticmethod
    def mark_app_valid_cancel_rollback():
        if Partition.wrong:
            raise OSError(Partition.wrong)
        Partition.marked += 1


def load(name):
    """A fresh import of the port, over the stand-ins that are there now."""
    full = "suit.port." + name
    sys.modules.pop(full, None)
    package = sys.modules["suit.port"]
    if hasattr(package, name):
        delattr(package, name)
    try:
        return __import__(full, None, None, (name,))
    finally:
        sys.modules.pop(full, None)


def port(name, cause=1, reason=0):
    with machine(cause, reason) as stand_in, Module("esp32", Partition=Partition):
        if not hasattr(sys.implementation, "_machine"):  # CPython
            sys.implementation._machine = "Raspberry Pi Pico with RP2040"
        return load(name), stand_in


class Clock:
    """A clock that the test sets."""

    ms = (1 << 30) - 2000  # it wraps around in the middle of the test

    def ticks_ms(self):
        return self.ms & 0x3FFFFFFF

    def ticks_add(self, a, b):
        return (a + b) & 0x3FFFFFFF

    def ticks_diff(self, a, b):
        return ((a - b + 0x20000000) & 0x3FFFFFFF) - 0x20000000


def test_rp2_tells_a_starved_watchdog_from_a_forced_reset():
    assert port("rp2", 1, 0)[0].cause() == decide.CAUSE_POWER
    assert port("rp2", 3, 1)[0].cause() == decide.CAUSE_WATCHDOG
    assert port("rp2", 3, 2)[0].cause() == decide.CAUSE_OTHER  # machine.reset() says WDT too


def test_esp32_reset_causes():
    for cause, told in ((1, 1), (2, 0), (3, 2), (4, 0), (5, 0)):
        assert port("esp32", cause)[0].cause() == told


def watched(chip):
    """A watchdog on a clock of its own: (watchdog, clock)."""
    watchdog_module.time = Clock()
    return Watchdog(chip), watchdog_module.time


def test_the_timer_feeds_until_the_deadline_and_not_a_second_longer():
    chip, stand_in = port("rp2")
    dog, clock = watched(chip)
    dog.start(300)
    wdt, timer = WDT.made[0], Timer.made[0]
    assert wdt.timeout <= 8388 and timer.period < wdt.timeout
    clock.ms += 200000
    timer.tick()
    assert wdt.fed == 1
    dog.start(60)  # the app starts: a new deadline, the same hardware
    assert len(WDT.made) == 1 and len(Timer.made) == 1
    for _ in range(60):
        timer.tick()
        clock.ms += 1000
    assert wdt.fed == 61
    timer.tick()
    assert wdt.fed == 61


def test_rp2_stops_its_watchdog_by_the_enable_bit():
    chip, stand_in = port("rp2")
    dog, clock = watched(chip)
    dog.start(60)
    with stand_in:
        dog.stop()
    assert stand_in.mem32[0x4005B000] == 1 << 30  # CTRL, atomic clear
    assert not Timer.made[0].running
    dog.stop()  # once is enough


def test_esp32_stops_its_watchdog_with_a_huge_timeout_that_is_still_fed():
    for timers, used in ((4, 3), (2, 1)):
        chip, stand_in = port("esp32")
        Timer.limit = timers
        dog, clock = watched(chip)
        dog.start(60)
        assert Timer.made[0].id == used
        dog.stop()
        assert not Timer.made[0].running
        last = WDT.made[-1]
        assert last.timeout > 10**9 and Timer.made[-1].running
        assert Timer.made[-1].period < last.timeout
        Timer.made[-1].tick()
        assert last.fed == 1


def test_a_configured_limit_is_taken_but_never_beyond_the_hardware():
    chip, _ = port("rp2")
    for wanted, made in ((1500, 1500), (60000, chip.WDT_LIMIT), (None, chip.WDT_LIMIT)):
        WDT.made = []
        watchdog_module.time = Clock()
        Watchdog(chip, wanted).start(10)
        assert WDT.made[0].timeout == made


def test_esp32_marks_its_firmware_valid_where_there_is_something_to_mark():
    chip, _ = port("esp32")
    Partition.wrong, Partition.marked = None, 0
    chip.mark_valid()
    assert Partition.marked == 1
    for error in (-261, -1):
        Partition.wrong = error
        chip.mark_valid()


class WLAN:
    def __init__(self, interface):
        self.left = WLAN.needs
        self.joined = None

    def active(self, on):
        pass

    def connect(self, ssid, key):
        self.joined = (ssid, key)
        WLAN.last = self.joined

    def isconnected(self):
        if self.joined:
            self.left -= 1
        return bool(self.joined) and self.left < 0


class Settings:
    name = "Küche 2"
    wifi = {"ssid": "home", "key": "secret"}


def test_wifi_is_joined_or_given_up_in_time():
    names = []
    with Module("network", WLAN=WLAN, STA_IF=0, hostname=names.append):
        WLAN.needs = 5
        assert finish(common.wifi(Settings)) is True and WLAN.last == ("home", "secret")
        WLAN.needs = 10**9
        waits = []
        gen = common.wifi(Settings, 1000)
        try:
            while True:
                waits.append(next(gen))
        except StopIteration as done:
            assert done.value is False
        assert sum(waits) == 1000
        Settings.wifi, kept = None, Settings.wifi
        assert finish(common.wifi(Settings)) is None
        Settings.wifi = kept
    assert names[0] == "k-che-2"
    with Module("network", WLAN=WLAN, STA_IF=0):  # an older one has no hostname
        WLAN.needs = 0
        assert finish(common.wifi(Settings)) is True


def test_a_clock_that_was_never_set_is_no_clock_whatever_its_epoch():
    class Time:
        def __init__(self, now, epoch):
            self._now, self._epoch = now, epoch

        def time(self):
            return self._now

        def gmtime(self, at):
            return (self._epoch, 1, 1)

    kept = common.time
    try:
        for now, epoch, told in (
            (1609459200, 1970, None),  # rp2 wakes up in 2021
            (1800000000, 1970, 1800000000),
            (0, 2000, None),
            (853315200, 2000, 1800000000),
        ):
            common.time = Time(now, epoch)
            assert common.now() == told
    finally:
        common.time = kept


def test_the_clock_is_set_whatever_its_epoch():
    import time

    class RTC:
        told = None

        def datetime(self, value):
            RTC.told = value

    class Time:
        def __init__(self, epoch):
            self._epoch = epoch

        def gmtime(self, at):
            if at == 0:
                return (self._epoch, 1, 1)
            return tuple(time.gmtime(at + (946684800 if self._epoch == 2000 else 0)))[:8]

    kept = common.time
    try:
        for epoch in (1970, 2000):
            common.time = Time(epoch)
            with Module("machine", RTC=RTC):
                common.set_clock(1800000000)  # Friday, 15 January 2027, 08:00 UTC
            assert RTC.told == (2027, 1, 15, 4, 8, 0, 0, 0)
    finally:
        common.time = kept
