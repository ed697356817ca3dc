"""The power-cut explorer: every flash operation of an update's life is interrupted, and the board has to come through.

    python tests/powercut/run.py                  the fast subset (what `make test` runs)
    python tests/powercut/run.py --full           everything (`make powercut`); --shard i/n splits it
    python tests/powercut/run.py --mutants        seeded defects, each of which has to be caught (`make mutants`)

The real device code runs in MicroPython on a modelled NOR chip with a real littlefs (device/). A point is one interrupted
life: cut before an operation, inside a program or an erase at several places, with half-erased weak bits, after the last one;
a watchdog that bites there; pairs of cuts (all) and up to five (drawn with a seed that is printed); errors and a full
filesystem; bits that turn over at rest. What the state *after* an operation is, is what *before* the next one leaves, and is
counted once. Prints per scenario how many points were tried and how many survived; exit code 1 when one was lost.

Slots are folders of littlefs in all of it: no stock board has raw slots (its firmware has no place for them, and no
vfs.VfsRom to run from them), so there are none to explore; those of firmware that people build themselves are cut at every
operation in tests/unit/test_romslots.py. ESP32 firmware does live in raw partitions, and is explored."""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(ROOT / "host"), str(HERE)]

import assets  # noqa: E402
from suitup.boards import micropython  # noqa: E402

GEOMETRIES = {"rp2040": 256, "esp32": 0}  # bytes a page; 0: byte-granular
SINGLE = [
    "install", "signed", "small", "confirm", "back-exception", "back-ended", "back-watchdog", "back-manual", "back-tries",
    "back-damaged", "resume", "provision", "replace", "recovery", "crashes", "two-in-a-row", "trust", "careless",
    "swapped", "forgetful", "unproved", "cable", "cable-again", "rekey", "rekey-back", "composite", "composite-back",
    "tight", "updater", "updater-carried", "updater-back",
]  # fmt: skip
FIRMWARE = ["firmware", "firmware-back", "firmware-tries"]  # ESP32 with two firmware partitions
ROT = ["rot", "rot-armed", "rot-part", "rot-set"]
LOST_SHOWN = 5
TIMEOUT = 3000  # seconds for one unit; a hang is a loss


@dataclass
class Unit:
    """One process: a scenario on a geometry, in some modes, a part of its points."""

    geometry: str
    scenario: str
    modes: list
    full: bool = False
    shard: tuple = (0, 1)
    options: dict = field(default_factory=dict)


@dataclass
class Outcome:
    unit: Unit
    operations: int = 0
    tried: int = 0
    survived: int = 0
    lost: int = 0
    broken: bool = False
    seconds: float = 0
    lines: list = field(default_factory=list)


def fast(seed=0) -> list:
    """Every scenario on both geometries, with a share of its points that changes with the seed: some six thousand."""
    units = [Unit("esp32", "otadata", ["pairs"])]
    units += [Unit("esp32", scenario, ["single"], options={"most": 20}) for scenario in FIRMWARE]
    for geometry in GEOMETRIES:
        for scenario in SINGLE:
            slow = scenario in ("back-tries", "resume", "composite")
            units.append(Unit(geometry, scenario, ["single"], options={"most": 20 if slow else 40}))
        units.append(Unit(geometry, "confirm", ["pairs"]))
        units.append(Unit(geometry, "back-exception", ["pairs"], options={"step": 8}))
        units.append(Unit(geometry, "small", ["pairs"], options={"step": 30}))
        units.append(Unit(geometry, "install", ["sampled"], options={"samples": 40}))
        units.append(Unit(geometry, "small", ["faults"], shard=(seed % 2, 2)))
        for scenario in ROT:
            units.append(Unit(geometry, scenario, ["rot"], shard=(seed % 4, 4)))
        units.append(Unit(geometry, "rot", ["raw"], options={"samples": 40}))
    return units


