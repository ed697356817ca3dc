# One implementation, two drivers: generators that say what they wait for.
# MIT licence.
"""Whatever can wait is a generator. It yields

* `None` after a slice of work: somebody else may run, the watchdog may be fed;
* an int: wake me after so many milliseconds;
* a list `[socket, events, timeout_ms]` (`READ`/`WRITE`): wake me when the socket is ready; the yield gives
  True when it is, False on a timeout. The list may be reused by its owner, so yielding allocates nothing.

`run(gen, feed)` drives it to its end and returns its value (boot, serial, recovery); `drive(gen)` is the same as a
coroutine for asyncio. Exceptions pass through; closing the coroutine closes the generator."""

import select
import time

READ = select.POLLIN
WRITE = select.POLLOUT

try:
    _ticks = time.ticks_ms
    _diff = time.ticks_diff
    _sleep = time.sleep_ms
except AttributeError:  # CPython

    def _ticks():
        return int(time.monotonic() * 1000)

    def _diff(a, b):
        return a - b

    def _sleep(ms):
        time.sleep(ms / 1000)


def _ready(want, timeout_ms):
    poller = select.poll()
    poller.register(want[0], want[1])
    return bool(poller.poll(timeout_ms))


def run(gen, feed=None):
    """Drive `gen` to its end, blocking; `feed()` is called between slices and at least every 500 ms."""
    answer = None
    try:
        while True:
            want = gen.send(answer)
            answer = None
            if feed:
                feed()
            if want is None:
                continue
            waiting = isinstance(want, list)
            left = want[2] if waiting else want
            while left > 0:
                step = min(left, 500)
                if waiting:
                    answer = _ready(want, step)
                    if answer:
                        break
                else:
                    _sleep(step)
                left -= step
                if feed:
                    feed()
    except StopIteration as done:
        return done.value


async def drive(gen):
    """Drive `gen` to its end under asyncio; the app keeps running."""
    import asyncio

    answer = None
    try:
        while True:
            want = gen.send(answer)
            answer = None
            if want is None:
                await asyncio.sleep(0)
            elif isinstance(want, list):
                # even where there is always something to read: whoever floods a board must not stop its app
                await asyncio.sleep(0)
                # a few quick looks keep a fast link fast, then slow ones keep an idle app idle
                start = _ticks()
                looks = 0
                answer = False
                while _diff(_ticks(), start) < want[2]:
                    if _ready(want, 0):
                        answer = True
                        break
                    await asyncio.sleep(0 if looks < 8 else 0.002 if looks < 100 else 0.02)
                    looks += 1
            else:
                await asyncio.sleep(want / 1000)
    except StopIteration as done:
        return done.value
    finally:
        gen.close()
