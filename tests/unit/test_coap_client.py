"""The CoAP client against a server that misbehaves on purpose; no network, no waiting."""

from harness import raises
from suit import runtime
from suit.errors import SuitError
from suit.numbers import R_CONTENT_CHANGED, R_NETWORK, R_SERVER
from suit.transports import coap_timing, net
from suit.transports.coap import CoAPStream
from suit.transports.coap_client import Client
from suit.transports.coap_message import (
    ACK,
    BLOCK2,
    CON,
    ECHO,
    ETAG,
    NON,
    OBSERVE,
    RST,
    SIZE2,
    URI_HOST,
    URI_PATH,
    URI_QUERY,
    Message,
    Writer,
)
from suit.transports.coap_observe import Observer

CONNECT = net.connect
DATA = bytes(i * 7 & 255 for i in range(5000))


class Wire:
    """Stands for the socket and for the server behind it. `answer(wire, request)` is called for
    each request and replies with `reply`; what else the client sends is kept in `other`."""

    def __init__(self, answer):
        self.answer = answer
        self.queue = []
        self.requests = []
        self.other = []
        self.etag = b"tag"

    def send(self, view):
        data = bytearray(view)
        m = Message(memoryview(data))
        m.parse(0, len(data))
        if m.type != CON or m.code == 0:
            self.other.append((m.type, m.code, m.mid))
            return len(data)
        m.data = data
        m.options = {}
        while m.next():
            m.options.setdefault(m.number, []).append(m.value())
        self.requests.append(m)
        self.answer(self, m)
        return len(data)

    def reply(self, m, code=69, payload=b"", kind=ACK, mid=None, token=None, options=()):
        buf = bytearray(1400)
        w = Writer(memoryview(buf))
        if token is None:
            token = m.data[m.token : m.token + m.token_size]
        w.begin(kind, code, m.mid if mid is None else mid, token)
        for number, value in options:
            w.option(number, value) if isinstance(value, bytes) else w.uint(number, value)
        w.body(payload)
        self.queue.append(bytes(buf[: w.size]))

    def block(self, m, data=DATA, most=6, size2=True, **kw):
        """Answer as a correct server does."""
        asked = 0
        for c in m.options.get(BLOCK2, [b"\x06"])[0]:
            asked = asked << 8 | c
        szx = min(asked & 7, most)
        start = asked >> 4 << (asked & 7) + 4
        more = start + (16 << szx) < len(data)
        if start >= len(data):
            self.reply(m, 128)
            return
        options = [(ETAG, self.etag), (BLOCK2, start >> szx + 4 << 4 | more << 3 | szx)]
        if size2 and SIZE2 in m.options:
            options.append((SIZE2, len(data)))
        self.reply(m, 69, data[start : start + (16 << szx)], options=options, **kw)

    # what `net` uses

    def readinto(self, view):
        if not self.queue:
            return None
        # MicroPython reads on into the rest of the buffer
        data = b"".join(self.queue)[: len(view)] if self.joins else self.queue[0]
        del self.queue[: len(self.queue) if self.joins else 1]
        view[: len(data)] = data
        return len(data)

    joins = False

    def recv(self, size):
        if not self.queue:
            raise OSError(11)
        return self.queue.pop(0)

    def close(self):
        pass


class wired:
    """`with wired(answer) as wire`: clients made inside talk to it."""

    def __init__(self, answer):
        self.wire = Wire(answer)

    def __enter__(self):
        self.saved = net.connect, coap_timing.Timing.patience_ms
        net.connect = lambda host, port, kind: self.wire
        return self.wire

    def __exit__(self, *why):
        net.connect, coap_timing.Timing.patience_ms = self.saved


def drive(gen, wire):
    """Every wait is over at once: with something to read, or as a timeout."""
    answer = None
    try:
        while True:
            want = gen.send(answer)
            answer = bool(wire.queue) if isinstance(want, list) else None
    except StopIteration as done:
        return done.value


