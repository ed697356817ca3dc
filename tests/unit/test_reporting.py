"""reporting.py, delivery.py, noticing.py: what is reported, when, and that it is kept until somebody has it."""

from harness import finish
from storage import read, write
from suit import decide, delivery, noticing, reporting, runtime, slots
from suit import numbers as n
from suit.cbor import encode, value
from suit.config import read as settings
from suit.cose import verify
from suit.errors import SuitError
from suit.region import MemoryRegion
from suit.sealing import inside, signed
from suit.trust import TrustStore
from test_updater import V1_APP, V2_APP, Bench

OWN = {1: n.KTY_SYMMETRIC, 3: n.ALG_HMAC256, -1: b"shared by the board and its owner"[:32]}
PLACE = "coap://there/reports"


class Desk(Bench):
    """A board with a key of its own, and somebody who takes reports: `status` is what is answered, an
    exception is raised; `nonces` are given out."""

    def __init__(self, **more):
        more.setdefault("reports", PLACE)
        super().__init__(**more)
        write(self.root + "/device.cbor", encode([OWN]))
        runtime.reports = 0
        runtime.failed = None
        self.status = 204
        self.nonces = []
        self.posted = []
        delivery.post = self._post
        delivery._nonce = self._nonce

    def _nonce(self, url):
        yield
        if isinstance(self.status, Exception):
            raise self.status
        return self.nonces.pop(0) if self.nonces else None

    def _post(self, url, body, form, kind):
        yield
        self.posted.append((url, body, form, kind))
        if isinstance(self.status, list):
            return self.status.pop(0)
        return self.status

    def fails(self, sequence=2):
        """An attempt that ends with a report; each sequence makes another one."""
        self.publish("v%d" % sequence, sequence, V2_APP, vendor=b"somebody else ..")
        return self.refuse("v%d" % sequence, n.R_CONDITION_FAILED)

    def told(self):
        """The last report, whose key is the board's."""
        data = reporting.load()
        trust = TrustStore(encode([OWN]))
        assert verify(MemoryRegion(data), None, trust) is trust.keys[0]
        return value(inside(data))


def bring():
    return finish(delivery.once())


def test_a_report_is_kept_until_it_is_delivered_and_carries_the_nonce_it_is_asked_for():
    b = Desk()
    b.fails()
    assert reporting.waiting() == [1] and runtime.reports == 1
    b.nonces = [b"a nonce "]
    assert bring() and reporting.waiting() == []
    ((url, body, form, kind),) = b.posted
    assert (url, form, kind) == (PLACE, 270, "application/suit-report+cose") and signed(body)
    trust = TrustStore(encode([OWN]))
    assert verify(MemoryRegion(body), None, trust) is trust.keys[0]
    told = value(inside(body))
    assert told[2] == b"a nonce "
    del told[2]
    assert told == b.told() and told[4][5] == n.R_CONDITION_FAILED
    assert bring() and len(b.posted) == 1


def test_without_a_network_a_report_waits_and_what_is_refused_lets_others_pass():
    b = Desk()
    b.fails(2)
    b.fails(3)
    b.status = SuitError(n.R_NETWORK, "timeout")
    assert not bring() and reporting.waiting() == [1, 2] and not b.posted
    b.status = [403, 201]
    assert not bring() and reporting.waiting() == [1] and len(b.posted) == 2
    b.status = 204
    assert bring() and reporting.waiting() == []


def test_an_error_nobody_foresaw_leaves_the_report_for_later():
    b = Desk()
    b.fails()
    b.status = ValueError("what a server made of it")
    assert not bring() and reporting.waiting() == [1]
    b.status = 204
    assert bring() and reporting.waiting() == []


def test_a_stored_report_that_turned_to_garbage_keeps_no_other_away():
    b = Desk()
    b.fails()
    write(reporting._path(), b"\xd2\x84\x41\xff garbage")
    b.fails(3)
    assert b.told()[4][5] == n.R_CONDITION_FAILED


def test_of_more_than_four_reports_the_oldest_is_given_up():
    b = Desk()
    for sequence in range(2, 8):
        b.fails(sequence)
    assert reporting.waiting() == [3, 4, 5, 6]


def test_what_was_said_already_is_neither_written_nor_queued_again():
    b = Desk()
    b.fails()
    before = reporting.load()
    finish(delivery.once())
    b.refuse("v2", n.R_CONDITION_FAILED)
    assert reporting.waiting() == [] and reporting.load() == before
    # news in between make it news again
    b.fails(3)
    b.refuse("v2", n.R_CONDITION_FAILED)
    assert len(reporting.waiting()) == 2


def test_nothing_is_kept_where_nobody_wants_it():
    b = Desk(reports="")
    b.fails()
    assert reporting.waiting() == [] and b.told()[4][5] == n.R_CONDITION_FAILED
    assert delivery.place() is None and bring()
    assert list(delivery.push()) == []


def test_a_reference_is_resolved_against_the_first_server():
    Desk(reports="/reports", servers=["http://there:8080/r/latest.suit"])
    assert delivery.place() == "http://there:8080/reports"
    Desk(reports="/" + "r" * 600, servers=["http://there:8080/r/latest.suit"])
    assert delivery.place() is None and list(delivery.push()) == []
    Desk(reports=PLACE, servers=["http://elsewhere/"])
    assert delivery.place() == PLACE


