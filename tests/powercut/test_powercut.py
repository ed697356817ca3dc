"""The fast subset of the power-cut explorer, and a few of the seeded defects that show that it sees something."""

import os
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

import mutants
import run

# one of each kind; `make mutants` plants them all
_SEEDED = {
    "arm before the payload is written",
    "trust one state copy",
    "remove the record, then rename the new one",
    "raise the floor on install",
    "save the tries after the run",
    "leave the note of a download behind",
    "write into an armed slot",
    "an image-match that always matches",
}


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_no_power_cut_of_the_fast_subset_loses_the_board(record_property):
    seed = int(os.environ.get("SEED", time.time()))
    outcomes = run.explore(run.fast(), min(2, os.cpu_count()), seed)
    tried, survived = (sum(getattr(each, name) for each in outcomes) for name in ("tried", "survived"))
    record_property("counted", f"power cuts: {tried} points tried, {survived} survived (seed {seed})")
    assert not run.table(outcomes)


@pytest.mark.slow
@pytest.mark.parametrize("mutant", [m for m in mutants.MUTANTS if m.name in _SEEDED], ids=lambda m: m.name.replace(" ", "-"))
def test_a_seeded_defect_is_caught(mutant):
    caught, how = mutants.hunt(mutant)
    assert caught, how


def test_every_seeded_defect_still_finds_its_place(tmp_path):
    for number, mutant in enumerate(mutants.MUTANTS):
        mutants.plant(mutant, tmp_path / str(number))
    assert {m.name for m in mutants.MUTANTS} >= _SEEDED
