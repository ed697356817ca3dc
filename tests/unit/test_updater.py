"""The update procedure against real files: what it refuses, what it leaves behind, and that a power
cut between any two of its writes leaves a board that boots a whole version."""

import os

import suit.port
from author import OTHER_KEY, config, envelope, manifest_digest, trust_store
from harness import finish, raises
from storage import folder, power_cut, read, write
from suit import components, decide, launcher, runtime, slots, state, updater
from suit import numbers as n
from suit.config import read as read_config
from suit.errors import SuitError

APP = [b"app"]
SETTINGS = [b"file", b"settings.json"]
V1_APP = b"version one " * 700
V2_APP = b"version two, a little longer " * 400
V1_SET = b'{"a": 1}'


class Reset(Exception):
    pass


class Chip:
    """What a port module offers, for tests."""

    WDT_LIMIT = 8000
    why = decide.CAUSE_OTHER

    def name(self):
        return "test"

    def cause(self):
        return self.why

    def reset(self):
        raise Reset()

    def now(self):
        return None

    def mark_valid(self):
        pass


class Bench:
    """A board's storage with version 1 running, and a folder to publish from."""

    def __init__(self, **settings):
        self.root = folder(blocks=128)
        self.out = self.root + "/out"
        os.mkdir(self.out)
        write(self.root + "/config.cbor", config(**settings))
        write(self.root + "/trust.cbor", trust_store())
        runtime.root = self.root
        runtime.running = runtime.recovery = None
        runtime.trial = False
        runtime.progress.begin("idle")
        updater._busy = False
        self.chip = Chip()
        suit.port.chip = lambda: self.chip

    def publish(self, name, sequence, app, settings=None, **options):
        parts = [(APP, app, "%s.app" % name)]
        write("%s/%s.app" % (self.out, name), app)
        if settings is not None:
            parts.append((SETTINGS, settings, "%s.set" % name))
            write("%s/%s.set" % (self.out, name), settings)
        sealed = envelope(sequence, parts, **options)
        write("%s/%s.suit" % (self.out, name), sealed)
        return sealed

    def update(self, name, reset=False):
        finish(updater.update("%s/%s.suit" % (self.out, name), reset))

    def refuse(self, name, reason):
        before = self.record()
        error = raises(SuitError, self.update, name, reason=reason)
        assert runtime.progress.reason == reason
        after = self.record()
        assert (before.active, before.floors) == (after.active, after.floors)
        return error

    def record(self):
        return runtime.store().load() or state.Record()

    def start(self, cause=decide.CAUSE_OTHER):
        """What the launcher does up to running the app: -> (slot or None, on trial)."""
        record = runtime.store().load()
        failed = [0, 0]
        while True:
            action, slot, new = decide.decide(record, cause, failed)
            if new:
                runtime.store().save(new)
                record = new
            runtime.trial = action == decide.TRIAL
            runtime.running = None
            if action == decide.RECOVER:
                return None, False
            try:
                self.verify(slot, record)
                runtime.running = slot
                return slot, runtime.trial
            except (SuitError, OSError) as error:
                failed[slot] = launcher._reason(error, read_config(self.root))[0]

    def verify(self, slot, record):
        from suit.trust import TrustStore

        trust = TrustStore(trust_store())
        mount = launcher._mount
        launcher._mount = lambda slot, port: None
        try:
            launcher.run(
                launcher._verified(slot, record, read_config(self.root), self.chip, trust)
            )
        finally:
            launcher._mount = mount

    def confirm(self):
        runtime.store().save(decide.confirmed(runtime.record()))
        runtime.trial = False

    def install(self, name, *args, **options):
        """Publish, update, boot, confirm."""
        sealed = self.publish(name, *args, **options)
        self.update(name)
        slot, trial = self.start()
        assert trial
        self.confirm()
        return sealed

    def app(self, slot):
        return read("%s/%s/app.img" % (self.root, "ab"[slot]))


