# Which points there are, and what happened at each.
# MIT licence.
"""`main(options)`: for every scenario asked for, count the operations of a clean run, then play it once per point. A point is
a list of cuts (operation since the last cut, kind, fraction, cause of the next reset)."""

import gc
import sys
import time

import faults
import nor
import otadata
import rot
import scenarios
import world as w
from suit.numbers import R_BACK_WATCHDOG

_PROGRAM = (0.0, 0.25, 0.5, 0.75, 0.99)
_ERASE = (0.1, 0.5, 0.9)


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
        world.image[:] = self.snapshot
        self.trace = trace = []
        scenario.begin(world)
        world.fault = lambda chip: setattr(chip, "trace", trace)
        world.live()
        self.clean_boots = len(world.history)
        # the look is taken before what it reads of the chip changes anything
        self.baseline = scenario.check(world, None)

    def start(self, cuts):
        world = self.world
        world.image[:] = self.snapshot
        self.scenario.begin(world)
        world.cuts = list(cuts)

    def play(self, cuts):
        """True when every cut happened. A Violation is noted."""
        if self.enough():
            return True
        self.start(cuts)
        return self.finish(cuts)

    def enough(self):
        """One loss is all that was asked for."""
        return self.lost and self.options.get("stop")

    def finish(self, cuts):
        world = self.world
        try:
            bitten = cuts[0][3] == w.WATCHDOG and self._bitten()
            world.live(24)
            if world.cuts:
                return False
            if bitten:
                self.scenario.check_back(world, R_BACK_WATCHDOG)
            else:
                self.scenario.check(world, self.baseline)
            self.survived += 1
        except w.Violation as error:
            self.lost.append((cuts, str(error)))
            if len(self.lost) <= self.options.get("show", 5):
                w.report("LOST", self.scenario.name, cuts, error)
                for line in world.said[-12:]:
                    w.report("   ", line)
        self.tried += 1
        return True

    def _until_cut(self):
        """Boot up to the first cut."""
        world = self.world
        for _ in range(24):
            outcome = world.boot()
            if outcome == "cut":
                return
            world.cause = {"starved": w.WATCHDOG, "again": w.POWER}.get(outcome, w.BUTTON)

    def _bitten(self):
        """Up to the starvation; True when it happened during a trial."""
        world = self.world
        self._until_cut()
        record = world.mounted(world.record)
        world.ops = world.reads = 0
        return record.trial is not None and record.booted

    # -- single cuts

    def single(self, full, shard, shards):
        index = 0
        last = len(self.trace) - 1
        for at, (is_erase, _) in enumerate(self.trace):
            for kind, fraction, cause in variants(is_erase, full):
                index += 1
                if index % shards == shard:
                    self.play([(at, kind, fraction, cause)])
            if at == last:
                index += 1
                if index % shards == shard:
                    self.play([(at, nor.AFTER, 0, w.POWER)])

    # -- a second cut while the first is being dealt with

    def pairs(self, step, shard, shards, kinds):
        """After the first cut (every `step`th operation), every operation of what follows is cut."""
        index = 0
        for at in range(0, len(self.trace), step):
            for kind, fraction in kinds:
                index += 1
                if index % shards == shard:
                    self._second((at, kind, fraction, w.POWER), kinds)

    def _second(self, first, kinds):
        world = self.world
        self.start([first])
        try:
            self._until_cut()
        except w.Violation as error:
            self.lost.append(([first], str(error)))
            return
        image = bytes(world.image)
        story = story_of(world)
        at = 0
        while True:
            for kind, fraction in kinds:
                world.image[:] = image
                tell(world, story)
                world.cuts = [(at, kind, fraction, w.POWER)]
                if not self.finish([first, world.cuts[0]]):
                    return
            at += 1

    # -- three and more, drawn

    def sampled(self, count, seed):
        import random

        random.seed(seed)
        for _ in range(count):
            cuts = []
            for _ in range(random.randint(2, 5)):
                kind = (nor.BEFORE, nor.TORN, nor.TORN, nor.WEAK)[random.randint(0, 3)]
                cuts.append((random.randint(0, len(self.trace)), kind, random.random(), w.POWER))
            self.start(cuts)
            try:
                self.world.live(40)
                self.scenario.check(self.world, self.baseline)
                self.survived += 1
            except w.Violation as error:
                self.lost.append((cuts, str(error)))
                if len(self.lost) <= 5:
                    w.report("LOST", self.scenario.name, cuts, error)
            self.tried += 1


def story_of(world):
    return (world.cause, world.confirmed, world.settled, list(world.history), list(world.refusals))


def tell(world, story):
    world.cause, world.confirmed, world.settled = story[:3]
    world.history = list(story[3])
    world.refusals = list(story[4])
    world.ops = world.reads = 0
    world.said.clear()


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
        w.report("RESULT", name, len(run.trace), run.tried, run.survived, len(run.lost), ms)
        failed = failed or bool(run.lost)
        gc.collect()
    sys.exit(1 if failed else 0)
