"""renewal.py and suit_start.py: another updater by a signed update, whole or not at all; the board's own is always there."""

import suit
import suit_start
from author import envelope, trust_store
from harness import MICROPYTHON, raises
from storage import read, write
from suit import api, renewal, runtime, slots
from suit import numbers as n
from test_romvfs import file, folder
from test_romvfs import image as romfs
from test_updater import APP, V1_APP, V2_APP, Bench, Reset

BOTH = n.ROLE_APP | n.ROLE_UPDATER
UPDATER = [b"updater"]


def image(**files):
    return romfs(folder("suit", *[file(name + ".py", files[name]) for name in sorted(files)]))


NEW = image(__init__=b"# new", launcher=b"def boot(root):\n    pass\n")
NEWER = image(__init__=b"# newer", launcher=b"def boot(root):\n    1\n")
OWN = "/lib/suit/__init__.mpy"


class Renewed(Bench):
    """A board with version 1 running under the updater in /lib, whose owner's key may bring another."""

    def __init__(self, **settings):
        super().__init__(**settings)
        self.store()
        suit.__file__ = OWN
        suit_start.root = self.root
        self.install("v1", 1, V1_APP)

    def store(self):
        write(self.root + "/trust.cbor", trust_store(roles=BOTH))

    def offer(self, sequence, updater=None, app=V2_APP, **options):
        parts = [(APP, app, "#app")]
        if updater is not None:
            parts.append((UPDATER, updater, "#updater"))
        write(self.out + "/u.suit", envelope(sequence, parts, **options))

    def verify(self, slot, record):
        """As the launcher, with the trust store of the board."""
        from suit import launcher
        from suit.config import read as read_config
        from suit.config import trust_store as in_force

        config = read_config(self.root)
        mount, launcher._mount = launcher._mount, lambda slot, port: None
        try:
            launcher.run(
                launcher._verified(slot, record, config, self.chip, in_force(self.root, config))
            )
        finally:
            launcher._mount = mount

    def boot(self):
        """As main.py: -> (slot, on trial, whose updater ran)."""
        name, _ = suit_start.pick(True)
        suit.__file__ = "/updater_%s/suit/__init__.mpy" % name if name else OWN
        return self.start() + (name,)

    def confirm(self):
        runtime.running = runtime.record().trial
        api.confirm()

    def left(self, slot):
        return read("%s/%s/updater.ok" % (self.root, slot))[32]

    def forget(self):
        suit.__file__ = OWN


def test_a_new_updater_runs_on_trial_and_for_good_once_it_has_confirmed_an_app():
    b = Renewed()
    b.offer(2, NEW)
    b.update("u")
    assert suit_start.pick(False) == (
        None,
        False,
    )  # the console still has the one that is confirmed
    assert b.boot() == (1, True, "b") and b.left("b") == suit_start.STARTS - 1
    b.confirm()
    assert b.left("b") == 255 and suit_start.pick(False) == ("b", False)
    for _ in range(5):
        assert b.boot() == (1, False, "b")
    if MICROPYTHON:
        assert api.status()["updater"] == "b"
    b.forget()


def test_without_the_role_nobody_brings_an_updater():
    b = Renewed()
    write(b.root + "/trust.cbor", trust_store())
    b.offer(2, NEW)
    b.refuse("u", n.R_COMPONENT_UNAUTHORISED)
    assert not slots.exists(b.root + "/b/updater.ok")
    b.forget()


def test_a_frozen_updater_cannot_be_changed():
    b = Renewed()
    suit.__file__ = "suit/__init__.py"
    b.offer(2, NEW)
    b.refuse("u", n.R_COMPONENT_UNSUPPORTED)
    b.forget()


def test_what_is_no_updater_is_refused():
    b = Renewed()
    for data, reason in (
        (b"no image", n.R_IMAGE),
        (image(__init__=b""), n.R_IMAGE),
        (romfs(file("launcher.py", b""), file("__init__.py", b"")), n.R_IMAGE),
        (NEW[:-9], n.R_IMAGE),
    ):
        b.offer(2, data)
        b.refuse("u", reason)
        assert b.record().trial is None and not slots.exists(b.root + "/b/updater.ok")
    # as the workstation compiles it
    b.offer(2, romfs(folder("suit", file("__init__.mpy", b"M"), folder("more", file("launcher.mpy", b"M")))))
    b.update("u")
    # matched while it was installed, but the manifest forgot to have it validated
    b.offer(3, NEW, validate=(0,))
    b.refuse("u", n.R_NOT_MATCHED)
    b.forget()


def test_going_back_takes_the_old_updater_along():
    b = Renewed()
    b.offer(2, NEW)
    b.update("u")
    b.boot()
    raises(Reset, api.rollback)
    assert b.boot() == (0, False, None) and b.app(0) == V1_APP
    b.forget()


def test_an_updater_that_never_gets_to_its_launcher_is_left_after_five_starts():
    b = Renewed()
    b.offer(2, NEW)
    b.update("u")
    for left in (4, 3, 2, 1, 0):
        assert suit_start.pick(True) == ("b", True) and b.left("b") == left
    assert b.boot() == (0, False, None)
    back = b.record()
    assert (back.back_reason, back.back_detail) == (n.R_BACK_INVALID, n.R_UPDATER)
    # it is known bad: nobody comes back to it
    b.refuse("u", n.R_KNOWN_BAD)
    b.forget()


