"""The CoAP server of a board: what it answers, to whom, and that a stranger gains nothing by it."""

import random

from clock import Clock
from harness import MICROPYTHON
from suit import coap_observers, coap_server
from suit.coap_server import Server
from suit.listening import at_host, at_server
from suit.transports import coap_message as coap
from suit.transports import coap_timing, net
from suit.transports.coap_message import Message, Writer, status

FRIEND, STRANGER = ("10.0.0.5", 5683), ("10.6.6.6", 1000)


class Site:
    body = b"s" * 700
    steady = b"1"
    answer = coap.CHANGED
    again = 10

    def __init__(self):
        self.nudges = []

    def status(self):
        return self.body, self.steady

    kept = None

    def report(self):
        return self.kept

    def nudge(self, uri, host):
        self.nudges.append((uri, host))
        return self.answer


class Board:
    """A server with a socket and a clock made of lists. `ask` sends a request and returns the
    answers as Messages with `.body` and `.options`."""

    def __init__(self):
        self.incoming = []
        self.sent = []
        self.site = Site()
        saved = coap_server.select
        coap_server.select = type("select", (), {"poll": lambda: self, "POLLIN": 1})
        try:
            self.server = Server(self, self.site)
        finally:
            coap_server.select = saved
        self.mid = 100

    def register(self, sock, events):
        pass

    def poll(self, timeout):
        return self.incoming

    def recvfrom(self, size):
        data, peer = self.incoming.pop(0)
        return data[:size], peer

    def sendto(self, data, peer):
        self.sent.append((bytes(data), peer))

    def request(self, code, path, options=(), payload=b"", kind=coap.CON, mid=None, token=b"tk"):
        self.mid += 1
        buf = bytearray(1200)
        w = Writer(memoryview(buf))
        w.begin(kind, code, self.mid if mid is None else mid, token)
        todo = [(coap.URI_PATH, part.encode()) for part in path.split("/")] + list(options)
        # MicroPython's sort is not stable
        order = sorted([(todo[i][0], i) for i in range(len(todo))])
        for number, i in order:
            value = todo[i][1]
            w.option(number, value) if isinstance(value, bytes) else w.uint(number, value)
        w.body(payload)
        return bytes(buf[: w.size])

    def raw(self, data, peer=FRIEND):
        self.incoming.append((data, peer))
        del self.sent[:]
        self.server.step()
        return [parsed(data) for data, _ in self.sent]

    def ask(self, *args, peer=FRIEND, **kw):
        answers = self.raw(self.request(*args, **kw), peer)
        assert len(answers) == 1
        return answers[0]

    def verify(self, peer=FRIEND):
        """Be somebody whose address is known to be true; -> the Echo value."""
        echo = self.ask(coap.POST, "suit/nudge", peer=peer).options[coap.ECHO]
        self.site.answer, saved = coap.CHANGED, self.site.answer
        assert self.ask(coap.POST, "suit/nudge", ((coap.ECHO, echo),), peer=peer).said == 204
        self.site.answer = saved
        return echo


def parsed(data):
    m = Message(memoryview(bytearray(data)))
    m.parse(0, len(data))
    m.options = {}
    while m.next():
        m.options[m.number] = m.value()
    m.body = data[m.payload : m.stop]
    m.said = status(m.code)
    m.size = len(data)
    return m


def test_discovery_names_both_resources():
    answer = Board().ask(coap.GET, ".well-known/core")
    assert answer.said == 205 and answer.options[coap.CONTENT_FORMAT] == b"\x28"
    assert b"</suit/status>" in answer.body and b"</suit/nudge>" in answer.body


def test_the_status_comes_in_blocks_small_ones_for_strangers():
    for known, size in ((False, 64), (True, 700)):
        board = Board()
        if known:
            board.verify()
        whole = b""
        number = 0
        while True:
            block = () if number == 0 else ((coap.BLOCK2, number << 4 | 2),)
            answer = board.ask(coap.GET, "suit/status", block)
            assert answer.said == 205 and len(answer.body) <= size
            whole += answer.body
            number += 1
            if not answer.options.get(coap.BLOCK2, b"\0")[-1] & 8:
                break
        assert whole == Site.body and number == (1 if known else 11)
    assert board.ask(coap.GET, "suit/status", ((coap.BLOCK2, 900 << 4 | 2),)).said == 402


