"""The HTTP response parser: what it understands, what it refuses, in bounded memory."""

import random

from harness import finish, raises
from suit.errors import SuitError
from suit.numbers import R_NETWORK, R_SERVER
from suit.transports.http_response import Response


class Wire:
    """A socket that delivers `data` in pieces of at most `step` bytes and then ends."""

    def __init__(self, data, step=1000000):
        self.data = data
        self.step = step

    def readinto(self, view):
        n = min(len(view), len(self.data), self.step)
        view[:n] = self.data[:n]
        self.data = self.data[n:]
        return n


def response(data, step=1000000, buffer=640):
    r = Response(bytearray(buffer))
    r.begin(Wire(data, step), 1000)
    finish(r.head())
    return r


def body(r, size=100):
    out = bytearray()
    buf = bytearray(size)
    while True:
        n = finish(r.body(memoryview(buf)))
        if not n:
            return bytes(out)
        out.extend(buf[:n])


def refused(data, reason=R_SERVER):
    def whole():
        return body(response(data))

    return raises(SuitError, whole, reason=reason).detail


OK = b"HTTP/1.1 200 OK\r\n"
EARLY = b'HTTP/1.1 103 Early Hints\r\nLink: x\r\nETag: "no"\r\n\r\n'


def test_a_plain_body_ends_at_its_content_length_however_it_is_cut_up():
    data = OK + b'Content-Length: 11\r\nETag: "abc"\r\n\r\nhello world and more'
    for step in (1, 2, 3, 7, 1000):
        for size in (1, 4, 100):
            r = response(data, step)
            assert (r.status, r.length, r.etag) == (200, 11, '"abc"')
            assert body(r, size) == b"hello world"


def test_a_chunked_body_is_put_together():
    data = (
        OK
        + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nTrailer: x\r\n\r\n"
    )
    for step in (1, 2, 3, 5, 1000):
        for size in (1, 4, 100):
            r = response(data, step)
            assert r.length is None
            assert body(r, size) == b"hello world"


def test_without_a_length_the_body_ends_with_the_connection():
    assert body(response(b"HTTP/1.0 200 OK\n\nhello")) == b"hello"


def test_header_names_have_no_case_and_values_no_blanks_around():
    r = response(OK + b'CONTENT-length:5  \r\neTaG:\t"x" \r\nlocation: /y\r\n\r\n12345')
    assert (r.length, r.etag, r.location) == (5, '"x"', "/y")


def test_interim_responses_are_passed_over():
    r = response(EARLY + OK + b"Content-Length: 0\r\n\r\n")
    assert r.status == 200 and r.etag is None and body(r) == b""


def test_content_range_is_read():
    r = response(
        b"HTTP/1.1 206 P\r\nContent-Range: bytes 3-9/10\r\nContent-Length: 7\r\n\r\n3456789"
    )
    assert (r.first, r.last, r.size) == (3, 9, 10)
    r = response(b"HTTP/1.1 206 P\r\nContent-Range: bytes 3-9/*\r\n\r\n3456789")
    assert (r.first, r.last, r.size) == (3, 9, None)
    r = response(b"HTTP/1.1 416 P\r\nContent-Range: bytes */10\r\n\r\n")
    assert (r.first, r.last, r.size) == (None, None, 10)


def test_an_impossible_content_range_is_refused():
    for value in (b"3-9/10", b"bytes 9-3/10", b"bytes 3-10/10", b"bytes -3/10", b"bytes 3/10",
                  b"bytes 3-9", b"bytes 3-9/", b"bytes a-b/c", b"items 3-9/10", b"bytes +3-9/10"):  # fmt: skip
        refused(b"HTTP/1.1 206 P\r\nContent-Range: " + value + b"\r\n\r\n")


def test_what_is_not_http_is_refused():
    for data in (b"SSH-2.0-x\r\n\r\n", b"HTTP/2 200\r\n\r\n", b"HTTP/1.1 2x0 OK\r\n\r\n",
    b"HTTP/1.1 20\r\n\r\n",
                 b"\r\n\r\n", b"HTTP/1.1 2000 OK\r\n\r\n", b"HTTP/1.1\r\n\r\n", b"x" * 3000 +
                 b"\r\n"):  # fmt: skip
        refused(data)


