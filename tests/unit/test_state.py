"""The record: two copies, the older overwritten; whatever is torn or flipped leaves the other."""

import os

from harness import MICROPYTHON, raises, skip
from storage import folder, read, write
from suit import decide, state


def full_record():
    r = state.Record()
    for i in range(8):
        r = decide.armed(r, 1, bytes([i + 1]) * 32, (1 << 62) + i, bytes([i + 1]) * 5, 3)
        r = decide.went_back(r, 64, 7, b"traceback digest")
    r = decide.armed(r, 0, b"\xaa" * 32, (1 << 64) - 1, b"\x03" * 5, 200)
    r = decide.confirmed(r)
    r.crashes = 2
    r.slots[1].firmware = 1
    return r


def same(a, b):
    return state.pack(a) == state.pack(b)


def test_a_full_record_comes_back_as_it_was():
    r = full_record()
    data = state.pack(r)
    assert len(data) == 256
    back = state.unpack(data)
    assert state.pack(back) == data
    assert back.active == 0 and back.trial is None and back.tries == 0
    assert back.slots[0].sequence == (1 << 64) - 1 and back.slots[1].firmware == 1
    assert back.floor(b"\x03" * 5) == (1 << 64) - 1 and back.floor(b"\x09" * 5) == 0
    assert len(back.bad) == 3 and back.knows_bad(b"\x08" * 32) and not back.knows_bad(b"\x01" * 32)
    assert back.back_reason == 64 and back.back_digest == b"\x08" * 8


def test_every_flipped_bit_and_every_other_length_is_refused():
    data = state.pack(full_record())
    for i in range(256):
        for bit in range(8):
            data[i] ^= 1 << bit
            assert state.unpack(data) is None
            data[i] ^= 1 << bit
    for n in (0, 1, 255):
        assert state.unpack(data[:n]) is None
    assert state.unpack(data + b"\0") is None
    assert state.unpack(data) is not None


def test_a_record_that_names_one_slot_twice_is_refused():
    r = full_record()
    r.trial = r.active
    assert state.unpack(state.pack(r)) is None


def test_nothing_saved_is_none():
    assert state.Store(folder()).load() is None


def test_the_older_copy_is_overwritten_in_turn():
    root = folder()
    store = state.Store(root)
    r = state.Record()
    seen = []
    for i in range(5):
        r.tries = i
        before = [read(root + "/state.%d" % c) if i > c else None for c in (0, 1)]
        store.save(r)
        after = [read(root + "/state.%d" % c) if i + 1 > c else None for c in (0, 1)]
        changed = [c for c in (0, 1) if before[c] != after[c]]
        assert len(changed) == 1
        seen.append(changed[0])
        assert state.Store(root).load().tries == i
    assert seen == [0, 1, 0, 1, 0]


def test_losing_the_newer_copy_leaves_the_older_and_the_next_save_spares_it():
    root = folder()
    store = state.Store(root)
    r = state.Record()
    for i in range(4):
        r.tries = i
        store.save(r)
    write(root + "/state.1", read(root + "/state.1")[:200])  # generation 4, torn
    other = state.Store(root)
    assert other.load().tries == 2
    keep = read(root + "/state.0")
    r.tries = 9
    other.save(r)
    assert read(root + "/state.0") == keep and state.Store(root).load().tries == 9


def test_a_store_that_never_loaded_does_not_overwrite_the_newer_copy():
    root = folder()
    store = state.Store(root)
    r = state.Record()
    store.save(r)
    store.save(r)
    newer = read(root + "/state.1")
    state.Store(root).save(r)
    assert read(root + "/state.1") == newer
    # and two stores in one process do not disturb each other
    store.save(r)
    assert state.Store(root).load().generation == 4


def test_both_copies_lost_is_none():
    root = folder()
    store = state.Store(root)
    store.save(state.Record())
    store.save(state.Record())
    write(root + "/state.0", b"")
    write(root + "/state.1", b"\xff" * 256)
    assert state.Store(root).load() is None


def test_a_save_that_does_not_last_raises():
    if MICROPYTHON:
        skip("a folder in the way shows the same on CPython")
    root = folder()
    os.mkdir(root + "/state.0")
    raises(OSError, state.Store(root).save, state.Record())


def test_a_copy_is_independent():
    r = full_record()
    c = r.copy()
    assert same(r, c)
    c.slots[0].sequence = 1
    c.floors.append((b"12345", 1))
    c.bad.append(b"12345678")
    assert same(r, full_record())
