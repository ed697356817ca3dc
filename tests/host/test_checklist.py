"""The hardware checklist: what it asks of which board, how it judges, what it records."""

import importlib.util
import json
import re
import sys
from pathlib import Path

import pytest
from suitup.boards import catalog

ROOT = Path(__file__).resolve().parents[2]
spec = importlib.util.spec_from_file_location("checklist", ROOT / "boards" / "checklist.py")
checklist = sys.modules["checklist"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(checklist)

PLACES = {"board": "RPI_PICO", "port": "a0", "host": None, "image": None}


def steps(*ids):
    return [step for step in checklist.STEPS if step.id in ids]


def record(tmp_path):
    return checklist.Record(tmp_path / "record.json", catalog.load("RPI_PICO"))


def test_page_and_script_have_the_same_steps():
    page = (ROOT / "boards" / "CHECKLIST.md").read_text()
    told = set()
    for line in page.splitlines():
        if line.startswith("| `"):
            told |= set(re.findall(r"`([a-z0-9-]+)`", line.split("|")[1]))
    assert told == {step.id for step in checklist.STEPS}


def test_every_board_gets_the_steps_it_can_do_and_no_others():
    for name in catalog.names():
        board = catalog.load(name)
        ids = {s.id for s in checklist.STEPS if checklist.fits(board, s, "1.2.3.4", "file")}
        assert ("firmware" in ids) == (board.port == "esp32" and board.firmware_slots > 1)
        assert ("push-coap" in ids) == board["firmware"]["network"]
        assert ("reset-cause" in ids) == (board.port == "rp2")
        assert {"provision", "push-cable", "cut-fetch", "hang"} <= ids
        assert "join" not in ids and ("discovery" in ids) == board["firmware"]["network"]
        wifi = {s.id for s in checklist.STEPS if checklist.fits(board, s, wifi="home")}
        assert ("join" in wifi) == board["firmware"]["network"] and "discovery" not in wifi


def test_commands_are_judged_by_exit_code_and_what_they_say(tmp_path):
    answers = {
        "push-cable": (0, ["armed", "confirmed 2.0.0"]),
        "stranger": (2, ["refused: no key", "make: *** [Makefile:72: push] Error 1"]),
    }
    for id, answer in answers.items():
        (step,) = steps(id)
        assert checklist.by_command(step, PLACES, lambda command, a=answer: a)[0] == "passed"
        for wrong in ((1 - bool(answer[0]), answer[1]), (answer[0], ["something else"])):
            outcome, seen = checklist.by_command(step, PLACES, lambda command, a=wrong: a)
            assert outcome == "failed" and seen["code"] == wrong[0]


def test_the_board_is_looked_for_by_its_address_and_what_is_given_is_quoted():
    places = {**PLACES, "host": "10.0.0.2", "wifi": "it's home", "ntp": "pool.ntp.org"}
    (step,) = steps("discovery")
    for line, outcome in (("10.0.0.2", "passed"), ("10.0.0.20", "failed"), ("1010.0.2", "failed")):
        found = checklist.by_command(step, places, lambda command, line=line: (0, [line]))
        assert found[0] == outcome, line
    (step,) = steps("join")
    seen = checklist.by_command(step, places, lambda command: (0, ["own key   ab"]))[1]
    assert """WIFI='it'"'"'s home' NTP=pool.ntp.org""" in seen["command"]


def test_the_record_says_what_was_seen_and_a_failure_is_the_exit_status(tmp_path):
    made = record(tmp_path)
    answers = iter(["maybe", "y", "fine", "n", "it hangs", "s", ""])
    chosen = steps("ctrl-c", "cut-fetch", "brown-out")
    status = checklist.play(
        catalog.load("RPI_PICO"), chosen, made, PLACES, ask=lambda text: next(answers)
    )
    assert status == 1
    told = json.loads(made.path.read_text())
    assert told["board"] == "RPI_PICO" and told["revision"]
    assert [(s["outcome"], s["note"]) for s in told["steps"]] == [
        ("passed", "fine"), ("failed", "it hangs"), ("skipped", ""),
    ]  # fmt: skip


def test_an_unknown_step_is_a_wrong_usage(capsys):
    with pytest.raises(SystemExit) as ended:
        checklist.main(["--board", "RPI_PICO", "--only", "firmware", "--list"])
    assert ended.value.code == 2
