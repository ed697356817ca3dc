"""The release store over CoAP: blocks, versions, observation, and what nobody can make it do."""

import random
import socket
import time

import pytest
from serving import serving
from suitup.serve import coap as served
from suitup.serve import message as coap
from suitup.serve.message import Message, MessageError
from suitup.serve.store import publish

BODY = bytes(range(256)) * 20 + b"end"  # 5123 bytes


@pytest.fixture
def folder(tmp_path):
    publish(tmp_path / "release", "latest.suit", BODY)
    publish(tmp_path / "release", "index.cbor", b"\xa0")
    (tmp_path / "secret").write_bytes(b"not for devices")
    return tmp_path / "release"


@pytest.fixture
def server(folder):
    with serving(folder, http_port=None) as (server, log):
        server.requests = log
        yield server


class Client:
    """One UDP socket that sends what it is told, for tests of the wire."""

    def __init__(self, server):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.connect(("127.0.0.1", server.coap_port))
        self.next_id = random.randrange(65536)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.send(data.encode() if isinstance(data, Message) else data)

    def receive(self, timeout=2):
        self.socket.settimeout(timeout)
        try:
            return Message.decode(self.socket.recv(2048))
        except TimeoutError:
            return None

    def get(self, path, block=None, kind=coap.CON, code=coap.GET, token=b"tk", **options):
        self.next_id = (self.next_id + 1) & 0xFFFF
        request = Message(kind, code, self.next_id, token)
        for segment in path.split("/"):
            request.add(coap.URI_PATH, segment.encode())
        if block:
            number, exponent = block
            request.add_uint(coap.BLOCK2, number << 4 | exponent)
        for name, value in options.items():
            number = getattr(coap, name.upper())
            request.add(number, value) if isinstance(value, bytes) else request.add_uint(
                number, value
            )
        self.send(request)
        return self.receive()


@pytest.fixture
def client(server):
    with Client(server) as client:
        yield client


@pytest.mark.parametrize("exponent", range(7))
def test_a_file_is_fetched_in_blocks_of_every_size(client, exponent):
    received = b""
    number = 0
    etags = set()
    while True:
        answer = client.get("latest.suit", (number, exponent))
        assert answer.kind == coap.ACK and answer.code == coap.CONTENT and answer.token == b"tk"
        block = answer.uint(coap.BLOCK2)
        assert block >> 4 == number and block & 7 == exponent
        received += answer.payload
        etags.add(answer.one(coap.ETAG))
        if not block & 8:
            break
        number += 1
    assert received == BODY
    assert len(etags) == 1


def test_without_a_wish_blocks_have_1024_bytes_and_the_first_names_the_size(client, server):
    answer = client.get("latest.suit")
    assert answer.uint(coap.BLOCK2) == 8 | 6
    assert answer.uint(coap.SIZE2) == len(BODY)
    assert answer.one(coap.ETAG) == server.store.etag("latest.suit")
    assert answer.payload == BODY[:1024]
    assert client.get("latest.suit", (1, 6)).one(coap.SIZE2) is None
    assert client.get("latest.suit", (1, 6), size2=0).uint(coap.SIZE2) == len(BODY)


def test_the_etag_is_the_one_of_http(folder):
    import http.client

    with serving(folder) as (server, _), Client(server) as client:
        connection = http.client.HTTPConnection("127.0.0.1", server.http_port, timeout=5)
        connection.request("HEAD", "/latest.suit")
        over_http = connection.getresponse().headers["ETag"]
        connection.close()
        assert over_http.strip('"') == client.get("latest.suit").one(coap.ETAG).hex()


def test_a_small_file_needs_no_block(client):
    answer = client.get("index.cbor")
    assert (answer.payload, answer.one(coap.BLOCK2)) == (b"\xa0", None)
    assert answer.uint(coap.CONTENT_FORMAT) == coap.FORMAT_CBOR


def test_what_the_client_has_is_only_confirmed(client, server):
    answer = client.get("latest.suit", etag=server.store.etag("latest.suit"))
    assert (answer.code, answer.payload) == (coap.VALID, b"")
    assert client.get("latest.suit", etag=b"other").code == coap.CONTENT


