"""Boards at a cable: what ports are called, and the lines a board asks by."""

import base64
import binascii
import socket
import threading
import time

import pytest
from suitup.boards import serial
from suitup.boards.serial import device
from suitup.cable_push import _Answers
from suitup.errors import Failure
from suitup.push import Show
from suitup.serve.store import ReleaseStore, publish


@pytest.mark.parametrize(
    "port, expected",
    [
        ("a0", "/dev/ttyACM0"), ("a12", "/dev/ttyACM12"), ("u1", "/dev/ttyUSB1"), ("c3", "COM3"),
        ("port:/dev/x", "/dev/x"), ("/dev/ttyS0", "/dev/ttyS0"), ("socket://127.0.0.1:1", "socket://127.0.0.1:1"),
    ],
)  # fmt: skip
def test_ports_are_spelled_as_mpremote_spells_them(port, expected):
    assert device(port) == expected


def test_the_spellings_are_those_of_the_installed_mpremote():
    from mpremote.main import _BUILTIN_COMMAND_EXPANSIONS as theirs

    for name in ("a0", "a3", "u0", "u3", "c0", "c3"):
        assert theirs[name]["command"] == "connect " + device(name)


def test_a_board_that_is_not_there_is_a_failure_with_a_hint(monkeypatch):
    import serial.tools.list_ports as ports

    monkeypatch.setattr(ports, "comports", lambda: [])
    for port in ("auto", "id:1234"):
        with pytest.raises(Failure) as failure:
            device(port)
        assert failure.value.hint
    with pytest.raises(Failure) as failure, serial_connect("/dev/no-such-port"):
        pass
    assert "plugged in" in failure.value.hint


serial_connect = serial.connect


@pytest.fixture
def answers(tmp_path):
    publish(tmp_path / "release", "a b.suit".replace(" ", "_"), bytes(range(256)) * 3)
    (tmp_path / "secret").write_bytes(b"x")
    return _Answers(ReleaseStore(tmp_path / "release"), Show())


def test_a_line_is_answered_with_the_bytes_asked_for(answers):
    line = answers(b"suit:get 700 384 a_b.suit")
    head, _, crc = line.strip().rpartition(b" ")
    assert int(crc, 16) == binascii.crc32(head)
    word, offset, total, mark, data = head.split(b" ")
    assert (word, offset, total, len(mark)) == (b"suit:is", b"700", b"768", 16)
    assert base64.b64decode(data) == (bytes(range(256)) * 3)[700:]
    assert answers(b"suit:get 768 384 a_b.suit").split(b" ")[4] == b"-"


@pytest.mark.parametrize(
    "line",
    [b"suit:get 0 9 ../secret", b"suit:get 0 9 %2e%2e/secret", b"suit:get 0 9 none", b"suit:get x 9 a_b.suit", b"suit:get 0",
     b"suit:get -1 9 a_b.suit"],
)  # fmt: skip
def test_what_is_not_in_the_release_folder_is_absent(answers, line):
    assert answers(line) == b"suit:no absent\n"


def test_lines_for_people_are_left_alone(answers):
    assert answers(b"18.0 C, heater on") is None


def test_one_line_never_asks_for_more_than_a_few_kilobytes(answers, tmp_path):
    publish(tmp_path / "release", "big", bytes(100_000))
    assert len(answers(b"suit:get 0 99999 big")) < 6000


class Wire:
    """A board's console on a TCP port that comes and goes, as USB does with a reset. Answers the raw REPL's greeting and the
    question who it is."""

    def __init__(self):
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen()
        self.port = self.listener.getsockname()[1]
        self.link = None

    def accept(self):
        self.link = self.listener.accept()[0]

    def drop(self):
        """Gone, and nothing listens there."""
        self.link.shutdown(socket.SHUT_RDWR)
        self.link.close()
        self.listener.close()

    def back(self):
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(("127.0.0.1", self.port))
        self.listener.listen()
        self.accept()


def test_a_console_that_goes_away_with_the_reset_is_followed_when_it_is_back():
    from mpremote.transport_serial import SerialTransport

    wire = Wire()
    there = SerialTransport(f"socket://127.0.0.1:{wire.port}")
    wire.accept()
    board = serial.SerialBoard.__new__(serial.SerialBoard)
    board.transport, board.name = there, f"socket://127.0.0.1:{wire.port}"
    lines = board.console(time.monotonic() + 20)
    wire.link.sendall(b"suit: half a li")
    wire.link.sendall(b"ne\r\n18.0 C\r\n")
    assert next(lines) == "suit: half a line"
    assert next(lines) == "18.0 C"
    wire.drop()
    returned = threading.Timer(0.7, wire.back)
    returned.start()
    assert next(lines) is None
    returned.join()
    wire.link.sendall(b"suit: slot b confirmed\r\n")
    assert next(line for line in lines if line) == "suit: slot b confirmed"
    board.transport.close()
    wire.link.close()
    wire.listener.close()


def test_a_quiet_console_ends_at_its_time():
    from mpremote.transport_serial import SerialTransport

    wire = Wire()
    board = serial.SerialBoard.__new__(serial.SerialBoard)
    board.transport, board.name = SerialTransport(f"socket://127.0.0.1:{wire.port}"), "x"
    wire.accept()
    assert set(board.console(time.monotonic() + 1.2)) == {""}
    board.transport.close()
    wire.link.close()
    wire.listener.close()