def test_the_first_update_goes_into_slot_a_and_the_second_into_b():
    b = Bench()
    b.install("v1", 1, V1_APP, V1_SET)
    assert runtime.running == 0 and b.app(0) == V1_APP
    b.publish("v2", 2, V2_APP, V1_SET)
    b.update("v2")
    assert b.record().trial == 1 and b.record().active == 0 and not b.record().booted
    assert b.app(1) == V2_APP and b.app(0) == V1_APP
    assert read(b.root + "/b/files/settings.json") == V1_SET
    assert b.start() == (1, True)
    assert b.record().floors[0][1] == 1  # the floor rises with confirm, not with install
    b.confirm()
    assert b.record().active == 1 and b.record().floors[0][1] == 2
    assert not slots.exists(b.root + "/spool") and not slots.exists(b.root + "/b/part")


def test_no_other_slots_app_confirms_a_trial_that_was_gone_back_from():
    from suit import api

    b = Bench()
    b.install("v1", 1, V1_APP)
    b.publish("v2", 2, V2_APP)
    b.update("v2")
    assert b.start() == (1, True)
    # the watchdog ended it, and the flash was full when that should have been written down
    runtime.trial = False
    runtime.running = 0
    assert not api.confirm()
    assert b.record().active == 0 and b.record().floors[0][1] == 1
    runtime.running = None  # at the cable, without the launcher
    assert api.confirm() and b.record().active == 1


def test_it_resets_when_armed_and_only_then():
    b = Bench()
    b.publish("v1", 1, V1_APP)
    raises(Reset, b.update, "v1", True)
    assert b.record().trial == 0 and runtime.progress.state == "armed"


def test_what_is_refused_leaves_the_running_version_as_it_was():
    b = Bench()
    b.install("v1", 5, V1_APP)
    b.publish("old", 4, V2_APP)
    b.refuse("old", n.R_ROLLBACK)
    b.refuse("v1", n.R_UP_TO_DATE)
    b.publish("forged", 9, V2_APP, key=OTHER_KEY)
    b.refuse("forged", n.R_UNAUTHORISED)
    b.publish("vendor", 9, V2_APP, vendor=bytes(16))
    b.refuse("vendor", n.R_CONDITION_FAILED)
    b.publish("payload", 9, V2_APP)
    write(b.out + "/payload.app", V2_APP[:-1] + b"!")
    b.refuse("payload", n.R_CONDITION_FAILED)
    b.publish("short", 9, V2_APP)
    write(b.out + "/short.app", V2_APP[:-1])
    b.refuse("short", n.R_NO_PAYLOAD)
    write(b.out + "/cut.suit", read(b.out + "/short.suit")[:-7])
    b.refuse("cut", n.R_CBOR_PARSE)
    b.refuse("absent", n.R_NO_PAYLOAD)
    assert b.start() == (0, False) and b.app(0) == V1_APP


def test_an_image_that_does_not_fit_is_refused_before_its_first_byte():
    b = Bench(slot=9000)
    b.install("v1", 1, V1_APP)
    b.publish("big", 2, bytes(9001))
    error = b.refuse("big", n.R_TOO_LARGE)
    assert "9001" in error.detail and not slots.exists(b.root + "/b/app.img")
    b.publish("two", 2, bytes(8000), bytes(1001))
    b.refuse("two", n.R_TOO_LARGE)


def test_a_nearly_full_flash_gives_up_the_slot_to_be_written_for_the_envelope():
    b = Bench()
    b.install("v1", 1, V1_APP)
    b.install("v2", 2, V2_APP)
    b.publish("v3", 3, V1_APP)
    b.publish("v4", 4, V2_APP)
    real = slots.Slot.room

    def room(self, path):
        full = path.endswith("/spool") and slots.exists(b.root + "/a/app.img")
        return 0 if full else real(self, path)

    slots.Slot.room = room
    try:
        # a stranger's envelope is not worth it, one from where we look is
        url = b.out + "/v3.suit"
        raises(SuitError, finish, updater.update(url, False, True), reason=n.R_TOO_LARGE)
        assert b.app(0) == V1_APP and b.record().slots[0].status == state.OK
        b.update("v3")
        assert b.record().trial == 0 and b.app(1) == V2_APP
        # what is armed is worth more than what comes next; that can have the other slot afterwards
        b.refuse("v4", n.R_TOO_LARGE)
        assert b.record().trial == 0 and b.start() == (0, True)
        b.confirm()
    finally:
        slots.Slot.room = real
    b.update("v4")
    assert b.start() == (1, True)


