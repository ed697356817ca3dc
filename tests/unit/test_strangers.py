"""What an update may cost that somebody asked for over the network, and how often; attacks on that."""

from author import OTHER_KEY, envelope
from clock import Clock
from harness import finish, raises
from storage import write
from suit import listening, runtime, slots, strangers, updater
from suit import numbers as n
from suit.config import Config
from suit.errors import SuitError
from suit.transports import coap_message as coap
from suit.transports import local, net
from test_updater import APP, V1_APP, V2_APP, Bench

OPERATOR, STRANGER = "10.0.0.5", "10.6.6.6"
SERVERS = ("coap://10.9.9.9/thermo/",)


class Times(Clock):
    """Afterwards no update is under way."""

    def __exit__(self, *why):
        super().__exit__(*why)
        runtime.progress.begin("idle")
        runtime.strict = False


def visited(visitors, host, now, lasted=100, state="refused", vouched=False):
    """`host` had an update that took `lasted` ms."""
    visit = strangers.Visit("coap://%s/x" % host, host, True)
    visit.begin()
    now[0] += lasted
    runtime.progress.begin(state)
    runtime.progress.vouched = vouched
    visitors.left(visit)


def test_twenty_refusals_are_free_and_then_the_pauses_grow():
    with Times() as now:
        v = strangers.Visitors()
        for _ in range(19):
            visited(v, STRANGER, now)
            assert v.wait_ms(STRANGER) == 0
        pauses = []
        for _ in range(14):
            visited(v, STRANGER, now)
            pauses.append(v.wait_ms(STRANGER))
        assert pauses == [min(1000 << i, 900000) for i in range(14)]
        assert v.wait_ms(OPERATOR) == 0  # nobody else pays for it
        now[0] += 899999
        assert v.wait_ms(STRANGER) == 1
        now[0] += 1
        assert v.wait_ms(STRANGER) == 0
        now[0] += 14400000
        visited(v, STRANGER, now)
        assert v.wait_ms(STRANGER) == 0  # forgotten


def test_what_takes_long_costs_more_unless_a_trusted_key_has_signed_it():
    with Times() as now:
        v = strangers.Visitors()
        visited(v, STRANGER, now, lasted=120000)
        assert v.wait_ms(STRANGER) == 32000
        visited(v, OPERATOR, now, lasted=120000, state="failed", vouched=True)
        assert v.wait_ms(OPERATOR) == 0
        for _ in range(100):
            visited(v, "10.0.0.7", now, lasted=120000, state="armed", vouched=True)
        assert v.wait_ms("10.0.0.7") == 0


def test_many_addresses_are_no_way_around_the_pauses():
    with Times() as now:
        v = strangers.Visitors()
        taken = 0
        for i in range(5000):
            host = "2001:db8::%x" % i
            if v.wait_ms(host) == 0:
                taken += 1
                visited(v, host, now, 0)
            now[0] += 100  # ten nudges a second, each from somewhere else
        assert taken < 4 * 32, taken
        assert len(v._all) == 4


def test_a_clock_that_wraps_leaves_nobody_waiting():
    with Times() as now:
        v = strangers.Visitors()
        for _ in range(60):
            visited(v, STRANGER, now)
        assert v.wait_ms(STRANGER)
        now[0] = 0
        assert v.wait_ms(STRANGER) == 0


class Site:
    """A listening.Site whose updater is busy when `busy[0]`."""

    def __init__(self):
        self.busy = [False]
        self.site = listening.Site(Config({"servers": SERVERS}))

    def __enter__(self):
        self.saved = updater.busy
        updater.busy = lambda: self.busy[0]
        return self

    def __exit__(self, *why):
        updater.busy = self.saved
        listening._visit = None

    def nudge(self, uri="", host=OPERATOR):
        return self.site.nudge(uri, host)


def test_nudges_are_taken_refused_or_put_off():
    with Times() as now, Site() as test:
        assert test.nudge("coap://10.6.6.6/x") == coap.FORBIDDEN
        assert test.nudge("file:///x") == test.nudge("nonsense") == coap.FORBIDDEN
        assert test.nudge("coap://10.0.0.5/x") == coap.CHANGED
        assert test.site.wanted.stranger and test.site.wanted.uri == "coap://10.0.0.5/x"
        assert test.nudge("coap://10.0.0.5/x") == coap.UNAVAILABLE  # one is waiting
        test.site.wanted = None
        for uri in ("", SERVERS[0] + "y"):
            assert test.nudge(uri, STRANGER) == coap.CHANGED
            assert not test.site.wanted.stranger
            test.site.wanted = None
        for _ in range(24):
            visited(test.site, STRANGER, now)
        assert test.nudge("", STRANGER) == coap.TOO_MANY and test.site.again == 17
        assert test.nudge("") == coap.CHANGED


def test_a_configured_server_goes_first():
    with Times() as now, Site() as test:
        test.busy[0] = True
        visit = listening._visit = strangers.Visit("coap://10.6.6.6/x", STRANGER, True)
        runtime.progress.begin("checking")
        assert test.nudge("coap://10.0.0.5/x") == coap.UNAVAILABLE and not visit.over
        assert test.nudge("") == coap.CHANGED and visit.over
        assert visit.verdict()[0] == n.R_BUSY
        # what a trusted key has signed is not disturbed, for five minutes
        test.site.wanted = None
        visit.over = False
        for state, vouched, lasted, ends in (
            ("checking", False, 0, True), ("checking", True, 0, False), ("fetching", True, 0, False),
            ("fetching", True, 300001, True), ("installing", True, 300001, False), ("armed", True, 300001, False),
        ):  # fmt: skip
            visit.begin()
            now[0] += lasted
            runtime.progress.begin(state)
            runtime.progress.vouched = vouched
            assert listening.make_way() == ends == visit.over, state
            visit.over = False
        # neither is an update from a configured server, nor one at the cable
        runtime.progress.begin("checking")
        visit.stranger = False
        assert not listening.make_way() and test.nudge("") == coap.UNAVAILABLE
        listening._visit = None
        assert not listening.make_way() and test.nudge("") == coap.UNAVAILABLE


