"""The launcher's decision, walked through every state it can get into."""

import hashlib

from harness import MICROPYTHON, raises
from suit import decide, state
from suit import numbers as n

KEY = b"k" * 5
TRIES = 2
CAUSES = (decide.CAUSE_OTHER, decide.CAUSE_POWER, decide.CAUSE_WATCHDOG)


def digest(sequence):
    return bytes([sequence]) * 32


def factory(sequence=1):
    return decide.rebuilt(((digest(sequence), sequence, KEY), None), TRIES)


def armed(record, slot, sequence):
    return decide.armed(decide.writing(record, slot), slot, digest(sequence), sequence, KEY, TRIES)


def decided(record, cause=decide.CAUSE_OTHER, failed=(0, 0)):
    """decide with saving: (action, slot, record afterwards)."""
    before = bytes(state.pack(record))
    action, slot, new = decide.decide(record, cause, failed)
    assert state.pack(record) == before  # pure
    return action, slot, new or record


def test_an_armed_trial_is_run_with_one_try_less_and_marked_as_started():
    action, slot, r = decided(armed(factory(), 1, 2))
    assert (action, slot, r.tries, r.booted, r.active) == (decide.TRIAL, 1, TRIES - 1, True, 0)


def test_tries_are_used_up_by_resets_and_power_cuts():
    r = armed(factory(), 1, 2)
    for _ in range(TRIES):
        action, slot, r = decided(r)
        assert action == decide.TRIAL
    action, slot, r = decided(r)
    assert (action, slot, r.back_reason, r.trial) == (decide.RUN, 0, n.R_BACK_TRIES, None)
    assert r.knows_bad(digest(2)) and r.slots[1].status == state.BAD


def test_a_watchdog_ends_a_trial_only_when_it_had_started():
    r = armed(factory(), 1, 2)
    action, slot, r = decided(r, decide.CAUSE_WATCHDOG)
    assert action == decide.TRIAL and r.crashes == 0
    action, slot, r = decided(r, decide.CAUSE_WATCHDOG)
    assert (action, slot, r.back_reason) == (decide.RUN, 0, n.R_BACK_WATCHDOG)
    assert r.crashes == 0  # it was the trial's, not the confirmed app's


def test_what_does_not_verify_goes_back_with_its_reason():
    _, _, r = decided(armed(factory(), 1, 2))
    action, slot, r = decided(r, failed=(0, n.R_CONDITION_FAILED))
    assert (action, slot) == (decide.RUN, 0)
    assert (r.back_reason, r.back_detail) == (n.R_BACK_INVALID, n.R_CONDITION_FAILED)
    assert r.knows_bad(digest(2))


def test_damage_is_not_held_against_the_manifest():
    for reason in (n.R_DIGEST, n.R_STORAGE, n.R_UNAUTHORISED, n.R_NO_PAYLOAD):
        _, _, r = decided(armed(factory(), 1, 2))
        _, _, r = decided(r, failed=(0, reason))
        assert r.back_reason == n.R_BACK_INVALID and not r.knows_bad(digest(2))


def test_without_a_good_active_slot_there_is_only_recovery():
    assert decided(state.Record())[0] == decide.RECOVER
    assert decided(factory(), failed=(n.R_DIGEST, 0))[0] == decide.RECOVER
    first = armed(state.Record(), 0, 1)
    _, _, r = decided(first)
    assert decided(r, failed=(n.R_DIGEST, 0))[0] == decide.RECOVER


def test_a_crash_is_early_for_the_time_of_a_trial_and_not_again_after_a_week():
    from suit import running

    class Time:
        now = 0

        @classmethod
        def ticks_ms(cls):
            return cls.now

        @staticmethod
        def ticks_diff(a, b):  # as on boards: modulo 2**30
            return ((a - b + (1 << 29)) & ((1 << 30) - 1)) - (1 << 29)

    kept, running.time = running.time, Time
    try:
        for now, early in ((0, True), (59999, True), (60000, False), (7 * 86400000, False)):
            Time.now = now
            assert running._early(0, 60) == early, now
    finally:
        running.time = kept


