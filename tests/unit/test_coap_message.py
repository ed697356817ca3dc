"""CoAP messages: written and read back, and what is refused."""

import random

from harness import raises
from suit.errors import SuitError
from suit.numbers import R_LIMIT, R_SERVER
from suit.transports.coap_message import ACK, CON, GET, Message, Writer, status


def parsed(data):
    m = Message(memoryview(bytearray(data)))
    m.parse(0, len(data))
    return m


def options(data):
    m = parsed(data)
    found = []
    while m.next():
        found.append((m.number, m.value()))
    return found


def written(put, size=200):
    buf = bytearray(size)
    w = Writer(memoryview(buf))
    put(w)
    return bytes(buf[: w.size])


def test_the_message_of_rfc_7252_figure_16_is_read_and_written():
    def put(w):
        w.begin(CON, GET, 0x7D34)
        w.option(11, b"temperature")

    data = b"\x40\x01\x7d\x34\xbbtemperature"
    assert written(put) == data
    m = parsed(data)
    assert (m.type, m.code, m.mid, m.token_size) == (CON, GET, 0x7D34, 0)
    assert options(data) == [(11, b"temperature")] and m.payload == m.stop


def test_a_response_with_token_and_payload_is_read():
    data = b"\x62\x45\x7d\x34\x20\x21\xff22.3 C"
    m = parsed(data)
    assert (m.type, status(m.code), m.token_size) == (ACK, 205, 2)
    assert data[m.payload : m.stop] == b"22.3 C" and data[m.token : m.token + 2] == b"\x20\x21"


def test_long_deltas_and_lengths_use_their_extended_forms():
    for size in (0, 1, 12, 13, 14, 268, 269, 270, 600):
        for number in (1, 12, 13, 268, 269, 2000, 65000):

            def put(w, number=number, size=size):
                w.begin(CON, GET, 1, b"t")
                w.option(number, b"v" * size)
                w.body(b"payload")

            data = written(put, 700)
            assert options(data) == [(number, b"v" * size)]
            m = parsed(data)
            assert data[m.payload : m.stop] == b"payload"


def test_numbers_take_as_few_bytes_as_they_need():
    def put(w):
        w.begin(CON, GET, 1)
        for number in (1, 2, 3, 4, 5):
            w.uint(number, (0, 1, 255, 256, 0xFFFFFFFF)[number - 1])

    found = options(written(put))
    assert [len(value) for _, value in found] == [0, 1, 1, 2, 4]
    m = parsed(written(put))
    values = []
    while m.next():
        values.append(m.uint())
    assert values == [0, 1, 255, 256, 0xFFFFFFFF]


def test_a_message_that_does_not_fit_its_buffer_is_refused():
    def put(w):
        w.begin(CON, GET, 1)
        w.option(11, b"x" * 20)

    raises(SuitError, written, put, 24, reason=R_LIMIT)
    raises(SuitError, written, put, 5, reason=R_LIMIT)


def test_malformed_messages_are_refused():
    for data in (
        b"",
        b"\x40\x01\x00",  # shorter than a header
        b"\x00\x01\x00\x01",  # version 0
        b"\x80\x01\x00\x01",  # version 2
        b"\x49\x01\x00\x01123456789",  # token of 9 bytes
        b"\x4f\x01\x00\x01" + b"x" * 20,
        b"\x42\x01\x00\x01x",  # token cut
        b"\x41\x00\x00\x01x",  # empty message with a token
        b"\x40\x00\x00\x01\xff",  # empty message with more
        b"\x40\x01\x00\x01\xff",  # payload marker without payload
        b"\x40\x01\x00\x01\xf0",  # reserved delta
        b"\x40\x01\x00\x01\x0f",  # reserved length
        b"\x40\x01\x00\x01\xd0",  # extended delta cut
        b"\x40\x01\x00\x01\xe0\x01",
        b"\x40\x01\x00\x01\x0d",  # extended length cut
        b"\x40\x01\x00\x01\x0e\x01",
        b"\x40\x01\x00\x01\xb5temp",  # value cut
        b"\x40\x01\x00\x01\xdd\x01\x01x",
    ):
        raises(SuitError, parsed, data, reason=R_SERVER)


def test_what_lies_behind_a_datagram_is_never_read():
    buf = memoryview(bytearray(b"\x40\x01\x00\x01\xb5temperature"))
    m = Message(buf)
    for stop in range(16):
        try:
            m.parse(0, stop)
        except SuitError:
            continue
        while m.next():
            assert m.end <= stop
        assert m.payload <= stop


def test_random_bytes_are_read_or_refused():
    random.seed(11)
    read = 0
    for _ in range(4000):
        size = random.randrange(24)
        data = bytearray(random.getrandbits(8) for _ in range(size))
        if size and random.getrandbits(2):
            data[0] = 0x40 | data[0] & 0x33
        try:
            m = parsed(data)
            while m.next():
                m.value()
                m.uint()
            assert len(data[m.payload : m.stop]) == m.stop - m.payload
            read += 1
        except SuitError as error:
            assert error.reason == R_SERVER
    assert 100 < read < 3900
