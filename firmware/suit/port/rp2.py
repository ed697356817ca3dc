# RP2040 and RP2350.
# MIT licence.
"""See `port/__init__.py`. The watchdog lasts 8.388 s at most and has no stop call; its enable bit
is cleared in the register. `machine.reset()` is a watchdog reset too: the REASON register tells a
starved one (bit 0: timer) from a forced one (bit 1). Registers: RP2040 datasheet 4.7.6, RP2350
datasheet 12.9.7."""

import sys

import machine

from ..decide import CAUSE_OTHER, CAUSE_POWER, CAUSE_WATCHDOG
from .common import name, now, rom_area, rom_buffer, set_clock, wifi  # noqa: F401

WDT_LIMIT = 8000  # ms
FEW_SOCKETS = True  # five of UDP: DHCP and mDNS have one each, DNS one while it asks

_WATCHDOG = 0x400D8000 if "RP2350" in sys.implementation._machine else 0x40058000
_REASON = _WATCHDOG + 8
_CLEAR = _WATCHDOG + 0x3000  # atomic bit clear alias of CTRL
_ENABLE = 1 << 30

unique_id = machine.unique_id
reset = machine.reset
connect = wifi


def cause():
    if machine.reset_cause() == machine.PWRON_RESET:
        return CAUSE_POWER
    return CAUSE_WATCHDOG if machine.mem32[_REASON] & 1 else CAUSE_OTHER


def watch(limit_ms):
    return machine.WDT(timeout=limit_ms)


def unwatch():
    machine.mem32[_CLEAR] = _ENABLE


def timer(callback):
    return machine.Timer(-1, period=1000, mode=machine.Timer.PERIODIC, callback=callback)


def mark_valid():
    pass
