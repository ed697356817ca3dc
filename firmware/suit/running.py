# The app runs: from its import to its end, and what follows from how it ends.
# MIT licence.
"""`run(slot, port, config)` after launcher.py has verified and mounted the slot. On trial an exception
and an end before `confirm` are both going back: the record is written first, then the board resets.
A confirmed app may end (the REPL follows); an exception is kept as a traceback and resets the board;
three in a row, each within the time of a trial, lead to recovery.

An error while the image is read looks like an app that is too short or wrong, since MicroPython's
import takes it for the end of the file. `Image`, the region of the image, tells that it happened:
then nothing is judged by how the app ended, and the board resets. On trial that has cost a try."""

import gc
import sys
import time

from . import decide, runtime, thrift
from .numbers import R_BACK_ENDED, R_BACK_EXCEPTION
from .region import FileRegion

_EARLY = 86400  # seconds: what ticks can count for sure


class Image(FileRegion):
    """A FileRegion that remembers in `runtime.unread` that it could not be read."""

    def read_at(self, offset, buf):
        try:
            return FileRegion.read_at(self, offset, buf)
        except OSError:
            runtime.unread = True
            raise


def run(slot, port, config):
    """Import `main` from `slot`, call `main()` if there is one, await it if that is a coroutine. Raises
    KeyboardInterrupt, and SystemExit of a confirmed app."""
    where = "/rom_" + slot.name
    # nothing but the slot and what is frozen: no stray file may take a module's place
    sys.path[:] = [where, where + "/lib", ".frozen"]
    thrift.keep()
    gc.collect()
    if runtime.watchdog:
        runtime.watchdog.start(config.trial)
    started = time.ticks_ms()
    if runtime.crashes:
        runtime.settle_at = time.ticks_add(started, min(config.trial, _EARLY) * 1000)
    try:
        module = __import__("main")
        if hasattr(module, "main"):
            result = module.main()
            if hasattr(result, "send"):  # a coroutine
                import asyncio

                asyncio.run(result)
    except KeyboardInterrupt:
        raise
    except SystemExit:
        _ended(port)
        raise
    except BaseException as error:
        _crashed(error, _early(started, config.trial), port)
    else:
        _ended(port)


def _early(started, seconds):
    """Did it end so soon? Ticks count six days, and are negative for as long after that."""
    return 0 <= time.ticks_diff(time.ticks_ms(), started) < seconds * 1000


def _ended(port):
    """The app returned. On trial that is a failure; a confirmed one leaves the REPL."""
    if _unread(port) or not runtime.trial:
        return
    try:
        record = runtime.record()
        if record.trial != runtime.running:
            return
        runtime.store().save(decide.went_back(record, R_BACK_ENDED))
        print("suit: the app ended before it confirmed; going back")
    except OSError:
        pass  # the trial then runs out of tries instead
    port.reset()


def _crashed(error, early, port):
    digest = _keep_traceback(error)
    if runtime.trial and _unread(port):
        return
    try:
        record = runtime.record()
        if runtime.trial and record.trial == runtime.running:
            print("suit: the app failed on trial; going back")
            runtime.store().save(decide.went_back(record, R_BACK_EXCEPTION, 0, digest))
        elif early:
            runtime.store().save(decide.crashed(record))
        elif record.crashes:
            runtime.store().save(decide.stable(record))
    except OSError:
        pass  # a trial then runs out of tries instead
    port.reset()


def _unread(port):
    """Reset, if that the app ended says nothing about it."""
    if runtime.unread:
        print("suit: the image could not be read; once more")
        port.reset()
    return runtime.unread


def _keep_traceback(error):
    """Print it, keep it for `suitup status`; -> digest of what is kept."""
    import hashlib
    import io

    sys.print_exception(error)
    try:
        text = io.StringIO()
        sys.print_exception(error, text)
        data = text.getvalue().encode()[-2048:]
        with open(runtime.root + "/traceback", "wb") as file:
            file.write(data)
        return hashlib.sha256(data).digest()
    except (OSError, MemoryError):
        return b""
