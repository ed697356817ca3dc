"""Update management on a board: an app that is asked, an update that waits, owners that count on their own."""

import suit
from author import manifest_digest
from harness import raises
from storage import read
from suit import decide, reporting, runtime
from suit import numbers as n
from suit.cbor import encode, value
from suit.errors import SuitError
from test_updater import V1_APP, V2_APP, Bench

SET = n.C_OVERRIDE_PARAMETERS
NIGHT = {n.P_WAIT_INFO: encode({3: 0, 6: 7200})}  # a network, and two in the morning by local time
OTHER_ROOT = [b"manifest", b"other"]


class Managed(Bench):
    def __init__(self):
        super().__init__()
        runtime.hooks.clear()

    def reboot(self):
        """Nothing but the flash is kept."""
        runtime.hooks.clear()
        runtime.progress.begin("idle")
        return self.start()


def test_an_update_that_waits_is_reported_as_waiting_and_judged_anew_after_a_reboot():
    b = Managed()
    b.install("v1", 1, V1_APP)
    sealed = b.publish("v2", 2, V2_APP, before=[SET, NIGHT, n.C_WAIT, 15])
    for happened, missing in (((), 3), (("network",), 6)):
        suit.hooks(events=lambda happened=happened: happened)
        try:
            b.update("v2")
            raise AssertionError("it did not wait")
        except SuitError as error:
            # what no clock of the board can tell is not waited for, unless its owner tells
            assert error.reason == (n.R_WAITING if missing == 3 else n.R_OPERATION_FAILED), error
        told = value(reporting.load())
        assert told[99][1][1] == manifest_digest(sealed)
        if missing == 3:
            assert runtime.progress.state == "waiting" and runtime.progress.detail == 3
            assert (told[4][5], told[4][7]) == (n.R_WAITING, n.R_CONDITION_FAILED)
        assert b.reboot() == (0, False)
    suit.hooks(events=lambda: ("network", "time-of-day"))
    b.update("v2")
    assert b.start() == (1, True)


def test_what_was_fetched_before_a_wait_is_not_fetched_again():
    b = Managed()
    b.install("v1", 1, V1_APP)
    # waits behind the download
    waits = [SET, {n.P_URI: "v2.app"}, n.C_FETCH, 2, SET, {n.P_WAIT_INFO: encode({2: 0})}, n.C_WAIT, 15]
    b.publish("v2", 2, V2_APP, before=waits)
    b.refuse("v2", n.R_WAITING)
    import os

    os.remove(b.out + "/v2.app")
    assert b.reboot() == (0, False)
    suit.hooks(events=lambda: ("power",))
    b.update("v2")
    assert b.start() == (1, True) and b.app(1) == V2_APP


def test_the_app_is_asked_with_the_priority_and_silence_is_a_no():
    asked = []

    def authorize(priority):
        asked.append(priority)
        return priority < 0

    b = Managed()
    b.install("v1", 1, V1_APP)
    for sequence, priority, hooked, reason in (
        (2, -3, False, n.R_CONDITION_FAILED),
        (3, 7, True, n.R_CONDITION_FAILED),
        (4, -3, True, 0),
    ):
        asked.clear()
        runtime.hooks.clear()
        if hooked:
            suit.hooks(authorize=authorize)
        params = {n.P_UPDATE_PRIORITY: priority}
        b.publish("v", sequence, V2_APP, before=[SET, params, n.C_UPDATE_AUTHORIZED, 15])
        if reason:
            b.refuse("v", reason)
        else:
            b.update("v")
        assert asked == ([priority] if hooked else [])
    assert b.start() == (1, True)


def test_an_app_that_fails_when_it_is_asked_has_not_agreed():
    b = Managed()
    b.install("v1", 1, V1_APP)
    suit.hooks(authorize=lambda priority: 1 // 0)
    b.publish("v2", 2, V2_APP, before=[SET, {n.P_UPDATE_PRIORITY: 0}, n.C_UPDATE_AUTHORIZED, 15])
    b.refuse("v2", n.R_CONDITION_FAILED)


def test_use_before_takes_64_bits_and_a_clock():
    b = Managed()
    b.install("v1", 1, V1_APP)
    late = 1 << 33
    for sequence, limit, now, reason in (
        (2, late, None, n.R_CONDITION_FAILED), (2, late, late, n.R_CONDITION_FAILED),
        (2, (1 << 64) - 1, None, n.R_CONDITION_FAILED), (3, late, late - 1, 0),
    ):  # fmt: skip
        b.chip.now = lambda now=now: now
        b.publish("v", sequence, V2_APP, before=[SET, {n.P_USE_BEFORE: limit}, n.C_USE_BEFORE, 15])
        if reason:
            b.refuse("v", reason)
        else:
            b.update("v")
    # installed in time it stays
    b.chip.now = lambda: late * 2
    assert b.start() == (1, True)


def test_metadata_a_filesystem_has_no_place_for_is_refused_before_the_slot_has_a_byte_of_it():
    b = Managed()
    b.install("v1", 1, V1_APP)
    for metadata in ({1: 7}, {2: {0: 1}}, {5: 2}):
        b.publish("v2", 2, V2_APP, before=[SET, {n.P_COMPONENT_METADATA: encode(metadata)}])
        b.refuse("v2", n.R_OPERATION_FAILED)
        assert b.start() == (0, False) and b.app(0) == V1_APP
    b.publish("v3", 3, V2_APP, before=[SET, {n.P_COMPONENT_METADATA: encode({5: 1})}])
    b.update("v3")
    assert b.start() == (1, True)


def test_one_owners_numbering_cannot_lock_out_anothers():
    b = Managed()
    most = (1 << 64) - 1
    b.install("v1", most, V1_APP)
    b.publish("w1", 5, V2_APP, component_id=OTHER_ROOT)
    b.update("w1")
    assert b.start() == (1, True)
    runtime.store().save(decide.confirmed(runtime.record()))
    floors = dict(b.record().floors)
    assert sorted(floors.values()) == [5, most]
    runtime.running = None
    # each root has its own way down closed, and no other
    b.publish("w0", 4, V1_APP, component_id=OTHER_ROOT)
    error = raises(SuitError, b.update, "w0")
    assert error.reason == n.R_ROLLBACK
    b.publish("v0", most - 1, V1_APP)
    error = raises(SuitError, b.update, "v0")
    assert error.reason == n.R_ROLLBACK
    b.publish("w2", 6, V1_APP, component_id=OTHER_ROOT)
    b.update("w2")
    assert b.record().trial == 0 and read(b.root + "/a/app.img") == V1_APP
