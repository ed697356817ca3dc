"""Slots and their files: what fits, what is resumed, what is left behind, and that nothing outside the
slot being written changes."""

import os

from harness import MICROPYTHON, finish, raises, skip
from storage import folder, power_cut, read, write
from suit import components, slots, unchanged
from suit.cbor import encode
from suit.components import FileComponent, RamComponent, parse
from suit.errors import SuitError
from suit.numbers import (
    R_COMPONENT_UNSUPPORTED,
    R_NOT_ALLOWED,
    R_OPERATION_FAILED,
    R_TOO_LARGE,
)
from suit.slots import Slot, exists

_open = []  # components with a file that a cut left open; collecting it would close it
D1 = b"\x01" * 32
D2 = b"\x02" * 32


def component(slot, *names):
    return FileComponent(slot, slot.file(names) if names else slot.app, True)


def put(c, data, digest=None, size=None):
    c.begin(len(data) if size is None else size, digest)
    c.write(memoryview(data))
    c.end()


def content(c):
    size = c.size()
    buf = bytearray(size)
    view = memoryview(buf)
    at = 0
    while at < size:
        at += c.read_at(at, view[at : at + 100])
    assert c.read_at(size, bytearray(4)) == 0
    c.close()
    return bytes(buf)


def test_names_that_a_manifest_may_use():
    for parts in (["app"], ["file", "a"], ["file", "a", "b", "c", "d"], ["ram", "x"]):
        assert parse(encode([p.encode() for p in parts])) == parts
    assert parse(encode([b"file", "ü".encode()])) == ["file", "ü"]


def test_names_that_are_nobodys():
    for parts in (
        [], [b""], [b"app", b"b"], [b"file"], [b"file", b""], [b"file", b".."], [b"file", b"."],
        [b"file", b"a/b"], [b"file", b"/"], [b"file", b"a", b"..", b"b"], [b"file", b"a\0"],
        [b"file", b"x" * 65], [b"file"] + [b"x"] * 5, [b"file", b"\xc0\xaf"], [b"file", b"\xff"],
        [b"ram"], [b"ram", b""], [b"state.0"], [b"suit", b"trust.cbor"], [b"APP"], [b"\xff"],
    ):  # fmt: skip
        raises(SuitError, parse, encode(parts), reason=R_COMPONENT_UNSUPPORTED)


def test_what_is_written_is_there_after_end_in_folders_of_its_own():
    root = folder()
    slot = Slot(root, 1)
    c = component(slot, "conf", "deep", "x.json")
    assert c.size() is None
    put(c, b"hello")
    assert c.size() == 5 and content(c) == b"hello" and c.slot == 1
    put(c, b"")
    assert c.size() == 0
    assert os.listdir(root) == ["b"]


def test_a_component_of_the_running_slot_is_read_only():
    slot = Slot(folder(), 0)
    put(component(slot), b"running")
    c = FileComponent(slot, slot.app, False)
    raises(SuitError, c.begin, 3, None, reason=R_NOT_ALLOWED)
    raises(SuitError, c.swap, component(slot, "x"), reason=R_OPERATION_FAILED)
    assert content(c) == b"running"


def test_the_size_is_checked_before_the_old_content_goes():
    slot = Slot(folder(), 0, 1000)
    put(component(slot, "other"), bytes(300))
    c = component(slot)
    put(c, bytes(700))
    raises(SuitError, c.begin, 701, None, reason=R_TOO_LARGE)
    assert c.size() == 700
    # without a size the limit holds while writing
    c.begin(None, None)
    c.write(bytes(700))
    raises(SuitError, c.write, b"x", reason=R_TOO_LARGE)
    c.abandon()
    assert c.size() is None


def test_a_full_filesystem_is_told_before_the_first_byte():
    if not MICROPYTHON:
        skip("needs a small filesystem")
    slot = Slot(folder(blocks=32), 0)
    c = component(slot)
    error = raises(SuitError, c.begin, 32 * 4096, None, reason=R_TOO_LARGE)
    room = int(error.detail.split(" ")[3])
    assert 60000 < room < 110000, error.detail
    # and what is promised to fit does fit, in slices
    c.begin(room, D1)
    piece = bytes(1024)
    for at in range(0, room, 1024):
        c.write(memoryview(piece)[: min(1024, room - at)])
    c.end()
    assert c.size() == room
    # the old content counts as room for the new (less the folders that were made meanwhile)
    c.begin(room - 16384, D2)
    c.end()


