"""push follows a board to its verdict, whatever the board does."""

import asyncio
import zlib

import aiocoap
import pytest
from fake_device import NEW, OLD, FakeDevice, line, status
from suitup import numbers as n
from suitup import push as module
from suitup import watch
from suitup.boards.device import Device, split
from suitup.errors import Failure
from suitup.push import Offer, Show, push

OFFER = Offer("demo-2.0.0.suit", NEW, 2, "2.0.0", 600)
URL = "coap://127.0.0.1:1/demo-2.0.0.suit"


class Heard(Show):
    def __init__(self):
        self.steps = []
        self.bytes = []

    def step(self, text):
        self.steps.append(text)

    def progress(self, done, total, what):
        self.bytes.append((done, total))


def update(state, number=1, **more):
    return {"n": number, "state": state, "done": 0, "total": 0, **more}


def pushed(device, heard=None):
    async def run(port):
        async with Device("127.0.0.1", port) as client:
            return await push(client, URL, OFFER, heard)

    with device.running() as port:
        return asyncio.run(run(port))


ARMED = status(
    trial="b",
    slots={"a": line(OLD, "ok", 1), "b": line(NEW, "armed")},
    update=update("armed", digest=NEW),
)
TRIAL = status(
    running="b", trial="b", tries=2, boot=2, slots={"a": line(OLD, "ok", 1), "b": line(NEW, "trial")},
    update=update("idle", 0),
)  # fmt: skip
DONE = {**TRIAL, "trial": None, "active": "b", "floor": 2}


def back(reason, **more):
    entry = {"reason": reason, "detail": 0, "digest": NEW[:8], "seq": 2}
    return status(
        boot=3, back=entry, slots={"a": line(OLD, "ok", 1), "b": line(NEW, "bad")}, **more
    )


def test_a_board_that_confirms_is_followed_through_its_reset():
    heard = Heard()
    fetching = status(update=update("fetching", digest=NEW, done=500, total=1000, component=0))
    device = FakeDevice([status(update=update("checking")), fetching, ARMED, None, TRIAL, DONE])
    verdict = pushed(device, heard)
    assert verdict.line == "confirmed 2.0.0"
    assert device.nudged == [URL]
    assert (500, 1000) in heard.bytes
    assert any("slot b runs 2.0.0 on trial" in step for step in heard.steps)


def test_a_status_of_several_blocks_is_read_whole():
    assert pushed(FakeDevice([DONE], padding=800)).word == "confirmed"


def test_a_refusal_is_told_with_its_reason_and_hint():
    entry = update("refused", reason=n.R_UNAUTHORISED, detail="signature")
    verdict = pushed(FakeDevice([status(update=update("checking")), status(update=entry)]))
    assert verdict.word == "refused" and verdict.reason == n.R_UNAUTHORISED
    assert verdict.line.startswith("refused: no key the device trusts")
    assert "suitup inspect" in verdict.hint


def test_a_failure_on_the_way_is_a_refusal_too():
    entry = update("failed", reason=n.R_SERVER, detail=404, digest=NEW)
    assert (
        pushed(FakeDevice([status(update=entry)])).line == "refused: the server answered with 404"
    )


def test_the_refusal_of_an_earlier_push_is_not_taken_for_this_one():
    old = update("refused", 7, reason=n.R_ROLLBACK)
    device = FakeDevice([status(update=old), status(update=old), ARMED, DONE], status(update=old))
    assert pushed(device).word == "confirmed"


def test_the_same_refusal_again_is_told_by_its_number():
    old, new = (update("refused", number, reason=n.R_ROLLBACK) for number in (7, 8))
    device = FakeDevice([status(update=old), status(update=new)], status(update=old))
    assert pushed(device).reason == n.R_ROLLBACK


def test_going_back_is_told_with_the_reason_and_the_traceback():
    trace = 'Traceback (most recent call last):\n  File "main.py", line 1\nValueError: broken\n'
    verdict = pushed(FakeDevice([ARMED, TRIAL, back(n.R_BACK_EXCEPTION, traceback=trace)]))
    assert verdict.line.startswith("rolled back: the app ended with an exception")
    assert verdict.line.endswith("ValueError: broken")
    assert verdict.traceback == trace


def test_a_watchdog_leaves_no_old_traceback_with_the_verdict():
    verdict = pushed(
        FakeDevice([ARMED, TRIAL, back(n.R_BACK_WATCHDOG, traceback="of another day")])
    )
    assert verdict.line == "rolled back: the app did not confirm before the watchdog fired"
    assert verdict.traceback is None


def test_having_gone_back_before_does_not_count_again():
    """Known bad: the entry about going back was there before the push."""
    before = {**back(n.R_BACK_WATCHDOG), "boot": 1}
    after = {**before, "update": update("refused", reason=n.R_KNOWN_BAD, digest=NEW)}
    verdict = pushed(FakeDevice([before, after], before))
    assert (verdict.word, verdict.reason) == ("refused", n.R_KNOWN_BAD)


def test_a_version_that_runs_already_needs_no_nudge():
    device = FakeDevice([DONE], DONE)
    assert pushed(device).line == "confirmed 2.0.0"
    assert device.nudged == []