def test_a_start_that_cannot_be_counted_is_none_and_no_fault_of_the_updaters():
    b = Renewed()
    b.offer(2, NEW)
    b.update("u")
    write_one = suit_start._write

    def full(path, data):
        raise OSError(28)

    suit_start._write = full
    try:
        assert b.boot() == (0, False, None)
    finally:
        suit_start._write = write_one
    back = b.record()
    assert (back.back_reason, back.back_detail) == (n.R_BACK_INVALID, n.R_STORAGE)
    b.update("u")
    assert b.boot() == (1, True, "b")
    b.forget()


def test_a_record_that_could_not_be_read_costs_no_version_and_no_updater():
    b = Renewed()
    b.offer(2, NEW)
    b.update("u")
    slots_of = suit_start._slots

    def older():
        suit_start.unread = True  # as it does when the newer copy cannot be read
        return 1, 0, 255

    suit_start._slots = older
    try:
        assert b.boot() == (0, False, None)
        assert b.record().back_detail == n.R_STORAGE
        suit_start._slots = slots_of
        b.update("u")
        assert b.boot() == (1, True, "b")
        b.confirm()
        # and under a confirmed version: the next one still gets the updater that the board has
        suit_start._slots = older
        assert b.boot() == (1, False, None)
        b.offer(3, app=V1_APP)
        b.update("u")
    finally:
        suit_start._slots = slots_of
    assert b.boot() == (0, True, "a") and b.left("a") == 255
    b.forget()


def test_a_damaged_image_is_not_started():
    b = Renewed()
    b.offer(2, NEW)
    b.update("u")
    write(b.root + "/b/updater.img", NEW[:-1] + b"?")
    assert b.boot() == (0, False, None)
    b.forget()


def test_an_app_update_keeps_the_updater_that_runs():
    b = Renewed()
    b.offer(2, NEW)
    b.update("u")
    b.boot()
    b.confirm()
    b.offer(3, app=V1_APP)
    b.update("u")
    assert read(b.root + "/a/updater.img") == NEW
    assert b.boot() == (0, True, "a") and b.left("a") == 255
    b.confirm()
    assert b.boot() == (0, False, "a")
    # and another one takes its place, or does not
    b.offer(4, NEWER)
    b.update("u")
    assert b.boot() == (1, True, "b") and read(b.root + "/b/updater.img") == NEWER
    raises(Reset, api.rollback)
    assert b.boot() == (0, False, "a") and read(b.root + "/a/updater.img") == NEW
    b.forget()


def test_where_a_cable_put_another_one_the_app_still_runs():
    b = Renewed()
    b.offer(2, NEW)
    b.update("u")
    b.boot()
    b.confirm()
    slots.remove(b.root + "/b/updater.ok")  # what `suitup provision` does
    assert b.boot() == (1, False, None)
    b.offer(3, app=V1_APP)
    b.update("u")
    assert not slots.exists(b.root + "/a/updater.img")
    b.forget()


def test_the_first_version_of_a_board_may_run_without_its_own_updater_which_is_then_dropped():
    b = Bench()
    write(b.root + "/trust.cbor", trust_store(roles=BOTH))
    suit.__file__ = OWN
    suit_start.root = b.root
    parts = [(APP, V1_APP, "#app"), (UPDATER, NEW, "#updater")]
    write(b.out + "/u.suit", envelope(1, parts))
    b.verify = lambda slot, record: Renewed.verify(b, slot, record)
    b.update("u")
    for _ in range(suit_start.STARTS):
        assert suit_start.pick(True)[0] == "a"
    assert suit_start.pick(True)[0] is None
    assert b.start() == (0, True)
    runtime.running = 0
    api.confirm()
    assert not slots.exists(b.root + "/a/updater.ok") and suit_start.pick(True)[0] is None
    suit.__file__ = OWN


def test_what_the_starter_reads_of_the_record_is_what_the_record_holds():
    b = Renewed()
    assert suit_start._slots()[1:] == (0, 255)
    b.offer(2, NEW)
    b.update("u")
    record = runtime.record()
    assert suit_start._slots() == (record.generation, 0, 1)
    # the newer copy torn: the older one speaks, in which nothing is armed
    for copy in "01":
        path = b.root + "/state." + copy
        if state_generation(path) == record.generation:
            write(path, read(path)[:-1] + b"?")
    assert suit_start._slots()[1:] == (0, 255)
    for copy in "01":
        slots.remove(b.root + "/state." + copy)
    assert suit_start._slots() == (-1, 255, 255) and suit_start.pick(True) == (None, False)
    b.forget()


def state_generation(path):
    from suit.state import unpack

    return unpack(read(path)).generation


def test_the_same_numbers_stand_in_both_modules():
    assert suit_start.STARTS == renewal._STARTS and suit_start.FOR_GOOD == renewal._FOR_GOOD
