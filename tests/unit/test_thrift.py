"""Memory for updates: garbage is collected often, and afterwards as before; a reserve."""

import gc

from harness import MICROPYTHON, skip
from storage import folder, write
from suit import config, thrift
from suit.region import PathRegion, SubRegion


def test_during_an_update_garbage_is_collected_after_each_eighth_of_what_is_free():
    if not MICROPYTHON:
        assert thrift.begin() is None and thrift.free() >= 1 << 20
        thrift.end(None)
        skip("no heap to look at")
    before = gc.threshold()
    try:
        gc.threshold(123456)
        kept = thrift.begin()
        assert kept == 123456
        assert 0 < gc.threshold() <= thrift.free() // 8
        thrift.end(kept)
        assert gc.threshold() == 123456
    finally:
        gc.threshold(before)


def test_the_reserve_is_there_for_an_update_and_put_aside_again_after_it():
    try:
        thrift.end(thrift.begin())
        assert thrift._aside == []  # nobody asked for it
        for _ in range(2):
            thrift.keep()
            assert sum([len(piece) for piece in thrift._aside]) == thrift.RESERVE
        before = thrift.begin()
        assert thrift._aside == []
        thrift.end(before)
        assert sum([len(piece) for piece in thrift._aside]) == thrift.RESERVE
    finally:
        thrift._aside.clear()
        thrift._wanted = False


def test_the_reserve_is_put_together_from_what_pieces_there_are():
    if not MICROPYTHON:
        skip("no heap to fill")
    taken = None  # a chain of pieces as large as can be had, down to nothing
    size = 1 << 20
    pieces = []
    try:
        for _ in range(40):
            pieces.append(bytearray(2200))
            pieces.append(bytearray(600))
        while size > 8:
            try:
                taken = (taken, bytearray(size))
            except MemoryError:
                size >>= 1
        for i in range(1, 80, 2):
            pieces[i] = None
        thrift.keep()
        assert thrift._aside == []  # these are the last ones that the app has
        for i in range(0, 80, 2):
            pieces[i] = None if i % 4 else pieces[i]
        thrift.keep()
        assert sum([len(piece) for piece in thrift._aside]) == thrift.RESERVE
        assert max([len(piece) for piece in thrift._aside]) < 4096
        bytearray(2048)
    finally:
        taken = pieces = None
        thrift._aside.clear()
        thrift._wanted = False
        gc.collect()


def test_the_table_of_a_key_begins_where_words_can_be_read():
    root = folder()
    table = bytes(range(256)) * 8
    for before in range(8):
        data = b"\x81" * before + b"\x59\x08\x00" + table + b"end"
        write(root + "/trust.cbor", data)
        found = config.trust_bytes(root)
        assert bytes(found) == data
        if MICROPYTHON:
            from uctypes import addressof

            assert addressof(found[before + 3 :]) & 3 == 0
    for data in (b"", b"\x80", b"\x59\x08\x00", b"x" * 3000):
        write(root + "/trust.cbor", data)
        assert bytes(config.trust_bytes(root)) == data


def test_a_region_over_a_path_holds_no_file_open_while_it_rests():
    root = folder()
    write(root + "/file", b"0123456789")
    region = PathRegion(root + "/file")
    part = SubRegion(region, 2, 5)
    buf = bytearray(4)
    for _ in range(2):
        assert region.size == 10 and part.read_at(1, buf) == 4 and buf == b"3456"
        region.rest()
        region.rest()
        assert region._file is None
