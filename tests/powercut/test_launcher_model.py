"""A model of the launcher, written from DESIGN and not from `decide.py`, explored over every interleaving of reset, power
cut, watchdog, damage, confirm, rollback, crash and new update: the implementation does the same at every step."""

from collections import deque
from dataclasses import dataclass, replace

from suit import decide, state
from suit import numbers as n

TRIES = 2
VERSIONS = (1, 2, 3)
KEY = b"floor"
CAUSES = {decide.CAUSE_OTHER: "reset", decide.CAUSE_POWER: "power", decide.CAUSE_WATCHDOG: "watchdog"}


@dataclass(frozen=True)
class Model:
    """What a board remembers. `holds`: version in each slot as the record has it, None when it may not boot."""

    active: int | None = 0
    trial: int | None = None
    tries: int = 0
    started: bool = False
    crashes: int = 0
    holds: tuple = (1, None)
    floor: int = 1
    bad: frozenset = frozenset()
    why: int = 0
    spared: int = 0  # how often in a row the power was to blame, and the version that was let off for it
    last: int | None = None

    def back(self, why, own_fault=True, power=False):
        """Go back from the trial. Twice in a row a version may put it down to the power."""
        version = self.holds[self.trial]
        spared = self.spared if self.last == version else 0
        if power and spared < 2:
            spared += 1
            own_fault = False
        bad = self.bad | {version} if own_fault else self.bad
        return replace(self, trial=None, tries=0, started=False, bad=bad, why=why, spared=spared,
                       last=version if spared else None)

    def boot(self, cause, broken):
        """-> (what runs: ("trial"|"run", slot) or ("recovery", None), the model then). Whether a slot is broken is seen only
        when it is about to run, after what was decided about it has been saved."""
        now = self
        if now.trial is not None:
            if now.started and cause == "watchdog":
                now = now.back(n.R_BACK_WATCHDOG)
            elif not now.tries:
                now = now.back(n.R_BACK_TRIES, power=cause == "power")
            elif now.trial in broken:
                now = now.back(n.R_BACK_INVALID, own_fault=False)
            else:
                return ("trial", now.trial), replace(now, tries=now.tries - 1, started=True)
        elif now.active is not None and cause == "watchdog":
            now = replace(now, crashes=min(3, now.crashes + 1))
        elif now.active is not None and cause == "power" and now.crashes == 3:
            now = replace(now, crashes=0)
        if now.active is None or now.active in broken or now.crashes == 3:
            return ("recovery", None), now
        return ("run", now.active), now

    def confirm(self):
        version = self.holds[self.trial]
        return replace(self, active=self.trial, trial=None, tries=0, started=False, crashes=0,
                       floor=max(self.floor, version))

    def wanted(self, version, in_recovery):
        """Would an update to this version be taken now?"""
        if self.trial is not None and self.started:
            return False
        if self.active is not None and self.holds[self.active] == version and not in_recovery:
            return False
        return version not in self.bad and version >= self.floor

    def target(self):
        if self.active is not None:
            return 1 - self.active
        return self.trial or 0

    def clear(self, slot):
        holds = tuple(None if i == slot else v for i, v in enumerate(self.holds))
        armed = self.trial == slot
        return replace(self, holds=holds, trial=None if armed else self.trial, tries=0 if armed else self.tries,
                       started=False if armed else self.started)

    def arm(self, slot, version):
        holds = tuple(version if i == slot else v for i, v in enumerate(self.holds))
        return replace(self, holds=holds, trial=slot, tries=TRIES, started=False)


def digest(version):
    return bytes([version]) * 32


def of(record):
    """The implementation's record as a Model."""
    holds = tuple(line.digest[0] if line.digest else None for line in record.slots)
    return Model(record.active, record.trial, record.tries, record.booted, record.crashes, holds, record.floor(KEY),
                 frozenset(each[0] for each in record.bad), record.back_reason,
                 record.spared, record.back_digest[0] if record.spared else None)


def factory():
    return decide.rebuilt(((digest(1), 1, KEY), None), TRIES)


def booted(record, cause, broken):
    """What the launcher comes to: it asks `decide`, saves, looks at the slot, and asks again when that does not verify."""
    failed = [0, 0]
    while True:
        action, slot, new = decide.decide(record, cause, failed)
        record = new or record
        if slot is None or slot not in broken:
            return action, slot, record
        failed[slot] = n.R_DIGEST


def same(model, record, where):
    assert of(record) == model, f"{where}: model {model}, implementation {of(record)}"


def steps(model, record, ran):
    """Every (what happened, model after, record after) that can follow. `ran`: what has been followed from its boot on."""
    for cause, name in CAUSES.items():
        for broken in (set(), {0}, {1}, {0, 1}):
            label = f"{name}, broken {sorted(broken)}"
            runs, after = model.boot(name, broken)
            action, slot, saved = booted(record, cause, broken)
            kind = {decide.RUN: "run", decide.TRIAL: "trial", decide.RECOVER: "recovery"}[action]
            assert (kind, slot) == runs, f"{label}: model {runs}, implementation {(kind, slot)}"
            yield label, after, saved
            if (runs, replace(after, why=0)) not in ran:
                ran.add((runs, replace(after, why=0)))
                yield from running(label, runs, after, saved)


def running(label, runs, model, record):
    """What the app, the updater and the console can do now. Power may go after each save."""
    kind, slot = runs
    if kind == "trial":
        yield label + ", confirm", model.confirm(), decide.confirmed(record)
        for why in (n.R_BACK_EXCEPTION, n.R_BACK_ENDED, n.R_BACK_MANUAL):
            yield f"{label}, back {why}", model.back(why), decide.went_back(record, why)
        return
    if kind == "run":
        crashed = replace(model, crashes=min(3, model.crashes + 1))
        yield label + ", crash", crashed, decide.crashed(record)
        yield label + ", long enough", replace(model, crashes=0), decide.stable(record)
    for version in VERSIONS:
        if model.wanted(version, kind == "recovery"):
            target = model.target()
            cleared = model.clear(target)
            writing = decide.writing(record, target)
            yield f"{label}, writing {version}", cleared, writing
            armed = decide.armed(writing, target, digest(version), version, KEY, TRIES)
            yield f"{label}, armed {version}", cleared.arm(target, version), armed
            # armed without a reset, and replaced before it booted
            for newer in VERSIONS:
                if cleared.arm(target, version).wanted(newer, False):
                    again = cleared.arm(target, version).clear(target)
                    yield f"{label}, armed {version}, writing {newer}", again, decide.writing(armed, target)


def test_the_model_and_the_implementation_agree_in_every_reachable_state(record_property):
    start = factory()
    same(Model(), start, "factory")
    # why it went back last decides nothing: it is compared at every step, and tells no states apart
    seen, ran, todo, transitions = {Model()}, set(), deque([(Model(), start)]), 0
    while todo:
        model, record = todo.popleft()
        for label, after, saved in steps(model, record, ran):
            transitions += 1
            same(after, saved, label)
            assert after.floor >= model.floor
            assert after.trial is None or after.trial != after.active
            known = replace(after, why=0)
            if known not in seen:
                seen.add(known)
                todo.append((after, state.unpack(state.pack(saved))))
    record_property("counted", f"launcher model: {len(seen)} states, {transitions} transitions")
    assert len(seen) > 300