def fetch(wire, offset=0, mark=None, size=700, uri="coap://10.0.0.1/a/b?c=d"):
    stream = CoAPStream(uri)
    drive(stream.start(offset, mark), wire)
    out = bytearray()
    buf = bytearray(size)
    while True:
        n = drive(stream.readinto(memoryview(buf)), wire)
        if not n:
            return stream, bytes(out)
        out.extend(buf[:n])


def refused(answer, reason, *args):
    with wired(answer) as wire:
        return raises(SuitError, fetch, wire, *args, reason=reason).detail


def test_blocks_are_put_together():
    for size in (1, 100, 1024, 5000):
        with wired(lambda wire, m: wire.block(m)) as wire:
            stream, data = fetch(wire, size=size)
            assert data == DATA and stream.total == len(DATA) and stream.mark == "746167"
            assert len(wire.requests) == 5
            assert wire.requests[0].options[URI_PATH] == [b"a", b"b"]
            assert wire.requests[0].options[URI_QUERY] == [b"c=d"]
            assert URI_HOST not in wire.requests[0].options


def test_a_host_name_is_sent_and_path_segments_are_decoded():
    with wired(lambda wire, m: wire.block(m)) as wire:
        fetch(wire, uri="coap://Example.org:61616/a%2Fb/c%20d")
        assert wire.requests[0].options[URI_HOST] == [b"example.org"]
        assert wire.requests[0].options[URI_PATH] == [b"a/b", b"c d"]


def test_a_body_that_needs_no_blocks_is_taken_whole():
    with wired(lambda wire, m: wire.reply(m, 69, b"short")) as wire:
        stream, data = fetch(wire)
        assert data == b"short" and stream.total == 5 and stream.mark is None


def test_an_empty_body_ends_at_once():
    with wired(lambda wire, m: wire.reply(m, 69)) as wire:
        stream, data = fetch(wire)
        assert data == b"" and stream.total == 0


def test_the_server_may_choose_smaller_blocks_and_none_larger():
    for most in (0, 2, 5):
        with wired(lambda wire, m, most=most: wire.block(m, most=most)) as wire:
            assert fetch(wire)[1] == DATA

    def larger(wire, m):
        wire.reply(m, 69, DATA[:1024], options=((BLOCK2, 8 | 7),))

    assert refused(larger, R_SERVER) == "block"


def test_without_size2_the_end_gives_the_total():
    with wired(lambda wire, m: wire.block(m, size2=False)) as wire:
        stream, data = fetch(wire)
        assert data == DATA and stream.total == len(DATA)


def test_a_transfer_is_taken_up_at_any_byte():
    for offset in (1, 15, 1023, 1024, 1025, 4096, 4999, 5000):
        with wired(lambda wire, m: wire.block(m)) as wire:
            stream, data = fetch(wire, offset, "746167")
            assert stream.offset == offset and data == DATA[offset:], offset
            assert stream.total == len(DATA)


def test_an_etag_that_comes_with_the_first_block_only_is_looked_up_there():
    def answer(wire, m):
        first = m.options[BLOCK2][0][0] >> 4 == 0
        wire.etag = b"tag" if first else b""
        wire.block(m, size2=first)

    for mark, begins in (("746167", 3000), ("00", 0)):
        with wired(answer) as wire:
            stream, data = fetch(wire, 3000, mark)
            assert stream.offset == begins and data == DATA[begins:]
            assert stream.mark == "746167" and stream.total == len(DATA)


def test_other_content_or_too_much_of_it_begins_at_zero():
    for offset, mark in ((1500, "00"), (5001, "746167"), (9999, None)):
        with wired(lambda wire, m: wire.block(m)) as wire:
            stream, data = fetch(wire, offset, mark)
            assert stream.offset == 0 and data == DATA and stream.mark == "746167"


def test_a_new_etag_in_the_middle_is_content_changed():
    def answer(wire, m):
        if len(wire.requests) == 3:
            wire.etag = b"new"
        wire.block(m)

    assert refused(answer, R_CONTENT_CHANGED) == "etag"