def test_pauses_double_while_nothing_gets_through_and_an_update_comes_first():
    b = Desk()
    b.fails()
    b.status = SuitError(n.R_NETWORK, 111)
    pushing = delivery.push()
    pauses = [each for each in [next(pushing) for _ in range(40)] if each not in (None, 2000)]
    for i, pause in enumerate(pauses):
        seconds = min(30 << i, 3600)
        assert 896 * seconds <= pause <= 1151 * seconds, (i, pause)
    assert len(pauses) > 8
    b.status = 204
    pushing = delivery.push()
    runtime.progress.state = "fetching"
    assert [next(pushing) for _ in range(5)] == [2000] * 5 and not b.posted
    runtime.progress.state = "idle"
    for _ in range(5):
        next(pushing)
    assert len(b.posted) == 1 and reporting.waiting() == []
    b.fails(3)
    for _ in range(5):
        next(pushing)
    assert len(b.posted) == 2


def test_lack_of_memory_is_reported_as_such_and_never_leaves_the_report_before():
    from suit import processor

    b = Desk()
    b.fails()
    run = processor.Processor.run

    def starved(self, sections):
        raise MemoryError()

    b.publish("v3", 3, V2_APP)
    processor.Processor.run = starved
    try:
        b.refuse("v3", n.R_BUDGET)
    finally:
        processor.Processor.run = run
    told = b.told()
    assert (told[4][5], told[4][7]) == (n.R_BUDGET, n.R_OPERATION_FAILED)
    assert len(reporting.waiting()) == 2


def test_a_report_for_which_memory_is_too_short_says_so_and_is_signed_by_who_reads_it():
    b = Desk()
    b.fails()

    def starved(*args):
        raise MemoryError()

    report, seal = reporting.report, reporting.seal
    reporting.report = reporting.seal = starved
    try:
        b.fails(3)
    finally:
        reporting.report, reporting.seal = report, seal
    assert not signed(read(b.root + "/report"))
    told = b.told()
    assert told[4][5] == n.R_BUDGET and told[3] == []
    assert signed(read(b.root + "/report"))


def test_reading_a_report_that_nobody_can_sign_writes_nothing():
    b = Desk()
    slots.remove(b.root + "/device.cbor")
    b.fails()
    there = read(b.root + "/report")
    assert not signed(there)
    write_, written = reporting._write, []
    reporting._write = lambda path, data: written.append(path)
    try:
        assert reporting.load() == there and reporting.load() == there
    finally:
        reporting._write = write_
    assert not written


def test_a_trial_that_was_gone_back_from_is_reported_once():
    b = Desk()
    b.install("v1", 1, V1_APP)
    b.publish("v2", 2, V2_APP)
    b.update("v2")
    digest = runtime.progress.digest
    b.start()
    runtime.store().save(decide.went_back(runtime.record(), n.R_BACK_EXCEPTION))
    before = len(reporting.waiting())
    for _ in range(2):
        noticing.notice()
        told = b.told()
        assert told[4][5] == n.R_BACK_EXCEPTION and told[99][1] == [n.ALG_SHA256, digest]
    assert len(reporting.waiting()) == before + 1


def test_the_next_update_reports_what_was_gone_back_from_before_it_writes_its_slot():
    b = Desk()
    b.install("v1", 1, V1_APP)
    b.publish("v2", 2, V2_APP)
    b.update("v2")
    runtime.store().save(decide.went_back(runtime.record(), n.R_BACK_WATCHDOG))
    b.start()
    before = len(reporting.waiting())
    b.publish("v3", 3, V2_APP)
    b.update("v3")
    number = reporting.waiting()[before]
    assert value(read("%s/%d" % (reporting.folder(), number)))[4][5] == n.R_BACK_WATCHDOG
    assert len(reporting.waiting()) == before + 2 and b.told()[4] is True


def test_a_slot_that_does_not_verify_is_reported_with_the_command_that_failed():
    from suit import launcher

    b = Desk()
    b.install("v1", 1, V1_APP)
    b.publish("v2", 2, V2_APP)
    b.update("v2")
    write(b.root + "/b/app.img", bytes(len(V2_APP)))
    config = settings(b.root)
    kept = launcher._mount, launcher._watch
    launcher._mount = launcher._watch = lambda *args: None
    try:
        found = launcher._choose(b.chip, config)
    finally:
        launcher._mount, launcher._watch = kept
    assert found.index == 0 and runtime.failed[0] == 1
    noticing.notice()
    code, record, reason = [b.told()[4][label] for label in (5, 6, 7)]
    assert (code, reason) == (n.R_BACK_INVALID, n.R_CONDITION_FAILED)
    path, section, offset, component, properties = record
    assert (path, section, component) == ([], n.M_VALIDATE, 0)
    assert value(properties[n.P_IMAGE_DIGEST])[0] == n.ALG_SHA256
    assert slots.exists(b.root + "/report.back")
    # and where there is nothing to go back to: recovery
    write(b.root + "/a/app.img", b"something else too")
    launcher._mount = launcher._watch = lambda *args: None
    try:
        assert launcher._choose(b.chip, config) is None
    finally:
        launcher._mount, launcher._watch = kept
    noticing.notice()
    assert b.told()[4][5] == n.R_DIGEST
    runtime.running = runtime.recovery = None
    runtime.trial = False