def whole() -> list:
    """Everything. The last line of a run says how many points that were."""
    units = [Unit("esp32", "otadata", ["pairs"])]

    def pairs(geometry, scenario, step, parts):
        for part in range(parts):
            units.append(Unit(geometry, scenario, ["pairs"], shard=(part, parts), options={"step": step}))

    for geometry in GEOMETRIES:
        for scenario in SINGLE + (FIRMWARE if geometry == "esp32" else []):
            parts = 4 if scenario in ("resume", "composite", "back-tries", "firmware-tries") else 1
            for part in range(parts):
                units.append(Unit(geometry, scenario, ["single"], scenario != "resume", (part, parts)))
            if scenario not in FIRMWARE:
                units.append(Unit(geometry, scenario, ["faults"]))
        # every pair: the smallest image, the confirmation, recovery and all the ways to go back
        pairs(geometry, "small", 1, 8)
        for scenario in ("confirm", "back-exception", "back-ended", "back-watchdog", "back-manual", "rekey-back"):
            pairs(geometry, scenario, 1, 1)
        pairs(geometry, "recovery", 1 if geometry == "rp2040" else 2, 4)
        # some of the pairs, and up to five cuts, of what is larger
        for scenario in ("signed", "provision", "trust", "back-damaged"):
            pairs(geometry, scenario, 8, 1)
        for scenario in ("install", "replace", "two-in-a-row", "rekey", "composite", "tight"):
            pairs(geometry, scenario, 60, 1)
        for scenario in ("install", "replace", "two-in-a-row", "recovery", "rekey", "composite", "tight", "back-manual",
                         "updater", "updater-carried", "updater-back"):
            units.append(Unit(geometry, scenario, ["sampled"], options={"samples": 200}))
        for scenario in ROT:
            units += [Unit(geometry, scenario, ["rot"], True, (part, 3)) for part in range(3)]
            units.append(Unit(geometry, scenario, ["raw"], options={"samples": 500}))
    for scenario in FIRMWARE[:2]:
        pairs("esp32", scenario, 15, 2)
        units.append(Unit("esp32", scenario, ["sampled"], options={"samples": 200}))
    return units


class Explorer:
    """Runs units; `firmware`: the folder that holds `suit/`."""

    def __init__(self, folder: Path, firmware: Path, seed: int):
        self.folder = folder
        self.firmware = firmware
        self.seed = seed
        # copies: whoever edits meanwhile does not edit what is being explored
        self.code = folder / "code"
        self.code.mkdir()
        for source in (HERE / "device", ROOT / "boards" / "virtual"):
            for path in source.glob("*.py"):
                shutil.copy(path, self.code)
        # what starts updaters is no part of one
        shutil.copy(ROOT / "firmware" / "suit_start.py", self.code)
        self.interpreter = micropython.find()

    def run(self, unit: Unit) -> Outcome:
        options = {
            # on the device side the host's files are below /host
            "assets": "/host" + str(self.folder),
            "path": [str(self.code), str(self.firmware)],
            "page": GEOMETRIES[unit.geometry],
            "scenarios": [unit.scenario],
            "modes": unit.modes,
            "full": unit.full,
            "shard": list(unit.shard),
            "samples": 100,
            "seed": self.seed,
            "show": LOST_SHOWN,
            **unit.options,
        }
        out = Outcome(unit)
        started = time.monotonic()
        try:
            done = subprocess.run(
                [self.interpreter, "-X", "heapsize=6m", str(self.code / "explore.py")],
                env=os.environ | {"EXPLORE": json.dumps(options)}, cwd=HERE,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=TIMEOUT,
            )
            text, code = done.stdout.decode(errors="replace"), done.returncode
        except subprocess.TimeoutExpired as error:
            text, code = (error.stdout or b"").decode(errors="replace"), "no end"
        out.seconds = time.monotonic() - started
        result = None
        for line in text.splitlines():
            if line.startswith("@ RESULT"):
                result = line.split()[3:]
            elif line.startswith("@ "):
                out.lines.append(line[2:])
        if result:
            out.operations, out.tried, out.survived, out.lost = map(int, result[:4])
        else:
            clean = [line for line in out.lines if " clean run " in line]
            out.lost = 1
            out.broken = not clean
            if out.broken:
                # the explorer itself failed: that is no verdict about the device code, and no success either
                out.lines += [f"LOST {unit.scenario}: the explorer ended with {code}", *text.splitlines()[-15:]]
        return out