def test_a_size_that_lies_is_content_changed():
    def longer(wire, m):
        wire.block(m, data=DATA if len(wire.requests) == 1 else DATA[:4500])

    def shorter(wire, m):
        wire.reply(m, 69, DATA[:1024], options=((BLOCK2, 8 | 6), (SIZE2, 1000)))

    assert refused(longer, R_CONTENT_CHANGED) == "size"
    assert refused(shorter, R_CONTENT_CHANGED) == "size"


def test_a_block_that_was_not_asked_for_is_refused():
    def wrong_number(wire, m):
        more = 8 if len(wire.requests) == 1 else 0
        wire.reply(m, 69, DATA[:1024], options=((BLOCK2, more | 6),))

    def short(wire, m):
        wire.reply(m, 69, DATA[:1000], options=((BLOCK2, 8 | 6),))

    def empty(wire, m):
        more = len(wire.requests) == 1
        wire.reply(m, 69, DATA[:1024] if more else b"", options=((BLOCK2, 8 | 6 if more else 22),))

    assert refused(wrong_number, R_SERVER) == "block"
    assert refused(short, R_SERVER) == "block"
    with wired(empty) as wire:
        assert fetch(wire)[1] == DATA[:1024]


def test_a_server_that_forgot_the_transfer_is_asked_for_its_start_again():
    forgot = []

    def answer(wire, m):
        number = m.options[BLOCK2][0][0] >> 4
        if len(wire.requests) > 2 and not forgot:
            forgot.append(len(wire.requests))
        if forgot == [3] and number and len(wire.requests) == 3:
            wire.reply(m, 136)
        else:
            wire.block(m)

    with wired(answer) as wire:
        assert fetch(wire)[1] == DATA
        assert len(wire.requests) == 7


def test_an_error_says_its_code():
    assert refused(lambda wire, m: wire.reply(m, 132), R_SERVER) == 404
    assert refused(lambda wire, m: wire.reply(m, 160, b"why"), R_SERVER) == 500
    assert refused(lambda wire, m: wire.reply(m, 67), R_SERVER) == 203


def test_a_busy_server_is_waited_for_a_few_times():
    def answer(wire, m):
        wire.reply(m, 163) if len(wire.requests) < 3 else wire.block(m)

    with wired(answer) as wire:
        assert fetch(wire)[1] == DATA
    assert refused(lambda wire, m: wire.reply(m, 163), R_SERVER) == 503


def test_an_echo_is_returned_once_per_challenge():
    def answer(wire, m):
        if m.options.get(ECHO) == [b"prove it"]:
            wire.block(m)
        else:
            wire.reply(m, 129, options=((ECHO, b"prove it"),))

    with wired(answer) as wire:
        assert fetch(wire)[1] == DATA
    assert refused(lambda w, m: w.reply(m, 129, options=((ECHO, b"x"),)), R_SERVER) == 401
    assert refused(lambda w, m: w.reply(m, 129), R_SERVER) == 401


def test_a_separate_response_is_acknowledged_and_a_repeated_one_again():
    def answer(wire, m):
        if len(wire.requests) > 1:
            wire.reply(wire.requests[0], 69, b"old", CON, 77)  # our acknowledgement was lost
        wire.reply(m, 0, token=b"")
        wire.block(m, kind=CON, mid=77 + len(wire.requests) - 1)

    with wired(answer) as wire:
        assert fetch(wire)[1] == DATA
        assert wire.other[:3] == [(ACK, 0, 77), (ACK, 0, 77), (ACK, 0, 78)]


def test_a_nonconfirmable_response_is_taken():
    def answer(wire, m):
        wire.reply(m, 0, token=b"")
        wire.block(m, kind=NON, mid=5)

    with wired(answer) as wire:
        assert fetch(wire)[1] == DATA
        assert wire.other == []


def test_what_belongs_to_somebody_else_is_ignored_or_reset():
    def answer(wire, m):
        wire.reply(m, 69, b"wrong token", token=b"abcdef")
        wire.reply(m, 69, b"wrong id", mid=m.mid ^ 1)
        wire.reply(m, 69, b"not mine", CON, 9, token=b"xyz")
        wire.reply(m, 1, b"a request", CON, 10)
        wire.queue.append(b"")
        wire.queue.append(b"\x60")
        wire.queue.append(b"garbage from somewhere")
        wire.block(m)
        wire.block(m)  # and twice

    with wired(answer) as wire:
        assert fetch(wire)[1] == DATA
        assert wire.other[:2] == [(RST, 0, 9), (RST, 0, 10)]


