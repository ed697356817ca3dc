# Reports on their way to whoever wants them.
# MIT licence.
"""Where the configuration has `reports`, a URL (http, https or coap; a reference is resolved against
the first server), what reporting.py has kept is brought there, oldest first:

1. GET: up to 64 bytes are the nonce that the report is to carry, so that nobody can replay it. A place
   that answers with an error has none.
2. POST: the report, signed by the board's own key. 2.xx: delivered, and its file is removed.

`once()` is a generator that tries each of them once; True when none is left. `push()` does that for
ever, with pauses that double from 30 s to an hour while nothing gets through; `start()` has it run
beside the app, once. A report that is refused stays and lets the others pass: who reads them may
learn the key of this board tomorrow."""

import os

from . import runtime, transports
from .config import read as settings
from .errors import SuitError
from .numbers import R_NETWORK, R_NO_PAYLOAD, R_SERVER, R_TLS
from .reporting import delivered, folder, read, seal, waiting
from .sealing import fresh
from .transports.post import post

try:
    from micropython import const
except ImportError:

    def const(value):
        return value


_NONCE = const(64)  # bytes at most
_FORMAT = const(270)  # suit-report+cose
_TYPE = "application/suit-report+cose"
_LOOK_MS = const(2000)
_PAUSE_S = const(30)
_LONGEST_S = const(3600)
_BUSY = ("checking", "fetching", "installing")
_AWAY = (R_NETWORK, R_TLS)  # nothing else gets through either

_task = None


def place():
    """The URL that reports go to, None without one."""
    config = settings(runtime.root)
    if not config.reports or not config.servers:
        return config.reports or None
    try:
        return transports.resolve(config.servers[0], config.reports)
    except SuitError:
        return None  # longer than any URL here may be


def _nonce(url):
    """Generator: what whoever is there wants to find in the report, None when it does not say."""
    buf = bytearray(_NONCE)
    view = memoryview(buf)
    n = 0
    stream = transports.open(url)
    try:
        yield from stream.start(0, None)
        while n < _NONCE:
            more = yield from stream.readinto(view[n:])
            if not more:
                break
            n += more
    except SuitError as error:
        if error.reason != R_SERVER:
            raise
        n = 0
    finally:
        stream.close()
    return buf[:n] if n else None


def _bring(url, number):
    """Generator: True when a report is delivered, False when it is refused."""
    made = read("%s/%d" % (folder(), number))
    if not made:
        delivered(number)  # a cut left it empty
        return True
    nonce = yield from _nonce(url)
    message = seal(fresh(made, bytes(nonce)) if nonce else made)
    status = yield from post(url, message, _FORMAT, _TYPE)
    if not 200 <= status < 300:
        return False
    delivered(number)
    return True


def once():
    url = place()
    if not url:
        return True
    done = True
    for number in waiting():
        try:
            if not (yield from _bring(url, number)):
                done = False
        except SuitError as error:
            done = False
            if error.reason in _AWAY or error.reason == R_NO_PAYLOAD:
                break
        except Exception:
            # no memory, no file, or what nobody foresaw: it is tried again, later
            done = False
            break
    return done


def push():
    """Generator without an end, but at once where there is no place for reports."""
    from .noticing import notice

    notice()
    if not place():
        return
    seconds = _PAUSE_S
    known = -1
    while True:
        # an update needs the memory
        if runtime.reports != known and runtime.progress.state not in _BUSY:
            known = runtime.reports
            if (yield from once()):
                seconds = _PAUSE_S
            else:
                # an eighth more or less: boards that were cut off together come back one by one
                yield seconds * (896 + os.urandom(1)[0])
                seconds = min(seconds * 2, _LONGEST_S)
                known = -1
        yield _LOOK_MS


def start():
    global _task
    import asyncio

    from .wait import drive

    if _task is None:
        _task = asyncio.create_task(drive(push()))
