"""The release store over HTTP: what RFC 9110 says of ranges, and what a client may not do."""

import http.client
import socket
import time

import pytest
from serving import serving
from suitup.serve import http as served
from suitup.serve.http import parse_range
from suitup.serve.store import publish

BODY = bytes(range(256)) * 300  # 76 800 bytes


@pytest.fixture
def folder(tmp_path):
    publish(tmp_path / "release", "app.img", BODY)
    (tmp_path / "secret").write_bytes(b"not for devices")
    return tmp_path / "release"


@pytest.fixture
def server(folder):
    with serving(folder, coap_port=None) as (server, log):
        server.requests = log
        yield server


def ask(server, path="/app.img", method="GET", **headers):
    connection = http.client.HTTPConnection("127.0.0.1", server.http_port, timeout=10)
    connection.putrequest(method, path, skip_accept_encoding=True)
    for name, value in headers.items():
        connection.putheader(name.replace("_", "-"), value)
    connection.endheaders()
    answer = connection.getresponse()
    answer.body = answer.read()
    connection.close()
    return answer


def raw(server, data, timeout=10):
    """Send bytes, return everything that comes back until the server closes."""
    with socket.create_connection(("127.0.0.1", server.http_port), timeout=timeout) as wire:
        wire.sendall(data)
        received = b""
        try:
            while part := wire.recv(65536):
                received += part
        except ConnectionResetError:
            pass
        return received


def test_a_file_comes_whole_with_its_length_and_etag(server):
    answer = ask(server)
    assert answer.status == 200
    assert answer.body == BODY
    assert answer.headers["Content-Length"] == str(len(BODY))
    assert answer.headers["ETag"] == '"%s"' % server.store.etag("app.img").hex()
    assert answer.headers["Accept-Ranges"] == "bytes"


def test_head_says_the_same_without_the_body(server):
    answer = ask(server, method="HEAD")
    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["Content-Length"] == str(len(BODY))


def test_a_range_is_sent_with_where_it_lies(server):
    answer = ask(server, Range="bytes=1000-1999")
    assert (answer.status, answer.body) == (206, BODY[1000:2000])
    assert answer.headers["Content-Range"] == f"bytes 1000-1999/{len(BODY)}"
    answer = ask(server, Range="bytes=70000-")
    assert (answer.status, answer.body) == (206, BODY[70000:])
    answer = ask(server, Range="bytes=-10")
    assert (answer.status, answer.body) == (206, BODY[-10:])


def test_a_range_after_the_end_is_416_with_the_length(server):
    answer = ask(server, Range=f"bytes={len(BODY)}-")
    assert answer.status == 416
    assert answer.headers["Content-Range"] == f"bytes */{len(BODY)}"


def test_if_range_of_another_version_sends_everything(server):
    etag = '"%s"' % server.store.etag("app.img").hex()
    assert ask(server, Range="bytes=9-", If_Range=etag).status == 206
    for other in ('"0123456789abcdef"', f"W/{etag}", "Sat, 21 Nov 2026 12:00:00 GMT"):
        answer = ask(server, Range="bytes=9-", If_Range=other)
        assert (answer.status, len(answer.body)) == (200, len(BODY))


def test_if_none_match_of_this_version_is_304(server):
    etag = '"%s"' % server.store.etag("app.img").hex()
    answer = ask(server, If_None_Match=f'"x", {etag}')
    assert (answer.status, answer.body) == (304, b"")
    assert ask(server, If_None_Match='"x"').status == 200


@pytest.mark.parametrize(
    "header, expected",
    [
        ("bytes=0-0", (0, 1)), ("bytes=5-", (5, 5)), ("bytes=5-99", (5, 5)), ("bytes=-3", (7, 3)),
        ("bytes=-99", (0, 10)), ("bytes=-", None), ("bytes=4-3", None), ("bytes=0-1,3-4", None),
        ("items=0-1", None), ("bytes=a-b", None), ("bytes=0-" + "9" * 40, None),
    ],
)  # fmt: skip
def test_ranges_are_read_as_the_text_says(header, expected):
    assert parse_range(header, 10) == expected


@pytest.mark.parametrize("header", ["bytes=10-", "bytes=-0"])
def test_ranges_that_hold_nothing_are_unsatisfiable(header):
    with pytest.raises(ValueError):
        parse_range(header, 10)