def test_a_busy_board_is_waited_for(monkeypatch):
    heard = Heard()
    device = FakeDevice([DONE], nudges=[aiocoap.SERVICE_UNAVAILABLE])
    assert pushed(device, heard).word == "confirmed"
    assert any("busy" in step for step in heard.steps)


def test_a_nudge_that_is_forbidden_says_what_to_do():
    with pytest.raises(Failure) as failure:
        pushed(FakeDevice([DONE], nudges=[aiocoap.FORBIDDEN]))
    assert "--server" in failure.value.hint


def test_a_board_that_falls_silent_is_a_failure_with_a_hint(monkeypatch):
    monkeypatch.setattr(module, "SILENT_S", 1)
    with pytest.raises(Failure) as failure:
        pushed(FakeDevice([ARMED, None]))
    assert "has not answered" in str(failure.value) and "goes back by itself" in failure.value.hint


def test_an_update_that_does_not_move_is_a_failure(monkeypatch):
    monkeypatch.setattr(module, "STUCK_S", 1)
    with pytest.raises(Failure) as failure:
        pushed(FakeDevice([status(update=update("fetching", digest=NEW, done=5, total=9))]))
    assert "nothing has happened" in str(failure.value)


def test_nobody_there_is_a_failure_that_names_the_address(monkeypatch):
    monkeypatch.setattr(module, "START_S", 0.5)

    async def run():
        async with Device("127.0.0.1", 9) as client:
            await push(client, URL, OFFER)

    with pytest.raises(Failure) as failure:
        asyncio.run(run())
    assert "127.0.0.1 UDP port 9" in str(failure.value)


@pytest.mark.parametrize(
    "text, expected",
    [
        ("pico.local", ("pico.local", 5683)), ("10.0.0.7:1234", ("10.0.0.7", 1234)), ("[fe80::1]:7", ("fe80::1", 7)),
        ("[::1]", ("::1", 5683)), ("::1", ("::1", 5683)),
    ],
)  # fmt: skip
def test_hosts_are_read_as_people_write_them(text, expected):
    assert split(text) == expected


def test_digests_are_compared_as_far_as_the_board_keeps_them():
    assert watch.same(NEW, NEW[:8]) and watch.same(NEW[:8], NEW)
    assert not watch.same(NEW, OLD[:8])
    assert not watch.same(NEW, NEW[:7]) and not watch.same(NEW, b"") and not watch.same(None, NEW)


def test_running_is_not_confirmed():
    assert (
        watch.confirmed(DONE, NEW)
        and not watch.confirmed(TRIAL, NEW)
        and not watch.confirmed(ARMED, NEW)
    )
    assert not watch.confirmed(DONE, OLD)
    assert not watch.confirmed(status(running=None, active="b", slots={"b": line(NEW, "ok")}), NEW)


def test_the_status_is_told_in_words():
    text = "\n".join(watch.describe({**back(n.R_BACK_ENDED), "dev": True}))
    assert (
        "runs      slot a" in text
        and "went back from sequence 2" in text
        and "development key" in text
    )
    recovery = "\n".join(watch.describe(status(running=None)))
    assert "recovery" in recovery
    cable = "\n".join(watch.describe({**DONE, "running": None, "active": "b"}, stopped=True))
    assert "recovery" not in cable and "slot b" in cable and "starts again" in cable
    nothing = status(running=None) | {"active": None, "trial": None}
    assert "recovery" in "\n".join(watch.describe(nothing, stopped=True))
    told = "\n".join(watch.describe({**DONE, "firmware": "ota_1", "updater": "b"}))
    assert "firmware  runs from ota_1" in told and "updater   runs from slot b" in told
    assert "on trial" in "\n".join(watch.describe(TRIAL))
    assert "starts at the next reset" in "\n".join(watch.describe(ARMED))


def test_an_invalid_slot_is_told_by_the_reason_why():
    what, _ = watch.why({"reason": n.R_BACK_INVALID, "detail": n.R_DIGEST})
    assert "did not verify at boot" in what and "digest" in what


def test_the_refusal_of_what_cannot_be_read_here_is_told_although_the_board_read_further():
    update = {"n": 2, "state": "refused", "reason": 1, "digest": bytes(32)}
    before = {"boot": 1, "update": {"n": 1, "state": "idle"}}
    assert watch.refused({"boot": 1, "update": update}, before, b"", True) == update
    assert watch.refused({"boot": 1, "update": update}, before, b"x" * 32, True) is None


def test_the_refusal_of_what_a_stranger_offered_meanwhile_is_not_taken_for_ours():
    ours, theirs = "coap://10.0.0.5/a.suit", "coap://10.6.6.6/b.suit"
    before = {"boot": 1, "update": {"n": 1, "state": "idle"}}
    update = {"n": 2, "state": "refused", "reason": 4, "for": zlib.crc32(theirs.encode())}
    assert watch.refused({"boot": 1, "update": update}, before, b"x" * 32, True, ours) is None
    update["for"] = zlib.crc32(ours.encode())
    assert watch.refused({"boot": 1, "update": update}, before, b"x" * 32, True, ours) == update
    del update["for"]  # of the board's own accord, or an older board
    assert watch.refused({"boot": 1, "update": update}, before, b"x" * 32, True, ours) == update
