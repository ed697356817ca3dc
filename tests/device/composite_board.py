# An update with two dependencies on a board in RAM, with so much heap and no more.
# MIT licence.
"""`micropython composite_board.py FOLDER FREE`: the updater as it is, on a littlefs in RAM, installs
FOLDER/1.suit to load its code, then FOLDER/2.suit with FREE bytes of heap in one piece and nothing
else. Prints `ok`, `memory`, or what else came of it. Files of FOLDER lie beside the envelopes."""

import gc
import os
import sys

from storage import write
from suit import updater
from suit.errors import SuitError
from suit.numbers import R_BUDGET
from test_updater import Bench


def attempt(path):
    try:
        for _ in updater.update(path, False):
            pass
        return "ok"
    except SuitError as error:
        return "memory" if error.reason == R_BUDGET else "%s %s" % (error.reason, error.detail)
    except MemoryError:
        return "memory"


def main(folder, free):
    board = Bench()
    for name in os.listdir(folder):
        with open(folder + "/" + name, "rb") as file:
            where = board.root if name in ("config.cbor", "trust.cbor") else board.out
            write(where + "/" + name, file.read())
    place = bytearray(free)  # whole until it is wanted
    print(attempt(board.out + "/1.suit"))
    gc.collect()
    taken = None  # a chain: a list would need a piece of its own to grow
    size = 1 << 16
    while size > 8:
        try:
            taken = (taken, bytearray(size))
        except MemoryError:
            size >>= 1
    del place
    gc.collect()
    there = gc.mem_free()
    found = attempt(board.out + "/2.suit")
    taken = None
    gc.collect()
    print(found, there)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
