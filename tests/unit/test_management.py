"""management.py: the commands of suit-update-management, each true, false and without its parameter."""

from envelopes import POLICY, Board, image_digest, machine, refusal, seq, update
from harness import finish
from suit import numbers as n
from suit.cbor import encode

A, B, C = b"\0", b"\1", b"\2"
THREE = ((A,), (B,), (C,))
SET = n.C_OVERRIDE_PARAMETERS
INDEX = n.C_SET_COMPONENT_INDEX
DAY = 86400


class Managed(Board):
    """A board that knows its clock, its battery, its owner and its versions."""

    def __init__(self, components=None, **known):
        super().__init__(components)
        self.clock = known.get("now")
        self.battery = known.get("battery")
        self.agrees = known.get("agrees", ())
        self.happening = known.get("events", ())
        self.versions = known.get("versions", {})

    def now(self):
        return self.clock

    def battery_mwh(self):
        return self.battery

    def authorized(self, priority):
        return priority in self.agrees

    def events(self):
        return self.happening

    def component_version(self, component):
        for raw, known in self.components.items():
            if known is component:
                return self.versions.get(raw)


def judged(board, command, params=None):
    """Reason of a command after its parameters, 0 when it succeeds."""
    before = [SET, params] if params else []
    install = seq(*before, command, POLICY)
    made = machine(board, install=install)
    try:
        finish(made.update())
    except Exception as error:
        return error.reason
    return n.R_OK


FAILED = n.R_CONDITION_FAILED


def test_use_before_needs_a_clock_that_is_earlier():
    for limit, now, reason in (
        (2000, 1999, 0), (2000, 2000, FAILED), (2000, None, FAILED), (2**63 + 1, 2**63, 0), (2**33, 2**33 + 1, FAILED),
    ):  # fmt: skip
        assert judged(Managed(now=now), n.C_USE_BEFORE, {n.P_USE_BEFORE: limit}) == reason, (
            limit,
            now,
        )
    assert judged(Managed(now=1), n.C_USE_BEFORE) == FAILED


def test_image_not_match_is_the_opposite_of_image_match():
    wanted = {n.P_IMAGE_DIGEST: image_digest(b"new")}
    assert judged(Managed({A: b"old"}), n.C_IMAGE_NOT_MATCH, wanted) == 0
    assert judged(Managed(), n.C_IMAGE_NOT_MATCH, wanted) == 0
    assert judged(Managed({A: b"new"}), n.C_IMAGE_NOT_MATCH, wanted) == FAILED
    assert judged(Managed({A: b"old"}), n.C_IMAGE_NOT_MATCH) == FAILED
    made = machine(Managed({A: b"old"}), install=seq(SET, wanted, n.C_IMAGE_NOT_MATCH, POLICY))
    finish(made.update())
    assert not made.matched


def test_minimum_battery_is_met_by_as_much_and_failed_by_less_or_the_unknown():
    for left, reason in ((50, 0), (51, 0), (49, FAILED), (None, FAILED)):
        assert (
            judged(Managed(battery=left), n.C_MINIMUM_BATTERY, {n.P_MINIMUM_BATTERY: 50}) == reason
        )
    assert judged(Managed(battery=50), n.C_MINIMUM_BATTERY) == FAILED


def test_the_application_is_asked_with_the_priority():
    board = Managed(agrees=(-5,))
    assert judged(board, n.C_UPDATE_AUTHORIZED, {n.P_UPDATE_PRIORITY: -5}) == 0
    assert judged(board, n.C_UPDATE_AUTHORIZED, {n.P_UPDATE_PRIORITY: 3}) == FAILED
    assert judged(board, n.C_UPDATE_AUTHORIZED) == FAILED


def test_versions_compare_as_far_as_the_manifest_goes():
    greater, at_least, equal, at_most, less = 1, 2, 3, 4, 5
    for installed, kind, wanted, reason in (
        ((1, 10), equal, [1], 0), ((1, 10), equal, [1, 1], FAILED), ((2,), equal, [2, 0], 0),
        ((2, 0, -1, 1), greater, [2, 0, 0], FAILED), ((2, 0, -1, 1), greater, [1, 9], 0),
        ((2, 0, -1, 1), less, [2, 0, 0], 0), ((2, 0, -1, 1), at_least, [2, 0, -2], 0),
        ((1, 2, 3), at_most, [1, 2, 3], 0), ((1, 2, 3), at_most, [1, 2, 2], FAILED),
        ((1, 2, 3), at_least, [1, 2, 3], 0), ((1, 2, 3), less, [1, 2, 3], FAILED), (None, equal, [1], FAILED),
    ):  # fmt: skip
        board = Managed(versions={encode([A]): installed})
        found = judged(board, n.C_VERSION, {n.P_VERSION: encode([kind, wanted])})
        assert found == reason, (installed, kind, wanted)
    assert judged(Managed(versions={encode([A]): (1,)}), n.C_VERSION) == FAILED


def test_a_version_that_is_none_is_refused_when_it_is_set():
    for value in ([0, [1]], [6, [1]], [3, []], [3], [3, [1], 1], [3, ["1"]]):
        board = Managed(versions={encode([A]): (1,)})
        assert judged(board, n.C_VERSION, {n.P_VERSION: encode(value)}) == n.R_STRUCTURE, value


def waits(info, **known):
    return judged(Managed(**known), n.C_WAIT, {n.P_WAIT_INFO: encode(info)})


