"""Seeded defects: the device code with one thing done wrong, each of which the explorer has to catch.

`python tests/powercut/run.py --mutants` (`make mutants`) prints the kill list; exit code 1 when one lives, or when the text
it replaces is no longer there. Each names the scenarios that should notice; the first lost point ends it."""

import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import assets
import run

SINGLE, ROT, FAULTS = ["single"], ["rot"], ["faults"]
# a defect that shows like this is none that somebody would make; its edits have to be mended
_CLUMSY = ("NameError", "SyntaxError", "AttributeError", "ImportError", "IndentationError", "TypeError")


@dataclass
class Mutant:
    """`edits`: [(file, text, replacement)], `units`: [(scenario, modes)]."""

    name: str
    edits: list
    units: list


_ARMED = """    runtime.store().save(
        decide.armed(record, index, progress.digest, progress.sequence, key, config.tries)
    )
"""

MUTANTS = [
    Mutant(
        "skip the read-back before arming",
        [
            (
                "updater.py",
                "    yield from _validated(how)\n",
                "",
            )
        ],
        [("careless", SINGLE)],
    ),
    Mutant(
        "arm before the payload is written",
        [
            (
                "updater.py",
                """        progress.state = "fetching"
""",
                """        progress.state = "fetching"
        from .policy import floor_key

        key = floor_key(how[0].manifest)
        runtime.store().save(
            decide.armed(runtime.record(), slot.index, progress.digest, progress.sequence, key, 3)
        )
""",
            ),
            (
                "updater.py",
                "    if on_trial(record) or record.active == index or record.trial is not None:\n",
                "    if False:\n",
            ),
            ("updater.py", _ARMED, ""),
        ],
        [("install", SINGLE)],
    ),
    Mutant(
        "arm before the manifest is saved",
        [
            (
                "updater.py",
                "    slot.end_part()\n    yield from _save_manifest(envelope, slot)\n",
                "    slot.end_part()\n",
            ),
            ("updater.py", _ARMED, _ARMED + "    yield from _save_manifest(envelope, slot)\n"),
        ],
        [("install", SINGLE)],
    ),
    Mutant(
        "raise the floor on install",
        [
            (
                "decide.py",
                "    line.floor = _floor_index(new, key)\n    new.trial = slot\n",
                "    line.floor = _floor_index(new, key)\n    new.floors[line.floor] = (key, sequence)\n    new.trial = slot\n",
            )
        ],
        [("back-exception", SINGLE), ("install", SINGLE)],
    ),
    Mutant(
        "never raise the floor",
        [
            (
                "decide.py",
                "(key, max(lowest, slot.sequence))\n    new.active",
                "(key, lowest)\n    new.active",
            )
        ],
        [("install", SINGLE)],
    ),
    Mutant(
        "make it active when it is armed",
        [
            (
                "decide.py",
                "    new.trial = slot\n    new.tries = tries\n",
                "    new.trial = slot\n    new.active = None\n    new.tries = tries\n",
            )
        ],
        [("back-exception", SINGLE), ("install", SINGLE)],
    ),
    Mutant(
        "trust one state copy",
        [("state.py", "copy = 1 - self._newest\n", "copy = 0\n")],
        [("confirm", SINGLE)],
    ),
    Mutant(
        "write over the newer copy",
        [("state.py", "copy = 1 - self._newest\n", "copy = self._newest\n")],
        [("confirm", SINGLE)],
    ),
    Mutant(
        "remove the record, then rename the new one",
        [
            (
                "state.py",
                """        with open(self._path(copy), "wb") as file:
            file.write(data)
""",
                """        with open(self._path(copy) + ".new", "wb") as file:
            file.write(data)
        import os

        for old in (0, 1):
            try:
                os.remove(self._path(old))
            except OSError:
                pass
        os.rename(self._path(copy) + ".new", self._path(copy))
""",
            )
        ],
        [("confirm", SINGLE), ("back-exception", SINGLE)],
    ),
    Mutant(
        "the generation stands still",
        [
            (
                "state.py",
                "record.generation = self._generation + 1",
                "record.generation = self._generation or 1",
            )
        ],
        [("confirm", SINGLE)],
    ),
    Mutant(
        "believe a record without its CRC",
        [
            (
                "state.py",
                "    if crc != binascii.crc32(memoryview(data)[:_AT_CRC]) & 0xFFFFFFFF:\n",
                "    if False:\n",
            )
        ],
        [("rot", ROT), ("rot-armed", ROT)],
    ),
    Mutant(
        "do not count tries",
        [("decide.py", "            new.tries -= 1\n", "")],
        [("back-tries", SINGLE)],
    ),
    Mutant(
        "save the tries after the run",
        [
            (
                "launcher.py",
                "        if new:\n            back =",
                "        if new and action != decide.TRIAL:\n            back =",
            )
        ],
        [("back-watchdog", SINGLE), ("back-tries", SINGLE)],
    ),
    Mutant(
        "no watchdog on trial",
        [("launcher.py", "        if runtime.trial:\n            _watch(port, config)\n", "")],
        [("confirm", SINGLE)],
    ),
    Mutant(
        "a watchdog is no reason to go back",
        [("decide.py", "elif record.booted and cause == CAUSE_WATCHDOG:", "elif False:")],
        [("back-watchdog", SINGLE)],
    ),
    Mutant(
        "blame a watchdog that bit before the trial",
        [
            (
                "decide.py",
                "elif record.booted and cause == CAUSE_WATCHDOG:",
                "elif cause == CAUSE_WATCHDOG:",
            )
        ],
        [("install", SINGLE)],
    ),
    Mutant(
        "go back in words only",
        [
            (
                "decide.py",
                "    new.back_traceback = traceback[:8]\n    new.trial = None\n",
                "    new.back_traceback = traceback[:8]\n",
            )
        ],
        [("back-exception", SINGLE)],
    ),
    Mutant(
        "forget what was bad",
        [("decide.py", "        new.bad.insert(0, digest)\n", "        pass\n")],
        [("back-exception", SINGLE)],
    ),
    Mutant(
        "condemn the manifest for a damaged image",
        [("decide.py", "        blamed = detail not in _DAMAGE\n", "        blamed = True\n")],
        [("back-damaged", SINGLE)],
    ),
    Mutant(
        "write into an armed slot",
        [
            (
                "target.py",
                "        runtime.store().save(decide.writing(record, slot.index))\n",
                "        record.trial = None\n",
            ),
            (
                "updater.py",
                "    record = runtime.record()\n    if on_trial(record) or record.active == index or record.trial is not None:\n",
                "    record = decide.writing(runtime.record(), index)\n    if on_trial(record):\n",
            ),
        ],
        [("replace", SINGLE)],
    ),
    Mutant(
        "leave old files in the slot",
        [
            (
                "slots.py",
                "            if path not in keep:\n                os.remove(path)\n",
                "            pass\n",
            )
        ],
        [("two-in-a-row", SINGLE)],
    ),
    Mutant(
        "leave the note of a download behind",
        [("updater.py", "    slot.end_part()\n", "")],
        [("install", SINGLE)],
    ),
    Mutant(
        "copy from the other slot without comparing",
        [("unchanged.py", "    return hasher.digest() == digest\n", "    return True\n")],
        [("small", SINGLE)],
    ),
    Mutant(
        "an image-match that always matches",
        [
            (
                "conditions.py",
                "    return digests.same(found, wanted) and digests.same(wanted, found)\n",
                "    return True\n",
            )
        ],
        [("rot", ROT), ("rot-set", ROT), ("careless", SINGLE)],
    ),
    Mutant(
        "run a manifest the record does not name",
        [("launcher.py", "if bytes(envelope.digest) != record.slots[index].digest:", "if False:")],
        [("swapped", SINGLE)],
    ),
    Mutant(
        "no board policy: run what was not validated",
        [("launcher.py", "app = check(processor, manifest, board)", "app = 0")],
        [("unproved", SINGLE)],
    ),
    Mutant(
        "no board policy: arm what was not validated",
        [("updater.py", "        check(validation, how[0].manifest, board)\n", "")],
        [("forgetful", SINGLE)],
    ),
    Mutant(
        "take a decayed beginning for good",
        [
            (
                "transfer.py",
                "        if offset and not digests.same(hasher.digest(), digest[1]):\n",
                "        if False:\n",
            )
        ],
        [("rot-part", ROT)],
    ),
    Mutant(
        "a reading error condemns a version",
        [
            (
                "launcher.py",
                "    if error.reason == R_CONDITION_FAILED and config.error:\n",
                "    if False:\n",
            )
        ],
        [("confirm", FAULTS)],
    ),
    Mutant(
        "an app that could not be read is judged",
        [
            ("running.py", "    if _unread(port) or not runtime.trial:\n", "    if not runtime.trial:\n"),
            ("running.py", "    if runtime.trial and _unread(port):\n        return\n", ""),
        ],
        [("confirm", FAULTS)],
    ),
    Mutant(
        "power cuts condemn an app",
        [("decide.py", "_MERCY = 2 ", "_MERCY = 0 ")],
        [("back-tries", SINGLE)],
    ),
    Mutant(
        "power cuts never condemn anything",
        [
            (
                "decide.py",
                "    new.spared = _spared(record) + (detail == POWER and reason != R_BACK_INVALID)\n",
                "    new.spared = 0\n",
            )
        ],
        [("back-tries", SINGLE)],
    ),
    Mutant(
        "firmware gets one start and no mercy",
        [
            ("decide.py", "_MERCY = 2 ", "_MERCY = 0 "),
            ("decide.py", "elif other and record.booted and record.tries and cause == CAUSE_POWER:", "elif False:"),
        ],
        [("firmware", SINGLE)],
    ),
    Mutant(
        "firmware that was cut off is asked for again without paying a try",
        [
            (
                "decide.py",
                "            new.booted = False  # the next start is a first one again, one try having been paid\n",
                "            new.booted = False\n            new.tries += 1\n",
            )
        ],
        [("firmware-tries", SINGLE)],
    ),
    Mutant(
        "the updater is kept after the confirmation",
        [
            (
                "api.py",
                "        _keep_updater(Slot(runtime.root, slot))\n        runtime.store().save(decide.confirmed(record))\n",
                "        runtime.store().save(decide.confirmed(record))\n",
            )
        ],
        [("updater", SINGLE)],
    ),
    Mutant(
        "an app without an updater forgets the one that runs",
        [("updater.py", "    elif exists(other.vouch):\n", "    elif False:\n")],
        [("updater-carried", SINGLE)],
    ),
    Mutant(
        "a trust store is in force before it is confirmed",
        [
            (
                "launcher.py",
                "            if not runtime.trial:\n                _adopt(verified)\n",
                "            _adopt(verified)\n",
            )
        ],
        [("rekey", SINGLE)],
    ),
    Mutant(
        "a trust store is adopted at confirm or never",
        [
            (
                "launcher.py",
                "            if not runtime.trial:\n                _adopt(verified)\n",
                "",
            )
        ],
        [("rekey", SINGLE)],
    ),
    Mutant(
        "remove the trust store, then rename the new one",
        [
            (
                "rekey.py",
                "        os.rename(root +",
                "        os.remove(root + \"/trust.cbor\")\n        os.rename(root +",
            )
        ],
        [("rekey", SINGLE)],
    ),
    Mutant(
        "a dependency's part is not carried out",
        [
            (
                "dependencies.py",
                "        if self.run(machine, frame, index, frame.section):\n            return True\n",
                "",
            )
        ],
        [("composite", SINGLE)],
    ),
    Mutant(
        "a full flash keeps what could be given up",
        [("updater.py", "            if again or strict or not full or not give_up():\n", "            if True:\n")],
        [("tight", SINGLE)],
    ),
]


