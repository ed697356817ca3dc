"""Power cuts on the whole virtual board: the interpreter is killed inside flash operations, between them and at any moment,
and the update comes through. tests/powercut explores every operation; here nothing is stood in for."""

import os
import random
import time

import pytest
from bench import Bench

UPDATES = """
import suit
print("app VERSION starts")
suit.confirm()
print("app VERSION confirmed", open(suit.path("settings.txt")).read())
if "VERSION" == "1.0.0":
    suit.update("/in/bench-2.0.0.suit")
"""


@pytest.fixture
def seed():
    seed = int(os.environ.get("SEED", time.time()))
    print("seed", seed)  # shown when the test fails
    return random.Random(seed)


def bench(board, folder):
    # more tries than there are cuts: running out of them is another story
    apps = {"1.0.0": UPDATES, "2.0.0": UPDATES}
    return Bench(board, folder / "project", apps, trial=20, tries=20)


@pytest.mark.parametrize("geometry", ["rp2040", "esp32"])
def test_cuts_inside_flash_operations_of_one_update_after_the_other(make_board, tmp_path, seed, geometry):
    board = make_board(geometry=geometry)
    bench(board, tmp_path)
    cut = "power cut inside the flash operation"
    board.cut_at(seed.randint(0, 20), 1, seed.random())
    board.start()
    at = board.wait_for(cut)
    for _ in range(6):
        # for the boot after the next: this one has begun already
        board.cut_at(seed.randint(0, 20), seed.choice((0, 1, 1, 2)), seed.random())
        board.power_cut()
        # a boot that has nothing left to do does not get as far as the operation
        board.wait_for(", boot ", since=at)
        time.sleep(0.5)
        at = len(board.log)
    (board.directory / "cut.json").unlink(missing_ok=True)
    board.reset()
    board.wait_for("app 2.0.0 confirmed settings of 2", since=0, timeout=40)
    board.stop()
    files = board.list_files("/suit")
    assert "/suit/spool" not in files and "/suit/b/part" not in files
    at = len(board.log)
    board.start()
    board.wait_for("suit: slot b, sequence 2\n", since=at)
    board.wait_for("app 2.0.0 confirmed settings of 2", since=at)


def test_cuts_at_any_moment_of_an_update(make_board, tmp_path, seed):
    board = make_board()
    bench(board, tmp_path)
    board.start()
    for _ in range(8):
        time.sleep(seed.uniform(0, 0.5))
        board.power_cut()
    board.wait_for("app 2.0.0 confirmed settings of 2", timeout=40)
    assert "going back" not in board.log and "does not verify" not in board.log
