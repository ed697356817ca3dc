"""An update on a board whose heap is full: the code that fills it, and updates with manifests as large as the budget has them.

    await pico.run(MEASURE)
    await pico.run("print(measure(URL, FREE))")         # (0, bytes that were free, milliseconds), or (reason, bytes, detail)
    await pico.run("print(verify(PATH, FREE))")         # the same for authenticating the envelope alone
"""

from desk import Desk
from suitup.manifest import Envelope

FREE = 10 * 1024  # bytes of heap that an update has to get by with, beside the reserve of firmware/suit/thrift.py

# the heap is full to the last block but for `free` bytes, in one piece if there is such a piece
MEASURE = """
import gc, time
from suit.errors import SuitError
def fill(free):
    held = kept = None
    left = size = free
    while left > 0:
        try:
            kept = (kept, bytearray(min(left, size)))
            left -= size
        except MemoryError:
            size //= 2
    for size in (16384, 4096, 1024, 256, 64):
        try:
            while True:
                held = (held, bytearray(size))
        except MemoryError:
            pass
    try:
        while True:
            held = (held, None)
    except MemoryError:
        pass
    return held
def authenticate(path):
    from suit import runtime, thrift
    from suit.config import read, trust_store
    from suit.envelope import authenticate
    from suit.region import PathRegion
    from suit.wait import run
    before = thrift.begin()
    try:
        region = PathRegion(path)
        run(authenticate(region, trust_store(runtime.root, read(runtime.root))))
        region.rest()
    finally:
        thrift.end(before)
def measure(path, free):
    return measured(lambda: suit.update(path, False), free)
def verify(path, free):
    return measured(lambda: authenticate(path), free)
def measured(work, free):
    held = None
    gc.collect()
    try:
        if free:
            held = fill(free)
            gc.collect()
        there = gc.mem_free()
        start = time.ticks_ms()
        work()
        return 0, there, time.ticks_diff(time.ticks_ms(), start)
    except SuitError as error:
        return error.reason, there, error.detail
    except MemoryError:
        return -1, 0, "memory"
    finally:
        held = None
        gc.collect()
"""


def big_manifests(folder, apps, **options):
    """A desk whose manifests have almost 2 KiB: a few files with very long paths."""
    files = {}
    for i in range(4):
        (folder / ("part%d.txt" % i)).write_text("part %d" % i)
        files["%s/%d.txt" % ("/".join(["-of-a-room" * 6] * 3), i)] = "part%d.txt" % i
    desk = Desk(folder, apps, files=files, **options)
    for path in desk.envelopes.values():
        assert 1700 < len(Envelope.decode(path.read_bytes()).manifest_bytes) <= 2048
    return desk