def test_a_wait_ends_when_every_event_has_happened_and_else_says_which_has_not():
    assert waits({2: 1}, events=("power",)) == 0
    assert waits({2: 1}) == n.R_WAITING
    assert waits({2: 1, 3: 0}, events=("power",)) == n.R_WAITING
    error, made = refusal(
        Managed(events=("power",)),
        install=seq(SET, {n.P_WAIT_INFO: encode({2: 1, 3: 0})}, n.C_WAIT, POLICY),
    )
    assert error.detail == 3 and made.where[1] == n.C_WAIT
    assert waits({1: -5}, agrees=(-5,)) == 0 and waits({1: -4}, agrees=(-5,)) == n.R_WAITING


def test_time_comes_from_the_clock():
    friday = 15 * DAY  # 1970-01-16
    assert waits({5: 1000}, now=1000) == 0 and waits({5: 1001}, now=1000) == n.R_WAITING
    assert waits({5: 2**40}, now=2**40 + 1) == 0
    for event in (5, 8, 9):
        assert waits({event: 0}) == n.R_WAITING  # no clock
    # a time of day lasts for an hour
    assert waits({8: 7200}, now=friday + 7200) == 0 and waits({8: 7200}, now=friday + 10799) == 0
    assert (
        waits({8: 7200}, now=friday + 7199) == n.R_WAITING
        and waits({8: 7200}, now=friday + 10800) == n.R_WAITING
    )
    for day in range(7):
        assert waits({9: day}, now=friday + 100) == (0 if day == 5 else n.R_WAITING)


def test_what_no_clock_can_tell_is_no_event_to_wait_for():
    for info in ({6: 0}, {7: 1}, {4: [b"x", [[3, [1]]]]}):
        assert waits(info, now=10**9) == n.R_OPERATION_FAILED
    assert waits({6: 0}, events=("time-of-day",)) == 0  # its owner knows the time zone
    assert waits({99: 0}) == n.R_OPERATION_FAILED
    assert judged(Managed(), n.C_WAIT) == n.R_OPERATION_FAILED


def test_a_malformed_wait_is_refused():
    for info in ({}, [], {5: -1}, {4: [b"x", []]}, {4: 1}, {2: b""}):
        assert waits(info, events=("power",), now=10**9) == n.R_STRUCTURE, info


def test_a_wait_may_not_stand_in_the_shared_sequence_but_conditions_may():
    shared = seq(SET, {n.P_WAIT_INFO: encode({2: 1})}, n.C_WAIT, POLICY)
    assert (
        refusal(Managed(events=("power",)), shared=shared, install=seq())[0].reason == n.R_SEQUENCE
    )
    shared = seq(SET, {n.P_USE_BEFORE: 5}, n.C_USE_BEFORE, POLICY)
    update(Managed(now=4), shared=shared, install=seq())


def test_override_multiple_sets_each_and_selects_the_last():
    board = Managed()
    install = seq(
        INDEX, 0, n.C_OVERRIDE_MULTIPLE, {0: {n.P_CONTENT: b"a"}, 2: {n.P_CONTENT: b"c"}}, n.C_WRITE, POLICY,
        INDEX, 0, n.C_WRITE, POLICY,
    )  # fmt: skip
    update(board, components=THREE, install=install)
    assert (board.holds(A), board.holds(B), board.holds(C)) == (b"a", None, b"c")


def test_override_multiple_is_refused_for_what_is_not_there_or_not_a_components():
    for argument, reason in (
        ({3: {n.P_CONTENT: b""}}, n.R_SEQUENCE), ({}, n.R_STRUCTURE), ({0: {}}, n.R_STRUCTURE),
        ({0: {n.P_SOFT_FAILURE: True}}, n.R_SEQUENCE), ({0: {99: 1}}, n.R_PARAMETER_UNSUPPORTED),
    ):  # fmt: skip
        install = seq(INDEX, 0, n.C_OVERRIDE_MULTIPLE, argument)
        assert refusal(Managed(), components=THREE, install=install)[0].reason == reason, argument


def test_copy_params_takes_from_several_components():
    board = Managed()
    install = seq(
        INDEX, 0, SET, {n.P_CONTENT: b"abc"}, INDEX, 1, SET, {n.P_IMAGE_SIZE: 3},
        INDEX, 2, n.C_COPY_PARAMS, {0: [n.P_CONTENT], 1: [n.P_IMAGE_SIZE]}, n.C_WRITE, POLICY,
    )  # fmt: skip
    made = update(board, components=THREE, install=install)
    assert board.holds(C) == b"abc" and made.param(2, n.P_IMAGE_SIZE) == 3
    for argument, reason in (
        ({1: [n.P_URI]}, n.R_SEQUENCE), ({3: [n.P_URI]}, n.R_SEQUENCE), ({}, n.R_STRUCTURE), ({0: []}, n.R_STRUCTURE),
    ):  # fmt: skip
        install = seq(INDEX, 0, n.C_COPY_PARAMS, argument)
        assert refusal(Managed(), components=THREE, install=install)[0].reason == reason, argument


def test_metadata_that_a_board_cannot_apply_is_refused_before_the_first_byte():
    for info, reason in (
        ({5: 1}, 0),
        ({}, 0),
        ({5: 2}, n.R_OPERATION_FAILED),
        ({1: 4}, n.R_OPERATION_FAILED),
    ):
        board = Managed({A: b"old"})
        params = {n.P_COMPONENT_METADATA: encode(info), n.P_CONTENT: b"new"}
        assert judged(board, n.C_WRITE, params) == reason, info
        assert board.holds(A) == (b"old" if reason else b"new")


def test_version_coswid_and_mud_are_carried_and_not_read():
    tag = encode({0: b"no CoSWID that anyone would take"})
    made = update(Managed(), install=seq(), m6=encode([1, 4, 2]), m14=tag, m25=encode(["MUD"]))
    found = made.root.manifest
    assert found.set_version == (1, 4, 2)
    assert bytes(found.member(n.M_COSWID)) == tag and bytes(found.member(n.M_MUD)) == encode(["MUD"])
