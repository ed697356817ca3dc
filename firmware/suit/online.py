# On the Wi-Fi that the configuration names, and back on it when it was lost.
# MIT licence.
"""`await online()` returns once the board has joined; at once where the configuration names no network or
the port has no Wi-Fi, as for an app that joins by itself. One task looks after it from then on, for as
long as the app runs. `listen` and `poll` begin with it."""

from . import runtime
from .port import chip
from .wait import drive

try:
    from micropython import const
except ImportError:

    def const(n):
        return n


_LOOK_MS = const(15000)  # between looks whether it is still there
_WAIT_S = 0.2

_task = None
_there = False


def stay(config):
    """Generator without an end, but at once where there is nothing to join."""
    global _there
    while True:
        try:
            joined = yield from chip().connect(config)
        except Exception:  # of the radio, of settings that it does not take, of memory: `listen` waits for this
            joined = False
            yield _LOOK_MS
        if joined is None:
            _there = True
            return
        if joined:
            _there = True
            yield _LOOK_MS


async def online():
    global _task
    import asyncio

    from .config import read

    config = read(runtime.root)
    if not config.wifi:
        return
    if _task is None:
        _task = asyncio.create_task(drive(stay(config)))
    while not _there:
        await asyncio.sleep(_WAIT_S)
