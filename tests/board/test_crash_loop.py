"""A confirmed app that crashes at every boot leads to recovery also when it confirms first, as every app does; one that has
run for long enough starts with a clean sheet."""

import time

import pytest
from bench import Bench

# confirms, then fails: once it was good enough to be confirmed, say with another sensor plugged in
LATER = """
import suit
suit.confirm()
print("app VERSION starts")
if "bad" in open("/mood").read():
    1 / 0
import asyncio
asyncio.run(suit.listen())
"""


@pytest.fixture
def bench(make_board, tmp_path):
    bench = Bench(make_board(), tmp_path / "project", {"1.0.0": LATER, "2.0.0": LATER}, trial=3)
    bench.board.write_files({"/mood": b"good"})
    return bench


def change_mood(board, mood):
    board.exec(f"with open('/mood', 'w') as f: f.write({mood!r})")


def test_confirming_at_every_boot_does_not_hide_the_crashes(bench):
    board = bench.board
    board.start()
    board.wait_for("app 1.0.0 starts")
    change_mood(board, "bad")
    at = len(board.log)
    board.reset()
    board.wait_for("suit: recovery", timeout=30, since=at)
    assert board.log[at:].count("app 1.0.0 starts") == 3
    # and out again
    change_mood(board, "good")
    bench.leave(f"import suit; suit.update({bench.name('2.0.0')!r})")
    board.wait_for("suit: slot b confirmed", since=at)


def test_crashes_are_forgotten_when_the_app_has_run_for_as_long_as_a_trial(bench):
    board = bench.board
    board.start()
    board.wait_for("app 1.0.0 starts")
    change_mood(board, "bad")
    at = len(board.log)
    board.reset()
    at = board.wait_for("ZeroDivisionError", since=at)
    board.stop()
    board.write_files({"/mood": b"good"})
    board.start()
    at = board.wait_for("app 1.0.0 starts", since=at)
    crashes = "from suit import runtime; print('crashes', runtime.record().crashes)"
    time.sleep(6)
    assert b"crashes 0" in board.exec(crashes)