def test_three_crashes_of_a_confirmed_app_lead_to_recovery_until_power_on():
    r = factory()
    for _ in range(decide.MAX_CRASHES):
        action, _, r = decided(r)
        assert action == decide.RUN
        r = decide.crashed(r)
    assert decided(r)[0] == decide.RECOVER and decided(r, decide.CAUSE_WATCHDOG)[0] == decide.RECOVER
    action, _, r = decided(r, decide.CAUSE_POWER)
    assert action == decide.RUN and r.crashes == 0


def test_a_trial_runs_even_after_crashes_and_confirming_forgets_them():
    r = factory()
    r.crashes = 3
    action, slot, r = decided(armed(r, 1, 2))
    assert action == decide.TRIAL
    assert decide.confirmed(r).crashes == 0
    assert decided(decide.went_back(r, n.R_BACK_EXCEPTION))[0] == decide.RECOVER


def test_only_confirming_raises_the_floor_and_never_lowers_it():
    r = armed(factory(5), 1, 7)
    assert r.floor(KEY) == 5
    _, _, r = decided(r)
    assert r.floor(KEY) == 5 and decide.went_back(r, 64).floor(KEY) == 5
    r = decide.confirmed(r)
    assert r.floor(KEY) == 7
    _, _, r = decided(armed(r, 0, 6))
    assert decide.confirmed(r).floor(KEY) == 7


def test_nothing_is_armed_in_or_written_over_the_active_slot():
    raises(ValueError, decide.writing, factory(), 0)
    raises(ValueError, decide.armed, factory(), 0, digest(2), 2, KEY, 3)
    raises(ValueError, decide.armed, armed(factory(), 1, 2), 1, digest(3), 3, KEY, 3)


def test_a_ninth_root_manifest_is_refused_rather_than_a_floor_given_up():
    r = factory()
    for i in range(7):
        r = decide.armed(decide.writing(r, 1), 1, digest(2), 2, bytes([i + 1]) * 5, 3)
    assert r.room_for(KEY) and not r.room_for(b"other")
    raises(ValueError, decide.armed, decide.writing(r, 1), 1, digest(2), 2, b"other", 3)


def test_two_good_slots_without_a_record_make_the_newer_one_confirm_again():
    found = [(digest(3), 3, KEY), (digest(4), 4, KEY)]
    r = decide.rebuilt(found, TRIES)
    assert (r.active, r.trial, r.floor(KEY)) == (None, 1, 4)
    action, slot, r = decided(r)
    assert (action, slot) == (decide.TRIAL, 1)
    assert decide.confirmed(r).active == 1
    assert decided(decide.went_back(r, 64))[0] == decide.RECOVER  # reachable, and above the floor
    assert decide.rebuilt(found[::-1], TRIES).trial == 0
    assert decide.rebuilt((None, None), TRIES).active is None


OTA = 0x10  # number of the first firmware partition
WITH_FIRMWARE = (2, 4)  # versions that bring their own; the others keep what runs


def on_two(record, esp_running=0):
    """A record whose active slot expects the partition that runs."""
    _, _, record = decided(record)
    _, _, new = decide.decide(record, decide.CAUSE_OTHER, (0, 0), OTA + esp_running)
    return new


class World:
    """A record and what is really in the slots: None, or (sequence, intact); plus what the model
    remembers by itself: the highest sequence that was ever confirmed, how often the trial ran, and which
    sequences were gone back from for their own fault. `esp`: see Esp, None on a board with one firmware;
    a slot is (sequence, intact, firmware it belongs to) where there are two."""

    def __init__(self, record, slots, confirmed, boots, banned=(), esp=None):
        self.record = record
        self.slots = slots
        self.confirmed = confirmed
        self.boots = boots
        self.banned = banned
        self.esp = esp

    def key(self):
        data = state.pack(self.record)
        data[4:8] = b"\0\0\0\0"  # the generation
        # why it went back is decided once; of what, as long as it was let off
        data[226 : 244 if not self.record.spared else 236] = bytes(18 if not self.record.spared else 10)
        data[252:] = b"\0\0\0\0"
        told = repr((self.slots, self.confirmed, self.boots, self.banned, self.esp))
        return hashlib.sha256(data + told.encode()).digest()[:8]

    def but(self, **changes):
        w = World(self.record, self.slots, self.confirmed, self.boots, self.banned, self.esp)
        for name in changes:
            setattr(w, name, changes[name])
        for before, after in zip(self.record.slots, w.record.slots):
            went_back = after.status == state.BAD and before.status != state.BAD
            why = (w.record.back_reason, w.record.back_detail)
            blameless = why[0] == n.R_BACK_INVALID or why in BLAMELESS
            if went_back and not blameless:
                w.banned = tuple(sorted(set(w.banned + (before.sequence,))))
        return w