def test_components_that_are_not_the_boards_are_refused_before_the_slot_is_touched():
    b = Bench()
    b.install("v1", 1, V1_APP)
    b.publish("v2", 2, V2_APP)
    b.update("v2")
    assert b.start() == (1, True)
    b.confirm()
    kept = b.app(0)
    bad = (
        [b"file", b".."], [b"file", b""], [b"file", b"a/b"], [b"file"], [b"file", b"."],
        [b"file", b"a\0b"], [b"file", b"\xff"], [b"file", b"x" * 65], [b"app", b"x"], [b"boot"],
        [b"file"] + [b"d"] * 5, [b"firmware"], [b"trust", b"x"], [],
    )  # fmt: skip
    for identifier in bad:
        sealed = envelope(3, [(APP, V1_APP, "v1.app"), (identifier, b"x", "v1.app")])
        write(b.out + "/bad.suit", sealed)
        error = raises(SuitError, b.update, "bad")
        assert error.reason in (n.R_COMPONENT_UNSUPPORTED, n.R_STRUCTURE), identifier
        assert b.app(0) == kept and slots.exists(b.root + "/a/manifest.suit")


def test_a_key_without_the_application_role_installs_nothing():
    b = Bench()
    write(b.root + "/trust.cbor", trust_store(roles=n.ROLE_FIRMWARE))
    b.publish("v1", 1, V1_APP)
    b.refuse("v1", n.R_COMPONENT_UNAUTHORISED)


def test_policy_wants_every_part_matched_by_what_the_launcher_will_run():
    b = Bench()
    b.publish("none", 1, V1_APP, V1_SET, validate=())
    b.refuse("none", n.R_NOT_MATCHED)
    b.publish("app", 1, V1_APP, V1_SET, validate=(0,))
    b.refuse("app", n.R_NOT_MATCHED)
    assert b.record().trial is None and not slots.exists(b.root + "/a/manifest.suit")
    b.publish("late", 1, V1_APP, V1_SET, install_match=False)
    b.update("late")
    assert b.start() == (0, True)


def test_an_update_is_refused_while_a_trial_runs():
    b = Bench()
    b.install("v1", 1, V1_APP)
    b.publish("v2", 2, V2_APP)
    b.publish("v3", 3, V2_APP + b"3")
    b.update("v2")
    b.start()
    b.refuse("v3", n.R_TRIAL_RUNNING)
    assert b.record().trial == 1


def test_an_armed_trial_is_taken_off_before_its_slot_is_touched():
    b = Bench()
    b.install("v1", 1, V1_APP)
    b.publish("v2", 2, V2_APP)
    b.update("v2")
    b.publish("v3", 3, V2_APP + b"3")
    seen = []

    def look(*args):
        record = runtime.record()
        seen.append((record.trial, record.slots[1].status))

    with Hook(slots.Slot, "drop_manifest", look):
        b.update("v3")
    assert seen[0] == (None, state.EMPTY)
    assert b.record().trial == 1 and b.record().slots[1].sequence == 3
    assert b.start() == (1, True)


def test_what_was_gone_back_from_is_known_bad():
    b = Bench()
    b.install("v1", 1, V1_APP)
    b.publish("v2", 2, V2_APP)
    b.update("v2")
    b.start()
    assert b.start(decide.CAUSE_WATCHDOG) == (0, False)
    assert b.record().back_reason == n.R_BACK_WATCHDOG and b.record().back_sequence == 2
    b.refuse("v2", n.R_KNOWN_BAD)
    b.publish("v3", 3, V2_APP)
    b.update("v3")
    assert b.start() == (1, True)