def test_sixteen_kib_and_more_survive_a_cut_and_are_resumed_by_digest():
    slot = Slot(folder(), 0)
    c = component(slot)
    data = bytes(range(256)) * 160  # 40 KiB
    c.begin(len(data), D1)
    c.mark = '"etag"'
    for at in range(0, 39000, 1000):
        c.write(memoryview(data)[at : at + 1000])
    if MICROPYTHON:
        _open.append(c)
        power_cut()
    else:
        c._writer.flush()
        os.truncate(c.path, 32768)
    again = component(slot)
    there = again.begin(len(data), D1)
    assert 32000 <= there < 39000 and again.mark == '"etag"', there
    buf = bytearray(there)
    assert again.read_at(0, buf) == there and buf == data[:there]  # while it is open for writing
    again.write(memoryview(data)[there:])
    again.end()
    assert content(again) == data and slot.part() is None


def test_a_prefix_of_another_image_or_of_an_unknown_one_is_not_resumed():
    slot = Slot(folder(), 0)
    c = component(slot)
    c.begin(50000, D1)
    c.write(bytes(20000))
    c.abandon()
    assert c.size() == 20000
    for size, digest in ((50000, None), (50000, D2), (10000, D1)):  # the last: longer than the whole
        c.begin(50000, D1)
        c.write(bytes(20000))
        c.abandon()
        other = component(slot)
        assert other.begin(size, digest) == 0
        other.abandon()


def test_what_was_complete_is_offered_whole_to_be_hashed():
    slot = Slot(folder(), 0)
    c = component(slot)
    put(c, b"complete", D1)
    again = component(slot)
    assert again.begin(8, D1) == 8
    again.restart()
    again.write(b"restart!")
    again.end()
    assert content(again) == b"restart!"
    other = component(slot)
    assert other.begin(9, D1) == 0
    other.abandon()


def test_one_component_at_a_time_has_a_file_open_for_reading_and_all_can_be_read_in_turn():
    root = folder()
    slot = Slot(root, 0)
    both = [component(slot, name) for name in ("one", "two")]
    for c, data in zip(both, (b"1" * 300, b"2" * 300)):
        put(c, data)
    buf = bytearray(100)
    got = [b"", b""]
    for at in range(0, 300, 100):
        for i, c in enumerate(both):
            assert c.read_at(at, buf) == 100
            got[i] += bytes(buf)
    assert got == [b"1" * 300, b"2" * 300]
    assert [components._reading.owner is c for c in both] == [False, True]
    both[0].close()  # leaves the other's file alone
    assert components._reading.owner is both[1]
    both[1].close()
    assert components._reading.file is None


def test_what_is_resumed_is_hashed_before_its_file_is_opened_for_writing():
    root = folder()
    slot = Slot(root, 0)
    put(component(slot, "f"), b"beginning", D1)
    slot.set_part(slot.file(["f"]), D1, None)
    c = component(slot, "f")
    assert c.begin(20, D1) == 9
    assert c._writer is None
    buf = bytearray(9)
    assert c.read_at(0, buf) == 9 and buf == b"beginning"
    c.write(memoryview(b" and the end"))
    c.abandon()
    assert read(slot.file(["f"])) == b"beginning and the end"


def test_a_component_of_an_identifier_has_the_path_that_it_says():
    root = folder()
    slot = Slot(root, 1)
    for parts in ([b"app"], [b"file", b"a", b"b"]):
        raw = encode(parts)
        assert FileComponent(slot, raw, True).path == slot.component(parse(raw))


def test_an_abandoned_write_without_a_digest_leaves_nothing():
    slot = Slot(folder(), 0)
    c = component(slot)
    put(c, b"old")
    c.begin(3, None)
    c.write(b"ne")
    c.abandon()
    c.abandon()
    assert c.size() is None


