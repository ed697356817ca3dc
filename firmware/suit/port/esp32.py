# The ESP32 family.
# MIT licence.
"""See `port/__init__.py`. The task watchdog has no stop call; disarmed it gets a huge timeout.
Where the partition table has two firmware slots the bootloader rolls back unless `mark_valid` is
called."""

import machine
from esp32 import Partition

from ..decide import CAUSE_OTHER, CAUSE_POWER, CAUSE_WATCHDOG
from .common import name, now, rom_area, rom_buffer, set_clock, wifi  # noqa: F401

WDT_LIMIT = 30000  # ms
_NEVER = 0x3FFFFFFF  # ms, twelve days
# ESP_ERR_NOT_FOUND: no otadata; ESP_FAIL: neither of its entries counts
_NOTHING_TO_ROLL_BACK = (-261, -1)

unique_id = machine.unique_id
reset = machine.reset
connect = wifi


def cause():
    cause = machine.reset_cause()
    if cause == machine.WDT_RESET:
        return CAUSE_WATCHDOG
    return CAUSE_POWER if cause == machine.PWRON_RESET else CAUSE_OTHER


def watch(limit_ms):
    return machine.WDT(timeout=limit_ms)


def unwatch():
    wdt = machine.WDT(timeout=_NEVER)
    # even that would end one day; the timer is kept by the port
    _periodic(3600000, lambda timer: wdt.feed())


def timer(callback):
    return _periodic(1000, callback)


def _periodic(period, callback):
    # the last hardware timer: apps start counting at 0, and some chips have only two
    try:
        timer = machine.Timer(3)
    except ValueError:
        timer = machine.Timer(1)
    timer.init(period=period, mode=machine.Timer.PERIODIC, callback=callback)
    return timer


def mark_valid():
    """The running firmware is good; without it the bootloader goes back at the next reset."""
    try:
        Partition.mark_app_valid_cancel_rollback()
    except OSError as error:
        if error.args[0] not in _NOTHING_TO_ROLL_BACK:
            raise


def firmware():
    from ..firmware import find

    return find(Partition)


def tls_room():
    """-> bytes for TLS: its buffers come from the heap of ESP-IDF, not from Python's."""
    from esp32 import HEAP_DATA, idf_heap_info

    return max(region[2] for region in idf_heap_info(HEAP_DATA))