BLAMELESS = (
    (n.R_BACK_FIRMWARE, 0),
    (n.R_BACK_FIRMWARE, decide.POWER),
    (n.R_BACK_TRIES, decide.POWER),
)
NEW, PENDING, VALID = "new", "pending", "valid"


class Esp:
    """What a bootloader with two partitions does, on tuples (contents, entries, running): `contents` the
    firmware in partition 0 and 1, None while it is being written; `entries` of otadata, older and newer:
    (partition, state) or None. platform.md section 1, as boards/virtual/shim_esp32.py has it in bytes."""

    @staticmethod
    def reset(esp):
        contents, entries, _ = esp
        entries = [None if e and e[1] == PENDING else e for e in entries]  # that is the rollback
        at = Esp.active(entries)
        part = 0
        if at is not None:
            part, how = entries[at]
            if how == NEW:
                entries[at] = (part, PENDING)
        if contents[part] is None:
            part = 1 - part
        assert contents[part] is not None, "a dark board"
        return contents, tuple(entries), part

    @staticmethod
    def active(entries):
        return 1 if entries[1] else 0 if entries[0] else None

    @staticmethod
    def set_boot(esp, part):
        """None when the image does not verify."""
        contents, entries, running = esp
        if contents[part] is None:
            return None
        return contents, (entries[1] or entries[0], (part, NEW)), running

    @staticmethod
    def mark_valid(esp):
        contents, entries, running = esp
        at = Esp.active(entries)
        if at is None:
            return esp
        entries = list(entries)
        entries[at] = (entries[at][0], VALID)
        return contents, tuple(entries), running

    @staticmethod
    def write(esp, part, content):
        contents, entries, running = esp
        assert part != running
        return put(contents, part, content), entries, running

    @staticmethod
    def stay(esp):
        """-> the worlds of firmware.stay, cut after each act."""
        _, entries, running = esp
        at = Esp.active(entries)
        if at is not None and entries[at][0] != running:
            asked = Esp.set_boot(esp, running)
            return asked, Esp.mark_valid(asked)
        return ()


def put(slots, index, what):
    return (what, slots[1]) if index == 0 else (slots[0], what)


def booted(w, cause):
    """The launcher in the world `w`: yields the world after each save (where a cut may come) and at
    last (world, slot, on trial) of what runs."""
    failed = [0, 0]
    record = w.record
    running = None
    if w.esp:
        w = w.but(esp=Esp.reset(w.esp))
        running = OTA + w.esp[2]
    for _ in range(5):
        action, slot, new = decide.decide(record, cause, failed, running)
        if new:
            record = new
            w = w.but(record=record)
            if action == decide.TRIAL:
                w.boots += 1
            yield w, None, False
        if action == decide.RECOVER:
            yield w, None, False
            return
        if action == decide.SWITCH:
            asked = Esp.set_boot(w.esp, record.slots[slot].firmware - OTA)
            if asked:
                yield w.but(esp=asked), None, False
                return
            failed[slot] = n.R_DIGEST
            continue
        there = w.slots[slot]
        line = record.slots[slot]
        if there and there[1] and digest(there[0]) == line.digest:
            assert there[0] >= record.floor(KEY), "below the floor"
            assert there[0] not in w.banned, "what was gone back from runs again"
            if w.esp:
                assert w.esp[0][w.esp[2]] == there[2], "an app on another firmware than its own"
                active = record.active
                if active is not None and record.slots[active].firmware == running:
                    w = w.but(esp=Esp.mark_valid(w.esp))
                    yield w, None, False
                    if record.switches and record.trial is None:
                        w = w.but(record=decide.returned(record))
                        yield w, None, False
            yield w, slot, action == decide.TRIAL
            return
        failed[slot] = n.R_DIGEST
    raise AssertionError("the launcher does not come to an end")