def test_a_slot_damaged_before_it_ran_goes_back_and_may_be_installed_again():
    b = Bench()
    b.install("v1", 1, V1_APP, V1_SET)
    b.publish("v2", 2, V2_APP, V1_SET)
    for path in ("/b/app.img", "/b/files/settings.json", "/b/manifest.suit"):
        b.update("v2")
        data = bytearray(read(b.root + path))
        data[len(data) // 2] ^= 4
        write(b.root + path, data)
        assert b.start() == (0, False), path
        assert b.record().back_reason == n.R_BACK_INVALID
    b.update("v2")
    assert b.start() == (1, True)


def test_unchanged_parts_are_copied_from_the_running_slot_by_digest():
    b = Bench()
    b.install("v1", 1, V1_APP, V1_SET)
    b.publish("v2", 2, V2_APP, V1_SET)
    os.remove(b.out + "/v2.set")  # it could not be fetched
    b.update("v2")
    assert b.start() == (1, True) and read(b.root + "/b/files/settings.json") == V1_SET
    b.confirm()
    # under another name too
    b.publish("v3", 3, V2_APP)
    sealed = envelope(3, [(APP, V2_APP, "gone"), ([b"file", b"other", b"name"], V1_SET, "gone")])
    write(b.out + "/v3.suit", sealed)
    b.update("v3")
    assert b.start() == (0, True) and read(b.root + "/a/files/other/name") == V1_SET
    assert not slots.exists(b.root + "/a/files/settings.json")


def test_integrated_payloads_are_installed():
    b = Bench()
    sealed = envelope(1, [(APP, V1_APP, "#app"), (SETTINGS, V1_SET, "#set")])
    write(b.out + "/i.suit", sealed)
    b.update("i")
    assert b.start() == (0, True) and b.app(0) == V1_APP
    assert os.stat(b.root + "/a/manifest.suit")[6] < 1000  # severed: the payload is not kept twice


def test_a_second_update_at_the_same_time_is_refused():
    b = Bench()
    b.publish("v1", 1, V1_APP)
    first = updater.update(b.out + "/v1.suit", False)
    next(first)
    raises(SuitError, b.update, "v1", reason=n.R_BUSY)
    assert runtime.progress.reason is None  # the first one's story is not overwritten
    first.close()
    assert runtime.progress.state == "failed"
    b.update("v1")


def test_of_several_servers_the_first_with_news_is_taken():
    b = Bench()
    b.install("v1", 1, V1_APP)
    for name in ("one", "two"):
        os.mkdir(b.out + "/" + name)
    write(b.out + "/one/latest.suit", read(b.out + "/v1.suit"))
    sealed = envelope(2, [(APP, V2_APP, "../v2.app")])
    write(b.out + "/v2.app", V2_APP)
    write(b.out + "/two/latest.suit", sealed)
    write(b.root + "/config.cbor", config(servers=[b.out + s for s in ("/no/", "/one/", "/two/")]))
    finish(updater.update(None, False))
    assert b.start() == (1, True)
    b.confirm()
    write(b.root + "/config.cbor", config(servers=[b.out + "/no/", b.out + "/two/"]))
    raises(SuitError, finish, updater.update(None, False), reason=n.R_UP_TO_DATE)


def test_in_recovery_the_same_version_may_be_installed_again():
    b = Bench()
    b.install("v1", 1, V1_APP)
    write(b.root + "/a/app.img", b"damaged")
    assert b.start() == (None, False)
    runtime.recovery = (n.R_DIGEST, None)
    b.update("v1")
    assert b.start() == (1, True)


def test_lost_records_are_rebuilt_before_anything_is_written():
    b = Bench()
    b.install("v1", 1, V1_APP)
    for copy in "01":
        write(b.root + "/state." + copy, b"")
    b.publish("v0", 0, V2_APP)
    raises(SuitError, b.update, "v0", reason=n.R_ROLLBACK)
    b.publish("v2", 2, V2_APP)
    b.update("v2")
    assert b.record().active == 0 and b.record().trial == 1 and b.app(0) == V1_APP


class Hook:
    """Call `look` before a method of a class, while the block lasts."""

    def __init__(self, cls, name, look):
        self.cls, self.name, self.look = cls, name, look

    def __enter__(self):
        original = self.original = getattr(self.cls, self.name)
        look = self.look

        def hooked(*args):
            look(*args)
            return original(*args)

        setattr(self.cls, self.name, hooked)

    def __exit__(self, *args):
        setattr(self.cls, self.name, self.original)


class Cut(Exception):
    """The power is gone."""


_open = []  # components with files that a cut left open; collecting those would close them


class Cuts:
    """Counts every act that reaches the flash, and ends the power at one of them: nothing after it is
    written, nothing open is closed in order."""

    points = (
        (state.Store, "save"),
        (slots.Slot, "drop_manifest"),
        (slots.Slot, "tidy"),
        (slots.Slot, "set_part"),
        (slots.Slot, "end_part"),
        (components.FileComponent, "begin"),
        (components.FileComponent, "_fresh"),
        (components.FileComponent, "write"),
        (components.FileComponent, "end"),
        (components.FileComponent, "abandon"),
        (components.FileComponent, "close"),
        (updater, "_save_manifest"),
        (updater, "check"),
    )

    def __init__(self, at=None):
        self.at = at
        self.count = 0

    def look(self, *args):
        if self.at is not None and self.count >= self.at:
            _open.append(args[0])
            raise Cut()
        self.count += 1

    def __enter__(self):
        self.hooks = [Hook(cls, name, self.look) for cls, name in self.points]
        for hook in self.hooks:
            hook.__enter__()
        return self

    def __exit__(self, *args):
        for hook in self.hooks:
            hook.__exit__()


def test_a_cut_before_any_write_boots_the_old_or_the_new_version_whole():
    big = bytes(range(256)) * 200
    images = {1: (V1_APP, V1_SET), 2: (big, b"new settings")}
    at = 0
    done = False
    while not done:
        b = Bench()
        b.install("v1", 1, *images[1])
        b.publish("v2", 2, *images[2])
        try:
            with Cuts(at) as cuts:
                b.update("v2")
                done = True
        except Cut:
            pass
        power_cut()
        updater._busy = False
        slot, trial = b.start()
        assert slot is not None, at
        sequence = b.record().slots[slot].sequence
        assert sequence == (2 if trial else 1), at
        assert b.record().back_reason == 0, at  # a cut is nobody's fault; nothing was armed too early
        found = (b.app(slot), read("%s/%s/files/settings.json" % (b.root, "ab"[slot])))
        assert found == images[sequence], at
        if not trial:
            b.update("v2")  # and the update can be done again
            assert b.start() == (1, True), at
        at += 1 if at < 8 or cuts.count < at + 8 else 5
    assert at > 10


def test_a_cut_download_goes_on_where_it_was():
    b = Bench()
    b.install("v1", 1, V1_APP)
    big = bytes(range(256)) * 300
    b.publish("v2", 2, big)
    writes = []

    def stop_late(component, view):
        writes.append(len(view))
        if len(writes) == 60:
            raise Cut()

    with Hook(components.FileComponent, "write", stop_late):
        raises(Cut, b.update, "v2")
    power_cut()
    updater._busy = False
    del writes[:]
    with Hook(components.FileComponent, "write", lambda c, view: writes.append(len(view))):
        b.update("v2")
    assert sum(writes) < len(big) - 40000, sum(writes)
    assert b.start() == (1, True) and b.app(1) == big


def test_a_partial_download_of_another_image_is_thrown_away():
    b = Bench()
    b.install("v1", 1, V1_APP)
    b.publish("v2", 2, bytes(range(256)) * 300)
    with Hook(components.FileComponent, "end", lambda c: raise_cut()):
        raises(Cut, b.update, "v2")
    power_cut()
    updater._busy = False
    b.publish("v3", 3, V2_APP)
    b.update("v3")
    assert b.start() == (1, True) and b.app(1) == V2_APP
    assert manifest_digest(read(b.out + "/v3.suit")) == b.record().slots[1].digest


def raise_cut():
    raise Cut()


def test_the_report_of_the_last_attempt_is_kept_and_up_to_date_does_not_replace_it():
    from suit import reporting
    from suit.cbor import value

    b = Bench()
    b.install("v1", 1, V1_APP)
    assert value(reporting.load())[4] is True
    b.publish("v0", 0, V2_APP)
    b.refuse("v0", n.R_ROLLBACK)
    told = value(reporting.load())
    assert told[4][5] == n.R_ROLLBACK and told[99][1][1] == manifest_digest(read(b.out + "/v0.suit"))
    before = reporting.load()
    b.refuse("v1", n.R_UP_TO_DATE)
    assert reporting.load() == before
