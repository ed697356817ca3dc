# With little memory: a reserve that only updates use, and garbage collected often.
# MIT licence.
"""An app that fills the heap must not lose its updates, least of all the one that mends it. `keep()`,
called before the app starts, puts `RESERVE` bytes aside; an update begins by giving them back to the
heap, and takes them again at its end:

    before = thrift.begin()
    ...
    thrift.end(before)

An update makes a few objects that stay and many that do not. Where the heap is collected only when
it is full, those that stay end up everywhere in it, and no room is left in one piece for the buffer
of a file (1148 bytes) although there are many KiB in all. So `begin` has the heap collected after
every 1/8 of what is free, however much that is: 33 KiB came to grief where 20 KiB did not.

`free()` collects and tells how many bytes there are. On CPython nothing of this happens."""

import gc

try:
    from micropython import const
except ImportError:

    def const(value):
        return value


RESERVE = 12288  # bytes
_PIECE = const(4096)  # of it: nothing needs more at once, and a used heap has no larger ones,
_LEAST = const(1024)  # or not even these: an update has been there, and something of it stays
_SPARE = const(2048)  # the app keeps a piece of that size
little = 32768  # bytes; with less an update does without what only makes it faster

_aside = []
_wanted = False  # there was a `keep`


def free():
    """-> bytes of free heap."""
    if not hasattr(gc, "mem_free"):
        return 1 << 20
    gc.collect()
    return gc.mem_free()


def keep():
    """Put the reserve aside, as far as there is room for it."""
    global _wanted
    _wanted = True
    gc.collect()
    left = RESERVE - sum([len(piece) for piece in _aside])
    size = _PIECE
    try:
        spare = bytearray(_SPARE)
    except MemoryError:
        return
    while left > 0 and size >= _LEAST:
        try:
            _aside.append(bytearray(min(size, left)))
            left -= size
        except MemoryError:
            size //= 2  # what is missing in the end, the next update tries for again
    del spare


def begin():
    """-> what `end` needs to put things back as they were."""
    _aside.clear()
    room = free()
    before = None
    if hasattr(gc, "threshold"):
        before = gc.threshold()
        gc.threshold(room // 8)
    return before


def end(before):
    if before is not None:
        gc.threshold(before)
    if _wanted:
        keep()
