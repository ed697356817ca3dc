"""rekey.py: another trust store by a signed update, whole or not at all, and never one the board cannot live with."""

import os

from author import KEY, OTHER_KEY, envelope, trust_store
from harness import raises
from suit import api, rekey, runtime, slots
from suit import numbers as n
from suit.cbor import encode, value
from suit.errors import SuitError
from test_updater import APP, V1_APP, V2_APP, Bench, read, write

BOTH = n.ROLE_APP | n.ROLE_TRUST
OWNER = [b"trust"]


def anchors(*keys):
    """A store of (secret, roles)."""
    return encode(
        [
            {1: n.KTY_SYMMETRIC, 3: n.ALG_HMAC256, -1: key, n.KEY_ROLES: roles}
            for key, roles in keys
        ]
    )


class Keyed(Bench):
    """A board whose owner's key may change the trust store, with version 1 running."""

    def __init__(self):
        super().__init__()
        self.store(trust_store(roles=BOTH))
        self.install("v1", 1, V1_APP)

    def store(self, data):
        write(self.root + "/trust.cbor", data)

    def verify(self, slot, record):
        """As the launcher, with the trust store that is in force."""
        from suit import launcher
        from suit.config import read as read_config
        from suit.config import trust_store as in_force

        config = read_config(self.root)
        mount, launcher._mount = launcher._mount, lambda slot, port: None
        try:
            found = launcher.run(
                launcher._verified(slot, record, config, self.chip, in_force(self.root, config))
            )
            if not runtime.trial:
                launcher._adopt(found)
        finally:
            launcher._mount = mount

    def offer(self, sequence, store, key=KEY):
        parts = [(APP, V2_APP, "#app"), (OWNER, store, "#trust")]
        write(self.out + "/t.suit", envelope(sequence, parts, key=key))

    def trusted(self):
        return read(self.root + "/trust.cbor")

    def confirm(self):
        runtime.running = runtime.record().trial
        api.confirm()


NEW = anchors((KEY, n.ROLE_APP), (OTHER_KEY, BOTH))


def test_a_new_store_is_in_force_from_confirm_on():
    b = Keyed()
    old = b.trusted()
    b.offer(2, NEW)
    b.update("t")
    assert b.trusted() == old
    assert b.start() == (1, True) and b.trusted() == old
    b.confirm()
    assert b.trusted() == NEW and not slots.exists(b.root + "/trust.new")
    assert b.start() == (1, False)
    # the other key may sign now, and the first one may not change the store any more
    b.offer(3, NEW)
    b.refuse("t", n.R_COMPONENT_UNAUTHORISED)
    b.publish("v4", 4, V1_APP, key=OTHER_KEY)
    b.update("v4")


def test_going_back_leaves_the_old_store():
    b = Keyed()
    old = b.trusted()
    b.offer(2, NEW)
    b.update("t")
    b.start()
    from suit import decide

    runtime.store().save(decide.went_back(runtime.record(), n.R_BACK_MANUAL))
    assert b.start() == (0, False) and b.trusted() == old


def test_a_store_the_board_could_not_live_with_is_refused():
    b = Keyed()
    old = b.trusted()
    for store, reason in (
        (anchors(), n.R_NOT_ALLOWED),
        (anchors((KEY, n.ROLE_TRUST)), n.R_NOT_ALLOWED),
        (encode([{1: 1, -1: 4, -2: bytes(32)}]), n.R_NOT_ALLOWED),  # X25519 signs nothing
        (anchors((OTHER_KEY, BOTH)), n.R_UNAUTHORISED),  # its own manifest would not authenticate
        (b"\x81\xa0", n.R_NOT_ALLOWED),
        (b"no CBOR", n.R_STRUCTURE),
    ):
        b.offer(2, store)
        error = raises(SuitError, b.update, "t")
        assert error.reason in (reason, n.R_CBOR_PARSE), (store, error)
        assert b.record().trial is None and b.trusted() == old


