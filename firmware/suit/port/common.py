# What the ports share: the clock, Wi-Fi, names.
# MIT licence.
"""Plain functions over `time`, `os` and `network`, which all boards have alike."""

import sys
import time

_2025 = 1735689600  # before this the clock was never set
_TO_1970 = 946684800  # seconds from 1970 to 2000


def name():
    """-> what MicroPython calls this machine."""
    return sys.implementation._machine


def now():
    """-> seconds since 1970, None while the clock is not set (esp32 counts from 2000)."""
    seconds = int(time.time())
    if time.gmtime(0)[0] == 2000:
        seconds += _TO_1970
    return seconds if seconds >= _2025 else None


def set_clock(seconds):
    """`seconds` since 1970."""
    import machine

    if time.gmtime(0)[0] == 2000:
        seconds -= _TO_1970
    year, month, day, hour, minute, second, weekday, _ = time.gmtime(seconds)
    machine.RTC().datetime((year, month, day, weekday, hour, minute, second, 0))


def _hostname(network, name):
    """Be `name`.local to those who ask by mDNS, which the ports answer by themselves."""
    plain = "".join([c if "a" <= c <= "z" or "0" <= c <= "9" else "-" for c in name.lower()])
    try:
        network.hostname(plain.strip("-")[:32].strip("-") or "board")
    except (AttributeError, ValueError, OSError):
        pass  # an older MicroPython, or one that wants it shorter: the one it has


def wifi(config, wait_ms=20000):
    """Generator: join the network of the configuration. True when joined, by whoever; False without
    luck, None where there is nothing to join: no Wi-Fi, or no settings."""
    settings = config.wifi
    try:
        import network
    except ImportError:
        return None
    if not hasattr(network, "WLAN"):
        return None
    wlan = network.WLAN(network.STA_IF)
    if wlan.isconnected():
        return True
    if not settings:
        return None
    _hostname(network, config.name)
    wlan.active(True)
    try:
        wlan.connect(settings.get("ssid", ""), settings.get("key", ""))
    except OSError:  # esp32: already connecting
        pass
    while wait_ms > 0 and not wlan.isconnected():
        yield 200
        wait_ms -= 200
    return wlan.isconnected()


def rom_area(index):
    """-> romslots.Area of a slot; None on stock firmware, where images are files."""
    try:
        from vfs import rom_ioctl  # noqa: F401
    except ImportError:
        return None
    from ..romslots import find

    return find(index)


def rom_buffer(slot):
    """-> the app image of `slot` as memory; None where it is a file, whose blocks lie anywhere."""
    from ..slots import exists

    area = None if exists(slot.app) else rom_area(slot.index)
    return area and area.memory
