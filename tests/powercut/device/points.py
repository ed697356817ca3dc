# Which points there are, and what happened at each.
# MIT licence.
"""`main(options)`: for every scenario asked for, play a clean run and write down every operation of the flash with what the
world knew before it (journal.py); then go on from every point. A point is a list of cuts (operation since the last cut, kind,
fraction, cause of the next reset). Since a cut forgets all RAM, what it leaves is the chip as the journal has it at that
operation, and nothing before it is played twice; that this is so is compared with real cuts at a few points of every part,
and the drawn ones are all played for real."""

import gc
import sys
import time

import faults
import nor
import otadata
import rot
import scenarios
import world as w
from journal import Journal, tell
from suit.numbers import R_BACK_WATCHDOG

_PROGRAM = (0.0, 0.25, 0.5, 0.75, 0.99)
_ERASE = (0.1, 0.5, 0.9)
_COMPARED = 4  # points of a part that are cut for real too


def variants(is_erase, full):
    """The ways to lose power at one operation. What `AFTER` would leave is what BEFORE the next one leaves."""
    yield nor.BEFORE, 0, w.POWER
    for fraction in (_ERASE if is_erase else _PROGRAM) if full else (0.5,):
        yield nor.TORN, fraction, w.POWER
    if is_erase:
        yield nor.WEAK, 0, w.POWER
    yield nor.BEFORE, 0, w.WATCHDOG  # not the power, but a starved watchdog