def test_a_store_under_which_the_app_could_not_be_invoked_is_refused():
    b = Keyed()
    old = b.trusted()
    listed = [n.C_SET_COMPONENT_INDEX, n.C_OVERRIDE_PARAMETERS, n.C_VENDOR_ID, n.C_CLASS_ID, n.C_IMAGE_MATCH]
    for commands, fits in ((listed, False), (listed + [n.C_INVOKE], True)):
        key = {1: n.KTY_SYMMETRIC, 3: n.ALG_HMAC256, -1: KEY, n.KEY_ROLES: BOTH}
        key[n.KEY_ACCESS] = {2: commands}
        b.offer(2, encode([key]))
        if fits:
            b.update("t")
            assert b.start() == (1, True)
            b.confirm()
            assert b.trusted() == encode([key]) and b.start() == (1, False)
        else:
            error = raises(SuitError, b.update, "t")
            assert error.reason == n.R_NOT_PERMITTED
            assert b.record().trial is None and b.trusted() == old and b.start() == (0, False)


def test_a_quorum_that_nobody_could_reach_is_no_usable_anchor():
    b = Keyed()
    old = b.trusted()
    key = {1: n.KTY_SYMMETRIC, 3: n.ALG_HMAC256, -1: KEY, n.KEY_ROLES: BOTH, n.KEY_QUORUM: 2}
    b.offer(2, encode([key]))
    error = raises(SuitError, b.update, "t")
    assert error.reason == n.R_UNAUTHORISED
    assert b.record().trial is None and b.trusted() == old and b.start() == (0, False)


def test_without_the_role_nobody_touches_the_store():
    b = Bench()
    b.install("v1", 1, V1_APP)
    write(b.out + "/t.suit", envelope(2, [(APP, V2_APP, "#app"), (OWNER, NEW, "#trust")]))
    b.refuse("t", n.R_COMPONENT_UNAUTHORISED)


def test_a_store_that_came_by_cable_later_stays():
    b = Keyed()
    b.offer(2, NEW)
    b.update("t")
    b.start()
    b.confirm()
    cable = anchors((KEY, BOTH), (OTHER_KEY, n.ROLE_APP))
    b.store(cable)
    assert b.start() == (1, False) and b.trusted() == cable


def test_a_store_that_merely_lies_in_the_slot_is_not_adopted():
    thief = anchors((b"thief" * 7, BOTH))
    b = Keyed()
    old = b.trusted()
    write(b.root + "/a/trust.cbor", thief)
    assert b.start() == (0, False) and b.trusted() == old
    b.publish("v2", 2, V2_APP)
    b.update("v2")
    assert b.start() == (1, True)
    write(b.root + "/b/trust.cbor", thief)
    b.confirm()
    assert b.start() == (1, False) and b.trusted() == old
    # nor one that takes the place of the manifest's own
    b.offer(3, NEW)
    b.update("t")
    b.start()
    write(b.root + "/a/trust.cbor", thief)
    b.confirm()
    assert b.trusted() == old and b.start()[0] is None


class Cut(Exception):
    pass


def cut_after(count, call, *args):
    """Call with only `count` of its writes and renames done; True when it was cut."""
    left = [count]
    kept_open, kept_rename = rekey.__dict__.get("open"), os.rename

    def step():
        if left[0] == 0:
            raise Cut()
        left[0] -= 1

    def opening(path, mode="r"):
        if "w" in mode:
            step()
        return open(path, mode)

    class Os:
        @staticmethod
        def rename(a, b):
            step()
            kept_rename(a, b)

    rekey.open, rekey.os = opening, Os
    try:
        call(*args)
    except Cut:
        return True
    finally:
        rekey.os = os
        if kept_open is None:
            del rekey.open
    return False


def test_a_cut_while_the_store_is_exchanged_leaves_one_whole_and_the_next_boot_finishes():
    for count in range(4):
        b = Keyed()
        old = b.trusted()
        b.offer(2, NEW)
        b.update("t")
        b.start()
        runtime.running = 1
        cut = cut_after(count, b.confirm)
        assert cut == (count < 3)
        assert b.trusted() in (old, NEW)
        assert b.record().active == 1
        assert b.start() == (1, False) and b.trusted() == NEW
        assert value(NEW) == value(b.trusted(), False)
