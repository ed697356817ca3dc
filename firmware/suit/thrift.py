# With little memory: a reserve that only updates use, and garbage collected often.
# MIT licence.
"""An app that fills the heap must not lose its updates, least of all the one that mends it. `keep()`,
called before the app starts, puts `RESERVE` bytes aside in one piece; an update begins by giving them
back to the heap, and takes them again at its end:

    before = thrift.begin()
    ...
    thrift.end(before)

An update makes a few objects that stay and many that do not. Where the heap is collected only when
it is full, those that stay end up everywhere in it, and no room is left in one piece for the buffer
of a file (1148 bytes) although there are many KiB in all. So when little is free, `begin` has the heap
collected after every 1/16 of it.

`free()` collects and tells how many bytes there are. On CPython nothing of this happens."""

import gc

RESERVE = 8192  # bytes; an update over CoAP with a manifest of 2 KiB needs 17 KiB in all
little = 32768  # bytes; a collection takes 2 to 10 ms on an RP2040

_aside = None
_wanted = False  # there was a `keep`


def free():
    """-> bytes of free heap."""
    if not hasattr(gc, "mem_free"):
        return 1 << 20
    gc.collect()
    return gc.mem_free()


def keep():
    """Put the reserve aside, if there is room for it."""
    global _aside, _wanted
    _wanted = True
    if _aside is None:
        gc.collect()
        try:
            _aside = bytearray(RESERVE)
        except MemoryError:
            pass  # the next update ends with another attempt


def begin():
    """-> what `end` needs to put things back as they were."""
    global _aside
    _aside = None
    room = free()
    before = None
    if room < little and hasattr(gc, "threshold"):
        before = gc.threshold()
        gc.threshold(room // 16)
    return before


def end(before):
    if before is not None:
        gc.threshold(before)
    if _wanted:
        keep()