def table(outcomes):
    """One line per scenario and geometry, then the sums."""
    rows = {}
    for each in outcomes:
        row = rows.setdefault((each.unit.scenario, each.unit.geometry), [0, 0, 0, 0, 0])
        row[0] = max(row[0], each.operations)
        for i, value in enumerate((each.tried, each.survived, each.lost, each.seconds), 1):
            row[i] += value
    print(f"{'scenario':16} {'geometry':8} {'operations':>10} {'points':>8} {'survived':>8} {'lost':>5} {'seconds':>8}")
    for (scenario, geometry), (operations, tried, survived, lost, seconds) in sorted(rows.items()):
        print(f"{scenario:16} {geometry:8} {operations:10} {tried:8} {survived:8} {lost:5} {seconds:8.1f}")
    tried, survived, lost = (sum(row[i] for row in rows.values()) for i in (1, 2, 3))
    print(f"power cuts: {tried} points tried, {survived} survived, {lost} lost")
    return lost


def explore(units, jobs, seed, firmware=ROOT / "firmware", folder=None):
    """Play `units` in `jobs` processes; -> [Outcome]."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(folder or temporary)
        assets.build(folder)
        shutil.copytree(firmware / "suit", folder / "firmware" / "suit", ignore=shutil.ignore_patterns("__pycache__"))
        explorer = Explorer(folder, folder / "firmware", seed)
        outcomes = []
        told = time.monotonic()
        pool = ThreadPoolExecutor(jobs)
        try:
            for task in as_completed([pool.submit(explorer.run, unit) for unit in units]):
                outcome = task.result()
                outcomes.append(outcome)
                for line in outcome.lines:
                    print(f"{outcome.unit.geometry}: {line}", flush=True)
                if time.monotonic() - told > 60:
                    told = time.monotonic()
                    tried, survived = (sum(getattr(o, n) for o in outcomes) for n in ("tried", "survived"))
                    print(f"so far {tried} points tried, {survived} survived, {len(outcomes)}/{len(units)} parts", flush=True)
        except KeyboardInterrupt:
            print("stopped; what was tried until then:")
        finally:
            pool.shutdown(cancel_futures=True)
    return outcomes


def _share(units, shard):
    """The part `i/n` of the units; big ones are already in pieces."""
    if not shard:
        return units
    index, count = map(int, shard.split("/"))
    if not 0 <= index < count:
        raise SystemExit(f"--shard {shard}: i/n with 0 <= i < n")
    return [unit for at, unit in enumerate(units) if at % count == index]


def main():
    parser = argparse.ArgumentParser(description="power-cut explorer")
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--mutants", action="store_true")
    parser.add_argument("--shard", default=os.environ.get("SHARD"), metavar="I/N")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--only", help="scenarios, separated by commas")
    options = parser.parse_args()
    if options.mutants:
        import mutants

        sys.exit(mutants.main(options.jobs))
    units = whole() if options.full else fast(options.seed)
    if options.only:
        units = [unit for unit in units if unit.scenario in options.only.split(",")]
    units = _share(units, options.shard)
    # the long ones first, so that no core waits for one at the end
    units.sort(key=lambda unit: ("pairs" not in unit.modes, not unit.full))
    print(f"power cuts: seed {options.seed}, {len(units)} parts on {options.jobs} cores", flush=True)
    started = time.monotonic()
    lost = table(explore(units, options.jobs, options.seed))
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"{time.monotonic() - started:.0f} seconds, {used.ru_utime + used.ru_stime:.0f} of a processor")
    sys.exit(1 if lost else 0)


if __name__ == "__main__":
    main()