def test_a_change_between_blocks_shows_in_the_etag(client, server, folder):
    first = client.get("latest.suit", (0, 5))
    publish(folder, "latest.suit", BODY[::-1])
    second = client.get("latest.suit", (1, 5))
    assert first.one(coap.ETAG) != second.one(coap.ETAG)
    assert second.payload == BODY[::-1][512:1024]


def test_non_confirmable_requests_get_non_confirmable_answers(client):
    answer = client.get("latest.suit", kind=coap.NON)
    assert (answer.kind, answer.payload) == (coap.NON, BODY[:1024])


def test_the_listing_names_envelopes_and_can_be_filtered(client, folder):
    publish(folder, "0123-app.img", b"payload")
    links = client.get(".well-known/core").payload.decode()
    assert '</latest.suit>;rt="suit.envelope";obs' in links and "index.cbor" in links
    assert "app.img" not in links
    only = client.get(".well-known/core", uri_query=b"rt=suit.index").payload.decode()
    assert only == '</index.cbor>;rt="suit.index";obs'
    assert client.get(".well-known/core", uri_query=b"href=/la*").payload.startswith(b"</latest")


def test_a_long_listing_comes_in_blocks(client, folder):
    for number in range(100):
        publish(folder, f"demo-{number}.suit", b"x")
    first = client.get(".well-known/core")
    assert first.uint(coap.BLOCK2) & 8 and len(first.payload) == 1024
    assert client.get(".well-known/core", (1, 6)).one(coap.ETAG) == first.one(coap.ETAG)


@pytest.mark.parametrize(
    "path",
    [
        "../secret",
        "..",
        ".",
        "",
        "/etc/passwd",
        "a/../../secret",
        "latest.suit/",
        "latest.suit\0",
        "\xff",
        "a" * 200,
    ],
)
def test_no_path_leads_out_of_the_folder(client, path):
    answer = client.get(path)
    assert (answer.code, answer.payload) == (coap.NOT_FOUND, b"")


def test_a_separator_inside_a_segment_is_not_one(client, folder):
    (folder / "sub").mkdir()
    publish(folder / "sub", "x.suit", b"x")
    assert client.get("sub/x.suit").code == coap.CONTENT
    for segment in (b"sub/x.suit", b"../secret", b"\xff\xfe"):
        request = Message(coap.CON, coap.GET, 7, b"t")
        request.add(coap.URI_PATH, segment)
        client.send(request)
        assert client.receive().code == coap.NOT_FOUND


def test_block_numbers_are_checked(client):
    assert client.get("latest.suit", (6, 6)).code == coap.BAD_REQUEST  # after the end
    assert client.get("latest.suit", ((1 << 20) - 1, 6)).code == coap.BAD_REQUEST
    assert client.get("latest.suit", (0, 7)).code == coap.BAD_REQUEST  # reserved size
    assert client.get("latest.suit", block2=b"\1\2\3\4").kind == coap.RST  # four bytes
    assert client.get("index.cbor", (1, 0)).code == coap.BAD_REQUEST


def test_other_methods_options_and_formats_are_refused(client):
    for code in (2, 3, 4, 5, 6, 7):  # POST PUT DELETE FETCH PATCH iPATCH
        assert client.get("latest.suit", code=code).code == coap.NOT_ALLOWED
    assert client.get("latest.suit", accept=50).code == coap.NOT_ACCEPTABLE
    assert client.get("latest.suit", accept=42).code == coap.CONTENT
    assert (
        client.get("latest.suit", proxy_uri=b"coap://elsewhere/").code == coap.PROXYING_UNSUPPORTED
    )
    request = Message(coap.CON, coap.GET, 9, b"t")
    request.add(coap.URI_PATH, b"latest.suit")
    request.add(9, b"")  # OSCORE, critical
    client.send(request)
    assert client.receive().code == coap.BAD_OPTION
    request.kind = coap.NON
    client.send(request)
    assert client.receive(0.3) is None


def test_a_ping_is_reset_and_a_stray_response_too(client):
    for code in (coap.EMPTY, coap.CONTENT, 0xE1):
        client.send(Message(coap.CON, code, 77))
        answer = client.receive()
        assert (answer.kind, answer.message_id, answer.code) == (coap.RST, 77, coap.EMPTY)


