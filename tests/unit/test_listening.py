"""What a board does beside its app: updates with the server still answering, and looking around."""

import suit
from harness import raises
from suit import listening, runtime, thrift, updater
from suit.config import Config
from suit.errors import SuitError
from suit.numbers import R_NETWORK
from suit.strangers import Visit
from suit.transports import coap_observe, net


class Server:
    """Counts how often it could answer."""

    steps = 0

    def step(self):
        self.steps += 1


def test_an_update_that_waits_leaves_the_server_answering():
    seen = []

    def update():
        yield
        seen.append((yield ["socket", 1, 100]))  # ready in the end
        seen.append((yield ["socket", 1, 50]))  # never
        yield 45

    server = Server()
    gen = listening._beside(update(), server, Visit("", "10.0.0.5", False))
    asked = []
    answer = None
    try:
        while True:
            want = gen.send(answer)
            asked.append(list(want) if isinstance(want, list) else want)
            answer = len(asked) == 3 if isinstance(want, list) else None
    except StopIteration:
        pass
    assert seen == [True, False]
    assert asked == [
        None, ["socket", 1, 20], ["socket", 1, 20],
        ["socket", 1, 20], ["socket", 1, 20], ["socket", 1, 10], 20, 20, 5,
    ]  # fmt: skip
    assert server.steps >= len(asked)


def test_importing_the_modules_leaves_the_api_as_it_is():
    for name in ("update", "confirm", "rollback", "status", "path", "listen", "poll"):
        assert callable(getattr(suit, name)), name


class looking:
    """`look` with an updater, an observer and waits that are lists of what happens."""

    def __init__(self, servers, poll=100, results=(), news=()):
        self.config = Config({"servers": servers, "poll": poll})
        self.results = list(results)  # state after each attempt
        self.news = list(news)
        self.attempts = 0
        self.pauses = []
        self.rests = []  # after an attempt, where a server is observed
        self.observed = None

    def __enter__(self):
        self.saved = updater.update, updater.busy, coap_observe.Observer
        test = self

        def update(url=None, reset=True):
            test.attempts += 1
            runtime.progress.state = test.results.pop(0) if test.results else "refused"
            yield
            if runtime.progress.state == "failed":
                raise SuitError(R_NETWORK)

        class Observer:
            registered = True

            def __init__(self, uri):
                test.observed = uri

            def wait(self, ms):
                test.pauses.append(ms)
                yield
                news = test.news.pop(0) if test.news else False
                if news is None:
                    raise SuitError(R_NETWORK)
                return news

        updater.update, updater.busy, coap_observe.Observer = update, lambda: False, Observer
        return self

    def __exit__(self, *why):
        updater.update, updater.busy, coap_observe.Observer = self.saved
        runtime.progress.begin("idle")

    def go(self, steps):
        gen = listening.look(self.config)
        for _ in range(steps):
            want = next(gen)
            if want is not None:
                (self.rests if self.observed else self.pauses).append(want)
        gen.close()


def test_without_servers_or_interval_nothing_is_looked_at():
    for servers, poll in (((), 100), (("http://a/",), 0)):
        with looking(servers, poll) as test:
            assert list(listening.look(test.config)) == []


def test_servers_are_looked_at_again_and_again_but_not_in_step():
    with looking(("http://a/x",)) as test:
        test.go(41)
        assert test.attempts == 20
        assert test.pauses[0] <= 5100
        assert all(87500 <= pause <= 115200 for pause in test.pauses[1:])
        assert len(set(test.pauses[1:])) > 5


def test_a_failed_attempt_is_repeated_sooner():
    with looking(("http://a/x",), 86400, ["failed", "refused"]) as test:
        test.go(6)
        assert test.pauses[1] < 350000 and test.pauses[2] > 70000000


