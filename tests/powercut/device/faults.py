# What else flash does: errors, no room, bits that turn over; and clocks that lie.
# MIT licence.
"""`every(run, full, shard, shards)` plays the scenario of a points.Run once per fault. Whatever the fault, what runs is a
verified version; when it has passed, the board reaches what the scenario wants. Why it went back in between may be any
reason: a disk error can hit the record itself."""

import os

import scenarios
import world as w
from suit.numbers import R_KNOWN_BAD


def every(run, full, shard, shards):
    todo = []
    for kind in ("read", "program", "erase"):
        total = _counts(run)[kind]
        step = run.options.get("every", 1) if full else max(1, total // 24)
        todo += [(kind, at, False) for at in range(0, total, step)]
        step = run.options.get("every", 1) if full else max(1, total // 12)
        todo += [(kind, at, True) for at in range(0, total, step) if kind != "read"]
    todo += [("full", blocks, False) for blocks in range(0, 24, 1 if full else 3)]
    todo += [("worn", erases, False) for erases in (1, 2, 3, 4, 6)]
    todo += [("clock", n, False) for n in range(len(_CLOCKS))]
    for index, (kind, at, sticky) in enumerate(todo):
        if index % shards == shard and not run.enough():
            _one(run, kind, at, sticky)


def _counts(run):
    """How many reads, programs and erases a clean run has."""
    world = run.world
    run.start([])
    totals = {"read": 0, "program": 0, "erase": 0}
    chips = []
    world.fault = chips.append
    world.live(24)
    world.fault = None
    totals["read"] = chips[-1].reads
    for at in range(len(run.journal.operations)):
        totals["erase" if run.journal.is_erase(at) else "program"] += 1
    return totals


def _one(run, kind, at, sticky):
    world = run.world
    scenario = run.scenario
    run.start([])
    point = (kind, at, "for ever" if sticky else "once")
    try:
        if kind == "full":
            _full(world, at)
        elif kind == "clock":
            _clock(world, at)
        elif kind == "worn":
            _worn(world, at)
        else:
            _failing(world, kind, at, sticky)
        # the fault has passed: what was wanted is reached
        _patient(world)
        world.live(24)
        restore = _any_reason(scenario)
        scenario.crowded = kind == "full"
        try:
            if not (sticky and _condemned(world, scenario)):
                scenario.check(world, run.baseline if kind == "full" else None)
        finally:
            restore()
        run.survived += 1
    except w.Violation as error:
        run.lost.append((point, str(error)))
        if len(run.lost) <= 5:
            w.report("LOST", scenario.name, point, error)
            for line in world.said[-12:]:
                w.report("   ", line)
    run.tried += 1


def _patient(world):
    world.fault = None
    world.cause = w.POWER
    world.history = world.history[-8:]
    world.notes["faulty"] = True


def _any_reason(scenario):
    """Let every reason pass; -> what takes that back."""
    judge = scenario.judge

    def lenient(world, seen):
        seen[0].back_reason = scenario.back[0]
        judge(world, seen)

    scenario.judge = lenient

    def restore():
        scenario.judge = judge
        scenario.crowded = False

    return restore


def _condemned(world, scenario):
    """Starts that were counted although flash said that it could not write that: when they are used up it looks like an
    updater that does not start, and the version that brings it is refused from then on. The old one runs."""
    return scenario.brings_updater and world.history[-1:] == [(1, False)] and R_KNOWN_BAD in world.refusals


def _failing(world, kind, at, sticky):
    """Errors of the flash. A single one is over after it was met; a lasting one stays for six boots."""
    chips = []

    def fault(chip):
        if chips:
            last = chips[-1]
            chip.programs, chip.erases = last.programs, last.erases
        chips.append(chip)
        setattr(chip, "fail_" + kind, at)
        chip.sticky = sticky

    world.fault = fault
    world.tolerant = True
    try:
        for _ in range(6 if sticky else 16):
            outcome = world.boot()
            if outcome in ("idle", "recovery", "repl") and not sticky:
                break
            world.cause = {"starved": w.WATCHDOG, "again": w.POWER}.get(outcome, w.BUTTON)
    finally:
        world.tolerant = False


def _full(world, free):
    """Somebody filled the filesystem but for so many blocks; later it is emptied again."""

    def fill():
        stat = os.statvfs("/")
        left = stat[3] - free
        if left > 0:
            with open("/junk", "wb") as file:
                block = bytes(stat[0])
                try:
                    for _ in range(left):
                        file.write(block)
                except OSError:
                    pass

    world.mounted(fill)
    world.tolerant = True
    plan = world.plan
    try:
        for _ in range(4):
            outcome = world.boot()
            world.cause = {"starved": w.WATCHDOG, "again": w.POWER}.get(outcome, w.BUTTON)
    finally:
        world.tolerant = False
        world.plan = plan
    # a cable that found no room has put nothing there yet
    if not world.history and world.outcome != "recovery" and getattr(plan, "done", True):
        world.fail("nothing runs on a full filesystem")
    world.mounted(lambda: scenarios.discard("/junk"))


def _worn(world, erases):
    """Every block bears so many erases only; later they behave again."""

    def fault(chip):
        chip.endurance = erases

    world.fault = fault
    world.tolerant = True
    try:
        for _ in range(12):
            outcome = world.boot()
            if outcome in ("idle", "recovery"):
                break
            world.cause = {"starved": w.WATCHDOG, "again": w.POWER}.get(outcome, w.BUTTON)
    finally:
        world.tolerant = False
    if not world.history and world.outcome != "recovery":
        world.fail("nothing runs on worn flash")


# no clock, one in 1970, one far ahead, one before its time; and some that jump every time they are asked
_CLOCKS = ((None,), (0,), (1 << 33,), (-1,), (1 << 33, 0), (None, 1 << 33, 1800000000), (1800000000, 1700000000))


def _clock(world, n):
    """The `n`th of the clocks above."""
    from suit.port import unix

    now = unix.now
    asked = [0]

    def lie():
        asked[0] += 1
        return _CLOCKS[n][asked[0] % len(_CLOCKS[n])]

    unix.now = lie
    try:
        for _ in range(6):
            outcome = world.boot()
            if outcome in ("idle", "recovery"):
                break
            world.cause = w.BUTTON
    finally:
        unix.now = now
