# The only files that know a chip; `chip()` gives the one this board has.
# MIT licence.
"""Each port module has: `name()`, `unique_id()`, `reset()`, `cause()` (decide.CAUSE_*), `now()`
(seconds since 1970 or None), `set_clock(seconds)`, `WDT_LIMIT` ms and `watch(limit_ms)` -> object with `feed()`,
`unwatch()`, `timer(callback)` (once a second, between bytecodes), `connect(config)` (generator: True
when there is a network, False when it could not be joined, None when there is none to join),
`rom_buffer(slot)` (its app image as memory, or None where it cannot be mapped) and `mark_valid()`
(tells a bootloader that rolls back; OSError when that fails).
One whose firmware can be updated has `firmware()` too, see below."""

import sys


def chip():
    """-> the module of this board's chip."""
    if sys.platform == "rp2":
        from . import rp2 as port
    elif sys.platform == "esp32" or "esp32" in sys.modules:  # real, or modelled (boards/virtual)
        from . import esp32 as port
    else:
        from . import unix as port
    return port


def firmware(port):
    """-> firmware.Firmware, None where the board has one firmware partition, or the port none at all."""
    make = getattr(port, "firmware", None)
    return make() if make else None