def updated(w, running, sequence):
    """The updater's saves for version `sequence`, cut after each; the last one is armed."""
    record = w.record
    if record.trial is not None and record.booted:
        return
    if sequence < record.floor(KEY) or record.knows_bad(digest(sequence)):
        return
    if record.active is not None and record.slots[record.active].digest == digest(sequence):
        if running is not None:
            return
    index = 1 - record.active if record.active is not None else record.trial or 0
    assert index != running
    record = decide.writing(record, index)
    yield w.but(record=record)
    yield w.but(record=record, slots=put(w.slots, index, None))
    if w.esp:
        for esp in Esp.stay(w.esp):
            w = w.but(esp=esp)
            yield w.but(record=record, slots=put(w.slots, index, None))
        here = w.esp[2]
        there = 1 - here if sequence in WITH_FIRMWARE else here
        if there != here:
            for content in (None, sequence):
                w = w.but(esp=Esp.write(w.esp, there, content))
                yield w.but(record=record, slots=put(w.slots, index, None))
        record = decide.expecting(record, index, OTA + there, OTA + here)
        slots = put(w.slots, index, (sequence, True, w.esp[0][there]))
    else:
        slots = put(w.slots, index, (sequence, True))
    yield w.but(record=record, slots=slots)
    record = decide.armed(record, index, digest(sequence), sequence, KEY, TRIES)
    w = w.but(record=record, slots=slots, boots=0)
    yield w
    if w.esp and there != here:
        yield w.but(esp=Esp.set_boot(w.esp, there))


class Todo:
    """Worlds still to be looked at, each once; packed, so that MicroPython has room for them."""

    def __init__(self):
        self.seen = set()
        self.worlds = []

    def add(self, w):
        key = w.key()
        if key not in self.seen:
            self.seen.add(key)
            assert len(self.seen) < 60000, "more states than there should be"
            self.worlds.append(
                (bytes(state.pack(w.record)), w.slots, w.confirmed, w.boots, w.banned, w.esp)
            )

    def add_all(self, worlds):
        for w in worlds:
            self.add(w)

    def pop(self):
        packed = self.worlds.pop()
        return World(state.unpack(packed[0]), *packed[1:])


def walk(start, versions):
    """Every world that can be reached: -> how many."""
    todo = Todo()
    todo.add(start)
    while todo.worlds:
        w = todo.pop()
        r = w.record
        assert r.trial is None or r.trial != r.active
        assert r.floor(KEY) == w.confirmed, "the floor is what was confirmed"
        assert w.boots <= TRIES, "a trial ran more often than it has tries"
        if r.trial is not None and not r.booted and r.active is not None:
            for sequence in versions:  # armed, and another one comes before the reset
                todo.add_all(updated(w, r.active, sequence))
        for cause in CAUSES:
            for after, slot, trial in booted(w, cause):
                todo.add(after)  # a cut, or recovery
                if slot is not None:
                    ran(after, slot, trial, versions, todo)
                elif after.record.active is None and after.record.trial is None:
                    todo.add_all(updated(after, None, versions[-1]))
        for index in (0, 1):
            there = w.slots[index]
            # MicroPython has no room for this on top of two firmware partitions
            if there and there[1] and not (w.esp and MICROPYTHON):
                rotten = (there[0], False) + there[2:]
                todo.add(w.but(slots=put(w.slots, index, rotten)))
    return len(todo.seen)


def ran(w, slot, trial, versions, todo):
    """All that may come of running `slot`."""
    sequence = w.slots[slot][0]
    assert sequence >= w.confirmed, "an older version than was confirmed runs"
    if trial:
        if w.esp:
            w = w.but(esp=Esp.mark_valid(w.esp))
            todo.add(w)  # a cut before the record
        record = decide.confirmed(w.record)
        todo.add(w.but(record=record, confirmed=sequence, boots=0))
        for reason in (n.R_BACK_EXCEPTION, n.R_BACK_ENDED, n.R_BACK_MANUAL):
            todo.add(w.but(record=decide.went_back(w.record, reason), boots=0))
    else:
        assert slot == w.record.active
        todo.add(w.but(record=decide.crashed(w.record)))
        todo.add(w.but(record=decide.stable(w.record)))
        for sequence in versions:
            todo.add_all(updated(w, slot, sequence))


