"""Boards bring their reports to `suitup serve`: with the device's own client, over CoAP and HTTP."""

import os
import socket

import pytest
from serving import serving
from suit import sealing
from suit.transports.post import post
from suit.wait import run
from suitup import cbor, keys
from suitup import numbers as n
from suitup.serve import inbox as inboxes
from suitup.serve.inbox import Inbox, Refused, received

REPORT = cbor.encode({99: ["coap://x/m.suit", [n.ALG_SHA256, bytes(32)]], 3: [], 4: True})
TYPE = (270, "application/suit-report+cose")


def board(folder, name="one"):
    """A key that is known; -> its private number."""
    key = keys.generate("ESP256")
    folder.mkdir(parents=True, exist_ok=True)
    keys.save_public(key, folder / f"{name}.pub.pem")
    return key


def signed(key, nonce=None, report=REPORT):
    made = sealing.fresh(report, nonce) if nonce else report
    return sealing.sealed(made, key.params[keys.model.D], key.thumbprint)


@pytest.fixture
def desk(tmp_path):
    (tmp_path / "release").mkdir()
    inbox = Inbox(tmp_path / "release" / inboxes.FOLDER, tmp_path / "boards")
    with serving(tmp_path / "release", inbox=inbox) as (server, log):
        yield tmp_path, inbox, server, log


def nonce_of(url):
    from suit import transports

    stream = transports.open(url)
    buf = bytearray(64)

    def whole():
        yield from stream.start(0, None)
        return (yield from stream.readinto(memoryview(buf)))

    try:
        return bytes(buf[: run(whole())])
    finally:
        stream.close()


@pytest.mark.parametrize("how", ["coap", "http"])
def test_a_report_is_brought_and_kept_where_no_download_finds_it(desk, how):
    folder, inbox, server, log = desk
    key = board(folder / "boards")
    url = server.url(how, "reports")
    nonce = nonce_of(url)
    assert len(nonce) == 16
    # longer than several blocks
    record = [[], n.M_INSTALL, 4, 0, {n.P_VENDOR_ID: bytes(range(16))}]
    long = cbor.encode({99: ["", [n.ALG_SHA256, bytes(32)]], 3: [record] * 40, 4: True})
    message = signed(key, nonce, long)
    assert len(message) > 1000
    assert run(post(url, message, *TYPE)) == 204
    (path,) = received(inbox.folder)
    assert path.read_bytes() == message and path.parent.name == key.thumbprint.hex()[:16]
    assert server.store.names() == []
    assert any("report" in line for line in log)
    # an answer that was lost: the same report again, which is one
    assert run(post(url, signed(key, nonce_of(url), long), *TYPE)) == 204
    assert len(received(inbox.folder)) == 1


@pytest.mark.parametrize("how", ["coap", "http"])
def test_what_nobody_known_signed_now_is_refused_and_leaves_nothing(desk, how):
    folder, inbox, server, _ = desk
    key = board(folder / "boards")
    stranger = keys.generate("ESP256")
    url = server.url(how, "reports")
    good = signed(key, nonce_of(url))
    damaged = bytearray(good)
    damaged[-3] ^= 1
    for message in (
        signed(stranger, nonce_of(url)), signed(key), signed(key, bytes(16)), bytes(damaged), REPORT, b"", b"\xd2",
    ):  # fmt: skip
        assert run(post(url, message, *TYPE)) in (400, 403)
    assert run(post(url, bytes(inboxes.MAX_REPORT + 300), *TYPE)) == 413
    assert not inbox.folder.exists()
    assert run(post(url, good, *TYPE)) == 204


def test_nothing_but_reports_is_taken_and_nothing_without_an_inbox(desk, tmp_path):
    _, _, server, _ = desk
    for how in ("coap", "http"):
        assert run(post(server.url(how, "latest.suit"), b"x", *TYPE)) == 405
    with serving(tmp_path / "release") as (plain, _):
        for how in ("coap", "http"):
            assert run(post(plain.url(how, "reports"), b"x", *TYPE)) == 405


def test_a_board_provisioned_later_is_known_at_once_and_a_nonce_ends(tmp_path):
    now = [1000]
    inbox = Inbox(tmp_path / "in", tmp_path / "boards", lambda: now[0])
    first = board(tmp_path / "boards")
    nonce = inbox.nonce()
    inbox.take(signed(first, nonce))
    second = board(tmp_path / "boards", "two")
    inbox.take(signed(second, nonce))
    assert {path.parent.name for path in received(inbox.folder)} == {
        key.thumbprint.hex()[:16] for key in (first, second)
    }
    now[0] += inboxes.NONCE_S + 1
    with pytest.raises(Refused):
        inbox.take(signed(first, nonce))
    with pytest.raises(Refused):
        inbox.take(signed(first, Inbox(tmp_path, tmp_path).nonce()))


def test_no_key_is_tried_for_who_was_given_no_nonce(tmp_path, monkeypatch):
    inbox = Inbox(tmp_path / "in", tmp_path / "boards")
    key = board(tmp_path / "boards")
    monkeypatch.setattr(inbox, "keys", lambda: pytest.fail("keys were asked for"))
    for nonce in (None, bytes(16), Inbox(tmp_path, tmp_path).nonce()):
        with pytest.raises(Refused, match="nonce"):
            inbox.take(signed(key, nonce))


def test_of_too_many_reports_of_one_board_the_oldest_makes_way(tmp_path, monkeypatch):
    monkeypatch.setattr(inboxes, "MAX_PER_BOARD", 3)
    inbox = Inbox(tmp_path / "in", tmp_path / "boards")
    key = board(tmp_path / "boards")
    paths = []
    for i in range(5):
        report = cbor.encode({99: ["", [n.ALG_SHA256, bytes([i] * 32)]], 3: [], 4: True})
        paths.append(inbox.take(signed(key, inbox.nonce(), report)))
        os.utime(paths[-1], (i, i))
    assert received(inbox.folder) == [paths[4], paths[3], paths[2]]


def test_half_a_report_over_http_ends_without_one(desk):
    folder, inbox, server, _ = desk
    with socket.create_connection(("127.0.0.1", server.http_port)) as sock:
        sock.sendall(b"POST /reports HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf")
        sock.shutdown(socket.SHUT_WR)
        while sock.recv(1000):
            pass
    assert not inbox.folder.exists()