def plant(mutant, folder: Path):
    """A copy of the device code with the defect; raises LookupError when its place is gone."""
    shutil.copytree(
        run.ROOT / "firmware" / "suit",
        folder / "suit",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    for name, text, replacement in mutant.edits:
        path = folder / "suit" / name
        source = path.read_text()
        if source.count(text) != 1:
            raise LookupError(
                f"{name} holds {source.count(text)} times {text.strip().splitlines()[0]!r}"
            )
        path.write_text(source.replace(text, replacement))


def hunt(mutant):
    """-> (caught by, the first loss) or (None, what was tried)."""
    tried = 0
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        assets.build(folder)
        try:
            plant(mutant, folder / "firmware")
        except LookupError as error:
            return None, str(error)
        explorer = run.Explorer(folder, folder / "firmware", seed=1)
        for geometry in run.GEOMETRIES:
            for scenario, modes in mutant.units:
                if scenario.startswith("firmware") and geometry != "esp32":
                    continue
                # of the accesses that may fail every fifth: what goes wrong takes more than one
                full = modes == FAULTS
                unit = run.Unit(geometry, scenario, modes, full, options={"stop": True, "show": 1, "every": 5})
                outcome = explorer.run(unit)
                tried += outcome.tried
                if outcome.broken or any(name in line for line in outcome.lines for name in _CLUMSY):
                    return None, outcome.lines[-1]
                if outcome.lost:
                    first = next(
                        (line for line in outcome.lines if line.startswith("LOST")),
                        outcome.lines[-1],
                    )
                    return f"{scenario}/{geometry}", first.removeprefix(f"LOST {scenario} ")
    return None, f"{tried} points survived"


def main(jobs):
    print(f"{'defect':44} {'caught by':24} how")
    alive = []
    with ThreadPoolExecutor(jobs) as pool:
        for mutant, (caught, how) in zip(MUTANTS, pool.map(hunt, MUTANTS)):
            if not caught:
                alive.append(mutant.name)
            print(f"{mutant.name:44} {caught or 'NOT CAUGHT':24} {how[:90]}", flush=True)
    print(f"mutants: {len(MUTANTS)} planted, {len(MUTANTS) - len(alive)} caught")
    return 1 if alive else 0