@pytest.mark.parametrize(
    "data",
    [
        b"", b"\x40", b"\x40\x01\x00", b"\x00\x01\x00\x01", b"\xc0\x01\x00\x01", b"\x49\x01\x00\x01" + b"t" * 9,
        b"\x44\x01\x00\x01ab", b"\x40\x01\x00\x01\xff", b"\x40\x01\x00\x01\xf0", b"\x40\x01\x00\x01\xb5ab",
        b"\x40\x01\x00\x01\xd0", b"\x40\x01\x00\x01\xe0\x00", b"\x40\x01\x00\x01\xe0\xff\xff\xe0\xff\xff",
        b"\x40\x00\x00\x01\xff\x00", b"\x40\x01\x00\x01" + b"\x00" * 100,
    ],
)  # fmt: skip
def test_malformed_messages_are_refused(data):
    with pytest.raises(MessageError):
        Message.decode(data)


def test_messages_survive_a_round_trip():
    for number, length in ((1, 0), (13, 12), (268, 13), (269, 268), (65000, 269), (65535, 700)):
        message = Message(coap.NON, coap.GET, 65535, b"12345678", b"p")
        message.add(number, b"v" * length)
        message.add(1, b"first")
        again = Message.decode(message.encode())
        assert again.options[0] == (1, b"first" if number > 1 else b"v" * length)
        assert again.all(number)[0] == b"v" * length
        assert (again.payload, again.token, again.message_id) == (b"p", b"12345678", 65535)


def test_noise_does_not_stop_it(client):
    noise = random.Random(1)
    whole = Message(coap.CON, coap.GET, 1, b"t")
    whole.add(coap.URI_PATH, b"latest.suit")
    whole.add_uint(coap.BLOCK2, 22)
    seed = bytearray(whole.encode())
    for _ in range(3000):
        data = bytearray(seed)
        for _ in range(noise.randrange(1, 4)):
            data[noise.randrange(len(data))] = noise.randrange(256)
        client.send(bytes(data[: noise.randrange(1, len(data) + 1)]))
    while client.receive(0.3):
        pass
    assert client.get("latest.suit").code == coap.CONTENT


def test_thousands_of_half_open_transfers_leave_nothing_behind(server):
    """Every one of 3000 clients asks for a first block and never comes back."""
    with Client(server) as client:
        answered = 0
        for number in range(3000):
            answered += (
                client.get("latest.suit", (0, 6), token=number.to_bytes(4, "big")) is not None
            )
        assert answered == 3000
    part = server._coap
    assert (part.observers, len(part._unacknowledged), len(part._echo._verified)) == (0, 0, 0)
    assert len(server.store._known) <= 2


# -- observation


def test_observers_hear_of_a_new_release_and_acknowledge_it(client, folder):
    first = client.get("latest.suit", (0, 2), observe=0)
    assert first.uint(coap.OBSERVE) == 0
    publish(folder, "latest.suit", b"a new one")
    told = client.receive(3)
    assert (told.kind, told.token, told.payload) == (coap.CON, b"tk", b"a new one")
    assert told.uint(coap.OBSERVE) > 0 and told.one(coap.ETAG) != first.one(coap.ETAG)
    client.send(Message(coap.ACK, coap.EMPTY, told.message_id))
    assert client.receive(3) is None  # not sent again
    publish(folder, "latest.suit", BODY)
    again = client.receive(3)
    assert again.uint(coap.OBSERVE) > told.uint(coap.OBSERVE)
    assert again.payload == BODY[:64] and again.uint(coap.BLOCK2) == 8 | 2


def test_a_notification_without_an_answer_is_repeated_then_the_observer_is_forgotten(
    folder, monkeypatch
):
    monkeypatch.setattr(served, "RETRANSMIT_S", (0.1, 0.2, 0.3))
    with serving(folder, http_port=None) as (server, _), Client(server) as client:
        client.get("latest.suit", observe=0)
        publish(folder, "latest.suit", b"new")
        copies = []
        while told := client.receive(1.5):
            copies.append(told.message_id)
        assert len(copies) == 3 and len(set(copies)) == 1
        assert server._coap.observers == 0