def test_an_observed_server_is_asked_only_when_there_is_news():
    with looking(("coap://a/thermo/",), news=[True, False, False, True, False]) as test:
        test.go(12)
        assert test.observed == "coap://a/thermo/latest.suit"
        assert test.attempts == 2
    with looking(("coap://a/x", "http://b/x"), news=[True]) as test:
        test.go(18)
        assert test.attempts == 6  # the second one tells nothing
    with looking(("coap://a/x",), news=[None, None]) as test:
        test.go(8)
        assert test.attempts == 2  # an observation that fails leaves polling


def test_a_failed_attempt_at_an_observed_server_is_repeated():
    with looking(("coap://a/x",), 86400, ["failed", "failed"], [True]) as test:
        test.go(12)
        assert test.attempts == 3
        assert test.pauses[1] < 350000 and test.pauses[2] < 350000 and test.pauses[3] > 70000000


def test_a_server_with_news_at_any_moment_does_not_say_how_often_flash_is_written():
    with looking(("coap://a/x",), 3600, news=[True] * 40) as test:
        test.go(60)
        assert test.attempts == 20
        assert test.rests[:5] == [2000, 4000, 8000, 16000, 32000] and test.rests[-1] == 3600000


def test_the_updater_is_imported_into_the_reserve():
    happened = []
    saved = thrift.begin, thrift.end
    thrift.begin, thrift.end = lambda: happened.append("given"), lambda before: happened.append("taken")
    try:
        assert listening._updater() is updater and happened == ["given", "taken"]
    finally:
        thrift.begin, thrift.end = saved


def test_an_attempt_that_does_not_even_begin_leaves_room_for_the_next():
    def nowhere():
        raise MemoryError

    saved, thrift.begin = thrift.begin, nowhere
    try:
        raises(MemoryError, next, updater.update("x"))
        assert not updater._busy
    finally:
        thrift.begin = saved
        runtime.progress.begin("idle")


def test_no_pause_is_longer_than_asyncio_can_sleep():
    assert Config({"poll": 604800}).poll * 1151 < 1 << 29


def test_an_updater_for_which_there_is_no_room_ends_neither_the_app_nor_the_looking():
    def nowhere():
        tries.append(1)
        raise MemoryError

    tries = []
    saved, listening._updater = listening._updater, nowhere
    try:
        with looking(("http://a/x",), 86400) as test:
            test.go(4)
            assert len(tries) == 3 and test.pauses[1] < 350000
        site = listening.Site(Config({}))
        site.wanted = Visit("", "10.0.0.5", False)
        assert list(listening._follow(site, Server())) == [] and site.wanted is None
    finally:
        listening._updater = saved


class FewSockets:
    FEW_SOCKETS = True


def shared(port):
    """What happens when there is news, on a board of that port."""
    happened = []
    with looking(("coap://a/x",), news=[True, False]) as test:
        plain, Observer = updater.update, coap_observe.Observer

        class Watched(Observer):
            def wait(self, ms):
                happened.append("wait")
                return Observer.wait(self, ms)

            def close(self):
                happened.append("close")

        def update():
            happened.append("update")
            return plain()

        updater.update, coap_observe.Observer = update, Watched
        saved, listening.chip = listening.chip, lambda: port
        try:
            test.go(4)
        finally:
            listening.chip = saved
    return happened


def test_where_sockets_are_few_the_observer_has_none_while_an_update_is_fetched():
    assert shared(FewSockets) == ["wait", "close", "update", "wait"]
    assert shared(None) == ["wait", "update", "wait"]


def test_a_transfer_that_is_dragged_out_is_ended():
    now = [0]
    saved = net.ticks
    net.ticks = lambda: now[0]
    try:
        pace = net.Pace()
        for _ in range(12):
            now[0] += 10000
            pace.count(10)
        now[0] += 1000
        raises(SuitError, pace.count, 10, reason=R_NETWORK)
        quick = net.Pace()
        for _ in range(100):
            now[0] += 10000
            quick.count(1024)
    finally:
        net.ticks = saved
