"""Streams over the console, against a workstation that loses and damages lines."""

import binascii

from harness import raises
from suit.errors import SuitError
from suit.numbers import R_CONTENT_CHANGED, R_NETWORK, R_SERVER
from suit.transports import resolve, serial

DATA = bytes(i * 5 & 255 for i in range(2000))


def line(offset, data=DATA, count=384, mark="abc"):
    part = binascii.b2a_base64(data[offset : offset + count]).strip() or b"-"
    text = b"suit:is %d %d %s %s" % (offset, len(data), mark.encode(), part)
    return text + b" %08x\n" % binascii.crc32(text)


class Cable:
    """Both ends in one: what the board writes is a question, and `answer` says what it reads."""

    def __init__(self, answer):
        self.answer = answer
        self.waiting = b""
        self.questions = []

    def write(self, data):
        words = bytes(data).strip().split(b" ", 3)
        assert words[0] == b"suit:get" and int(words[2]) <= 384
        self.questions.append(words)
        self.waiting += self.answer(self, int(words[1]))

    def readinto(self, view):
        view[:1] = self.waiting[:1]
        self.waiting = self.waiting[1:]
        return 1

    # select.poll()

    def register(self, source, events):
        pass

    def poll(self, timeout):
        return [1] if self.waiting else []


def fetch(cable, offset=0, mark=None, uri="serial:/a%20b.suit"):
    saved = serial.select
    serial.select = type("select", (), {"poll": staticmethod(lambda: cable)})
    try:
        stream = serial.SerialStream(uri, cable, cable)
    finally:
        serial.select = saved
    drive(stream.start(offset, mark), cable)
    out = bytearray()
    buf = bytearray(300)
    while True:
        n = drive(stream.readinto(memoryview(buf)), cable)
        if not n:
            return stream, bytes(out)
        out.extend(buf[:n])


def drive(gen, cable):
    answer = None
    try:
        while True:
            gen.send(answer)
            answer = bool(cable.waiting)
    except StopIteration as done:
        return done.value


def test_a_file_arrives_line_by_line():
    cable = Cable(lambda cable, offset: line(offset))
    stream, data = fetch(cable)
    assert data == DATA and stream.total == len(DATA) and stream.mark == "abc"
    assert cable.questions[0] == [b"suit:get", b"0", b"384", b"a%20b.suit"]
    assert len(cable.questions) == 6


def test_references_resolve_beside_the_envelope():
    assert resolve("serial:/latest.suit", "ab12-app.img") == "serial:/ab12-app.img"


def test_a_transfer_is_taken_up_at_any_byte_or_begun_again():
    for offset, mark, begins in (
        (1, "abc", 1), (384, None, 384), (1999, "abc", 1999), (2000, "abc", 2000),
        (2001, "abc", 0), (700, "other", 0),
    ):  # fmt: skip
        stream, data = fetch(Cable(lambda cable, offset: line(offset)), offset, mark)
        assert stream.offset == begins and data == DATA[begins:]


def test_lost_and_damaged_lines_are_asked_for_again():
    def answer(cable, offset):
        n = len(cable.questions) % 5
        good = line(offset)
        if n == 1:
            return b""
        if n == 2:
            return good[:40] + b"x" + good[41:]
        if n == 3:
            return b"another line\r\nsuit:is 1 2\n"
        if n == 4:
            return b"x" * 700 + b"\n" + good[:-1] + b"\r\n"
        return line(0) + good

    stream, data = fetch(Cable(answer))
    assert data == DATA


def test_silence_refusal_and_other_content_are_errors():
    error = raises(SuitError, fetch, Cable(lambda cable, offset: b""), reason=R_NETWORK)
    assert error.detail == "timeout"
    noise = Cable(lambda cable, offset: b"noise and no end" * 1000)
    raises(SuitError, fetch, noise, reason=R_NETWORK)
    error = raises(SuitError, fetch, Cable(lambda cable, o: b"suit:no absent\n"), reason=R_SERVER)
    assert error.detail == "absent"

    def changes(cable, offset):
        return line(offset, mark="abc" if offset < 1000 else "def")

    raises(SuitError, fetch, Cable(changes), reason=R_CONTENT_CHANGED)

    def grows(cable, offset):
        return line(offset, DATA if offset < 1000 else DATA + b"x")

    raises(SuitError, fetch, Cable(grows), reason=R_CONTENT_CHANGED)

    def ends(cable, offset):
        return line(offset, count=384 if offset < 1000 else 0)

    raises(SuitError, fetch, Cable(ends), reason=R_CONTENT_CHANGED)
