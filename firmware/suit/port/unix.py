# The virtual board: the Unix port with a `machine` that its launcher put there.
# MIT licence.
"""See `port/__init__.py`. `machine` here behaves like the one of ESP32 (boards/virtual): a
watchdog is disarmed by giving it a huge timeout."""

from ..decide import CAUSE_OTHER, CAUSE_POWER, CAUSE_WATCHDOG
from .common import now, set_clock  # noqa: F401

WDT_LIMIT = 8000  # ms, as on the board it stands for
_NEVER = 0x3FFFFFFF  # ms


def name():
    return "virtual"


def unique_id():
    import machine

    return machine.unique_id()


def reset():
    import machine

    machine.reset()


def cause():
    import machine

    cause = machine.reset_cause()
    if cause == machine.WDT_RESET:
        return CAUSE_WATCHDOG
    return CAUSE_POWER if cause == machine.PWRON_RESET else CAUSE_OTHER


def watch(limit_ms):
    import machine

    return machine.WDT(timeout=limit_ms)


def unwatch():
    import machine

    machine.WDT(timeout=_NEVER)


def timer(callback):
    import machine

    return machine.Timer(-1, period=1000, mode=machine.Timer.PERIODIC, callback=callback)


def connect(config):
    yield
    return True


def rom_buffer(slot):
    """There is no mapped flash; the image is read into memory where the board was given a native
    VfsRom."""
    with open(slot.app, "rb") as file:
        return file.read()


def mark_valid():
    pass