def test_the_last_report_comes_in_blocks_and_is_absent_before_there_is_one():
    b = Board()
    assert b.ask(coap.GET, "suit/report").said == 404
    b.site.kept = b"r" * 100
    first = b.ask(coap.GET, "suit/report")
    assert first.said == 205 and len(first.body) == 64  # small for a stranger
    rest = b.ask(coap.GET, "suit/report", ((coap.BLOCK2, 1 << 4 | 2),))
    assert first.body + rest.body == b.site.kept
    assert b.ask(coap.GET, "suit/report", ((coap.ACCEPT, 60),)).said == 406
    assert b.ask(coap.POST, "suit/report").said == 405


def test_no_stranger_gets_an_answer_longer_than_136_bytes():
    board = Board()
    longest = 0
    for path in (".well-known/core", "suit/status", "suit/nudge", "nothing", "a/b/c/d/e/f"):
        for code in (coap.GET, coap.POST, 3, 4, 5, 31):
            for options in ((), ((coap.OBSERVE, 0),), ((coap.BLOCK2, 6),), ((coap.ECHO, b"x" * 12),)):
                for token in (b"", b"12345678"):
                    for kind in (coap.CON, coap.NON):
                        data = board.request(code, path, options, kind=kind, token=token)
                        answers = board.raw(data, STRANGER)
                        assert sum(answer.size for answer in answers) <= 136
                        longest = max(longest, sum(answer.size for answer in answers))
    assert longest > 80 and not board.site.nudges


def test_a_nudge_needs_a_fresh_echo_of_the_same_address():
    with Clock() as now:
        board = Board()
        first = board.ask(coap.POST, "suit/nudge", payload=b"coap://10.0.0.5/x")
        assert first.said == 401 and board.site.nudges == []
        echo = ((coap.ECHO, first.options[coap.ECHO]),)
        assert board.ask(coap.POST, "suit/nudge", echo, b"u", peer=STRANGER).said == 401
        wrong = ((coap.ECHO, echo[0][1][:-1] + b"?"),)
        assert board.ask(coap.POST, "suit/nudge", wrong, b"u").said == 401
        assert board.site.nudges == []
        assert board.ask(coap.POST, "suit/nudge", echo, b"coap://10.0.0.5/x").said == 204
        assert board.site.nudges[0][0] == "coap://10.0.0.5/x"
        now[0] += 61000
        assert board.ask(coap.POST, "suit/nudge", echo, b"u").said == 401
        assert Board().ask(coap.POST, "suit/nudge", echo, b"u").said == 401
        assert len(board.site.nudges) == 1


def test_an_echo_that_returns_promptly_tells_how_long_the_way_is():
    for wait, known in ((20, True), (700, False)):
        del coap_timing._known[:]
        with Clock() as now:
            board = Board()
            echo = board.ask(coap.POST, "suit/nudge").options[coap.ECHO]
            now[0] += wait
            board.ask(coap.POST, "suit/nudge", ((coap.ECHO, echo),))
            rto = coap_timing.timing(FRIEND[0]).rto
            assert (20000 < rto < 100000) == known and (rto == 1000000) != known
            coap_timing.timing(FRIEND[0]).sample(5000, 1)
            better = coap_timing.timing(FRIEND[0]).rto
            board.ask(coap.POST, "suit/nudge", ((coap.ECHO, echo),))
            assert coap_timing.timing(FRIEND[0]).rto == better


def test_a_repeated_nudge_is_answered_again_and_taken_once():
    board = Board()
    echo = ((coap.ECHO, board.ask(coap.POST, "suit/nudge").options[coap.ECHO]),)
    data = board.request(coap.POST, "suit/nudge", echo, b"u")
    first = board.raw(data)[0]
    again = board.raw(data)[0]
    assert first.said == again.said == 204 and first.mid == again.mid
    assert len(board.site.nudges) == 1
    for _ in range(20):
        board.ask(coap.POST, "suit/nudge", echo, b"u")
    assert len(board.server._recent) == 8