def test_lengths_that_lie_are_refused():
    for value in (b"-1", b"+1", b"0x10", b"1 2", b"", b"99999999999", b"1,1", b"1.0", b"\xff"):
        if value != b"\xff":
            refused(OK + b"Content-Length: " + value + b"\r\n\r\nx")
    refused(OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx")
    assert body(response(OK + b"Content-Length: 1\r\nContent-Length: 1\r\n\r\nxx")) == b"x"


def test_chunked_wins_over_a_length_and_other_codings_are_refused():
    data = OK + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"
    assert body(response(data)) == b"x"
    refused(OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n")
    refused(OK + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
    assert response(OK + b"Content-Encoding: gzip\r\n\r\n").coded
    assert not response(OK + b"Content-Encoding: identity\r\n\r\n").coded


def test_malformed_chunks_are_refused():
    head = OK + b"Transfer-Encoding: chunked\r\n\r\n"
    for data in (
        b"x\r\n",
        b"\r\n",
        b"-1\r\n",
        b"123456789\r\n",
        b"1\r\nxy\r\n0\r\n\r\n",
        b"0x1\r\na\r\n",
    ):
        refused(head + data)


def test_an_early_end_is_cut_not_complete():
    assert refused(OK + b"Content-Length: 10\r\n\r\n123", R_NETWORK) == "cut"
    assert refused(OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhel", R_NETWORK) == "cut"
    assert refused(OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nhel", R_NETWORK) == "cut"
    assert refused(OK + b"Content-Len", R_NETWORK) == "cut"
    assert refused(b"", R_NETWORK) == "cut"


def test_a_long_line_is_skipped_and_a_long_header_refused():
    r = response(OK + b"X: " + b"y" * 3000 + b"\r\nContent-Length: 2\r\n\r\nok")
    assert body(r) == b"ok"
    assert refused(OK + b"X: y\r\n" * 2000 + b"\r\n") == "header"
    assert refused(OK + b"X: " + b"y" * 9000) == "header"
    assert refused((b"HTTP/1.1 100 C\r\n\r\n") * 1000) == "header"
    trailers = OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n" + b"X: y\r\n" * 2000
    assert refused(trailers) == "header"
    assert response(OK + b'ETag: "' + b"x" * 100 + b'"\r\n\r\n').etag is None


def test_header_bytes_that_are_no_text_are_ignored():
    r = response(
        OK + b"\xff\xfe: x\r\nETag: \xff\r\n: empty\r\nnothing\r\nContent-Length: 1\r\n\r\nx"
    )
    assert r.etag is None and body(r) == b"x"


def test_damaged_responses_end_in_a_body_or_a_refusal():
    seeds = (
        OK + b'Content-Length: 11\r\nETag: "abc"\r\n\r\nhello world',
        OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n",
        b"HTTP/1.1 206 P\r\nContent-Range: bytes 3-9/10\r\nContent-Length: 7\r\n\r\n3456789",
        b"HTTP/1.1 302 F\r\nLocation: http://x/\r\nContent-Length: 0\r\n\r\n",
    )
    random.seed(7)
    ended = 0
    for i in range(1500):
        data = bytearray(seeds[i % len(seeds)])
        for _ in range(random.randrange(1, 4)):
            at = random.randrange(len(data))
            what = random.randrange(3)
            if what == 0:
                data[at] = random.randrange(256)
            elif what == 1:
                data = data[:at] + data[at + random.randrange(1, 9) :]
            else:
                data = data[:at] + data[at // 2 : at] + data[at:]
            if not data:
                break
        try:
            body(response(bytes(data), random.choice((1, 5, 1000)), 64))
            ended += 1
        except SuitError as error:
            assert error.reason in (R_SERVER, R_NETWORK)
    assert 0 < ended < 1500


def test_a_peer_that_never_takes_the_request_is_given_up():
    from suit.transports import http, net

    class Sock:
        def close(self):
            pass

    now = [0]
    kept = net.connect, net.send, net.ticks, net.elapsed
    net.connect = lambda *where: Sock()
    net.send = lambda sock, view: None
    net.ticks = lambda: now[0]
    net.elapsed = lambda a, b: a - b
    try:
        stream = http.HTTPStream("http://10.0.0.1/x")
        stream.attempts = 1
        gen = stream.start(0, None)
        gen.send(None)
        for _ in range(100):  # ready each time, and nothing goes through
            now[0] += 1000
            try:
                gen.send(True)
            except SuitError as error:
                assert error.reason == R_NETWORK and error.detail == "timeout"
                break
        else:
            raise AssertionError("it waits for ever")
    finally:
        net.connect, net.send, net.ticks, net.elapsed = kept