def test_a_lost_datagram_is_sent_again_with_the_same_message_id():
    def answer(wire, m):
        if len(wire.requests) % 3 == 0:
            wire.block(m)

    with wired(answer) as wire:
        assert fetch(wire)[1] == DATA
        first = [(m.mid, bytes(m.data)) for m in wire.requests[:3]]
        assert first[0] == first[1] == first[2]
        assert wire.requests[3].mid != first[0][0]


def test_a_server_that_moved_is_found_under_its_name_after_four_timeouts():
    moved = [False]

    def answer(wire, m):
        here = len(asked) > 1  # the name leads to the new address
        if not moved[0] or here:
            wire.block(m)
        moved[0] = moved[0] or len(wire.requests) == 3

    asked = []
    with wired(answer) as wire:
        net.connect = lambda host, port, kind: asked.append(host) or wire
        stream, data = fetch(wire, uri="coap://updates.example/x")
    assert data == DATA and asked == ["updates.example"] * 2
    lost = [m for m in wire.requests if m.mid == wire.requests[3].mid]
    assert len(lost) == 5  # four times to the old address


def test_silence_is_a_network_error():
    coap_timing.Timing.patience_ms, saved = 0, coap_timing.Timing.patience_ms
    try:
        assert refused(lambda wire, m: None, R_NETWORK) == "timeout"
    finally:
        coap_timing.Timing.patience_ms = saved


class NoSocketLeft:
    """What `socket` is where others have all of them."""

    AF_INET, SOCK_DGRAM = 2, 2

    def getaddrinfo(self, host, port, *more):
        return [(2, 2, 0, "", (host, port))]

    def socket(self, *kind):
        raise OSError(12, "ENOMEM")


def test_no_socket_left_is_a_network_error_and_not_one_of_the_storage():
    saved, net.socket = net.socket, NoSocketLeft()
    try:
        error = raises(SuitError, net.connect, "10.0.0.1", 5683, 2, reason=R_NETWORK)
        assert error.detail == 12
        observer = Observer("coap://10.0.0.77/latest.suit")
        observer._client.timing.patience_ms = 0
        raises(SuitError, drive, observer.wait(0), Wire(None), reason=R_NETWORK)
    finally:
        net.socket = saved


def observed(m):
    """What a request says about observing: 0 register, 1 leave."""
    return [int.from_bytes(value, "big") for value in m.options.get(OBSERVE, ())]


def test_an_observer_gives_its_socket_to_an_update_that_finds_none_and_misses_no_change():
    def answer(wire, m):
        if observed(m) == [0]:
            wire.reply(m, 69, b"x", options=((ETAG, wire.etag), (OBSERVE, len(wire.requests))))

    closed = []
    saved = net.socket, runtime.progress.state
    with wired(answer) as wire:
        wire.close = lambda: closed.append(len(wire.requests))
        observer = Observer("coap://10.0.0.1/latest.suit")
        assert drive(observer.wait(0), wire) is True
        waiting = observer.wait(1000000)
        assert next(waiting)[2] <= 1000 and observer.registered
        wired_connect, net.connect = net.connect, CONNECT
        net.socket = NoSocketLeft()
        try:
            raises(SuitError, net.connect, "10.0.0.1", 5683, 2, reason=R_NETWORK)
        finally:
            net.socket, net.connect = saved[0], wired_connect
        now = [net.ticks() + 1000]
        ticks, net.ticks = net.ticks, lambda: now[0]
        try:
            assert waiting.send(False) == 30000  # gone for half a minute
            assert closed == [2] and not observer.registered
            assert [observed(m) for m in wire.requests] == [[0], [1]]
            runtime.progress.state = "fetching"
            now[0] += 30000
            assert next(waiting) == 1000  # the update is under way
            runtime.progress.state = "idle"
            wire.etag = b"new"
            assert drive(waiting, wire) is True
            assert observed(wire.requests[-1]) == [0] and observer.registered
        finally:
            net.ticks = ticks
            runtime.progress.state = saved[1]


