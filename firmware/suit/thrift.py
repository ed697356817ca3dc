# With little memory garbage is collected often, so that what stays does not lie scattered.
# MIT licence.
"""An update makes a few objects that stay and many that do not. Where the heap is collected only when
it is full, those that stay end up everywhere in it, and no room is left in one piece for the buffer
of a file (1148 bytes) although there are many KiB in all. When little is free, `begin` has the heap
collected after every 1/16 of it:

    before = thrift.begin()
    ...
    thrift.end(before)

`free()` collects and tells how many bytes there are. On CPython nothing of this happens."""

import gc

little = 32768  # bytes; a collection takes 2 to 10 ms on an RP2040


def free():
    """-> bytes of free heap."""
    if not hasattr(gc, "mem_free"):
        return 1 << 20
    gc.collect()
    return gc.mem_free()


def begin():
    """-> what `end` needs to put things back as they were."""
    room = free()
    if room >= little or not hasattr(gc, "threshold"):
        return None
    before = gc.threshold()
    gc.threshold(room // 16)
    return before


def end(before):
    if before is not None:
        gc.threshold(before)