def merciful(start, versions, mercy):
    """`walk` with so many goings back that a release may put down to the power."""
    kept = decide._MERCY
    decide._MERCY = mercy
    try:
        return walk(start, versions)
    finally:
        decide._MERCY = kept


def test_every_reachable_state_keeps_its_promises():
    start = World(factory(1), ((1, True), None), 1, 0)
    # MicroPython has no room for three versions of which each may be let off
    walks = (((1, 2, 3), 0), ((2, 3), 1)) if MICROPYTHON else (((1, 2, 3), 2),)
    for versions, mercy in walks:
        assert merciful(start, versions, mercy) > 500


def test_every_state_from_first_provisioning_keeps_its_promises():
    record = state.Record()
    start = World(record, (None, None), 0, 0)
    todo = list(updated(start, None, 2))
    assert walk(todo[-1], (2, 3)) > 200


def test_every_state_of_firmware_and_app_together_keeps_its_promises():
    """No app ever runs on another firmware than its own, no board gets dark, whatever is cut."""
    esp = ((1, 0), (None, None), 0)
    start = World(on_two(factory(1)), ((1, True, 1), None), 1, 0, (), esp)
    # both versions without mercy, each of them with it; less of both where MicroPython has no room
    walks = (((2,), 0), ((3,), 1)) if MICROPYTHON else (((2, 3), 0), ((2,), 1), ((3,), 1))
    for versions, mercy in walks:
        assert merciful(start, versions, mercy) > 40


def cut_until_bad(record, reason):
    """Nothing but power cuts while version 2 is on trial, and the update comes again each time: -> (how
    often it was installed, how often it ran) until it is known bad."""
    installs = runs = 0
    while not record.knows_bad(digest(2)):
        record = armed(record, 1, 2)
        installs += 1
        while record.trial is not None:
            action, _, record = decided(record, decide.CAUSE_POWER)
            runs += action == decide.TRIAL
        assert record.back_reason == reason and action == decide.RUN
        assert installs < 9, "for ever"
    return installs, runs


def test_power_cuts_alone_condemn_a_release_only_at_its_third_installation():
    assert cut_until_bad(factory(), n.R_BACK_TRIES) == (3, 3 * TRIES)


def test_another_release_in_between_is_let_off_by_itself():
    r = factory()
    for sequence, times in ((2, 1), (3, 1), (3, 2), (2, 1)):
        r = armed(r, 1, sequence)
        while r.trial is not None:
            _, _, r = decided(r, decide.CAUSE_POWER)
        assert (r.back_detail, r.spared) == (decide.POWER, times)
        assert not r.knows_bad(digest(sequence))


def test_resets_that_are_no_power_cuts_condemn_at_once():
    r = armed(factory(), 1, 2)
    for cause in (decide.CAUSE_POWER,) * TRIES + (decide.CAUSE_OTHER,):
        _, _, r = decided(r, cause)
    assert (r.back_reason, r.back_detail) == (n.R_BACK_TRIES, 0) and r.knows_bad(digest(2))


def with_firmware(record):
    """Version 2 and its firmware, armed."""
    record = decide.expecting(decide.writing(record, 1), 1, OTA + 1, OTA)
    return decide.armed(record, 1, digest(2), 2, KEY, TRIES)


def test_a_power_cut_in_the_one_start_of_new_firmware_costs_a_try_and_no_more():
    r = with_firmware(on_two(factory()))
    for tries in range(TRIES - 1, -1, -1):
        action, slot, r = decide.decide(r, decide.CAUSE_OTHER, (0, 0), OTA + 1)
        assert (action, slot, r.tries, r.booted) == (decide.TRIAL, 1, tries, True)
        # the power goes, the bootloader goes back, and is asked for it once more while tries are left
        action, slot, r = decide.decide(r, decide.CAUSE_POWER, (0, 0), OTA, OTA + 1)
        if tries:
            assert (action, slot, r.trial, r.booted) == (decide.SWITCH, 1, 1, False)
    assert (action, slot, r.trial) == (decide.RUN, 0, None)
    assert (r.back_reason, r.back_detail) == (n.R_BACK_FIRMWARE, decide.POWER)
    assert not r.knows_bad(digest(2))