def test_where_nobody_will_tell_no_socket_is_kept():
    closed = []
    with wired(lambda wire, m: wire.block(m)) as wire:
        wire.close = lambda: closed.append(1)
        observer = Observer("coap://10.0.0.1/latest.suit")
        assert drive(observer.wait(0), wire) is True
        waiting = observer.wait(5000)
        assert next(waiting) is not None  # it asks
        assert waiting.send(True) > 4000 and not observer.registered
        assert closed == [1]


def test_a_reset_is_a_server_error():
    assert refused(lambda w, m: w.reply(m, 0, kind=RST, token=b""), R_SERVER) == "reset"


def test_an_unknown_critical_option_is_refused_and_an_elective_one_ignored():
    def answer(wire, m, number=19, kind=ACK):
        wire.reply(m, 69, b"x", kind, options=((number, b"1"),))

    assert refused(answer, R_SERVER) == "option 19"
    assert refused(lambda w, m: w.reply(m, 69, b"x", options=((BLOCK2, b"1234"),)), R_SERVER)
    with wired(lambda wire, m: answer(wire, m, 19, CON)) as wire:
        raises(SuitError, fetch, wire, reason=R_SERVER)
        assert [kind for kind, _, _ in wire.other] == [RST]
    with wired(lambda wire, m: answer(wire, m, 20)) as wire:
        assert fetch(wire)[1] == b"x"


def test_datagrams_that_were_read_as_one_do_no_harm():
    def answer(wire, m):
        wire.block(m)
        if len(wire.requests) % 2 == 0:
            wire.block(m)

    with wired(answer) as wire:
        wire.joins = True
        assert fetch(wire)[1] == DATA

    def separate(wire, m):
        wire.reply(m, 0, token=b"")
        wire.block(m, kind=CON, mid=len(wire.requests))

    with wired(separate) as wire:
        wire.joins = True
        assert fetch(wire)[1] == DATA


def test_a_datagram_full_of_acknowledgements_is_no_way_down_the_stack():
    client = Client("coap://10.0.0.1/a")
    with wired(lambda wire, m: None):
        client.send_get(None, None, False)
    size = len(client.rx) // 4 * 4
    client.rx[:size] = b"\x60\x00\x00\x00" * (size // 4)
    client._mid = 1
    assert client._judge(0, size) is False
    assert not client._acked
    client._mid = 0
    assert client._judge(0, size) is False
    assert client._acked


def test_an_overlong_request_is_refused_before_it_is_sent():
    client = Client("coap://10.0.0.1/" + "/".join(["a"] * 240))
    assert len(client._path) == 240


def test_timeouts_follow_the_round_trips():
    timing = coap_timing.Timing()
    assert timing.rto == 1000000
    assert 1000 <= timing.first_ms() <= 1501
    for _ in range(50):
        timing.sample(20000, 1)
    assert 24000 <= timing.rto <= 26000
    # losses: an answer one timeout later, and a clean one now and then
    for i in range(300):
        timing.sample(20000 if i % 3 == 0 else 20000 + timing.rto, 1 if i % 3 == 0 else 2)
        assert timing.rto < 50000
    # the path really became slower: each message is repeated for nothing until that is known
    for _ in range(12):
        sent, at = 1, timing.rto
        while at < 500000:
            sent, at = sent + 1, at * 2 + timing.rto
        timing.sample(500000, sent)
    assert timing.rto > 500000
    for _ in range(20):
        timing.sample(500000, 5)
    assert timing.rto == 32000000
    for _ in range(30):
        timing.sample(20000, 1)
    assert timing.rto < 100000


def test_timing_is_remembered_for_a_few_hosts_without_an_old_silence():
    del coap_timing._known[:]
    first = coap_timing.timing("a")
    first.rto = 32000000
    assert coap_timing.timing("a") is first and first.rto == 1000000
    for host in "bcde":
        coap_timing.timing(host)
    assert coap_timing.timing("a") is not first
    assert len(coap_timing._known) == 4
