"""Found by a question to everybody: what is heard of it, who answers when, and where the network cannot."""

from clock import Clock
from suit import multicast
from suit.config import Config
from suit.multicast import Found, beside, wanted
from suit.transports import coap_message as coap
from suit.transports import net
from suit.transports.coap_message import Writer

PEER = ("10.0.0.5", 40000)


def question(kind=coap.NON, code=coap.GET, path=(b".well-known", b"core"), query=(), others=()):
    buf = bytearray(200)
    w = Writer(memoryview(buf))
    w.begin(kind, code, 7, b"tk")
    for part in path:
        w.option(coap.URI_PATH, part)
    for part in query:
        w.option(coap.URI_QUERY, part)
    for number, value in others:
        w.option(number, value)
    return bytes(buf[: w.size])


def test_the_one_question_is_heard_and_nothing_else():
    for heard in (
        question(),
        question(query=(b"rt=suit.*",)),
        question(query=(b"rt=suit.status",)),
        question(query=(b"rt=*",)),
        question(others=((coap.ACCEPT, b"\x28"),)),
    ):
        assert wanted(heard), heard
    for passed_over in (
        question(coap.CON),  # RFC 7252 section 8.1
        question(code=coap.POST),
        question(path=(b"suit", b"status")),
        question(path=(b"suit", b"nudge"), code=coap.POST),
        question(path=(b".well-known",)),
        question(path=(b".well-known", b"core", b"x")),
        question(query=(b"rt=core.rd*",)),
        question(query=(b"rt=suit.statu",)),
        question(query=(b"if=x",)),
        question(others=((coap.ACCEPT, b"\x3c"),)),
        question(others=((65001, b"critical"),)),
    ):
        assert not wanted(passed_over), passed_over


class Pretended:
    """A server, a socket with datagrams in it, and its poller."""

    def __init__(self, datagrams=()):
        self.datagrams = list(datagrams)
        self.answered = []
        self.steps = 0
        self.closed = False

    def step(self):
        self.steps += 1

    def _message(self, data, peer):
        self.answered.append((bytes(data), peer))

    def register(self, sock, events):
        pass

    def poll(self, timeout):
        return self.datagrams

    def recvfrom(self, size):
        return self.datagrams.pop(0)[:size], PEER

    def close(self):
        self.closed = True


def found(server, sock):
    saved = multicast.select
    multicast.select = type("select", (), {"poll": lambda: sock, "POLLIN": 1})
    try:
        return Found(server, sock)
    finally:
        multicast.select = saved


def test_a_board_answers_within_a_second_and_remembers_four_questions():
    with Clock() as now:
        server = Pretended()
        sock = Pretended([question(coap.CON)] + [question()] * 6 + [b"\x40", b"", b"\xff" * 200])
        board = found(server, sock)
        for _ in range(10):
            board.step()
        assert sock.datagrams == [] and len(server.answered) + len(board._waiting) >= 4
        now[0] += 1000
        for _ in range(10):
            board.step()
        assert 4 <= len(server.answered) <= 6 and board._waiting == []
        assert server.answered[0] == (question(), PEER)
        assert server.steps == 20
        board.close()
        assert sock.closed and not server.closed


def test_nothing_but_ticks_is_counted_from_when_they_are_about_to_wrap():
    """MicroPython's ticks_diff refuses what lies outside of the period, as a sum of ticks may."""
    period = 1 << 30
    saved = net.elapsed

    def elapsed(now, then):
        assert 0 <= now < period and 0 <= then < period
        return (now - then + period // 2) % period - period // 2

    with Clock() as now:
        try:
            net.elapsed = elapsed
            now[0] = period - 1
            server = Pretended()
            board = found(server, Pretended([question()]))
            board.step()
            now[0] = 1000
            board.step()
            assert len(server.answered) == 1
        finally:
            net.elapsed = saved


def test_a_network_without_groups_leaves_the_server():
    class Few:
        FEW_SOCKETS = True

    class Server(Pretended):
        sock = None  # has no setsockopt

    saved = multicast.chip
    try:
        for few, port in ((Few, 5683), (Few, 7000)):
            multicast.chip = lambda few=few: few
            server = Server()
            board = beside(server, Config({"port": port}))
            board.step()
            board.close()
            assert server.steps == 1
        multicast.chip = lambda: None
        board = beside(server, Config({"port": 7000, "bind": "::1"}))
        board.step()
        assert server.steps == 2
        board.close()
    finally:
        multicast.chip = saved