def test_new_firmware_that_the_board_resets_from_otherwise_is_known_bad():
    for cause, reason in (
        (decide.CAUSE_OTHER, n.R_BACK_FIRMWARE),
        (decide.CAUSE_WATCHDOG, n.R_BACK_WATCHDOG),
    ):
        _, _, r = decide.decide(
            with_firmware(on_two(factory())), decide.CAUSE_OTHER, (0, 0), OTA + 1
        )
        action, slot, r = decide.decide(r, cause, (0, 0), OTA, OTA + 1)
        assert (action, slot, r.back_reason) == (decide.RUN, 0, reason)
        assert r.knows_bad(digest(2))


def test_firmware_that_never_gets_through_a_start_is_known_bad_at_its_third_installation():
    r = on_two(factory())
    for _ in range(3):
        assert not r.knows_bad(digest(2))
        r = with_firmware(r)
        for _ in range(9):
            # every start of the new one ends in a power cut
            action, _, r = decide.decide(r, decide.CAUSE_POWER, (0, 0), OTA, OTA + 1)
            if r.trial is None:
                break
        assert action == decide.RUN and r.back_reason == n.R_BACK_FIRMWARE
    assert r.knows_bad(digest(2)) and r.back_detail == decide.STARTED


def test_firmware_that_does_not_run_is_asked_for_once_more_and_then_gone_back_from():
    r = on_two(factory())
    assert r.slots[0].firmware == OTA
    r = decide.armed(
        decide.expecting(decide.writing(r, 1), 1, OTA + 1, OTA), 1, digest(2), 2, KEY, TRIES
    )
    action, slot, r = decide.decide(r, decide.CAUSE_OTHER, (0, 0), OTA)
    assert (action, slot, r.tries, r.booted) == (decide.SWITCH, 1, TRIES, False)
    _, _, never = decide.decide(r, decide.CAUSE_OTHER, (0, 0), OTA)
    assert (never.back_reason, never.back_detail) == (n.R_BACK_FIRMWARE, 0)
    assert not never.knows_bad(digest(2))
    _, _, aborted = decide.decide(r, decide.CAUSE_OTHER, (0, 0), OTA, OTA + 1)
    assert aborted.back_detail == 1 and aborted.knows_bad(digest(2))
    action, slot, r = decide.decide(r, decide.CAUSE_OTHER, (0, 0), OTA + 1)
    assert (action, slot) == (decide.TRIAL, 1)
    action, slot, r = decide.decide(r, decide.CAUSE_OTHER, (0, 0), OTA)
    assert (action, slot, r.back_reason) == (decide.RUN, 0, n.R_BACK_FIRMWARE)


def test_the_old_firmware_is_asked_for_three_times_before_recovery():
    r = on_two(factory())
    r = decide.armed(
        decide.expecting(decide.writing(r, 1), 1, OTA + 1, OTA), 1, digest(2), 2, KEY, TRIES
    )
    r = decide.went_back(r, n.R_BACK_MANUAL)
    for _ in range(3):
        action, slot, r = decide.decide(r, decide.CAUSE_OTHER, (0, 0), OTA + 1)
        assert (action, slot) == (decide.SWITCH, 0)
    for _ in range(2):
        assert decide.decide(r, decide.CAUSE_OTHER, (0, 0), OTA + 1) == (decide.RECOVER, None, None)
    assert decide.decide(r, decide.CAUSE_OTHER, (0, 0), OTA)[:2] == (decide.RUN, 0)
    raises(ValueError, decide.expecting, r, 0, OTA, OTA)


def test_without_firmware_partitions_nothing_is_expected():
    r = armed(factory(), 1, 2)
    assert r.switches == 0 and r.slots[1].firmware is None
    assert decide.went_back(r, n.R_BACK_MANUAL).switches == 0