def test_swap_exchanges_two_files_of_the_slot():
    slot = Slot(folder(), 0)
    one, two = component(slot), component(slot, "spare")
    put(two, b"second")
    one.swap(two)
    assert content(one) == b"second" and two.size() is None
    put(two, b"third")
    one.swap(two)
    assert content(one) == b"third" and content(two) == b"second"
    raises(SuitError, one.swap, RamComponent(0), reason=R_OPERATION_FAILED)


def test_tidy_leaves_what_is_wanted_and_nothing_else():
    root = folder()
    slot = Slot(root, 0)
    put(component(slot), b"app")
    put(component(slot, "keep", "x"), b"1")
    put(component(slot, "keep", "y"), b"2")
    put(component(slot, "drop", "deep", "z"), b"3")
    write(slot.manifest, b"m")
    write(slot.path + "/part", b"p")
    write(root + "/state.0", b"record")
    slot.tidy([slot.app, slot.file(["keep", "x"])])
    paths, folders = slot.walk()
    assert sorted(paths) == sorted([slot.app, slot.file(["keep", "x"])])
    assert not exists(slot.files + "/drop") and exists(slot.files + "/keep")
    assert read(root + "/state.0") == b"record"
    slot.tidy([])
    assert slot.walk()[0] == [] and exists(slot.path)
    Slot(root, 1).tidy([])  # a slot that was never made


def test_a_slot_that_cannot_be_read_is_not_an_empty_one():
    def unreadable(path):
        raise OSError(5)

    slot = Slot(folder(), 0)
    put(component(slot), b"app")
    kept = slots.os
    slots.os = type("os", (), {"listdir": unreadable, "stat": kept.stat})
    try:
        assert raises(OSError, slot.tidy, []).args[0] == 5
    finally:
        slots.os = kept
    assert slot.walk()[0] == [slot.app]


def test_the_note_of_an_interrupted_download_may_be_anything():
    slot = Slot(folder(), 0)
    put(component(slot), b"x")
    for junk in (b"", b"\xff\xff", b"\x80", encode([1, 2]), encode({"a": 1}), b"\x83" * 900):
        write(slot.path + "/part", junk)
        assert slot.part() is None
        c = component(slot)
        assert c.begin(50, D1) == 0
        c.abandon()


def test_ram_holds_a_little_and_forgets():
    c = RamComponent(0)
    assert c.size() is None
    put(c, b"abc")
    assert c.size() == 3 and content(c) == b"abc"
    raises(SuitError, c.begin, 1 << 20, None, reason=R_TOO_LARGE)
    c.begin(None, None)
    for _ in range(16):
        c.write(bytes(1024))
    raises(SuitError, c.write, b"x", reason=R_TOO_LARGE)
    c.abandon()
    assert c.size() is None


def sha256(data):
    import hashlib

    return hashlib.sha256(data).digest()


def test_an_image_of_the_other_slot_is_copied_whatever_it_is_called():
    root = folder()
    old, new = Slot(root, 0), Slot(root, 1)
    put(component(old, "was", "here"), b"content" * 1000)
    put(component(old, "decoy"), b"contenT" * 1000)
    write(old.manifest, b"content" * 1000)
    before = sorted(old.walk()[0])
    c = component(new, "now")
    assert finish(unchanged.copy(new, old, c, sha256(b"content" * 1000), 7000)) is True
    assert content(c) == b"content" * 1000
    assert finish(unchanged.copy(new, old, component(new), sha256(b"other"), 7000)) is False
    assert component(new).size() is None and sorted(old.walk()[0]) == before
    # without a size only the same name is looked at
    d = component(new, "decoy")
    assert finish(unchanged.copy(new, old, d, sha256(b"contenT" * 1000))) is True
    assert finish(unchanged.copy(new, old, component(new, "z"), sha256(b"content" * 1000))) is False


def test_a_copy_that_is_there_already_is_not_written_again():
    root = folder()
    new = Slot(root, 1)
    c = component(new)
    put(c, b"same")
    c.begin = lambda *args: 1 / 0
    assert finish(unchanged.copy(new, Slot(root, 0), c, sha256(b"same"), 4)) is True
    raises(ZeroDivisionError, finish, copy_of_other(root, new, c))


def copy_of_other(root, new, c):
    old = Slot(root, 0)
    put(component(old), b"othe")
    return unchanged.copy(new, old, c, sha256(b"othe"), 4)