class Run:
    """One scenario on one geometry."""

    def __init__(self, scenario, world, options):
        self.scenario = scenario
        self.world = world
        self.options = options
        self.tried = self.survived = 0
        self.lost = []
        scenario.prepare(world)
        self.snapshot = bytes(world.image)
        scenario.begin(world)
        self.journal = Journal(world)
        self.clean_boots = len(world.history)
        # the look is taken before what it reads of the chip changes anything
        self.baseline = scenario.check(world, None)

    def start(self, cuts):
        world = self.world
        world.image[:] = self.snapshot
        self.scenario.begin(world)
        world.cuts = list(cuts)

    def enough(self):
        """One loss is all that was asked for."""
        return self.lost and self.options.get("stop")

    def note(self, point, error):
        """A Violation: the board was lost at `point`."""
        self.lost.append((point, str(error)))
        if len(self.lost) <= self.options.get("show", 5):
            w.report("LOST", self.scenario.name, point, error)
            for line in self.world.said[-12:]:
                w.report("   ", line)

    def finish(self, cuts):
        """Go on from what the last of `cuts` left."""
        world = self.world
        try:
            bitten = cuts[-1][3] == w.WATCHDOG and self._bitten()
            world.live(24)
            if bitten:
                self.scenario.check_back(world, R_BACK_WATCHDOG)
            else:
                self.scenario.check(world, self.baseline)
            self.survived += 1
        except w.Violation as error:
            self.note(cuts, error)
        self.tried += 1

    def _bitten(self):
        """True when the watchdog starved during a trial."""
        record = self.world.mounted(self.world.record)
        self.world.ops = self.world.reads = 0
        return record.trial is not None and record.booted

    def _cut_for_real(self, cuts):
        """Boot up to the cut."""
        world = self.world
        self.start(cuts)
        for _ in range(24):
            outcome = world.boot()
            if outcome == "cut":
                return
            world.cause = {"starved": w.WATCHDOG, "again": w.POWER}.get(outcome, w.BUTTON)
        world.fail("the cut %r was not met" % cuts)

    # -- single cuts

    def single(self, full, shard, shards):
        world = self.world
        journal = self.journal
        total = len(journal.operations)
        compare = set(range(0, total, max(1, total // _COMPARED)))
        index = 0
        most = self.options.get("most")
        if most:
            # so many of them, evenly spread; which ones is the seed's choice
            points = sum(len(list(variants(journal.is_erase(at), full))) for at in range(total)) + 1
            shards = max(1, points // most)
            shard = self.options["seed"] % shards
        journal.rewind(self.snapshot)
        for at in range(total):
            ways = list(variants(journal.is_erase(at), full))
            if at == total - 1:
                ways.append((nor.AFTER, 0, w.POWER))
            for kind, fraction, cause in ways:
                index += 1
                if index % shards != shard:
                    continue
                if self.enough():
                    return
                cut = (at, kind, fraction, cause)
                journal.cut(at, kind, fraction)
                if at in compare:
                    compare.discard(at)
                    self._compare(cut)
                    journal.cut(at, kind, fraction)
                tell(world, journal.story(at), cause)
                self.finish([cut])
            journal.forward(at)

    def _compare(self, cut):
        """Does a real cut leave what the journal says? Files are compared: the time in their entries is another."""
        expected = self.world.mounted(self.world.contents)
        self._cut_for_real([cut])
        if self.world.mounted(self.world.contents) != expected:
            self.note([cut], w.Violation("a real cut leaves another chip than the journal says"))

    # -- a second cut while the first is being dealt with

    def pairs(self, step, shard, shards, kinds):
        """After the first cut (every `step`th operation, the seed says from which on), every operation of what follows is
        cut."""
        first = self.journal
        start = self.options["seed"] % min(step, len(first.operations))
        index = 0
        first.rewind(self.snapshot)
        for at in range(len(first.operations)):
            if at % step == start:
                for kind, fraction in kinds:
                    index += 1
                    if index % shards == shard:
                        first.cut(at, kind, fraction)
                        self._second((at, kind, fraction, w.POWER), first.story(at), kinds)
                        if self.enough():
                            return
            first.forward(at)

    def _second(self, first, story, kinds):
        """`first` has just been made on the chip."""
        world = self.world
        tell(world, story, w.POWER)
        image = bytes(world.image)
        try:
            journal = Journal(world)
        except w.Violation as error:
            self.tried += 1
            self.note([first], error)
            return
        journal.rewind(image)
        for at in range(len(journal.operations)):
            for kind, fraction in kinds:
                journal.cut(at, kind, fraction)
                tell(world, journal.story(at), w.POWER)
                self.finish([first, (at, kind, fraction, w.POWER)])
                if self.enough():
                    return
            journal.forward(at)

    # -- three and more, drawn

    def sampled(self, count, seed):
        import random

        random.seed(seed)
        for _ in range(count):
            cuts = []
            for _ in range(random.randint(2, 5)):
                kind = (nor.BEFORE, nor.TORN, nor.TORN, nor.WEAK)[random.randint(0, 3)]
                cuts.append((random.randint(0, len(self.journal.operations)), kind, random.random(), w.POWER))
            self.start(cuts)
            try:
                self.world.live(40)
                self.scenario.check(self.world, self.baseline)
                self.survived += 1
            except w.Violation as error:
                self.note(cuts, error)
            self.tried += 1
            if self.enough():
                return


PAIR_KINDS = ((nor.BEFORE, 0), (nor.TORN, 0.5))


def main(options):
    page = options["page"]
    shard, shards = options["shard"]
    failed = False
    for name in options["scenarios"]:
        if name == "otadata":
            started = time.ticks_ms()
            result = otadata.explore(options.get("stop"))
            w.report("RESULT", name, *result, time.ticks_diff(time.ticks_ms(), started))
            failed = failed or bool(result[-1])
            continue
        scenario = scenarios.ALL[name]()
        # with small pages littlefs keeps fewer files inside their folder
        blocks = scenario.blocks + (0 if page else 20)
        world = w.World(blocks, page, options["assets"], name == "signed", scenario.firmware)
        started = time.ticks_ms()
        try:
            run = Run(scenario, world, options)
        except w.Violation as error:
            w.report("LOST", name, "clean run", error)
            failed = True
            continue
        full = options["full"]
        for mode in options["modes"]:
            if mode == "single":
                run.single(full, shard, shards)
            elif mode == "pairs":
                run.pairs(options.get("step", 1), shard, shards, PAIR_KINDS)
            elif mode == "sampled":
                run.sampled(options["samples"], options["seed"] + shard)
            elif mode == "faults":
                faults.every(run, full, shard, shards)
            elif mode == "rot":
                rot.files(run, full, shard, shards)
            elif mode == "raw":
                rot.raw(run, options["samples"], options["seed"] + shard)
            if run.lost and options.get("stop"):
                break
        ms = time.ticks_diff(time.ticks_ms(), started)
        w.report("RESULT", name, len(run.journal.operations), run.tried, run.survived, len(run.lost), ms)
        failed = failed or bool(run.lost)
        gc.collect()
    sys.exit(1 if failed else 0)