def test_what_was_known_of_an_address_is_not_known_again_when_the_clock_has_wrapped():
    with Clock() as now:
        b = Board()
        b.verify()
        assert len(b.ask(coap.GET, "suit/status").body) == 700
        now[0] = 0  # ticks_diff is negative for six days after the first six
        assert len(b.ask(coap.GET, "suit/status").body) == 64


def test_a_datagram_for_which_there_is_no_room_does_not_stay_in_the_way():
    board = Board()
    whole = board.recvfrom

    def short(size):
        if size > 16:
            raise MemoryError()
        return whole(size)

    board.recvfrom = short
    assert board.raw(board.request(coap.GET, "suit/status")) == [] and board.incoming == []
    board.recvfrom = whole
    assert board.ask(coap.GET, "nothing").said == 404


def test_after_a_week_without_a_question_the_status_is_not_last_weeks():
    period = 1 << 30

    def wrapped(now, then):
        return (now - then + period // 2) % period - period // 2

    saved, net.elapsed = net.elapsed, wrapped
    try:
        with Clock() as now:
            b = Board()
            b.verify()
            b.ask(coap.GET, "suit/status")
            b.site.steady, before = b"2", b.server.etag
            now[0] += 7 * 86400 * 1000
            b.ask(coap.GET, "suit/status")
            assert b.server.etag != before
            # and for who observes
            echo = b.verify()
            assert b.ask(coap.GET, "suit/status", ((coap.OBSERVE, 0), (coap.ECHO, echo))).said == 205
            b.server._observers._looked = (now[0] - 7 * 86400 * 1000) % period
            b.site.steady = b"3"
            assert len(told(b)) == 1
    finally:
        net.elapsed = saved


def test_short_memory_costs_an_answer_and_not_the_server():
    def short(*args):
        raise MemoryError()

    with Clock() as now:
        b = Board()
        for name, path in (("status", "suit/status"), ("report", "suit/report")):
            kept = getattr(b.site, name)
            setattr(b.site, name, short)
            assert b.raw(b.request(coap.GET, path)) == []
            setattr(b.site, name, kept)
            assert b.ask(coap.GET, path).said in (205, 404)
        echo = b.verify()
        assert b.ask(coap.GET, "suit/status", ((coap.OBSERVE, 0), (coap.ECHO, echo))).said == 205
        b.site.status = short
        now[0] += 2000
        assert b.raw(b.request(coap.GET, "nothing"))[0].said == 404


def test_a_busy_board_says_when_to_come_back_and_a_bad_uri_is_refused():
    board = Board()
    echo = ((coap.ECHO, board.verify()),)
    board.site.answer = coap.UNAVAILABLE
    answer = board.ask(coap.POST, "suit/nudge", echo, b"u")
    assert answer.said == 503 and answer.options[coap.MAX_AGE] == b"\x0a"
    board.site.answer, board.site.again = coap.TOO_MANY, 300
    answer = board.ask(coap.POST, "suit/nudge", echo, b"u")
    assert answer.said == 429 and answer.options[coap.MAX_AGE] == b"\x01\x2c"
    assert board.ask(coap.POST, "suit/nudge", echo, b"\xff\xfe").said == 400


def test_other_paths_methods_and_formats_are_refused():
    board = Board()
    assert board.ask(coap.GET, "suit").said == 404
    assert board.ask(coap.GET, "suit/status/more").said == 404
    assert board.ask(coap.POST, "suit/status").said == 405
    assert board.ask(coap.GET, "suit/nudge").said == 405
    assert board.ask(coap.GET, "suit/status", ((coap.ACCEPT, 50),)).said == 406
    assert board.ask(coap.GET, "suit/status", ((coap.ACCEPT, 60),)).said == 205
    assert board.ask(coap.GET, "suit/status", ((19, b"?"),)).said == 402
    assert board.ask(coap.GET, "suit/status", ((20, b"?"),)).said == 205


def test_an_etag_that_still_holds_saves_the_body():
    board = Board()
    etag = board.ask(coap.GET, "suit/status").options[coap.ETAG]
    answer = board.ask(coap.GET, "suit/status", ((coap.ETAG, etag),))
    assert answer.said == 203 and answer.body == b""


def test_pings_responses_and_garbage_are_reset_or_ignored():
    board = Board()
    ping = board.raw(b"\x40\x00\x12\x34")[0]
    assert (ping.type, ping.mid) == (coap.RST, 0x1234)
    stray = board.raw(b"\x40\x45\x12\x35")[0]
    assert (stray.type, stray.mid) == (coap.RST, 0x1235)
    broken = board.raw(b"\x40\x01\x12\x36\xff")[0]
    assert (broken.type, broken.mid) == (coap.RST, 0x1236)
    for silent in (b"", b"\x40", b"\x00\x01\x00\x00", b"\x60\x00\x00\x00", b"\x70\x00\x00\x00",
                   b"\x50\x01\x12\x36\xff", b"\x50\x45\x12\x35", b"x" * 768):  # fmt: skip
        assert board.raw(silent) == []


def test_observing_takes_an_echo_and_notifies_what_is_new():
    with Clock() as now:
        board = Board()
        watch = (coap.GET, "suit/status", ((coap.OBSERVE, 0),))
        assert board.ask(*watch).said == 401
        board.verify()
        first = board.ask(*watch)
        assert first.said == 205 and coap.OBSERVE in first.options
        now[0] += 600
        assert told(board) == []
        board.site.steady = b"2"
        now[0] += 600
        note = told(board)[0]
        assert (note.type, note.said) == (coap.CON, 205) and note.options[coap.OBSERVE] == b"\x01"
        # not acknowledged: sent again as a new message, with what is true by then
        board.site.steady = b"3"
        now[0] += 2100
        again = told(board)[0]
        assert again.mid != note.mid and again.options[coap.OBSERVE] == b"\x02"
        board.raw(b"\x60\x00" + bytes((again.mid >> 8, again.mid & 255)))
        now[0] += 10000
        assert told(board) == []
        now[0] += 50000
        assert len(told(board)) == 1  # before Max-Age has passed


def told(board):
    del board.sent[:]
    board.server.step()
    return [parsed(data) for data, _ in board.sent]


def test_an_observer_that_is_gone_is_forgotten():
    for how in ("silence", "reset", "deregistered"):
        with Clock() as now:
            board = Board()
            board.verify()
            board.ask(coap.GET, "suit/status", ((coap.OBSERVE, 0),))
            board.site.steady = b"2"
            now[0] += 600
            note = told(board)[0]
            if how == "reset":
                board.raw(b"\x70\x00" + bytes((note.mid >> 8, note.mid & 255)))
            elif how == "deregistered":
                board.ask(coap.GET, "suit/status", ((coap.OBSERVE, 1),))
            else:
                sent = 1
                for _ in range(100):
                    now[0] += 1000
                    sent += len(told(board))
                assert sent == 4
            assert board.server._observers._all == []


def acknowledge(board, there=lambda host: True):
    """Acknowledge the notifications that are due, for the hosts that do; -> how many were sent."""
    del board.sent[:]
    board.server.step()
    notes = list(board.sent)
    for data, peer in notes:
        if there(peer[0]):
            board.raw(b"\x60\x00" + data[2:4], peer)
    return len(notes)


def watch(board, peer):
    """Observe from `peer`; whether it was taken."""
    board.verify(peer)
    answer = board.ask(coap.GET, "suit/status", ((coap.OBSERVE, 0),), peer=peer, token=b"%d" % peer[1])
    return coap.OBSERVE in answer.options


def watching(board):
    return [net.peer(observer.peer) for observer in board.server._observers._all]


def test_observers_and_verified_addresses_are_few():
    with Clock():
        board = Board()
        for i in range(20):
            watch(board, ("10.0.1.%d" % i, 5683))
        assert len(board.server._observers._all) == 4
        assert len(board.server._verified) == 4
        # the same one again takes no second place
        for _ in range(3):
            board.ask(coap.GET, "suit/status", ((coap.OBSERVE, 0),), peer=("10.0.1.19", 5683))
        assert len(board.server._observers._all) == 4


def test_strangers_do_not_push_out_an_observer_that_is_there():
    with Clock() as now:
        board = Board()
        assert watch(board, FRIEND)
        now[0] += 2100
        assert acknowledge(board) == 1
        for i in range(40):
            assert watch(board, ("10.6.6.%d" % i, 1000))
            now[0] += 100
            acknowledge(board, lambda host: host == FRIEND[0])
        assert watching(board)[0] == FRIEND and len(watching(board)) == 4
        # nor does somebody with many ports push out anybody but himself
        for port in range(40):
            assert watch(board, ("10.6.6.6", port))
        assert len([1 for host, _ in watching(board) if host == "10.6.6.6"]) == 2
        assert FRIEND in watching(board)


def test_four_that_are_there_keep_their_places_and_a_fifth_gets_an_answer():
    with Clock() as now:
        board = Board()
        for i in range(4):
            assert watch(board, ("10.0.0.%d" % i, 5683))
        now[0] += 2100
        assert acknowledge(board) == 4
        assert not watch(board, STRANGER)
        now[0] += 10000
        assert acknowledge(board) == 0  # once is enough


def test_an_address_with_many_ports_takes_no_place_from_verified_ones():
    board = Board()
    for i in (1, 2):
        board.verify(("10.0.0.%d" % i, 5683))
    for port in range(50):
        board.verify(("10.6.6.6", port))
    for i in (1, 2):
        answer = board.ask(coap.GET, "suit/status", peer=("10.0.0.%d" % i, 5683))
        assert len(answer.body) == 700


def test_a_nudge_may_lead_to_its_sender_or_to_a_configured_server_only():
    servers = ("https://updates.example/thermo/", "coap://10.9.9.9/latest.suit", "nonsense")
    for uri, good in (
        ("coap://10.0.0.5/x", True),
        ("http://10.0.0.5:8080/x", True),
        ("coap://10.9.9.9/other", True),
        ("https://updates.example/y", True),
        ("HTTPS://Updates.Example/y", True),
        ("http://updates.example/y", False),
        ("https://updates.example:444/y", False),
        ("coap://10.0.0.50/x", False),
        ("coap://10.0.0.5@10.6.6.6/x", False),
        ("coap://10.6.6.6/10.0.0.5", False),
        ("file:///suit/spool", False),
        ("serial:/x", False),
        ("/suit/spool", False),
        ("nonsense", False),
        ("coap://10.0.0.5/" + "x" * 600, False),
        ("coap://10.0.0.5/\r\n", False),
    ):
        assert (at_host(uri, "10.0.0.5") or at_server(uri, servers)) == good, uri


def test_random_and_damaged_requests_change_nothing():
    random.seed(3)
    board = Board()
    seeds = [
        board.request(coap.GET, "suit/status", ((coap.OBSERVE, 0), (coap.BLOCK2, 6))),
        board.request(coap.POST, "suit/nudge", ((coap.ECHO, b"123456789012"),), b"coap://x/y"),
        board.request(coap.GET, ".well-known/core", ((coap.URI_QUERY, b"rt=x"),)),
    ]
    for i in range(600 if MICROPYTHON else 3000):
        data = bytearray(seeds[i % 3])
        for _ in range(random.randrange(1, 4)):
            data[random.randrange(len(data))] = random.getrandbits(8)
        data = bytes(data[: random.randrange(len(data) + 1)]) if i % 5 == 0 else bytes(data)
        for answer in board.raw(data, STRANGER):
            assert answer.size <= 136
    assert board.site.nudges == [] and board.server._observers._all == []
    assert len(board.server._recent) == 0
    assert coap_observers._MOST == 4 if not MICROPYTHON else True