def test_a_reset_and_a_deregistration_end_an_observation(client, server, folder):
    client.get("latest.suit", observe=0)
    assert client.get("latest.suit", observe=1).one(coap.OBSERVE) is None
    assert server._coap.observers == 0
    client.get("latest.suit", observe=0)
    publish(folder, "latest.suit", b"new")
    client.send(Message(coap.RST, coap.EMPTY, client.receive(3).message_id))
    time.sleep(0.2)
    assert server._coap.observers == 0


def test_a_file_that_goes_away_ends_its_observations(client, server, folder):
    client.get("latest.suit", observe=0)
    (folder / "latest.suit").unlink()
    assert client.receive(3).code == coap.NOT_FOUND
    assert server._coap.observers == 0


def test_somebody_elses_acknowledgement_counts_for_nothing(client, server, folder):
    client.get("latest.suit", observe=0)
    publish(folder, "latest.suit", b"new")
    told = client.receive(3)
    with Client(server) as other:
        other.send(Message(coap.RST, coap.EMPTY, told.message_id))
        time.sleep(0.2)
    assert server._coap.observers == 1


def test_observers_of_one_address_are_bounded(client, server):
    for number in range(served.MAX_PER_HOST + 50):
        answer = client.get("latest.suit", observe=0, token=number.to_bytes(2, "big"))
        assert (answer.uint(coap.OBSERVE) is not None) == (number < served.MAX_PER_HOST)
        assert answer.code == coap.CONTENT
    assert server._coap.observers == served.MAX_PER_HOST


# -- who asks


def test_an_unverified_address_gets_a_short_echo_and_then_its_blocks(folder):
    with serving(folder, http_port=None, echo="always") as (server, _), Client(server) as client:
        refused = client.get("latest.suit")
        value = refused.one(coap.ECHO)
        assert refused.code == coap.UNAUTHORIZED and refused.payload == b""
        request = Message(coap.CON, coap.GET, 1, b"tk")
        request.add(coap.URI_PATH, b"latest.suit")
        assert len(refused.encode()) <= 3 * len(request.encode())
        assert client.get("latest.suit", echo=value[:-1] + b"\0").code == coap.UNAUTHORIZED
        assert client.get("latest.suit", observe=0).one(coap.OBSERVE) is None
        assert server._coap.observers == 0
        assert client.get("latest.suit", echo=value).payload == BODY[:1024]
        assert client.get("latest.suit", (1, 6)).payload == BODY[1024:2048]  # remembered


def test_an_echo_value_is_of_one_address_and_of_one_minute():
    echo = served._Echo("always")
    value = echo.value("203.0.113.5")
    assert echo.needed("203.0.113.6", value)
    assert not echo.needed("203.0.113.5", value)
    old = echo._make("203.0.113.7", int(time.monotonic()) - served.ECHO_S - 2)
    assert echo.needed("203.0.113.7", old)
    assert served._Echo("always").needed("203.0.113.5", value)  # another server's secret


def test_only_addresses_from_outside_are_asked_unless_told_otherwise():
    auto, never = served._Echo("auto"), served._Echo("never")
    for host in (
        "127.0.0.1",
        "192.168.1.7",
        "10.0.0.1",
        "::1",
        "fe80::1%eth0",
        "fd00::1",
        "::ffff:10.1.1.1",
    ):
        assert not auto.needed(host, None)
    for host in ("8.8.8.8", "2a00:1450::1", "::ffff:8.8.8.8"):
        assert auto.needed(host, None)
        assert not never.needed(host, None)


def test_the_verified_addresses_that_are_remembered_are_bounded():
    echo = served._Echo("always")
    for number in range(served.MAX_VERIFIED + 100):
        host = f"11.{number >> 16}.{number >> 8 & 255}.{number & 255}"
        assert not echo.needed(host, echo.value(host))
    assert len(echo._verified) == served.MAX_VERIFIED


def test_a_transfer_is_two_lines_of_the_log(client, server):
    for number in range(6):
        client.get("latest.suit", (number, 6))
    client.get("latest.suit", (9, 6))
    assert server.requests[0].startswith("coap GET latest.suit begins, 5123 B")
    assert server.requests[1] == "coap GET latest.suit done, 5123 B (block 5 of 1024)"
    assert "after the end" in server.requests[2]
    assert len(server.requests) == 3
