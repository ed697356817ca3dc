# What runs when no slot boots: reachable, and taking an update.
# MIT licence.
"""`serve(config, port)`: join the network of the configuration, listen for nudges, look at the
servers. The console stays free: Ctrl-C leads to the REPL, and a cable can do everything. It goes on
until an update is armed, which resets the board."""

from . import runtime
from .wait import drive

_AGAIN_S = 30  # seconds before the network, or a task that failed, is tried again


def serve(config, port):
    import asyncio

    reason, detail = runtime.recovery or (0, None)
    print("suit: recovery, nothing to run: %s %s" % (reason, detail or ""))
    if config.error:
        print("suit: " + config.error)
    asyncio.run(_serve(config, port))


async def _serve(config, port):
    import asyncio

    while not await _connected(config, port):
        print("suit: no network; waiting for the console")
        await asyncio.sleep(_AGAIN_S)
    await asyncio.gather(_forever("listen"), _forever("poll"))


async def _connected(config, port):
    try:
        return await drive(port.connect(config))
    except Exception as error:
        print("suit: recovery: network: %r" % error)


async def _forever(name):
    """Start `suit.NAME` again whatever ends it: nothing that comes from outside may end recovery."""
    import asyncio

    import suit

    while True:
        try:
            await getattr(suit, name)()
        except Exception as error:
            print("suit: recovery: %s: %r" % (name, error))
        await asyncio.sleep(_AGAIN_S)
