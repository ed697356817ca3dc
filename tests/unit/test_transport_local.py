"""Streams over regions and files."""

import os

from harness import finish
from suit import transports
from suit.region import MemoryRegion, PathRegion, SubRegion
from suit.transports.local import RegionStream

DATA = bytes(range(256)) * 5


def read_all(stream, offset=0, mark=None, size=100):
    finish(stream.start(offset, mark))
    out = bytearray()
    buf = bytearray(size)
    while True:
        n = finish(stream.readinto(memoryview(buf)))
        if not n:
            stream.close()
            return bytes(out)
        out.extend(buf[:n])


def test_a_region_is_read_from_the_offset_to_its_end():
    stream = RegionStream(MemoryRegion(DATA))
    assert read_all(stream) == DATA and stream.total == len(DATA) and stream.offset == 0
    assert read_all(stream, 1000) == DATA[1000:] and stream.offset == 1000
    assert read_all(stream, len(DATA)) == b"" and stream.offset == len(DATA)


def test_an_offset_past_the_end_begins_at_zero():
    stream = RegionStream(MemoryRegion(DATA))
    assert read_all(stream, len(DATA) + 1) == DATA and stream.offset == 0


def test_closing_lets_go_of_the_file_that_a_payload_lies_in_until_somebody_reads_again():
    name = "test %s.tmp" % "".join("%02x" % c for c in os.urandom(6))
    with open(name, "wb") as file:
        file.write(DATA)
    try:
        envelope = PathRegion(name)
        payload = RegionStream(SubRegion(envelope, 3, 500))
        for _ in range(2):
            assert read_all(payload) == DATA[3:503]
            assert envelope._file is None
    finally:
        os.remove(name)


def test_a_file_is_opened_by_path_or_uri():
    name = "test %s.tmp" % "".join("%02x" % c for c in os.urandom(6))
    with open(name, "wb") as file:
        file.write(DATA)
    try:
        assert read_all(transports.open(name), 3) == DATA[3:]
        uri = "file://" + (os.getcwd() + "/" + name).replace(" ", "%20")
        assert read_all(transports.open(uri)) == DATA
    finally:
        os.remove(name)