class Server:
    def __init__(self, each):
        self.each = each

    def step(self):
        self.each()


def test_a_strangers_envelope_that_is_not_signed_in_two_minutes_is_given_up():
    with Times() as now, Site() as test:
        test.site.wanted = strangers.Visit("coap://10.6.6.6/x", STRANGER, True)
        ended = []

        def update(uri, strict):
            runtime.progress.begin("checking")
            assert strict and uri == "coap://10.6.6.6/x"
            try:
                while True:
                    yield [None, 1, 15000]  # a byte now and then
            finally:
                ended.append(now[0])
                runtime.progress.state = "failed"

        saved, updater.update = updater.update, update
        try:
            gen = listening._follow(test.site, Server(lambda: None))
            for _ in gen:
                now[0] += 20
        finally:
            updater.update = saved
        assert 120000 < ended[0] - 1000 <= 120100
        assert (runtime.progress.reason, runtime.progress.detail) == (n.R_NETWORK, "slow")
        assert test.site._visitors.wait_ms(STRANGER) == 32000 and listening._visit is None


def test_a_look_at_the_servers_ends_a_strangers_update_first():
    with Times(), Site() as test:
        test.busy[0] = True
        looked = []

        def update(url=None, reset=True, strict=False):
            looked.append((url, test.busy[0]))
            yield

        saved, updater.update = updater.update, update
        try:
            assert not finish(listening._attempt()) and not looked
            visit = listening._visit = strangers.Visit("coap://10.6.6.6/x", STRANGER, True)
            runtime.progress.begin("checking")
            gen = listening._attempt()
            next(gen)
            assert visit.over and not looked
            test.busy[0] = False
            finish(gen)
            assert looked == [(None, False)]
        finally:
            updater.update = saved


class offered:
    """The bytes of the envelope that a strict update has read, counted."""

    def __enter__(self):
        self.taken = 0
        self.saved = local.FileStream
        test = self

        class FileStream(local.FileStream):
            def readinto(self, view):
                read = yield from local.RegionStream.readinto(self, view)
                test.taken += read
                return read

        local.FileStream = FileStream
        return self

    def __exit__(self, *why):
        local.FileStream = self.saved
        runtime.strict = False

    def refused(self, b, name, reason):
        self.taken = 0
        uri = "%s/%s.suit" % (b.out, name)
        raises(SuitError, finish, updater.update(uri, False, True), reason=reason)
        assert not slots.exists(b.root + "/spool")
        return self.taken


def test_nothing_behind_a_manifest_that_nobody_signed_is_fetched():
    b = Bench()
    b.install("v1", 5, V1_APP)
    huge = bytes(60000)
    for name, sequence, reason, options in (
        ("forged", 9, n.R_UNAUTHORISED, {"key": OTHER_KEY}),
        ("old", 4, n.R_ROLLBACK, {}),  # true once, replayed with other bytes behind it
    ):
        write("%s/%s.suit" % (b.out, name), envelope(sequence, [(APP, huge, "#app")], **options))
        with offered() as test:
            assert test.refused(b, name, reason) < 2000
            assert runtime.progress.vouched == (reason == n.R_ROLLBACK)
    assert b.start() == (0, False)


def test_an_envelope_that_says_it_is_larger_than_may_be_is_refused_at_its_head():
    b = Bench(slot=20000)
    write(b.out + "/big.suit", b"\xd8\x6b\xa2\x02\x5a\x00\x01\xf0\x00" + bytes(100000))
    with offered() as test:
        assert test.refused(b, "big", n.R_LIMIT) <= 512
    b.publish("v1", 1, V1_APP)
    with offered() as test:
        finish(updater.update(b.out + "/v1.suit", False, True))
    assert b.start() == (0, True)


def test_a_good_update_of_a_stranger_is_installed_with_all_it_carries():
    b = Bench()
    write(b.out + "/i.suit", envelope(1, [(APP, V1_APP, "#app"), ([b"file", b"x"], b"x", "#x")]))
    finish(updater.update(b.out + "/i.suit", False, True))
    assert b.start() == (0, True) and b.app(0) == V1_APP
    b.confirm()
    b.publish("v2", 2, V2_APP)
    finish(updater.update(b.out + "/v2.suit", False, True))
    assert b.start() == (1, True)


def test_a_stranger_is_given_up_where_a_server_is_waited_for():
    with Times() as now:
        for strict, slow in ((False, False), (True, True)):
            runtime.strict = strict
            pace = net.Pace()
            try:
                for _ in range(200):
                    now[0] += 1000
                    pace.count(512)
                assert not slow
            except SuitError as error:
                assert slow and error.reason == n.R_NETWORK and error.detail == "slow"


def test_the_status_tells_for_whom_an_update_was_without_the_url():
    from binascii import crc32

    from suit import api

    b = Bench()
    b.publish("forged", 1, V1_APP, key=OTHER_KEY)
    uri = b.out + "/forged.suit"
    raises(SuitError, finish, updater.update(uri, False, True), reason=n.R_UNAUTHORISED)
    assert api._progress()["for"] == crc32(uri.encode())
    raises(SuitError, finish, updater.update(None, False), reason=n.R_NO_PAYLOAD)
    assert "for" not in api._progress()