@pytest.mark.parametrize(
    "path",
    [
        "/../secret", "/..%2fsecret", "/%2e%2e/secret", "/%2e%2e%2fsecret", "/%252e%252e/secret", "//etc/passwd",
        "/app.img/../../secret", "/..\\secret", "/.%00./secret", "/%c0%ae%c0%ae/secret", "/", "/.", "/app.img/",
        "/app.img%00.txt", "/" + "a" * 1500, "/" + "a/" * 500, "/app%2eimg", "http://127.0.0.1/../secret",
    ],
)  # fmt: skip
def test_no_path_leads_out_of_the_folder(server, path):
    received = raw(server, f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    assert received.split(b" ")[1] in (b"404", b"400"), received[:80]
    assert b"not for devices" not in received


def test_only_get_and_head_are_answered_and_no_body_is_read(server):
    for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"):
        assert ask(server, method=method).status == 405
    received = raw(server, b"GET /app.img HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\nx")
    assert received.startswith(b"HTTP/1.1 413")


def test_a_header_that_never_ends_is_cut_off_in_time(folder, monkeypatch):
    monkeypatch.setattr(served, "HEADER_S", 1)
    monkeypatch.setattr(served.HTTPServer.__init__, "__defaults__", (None, 1, 20))
    with serving(folder, coap_port=None) as (server, _):
        begun = time.monotonic()
        with socket.create_connection(("127.0.0.1", server.http_port), timeout=10) as wire:
            wire.sendall(b"GET /app.img HTTP/1.1\r\n")
            with pytest.raises(OSError):
                for letter in b"X-Slow: " + b"y" * 100:  # a byte now and then, for ever
                    wire.sendall(bytes((letter,)))
                    time.sleep(0.1)
                    if time.monotonic() - begun > 5:
                        pytest.fail("still connected after five seconds")
        assert time.monotonic() - begun < 4


def test_a_silent_connection_is_closed_and_a_kept_one_too(folder, monkeypatch):
    monkeypatch.setattr(served.HTTPServer.__init__, "__defaults__", (None, 1, 20))
    with serving(folder, coap_port=None) as (server, _):
        with socket.create_connection(("127.0.0.1", server.http_port), timeout=5) as wire:
            assert wire.recv(1) == b""
        request = b"HEAD /app.img HTTP/1.1\r\nHost: x\r\n\r\n"
        with socket.create_connection(("127.0.0.1", server.http_port), timeout=5) as wire:
            for _ in range(2):  # two requests on one connection, then silence
                wire.sendall(request)
                assert wire.recv(4096).startswith(b"HTTP/1.1 200")
            assert wire.recv(1) == b""


def test_header_bombs_are_cut_off(server):
    for bomb in (
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: " + b"a" * 100_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"".join(b"X-%d: y\r\n" % n for n in range(10_000)) + b"\r\n",
        b"\r\n" * 50_000,
        b"\x00" * 100_000,
    ):
        try:
            received = raw(server, bomb)
        except (BrokenPipeError, ConnectionResetError):
            continue
        assert received == b"" or received.split(b" ")[1] in (b"400", b"414", b"431"), received[
            :80
        ]
    assert ask(server).status == 200


def test_connections_of_one_address_are_bounded_and_come_free_again(server):
    wires = [
        socket.create_connection(("127.0.0.1", server.http_port), timeout=5)
        for _ in range(served.MAX_PER_HOST + 20)
    ]
    for wire in wires[served.MAX_PER_HOST :]:
        with pytest.raises(ConnectionResetError):
            if wire.recv(1) == b"":
                raise ConnectionResetError
    assert server._http.connections == served.MAX_PER_HOST
    for wire in wires:
        wire.close()
    for _ in range(100):
        if not server._http.connections:
            break
        time.sleep(0.05)
    assert ask(server).status == 200


def test_a_client_that_takes_nothing_is_cut_off(tmp_path, monkeypatch):
    publish(tmp_path, "big", bytes(20_000_000))
    monkeypatch.setattr(served.HTTPServer.__init__, "__defaults__", (None, 1, 1))
    with serving(tmp_path, coap_port=None) as (server, _):
        with socket.create_connection(("127.0.0.1", server.http_port), timeout=5) as wire:
            wire.sendall(b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n")
            deadline = time.monotonic() + 6
            while server._http.connections == 0:
                time.sleep(0.01)
            while server._http.connections:
                assert time.monotonic() < deadline, "still sending to somebody who takes nothing"
                time.sleep(0.1)


def test_a_slow_but_steady_client_gets_the_end_after_the_header_limit(tmp_path, monkeypatch):
    publish(tmp_path, "big", bytes(3_000_000))
    monkeypatch.setattr(served.HTTPServer.__init__, "__defaults__", (None, 0.4, 20))
    with serving(tmp_path, coap_port=None) as (server, _):
        wire = socket.socket()
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
        wire.settimeout(5)
        wire.connect(("127.0.0.1", server.http_port))
        with wire:
            wire.sendall(b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n")
            got = 0
            while got < 3_000_000:
                part = wire.recv(30_000)
                if not part:
                    break
                got += len(part)
                time.sleep(0.01)
            assert got > 3_000_000


def test_each_answer_is_one_line_of_the_log(server):
    ask(server)
    ask(server, Range="bytes=76000-")
    ask(server, "/nothing\x7f".replace("\x7f", "%7f"))
    time.sleep(0.1)
    assert server.requests == [
        "http GET app.img 200 76800 B",
        "http GET app.img 206 800 B from 76000",
        "http GET nothing%7f 404",
    ]
