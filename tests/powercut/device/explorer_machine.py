# `machine` for the explorer: a reset is the end of a life, and nothing else happens by itself.
# MIT licence.
"""Stands in `sys.modules` as `machine`. `world` is set by world.py."""

PWRON_RESET = 1
HARD_RESET = 2
WDT_RESET = 3
DEEPSLEEP_RESET = 4
SOFT_RESET = 5

world = None


class Reset(KeyboardInterrupt):
    """The processor starts anew. Derived so that every program lets it through, as it cannot stop a reset."""


def reset():
    world.end("reset")


def reset_cause():
    return world.cause


def unique_id():
    return b"explorer"


class WDT:
    def __init__(self, id=0, timeout=5000):
        world.watchdog = timeout

    def feed(self):
        pass


class Timer:
    ONE_SHOT = 0
    PERIODIC = 1

    def __init__(self, id=-1, **options):
        pass

    def init(self, **options):
        pass

    def deinit(self):
        pass
