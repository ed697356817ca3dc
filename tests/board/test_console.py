"""Ctrl-C and sessions of mpremote cost nobody an app: no watchdog ends them, nothing is counted against what was stopped."""

import json
import time

from bench import APP, WAITS

WATCHED = """
import machine, suit, time
print("app VERSION starts", suit.confirm())
dog = machine.WDT(timeout=1500)
while True:
    dog.feed()
    time.sleep_ms(50)
"""
RECORD = (
    "from suit.state import Store\nimport json\nr = Store('/suit').load()\n"
    "print(json.dumps([r.active, r.trial, r.tries, r.crashes, r.back_reason]))"
)


def record(board, **how):
    return json.loads(board.exec(RECORD, **how).splitlines()[-1])


def test_a_session_in_a_trial_is_not_ended_by_its_watchdog(make):
    bench = make({"1.0.0": APP, "2.0.0": WAITS}, trial=1, wdt=1000)
    board = bench.board
    board.wait_for("app 1.0.0 confirmed")
    bench.update("2.0.0", reset=False)
    at = len(board.log)
    board.reset()
    board.wait_for("app 2.0.0 starts", since=at)
    boots = board.status()["boots"]
    assert record(board)[:3] == [0, 1, 2]
    time.sleep(2.5)  # beyond the trial, and the watchdog
    assert board.status()["boots"] == boots
    # a session that begins with a soft reset, as those of mpremote do
    assert record(board, soft_reset=True) == [0, 1, 2, 0, 0]
    boots = board.status()["boots"]
    time.sleep(2.5)
    assert board.status()["boots"] == boots
    # and from there the trial goes on, or is confirmed by hand
    assert board.exec("import suit; print(suit.confirm())").strip().endswith(b"True")
    assert record(board)[:2] == [1, None]


def test_an_app_with_a_watchdog_of_its_own_can_be_stopped_as_often_as_one_likes(make):
    bench = make({"1.0.0": WATCHED})
    board = bench.board
    for _ in range(3):  # three early crashes would be recovery
        at = len(board.log)
        board.reset()
        board.wait_for("app 1.0.0 starts", since=at)
        boots = board.status()["boots"]
        assert record(board) == [0, None, 0, 0, 0]
        time.sleep(2)
        assert board.status()["boots"] == boots
    at = len(board.log)
    board.reset()
    board.wait_for("app 1.0.0 starts", since=at)
    assert "recovery" not in board.log


def test_ctrl_c_at_any_moment_of_a_boot_leads_to_a_prompt_that_stays(make):
    bench = make({"1.0.0": APP})
    board = bench.board
    board.wait_for("app 1.0.0 confirmed")
    for delay in (0, 0.05, 0.1, 0.2):
        board.reset()
        time.sleep(delay)
        assert record(board) == [0, None, 0, 0, 0]
    at = len(board.log)
    board.reset()
    board.wait_for("app 1.0.0 confirmed", since=at)
