"""processor.py, flow.py, conditions.py, directives.py: what sequences do, section by section of suit-manifest."""

import envelopes as e
from envelopes import (
    CLASS,
    DEVICE,
    POLICY,
    VENDOR,
    Board,
    image_digest,
    machine,
    refusal,
    seq,
    update,
)
from harness import finish, raises
from suit import numbers as n
from suit.cbor import encode
from suit.errors import SuitError
from suit.processor import Processor

SET = 20
WRITE = 18
FETCH = 21
COPY = 22
INVOKE = 23
SWAP = 31
MATCH = 3
INDEX = 12
TRY = 15
RUN = 32
ABORT = 14
A, B, C = b"\0", b"\1", b"\2"
THREE = ((A,), (B,), (C,))
FAIL = seq(ABORT, POLICY)


def write(content, index=None):
    """Commands that put content into a component."""
    return ([INDEX, index] if index is not None else []) + [SET, {18: content}, WRITE, POLICY]


def reason_of(board, **members):
    return refusal(board, **members)[0].reason


# -- identity


def identity(number, value, command):
    return seq(SET, {number: value}, command, POLICY, *write(b"x"))


def test_vendor_class_and_device_are_compared_with_the_boards():
    for number, value, command in ((1, VENDOR, 1), (2, CLASS, 2), (24, DEVICE, 24)):
        board = Board()
        update(board, install=identity(number, value, command))
        assert board.holds(A) == b"x"
        other = bytes([value[0] ^ 1]) + value[1:]
        board = Board()
        error, made = refusal(board, install=identity(number, other, command))
        assert error.reason == n.R_CONDITION_FAILED
        assert made.where[:3] == (n.M_INSTALL, command, 0)
        assert board.holds(A) is None


def test_an_identity_that_the_board_does_not_have_fails():
    for number, name in ((1, "vendor_id"), (24, "device_id")):
        board = Board()
        setattr(board, name, None)
        value = VENDOR if number == 1 else DEVICE
        assert reason_of(board, install=identity(number, value, number)) == n.R_CONDITION_FAILED
    board = Board()
    board.class_ids = ()
    assert reason_of(board, install=identity(2, CLASS, 2)) == n.R_CONDITION_FAILED


def test_a_board_may_answer_to_several_classes():
    board = Board()
    board.class_ids = (b"another-class-16", CLASS)
    update(board, install=identity(2, CLASS, 2))


def test_a_condition_without_its_parameter_fails():
    for command in (1, 2, 3, 5, 6, 24):
        assert reason_of(Board({A: b"x"}), install=seq(command, POLICY)) == n.R_CONDITION_FAILED


def test_identifiers_have_16_bytes():
    for value in (VENDOR[:15], VENDOR + b"x", b""):
        assert reason_of(Board(), install=identity(1, value, 1)) == n.R_STRUCTURE


def test_a_vendor_may_be_a_private_enterprise_number():
    pen = b"\xd8\x70\x43\x01\x02\x03"
    install = b"\x84\x14\xa1\x01" + pen + b"\x01\x0f"
    assert reason_of(Board(), install=install) == n.R_CONDITION_FAILED
    board = Board()
    board.vendor_id = pen
    update(board, install=install)
    other = b"\x84\x14\xa1\x01\xd8\x71\x43\x01\x02\x03\x01\x0f"
    assert reason_of(Board(), install=other) == n.R_STRUCTURE


# -- content, digest, slot


def test_write_then_image_match():
    board = Board()
    made = update(
        board,
        install=seq(SET, {3: image_digest(b"hello"), 14: 5, 18: b"hello"}, WRITE, POLICY),
        validate=seq(MATCH, POLICY),
    )
    assert board.holds(A) == b"hello"
    assert made.matched == {0}
    assert made.where is None


def test_image_match_fails_on_other_content_size_and_absence():
    digest = image_digest(b"hello")
    for content, size in ((b"hellO", 5), (b"hello", 6), (None, 5), (b"", 5), (b"hello\0", 5)):
        board = Board({A: content})
        made = refusal(board, install=seq(SET, {3: digest, 14: size}, MATCH, POLICY))
        assert made[0].reason == n.R_CONDITION_FAILED and made[1].matched == set()
    update(Board({A: b"hello"}), install=seq(SET, {3: digest}, MATCH, POLICY))


def test_image_match_needs_a_whole_digest_of_a_known_algorithm():
    full = e.digest_of(b"hello")[1]
    for wrong in ([-16, full[:31]], [-16, b""], [-17, full], [5, full]):
        board = Board({A: b"hello"})
        install = seq(SET, {3: encode(wrong)}, MATCH, POLICY)
        assert reason_of(board, install=install) == n.R_CONDITION_FAILED
    for wrong in ([-16, full, 0], [-16], "x"):
        install = seq(SET, {3: encode(wrong)}, MATCH, POLICY)
        assert reason_of(Board({A: b"hello"}), install=install) == n.R_STRUCTURE
    install = seq(SET, {3: image_digest(b"hello") + b"\0"}, MATCH, POLICY)
    assert reason_of(Board({A: b"hello"}), install=install) == n.R_CBOR_PARSE


def test_image_match_hashes_all_of_a_long_component():
    content = bytes(range(256)) * 20
    update(Board({A: content}), install=seq(SET, {3: image_digest(content)}, MATCH, POLICY))
    changed = content[:-1] + b"?"
    install = seq(SET, {3: image_digest(content)}, MATCH, POLICY)
    assert reason_of(Board({A: changed}), install=install) == n.R_CONDITION_FAILED


def test_check_content_compares_every_byte():
    content = bytes(range(256)) * 5
    for stored, holds in (
        (content, True), (content[:-1], False), (content + b"\0", False), (b"", False), (None, False),
        (b"?" + content[1:], False), (content[:-1] + b"?", False),
    ):  # fmt: skip
        install = seq(SET, {18: content}, 6, POLICY)
        if holds:
            update(Board({A: stored}), install=install)
        else:
            assert reason_of(Board({A: stored}), install=install) == n.R_CONDITION_FAILED


def test_component_slot_is_that_of_the_component():
    update(Board(slot=1), install=seq(SET, {5: 1}, 5, POLICY))
    assert reason_of(Board(slot=0), install=seq(SET, {5: 1}, 5, POLICY)) == n.R_CONDITION_FAILED


def test_abort_fails():
    assert reason_of(Board(), install=FAIL) == n.R_CONDITION_FAILED


# -- directives


def test_fetch_takes_the_payload_of_the_uri():
    board = Board(payloads={"http://h/p": b"payload"})
    update(board, install=seq(SET, {21: "http://h/p", 25: b"args"}, FETCH, 2))
    assert board.holds(A) == b"payload"
    assert board.opened == [("http://h/p", b"args")]


def test_fetch_prefers_the_payload_inside_the_envelope():
    board = Board(payloads={"#p": b"outside"})
    data = e.envelope(
        e.manifest(install=seq(SET, {21: "#p"}, FETCH, 2)), members={"#p": b"inside"}
    )
    finish(Processor(e.opened(data), board).update())
    assert board.holds(A) == b"inside" and board.opened == []


def test_fetch_fails_without_uri_or_payload():
    assert reason_of(Board(), install=seq(FETCH, 2)) == n.R_OPERATION_FAILED
    assert reason_of(Board(), install=seq(SET, {21: "x"}, FETCH, 2)) == n.R_NO_PAYLOAD


def test_a_payload_of_another_size_than_image_size_is_not_stored():
    for size, reason in ((6, n.R_TOO_LARGE), (8, n.R_NO_PAYLOAD)):
        board = Board({A: b"old"}, {"u": b"payload"})
        assert reason_of(board, install=seq(SET, {14: size, 21: "u"}, FETCH, 2)) == reason
        assert board.holds(A) == b"old"


def test_a_uri_has_at_most_512_bytes():
    board = Board(payloads={"u" * 512: b"x"})
    update(board, install=seq(SET, {21: "u" * 512}, FETCH, 2))
    assert reason_of(Board(), install=seq(SET, {21: "u" * 513}, FETCH, 2)) == n.R_LIMIT


def test_copy_needs_a_source_that_holds_something():
    board = Board({B: b"source"})
    update(board, components=THREE, install=seq(INDEX, 0, SET, {22: 1}, COPY, 2))
    assert board.holds(A) == b"source" and board.holds(B) == b"source"
    install = seq(INDEX, 0, SET, {22: 1}, COPY, 2)
    assert reason_of(Board(), components=THREE, install=install) == n.R_OPERATION_FAILED
    assert (
        reason_of(Board(), components=THREE, install=seq(INDEX, 0, COPY, 2))
        == n.R_OPERATION_FAILED
    )
    beyond = seq(INDEX, 0, SET, {22: 3}, COPY, 2)
    assert reason_of(Board(), components=THREE, install=beyond) == n.R_SEQUENCE


def test_copy_to_itself_leaves_the_content():
    board = Board({A: b"mine"})
    update(board, install=seq(SET, {22: 0}, COPY, 2))
    assert board.holds(A) == b"mine"


def test_swap_exchanges():
    board = Board({A: b"a", B: b"b"})
    update(board, components=THREE, install=seq(INDEX, 0, SET, {22: 1}, SWAP, 2))
    assert board.holds(A) == b"b" and board.holds(B) == b"a"
    install = seq(INDEX, 0, SET, {22: 1}, SWAP, 2)
    assert reason_of(Board({A: b"a"}), components=THREE, install=install) == n.R_OPERATION_FAILED


def test_invoke_is_recorded_with_its_arguments():
    board = Board()
    made = machine(board, invoke=seq(SET, {23: b"args"}, INVOKE, 2))
    finish(made.invocation())
    assert made.invoked == [(0, b"args")]
    assert len(board.invoked) == 1
    made = machine(board, invoke=seq(INVOKE, 2))
    finish(made.invocation())
    assert made.invoked == [(0, b"")]


def test_a_write_voids_the_match():
    match = [SET, {3: image_digest(b"x")}, MATCH, POLICY]
    for change in (write(b"x"), [SET, {21: "u"}, FETCH, 2]):
        made = update(Board({A: b"x"}, {"u": b"x"}), install=seq(*(match + change)))
        assert made.matched == set()
    both = [
        INDEX,
        0,
        SET,
        {3: image_digest(b"a")},
        MATCH,
        2,
        INDEX,
        1,
        SET,
        {3: image_digest(b"b")},
        MATCH,
        2,
    ]
    made = update(Board({A: b"a", B: b"b"}), components=THREE, install=seq(*both))
    assert made.matched == {0, 1}
    made = update(
        Board({A: b"a", B: b"b"}),
        components=THREE,
        install=seq(*(both + [INDEX, 0, SET, {22: 1}, SWAP, 2])),
    )
    assert made.matched == set()


def test_two_indices_of_one_component_share_its_match():
    twice = ((A,), (A,))
    match = [INDEX, 0, SET, {3: image_digest(b"x")}, MATCH, POLICY]
    made = update(Board({A: b"x"}), components=twice, install=seq(*(match + write(b"y", 1))))
    assert made.matched == set()


# -- procedures and sections


def test_sections_run_in_order_each_after_the_shared_sequence():
    board = Board()
    mark = seq(SET, {5: 0}, 5, 1)
    update(
        board, shared=mark, resolution=mark, fetch=mark, candidate=mark, install=mark, validate=mark,
        load=FAIL, invoke=FAIL, uninstall=FAIL,
    )  # fmt: skip
    order = [record[0] for record in board.records if record[1] == 5]
    assert order == [3, 15, 3, 16, 3, 18, 3, 20, 3, 7]


def test_the_invocation_procedure_is_validate_load_invoke():
    board = Board()
    mark = seq(SET, {5: 0}, 5, 1)
    made = machine(
        board, shared=mark, validate=mark, load=mark, invoke=mark, install=FAIL, fetch=FAIL
    )
    finish(made.invocation())
    assert [record[0] for record in board.records if record[1] == 5] == [3, 7, 3, 8, 3, 9]


def test_absent_sections_run_nothing_not_even_the_shared_sequence():
    board = Board()
    update(board, shared=FAIL)
    assert board.records == []


def test_parameters_persist_from_section_to_section_but_not_to_another_procedure():
    board = Board()
    made = update(
        board, shared=seq(SET, {5: 0}), fetch=seq(SET, {18: b"x"}), install=seq(WRITE, 2)
    )
    assert board.holds(A) == b"x"
    made = machine(Board(), validate=seq(SET, {18: b"x"}), invoke=seq(WRITE, 2))
    finish(made.update())
    other = machine(Board(), validate=seq(6, 2))
    other._params = {encode([A]): {18: b"leak"}}
    assert raises(SuitError, finish, other.invocation()).reason == n.R_CONDITION_FAILED


def test_the_shared_sequence_sets_again_what_a_section_changed():
    board = Board()
    update(board, shared=seq(SET, {18: b"s"}), fetch=seq(SET, {18: b"f"}), install=seq(WRITE, 2))
    assert board.holds(A) == b"s"


def test_a_severed_section_that_is_missing_stops_before_anything_is_done():
    board = Board()
    error, made = refusal(board, fetch=seq(*write(b"x")), install=e.digest_of(b"?"))
    assert error.reason == n.R_MEMBER_MISSING and error.detail == n.M_INSTALL
    assert made.where[0] == n.M_INSTALL and board.holds(A) is None
    made = machine(Board(), install=e.digest_of(b"?"), validate=seq(SET, {5: 0}, 5, 1))
    finish(made.invocation())


def test_with_several_components_every_section_begins_with_set_component_index():
    assert reason_of(Board(), components=THREE, install=seq(*write(b"x"))) == n.R_SEQUENCE
    shared = seq(SET, {5: 0})
    install = seq(*write(b"x", 0))
    assert reason_of(Board(), components=THREE, shared=shared, install=install) == n.R_SEQUENCE
    update(Board(), components=THREE, shared=seq(INDEX, 0, SET, {5: 0}), install=install)


def test_the_component_index_starts_anew_in_each_section():
    board = Board()
    error, made = refusal(board, components=THREE, fetch=seq(INDEX, 1), install=seq(*write(b"x")))
    assert error.reason == n.R_SEQUENCE


def test_without_components_there_is_nothing_to_act_on():
    assert reason_of(Board(), common={}, install=seq(*write(b"x"))) == n.R_SEQUENCE
    assert reason_of(Board(), common={}, install=seq(INDEX, True)) == n.R_STRUCTURE


def test_the_shared_sequence_may_only_check_and_set():
    for command in (WRITE, FETCH, COPY, INVOKE, SWAP):
        board = Board({A: b"old"}, {"u": b"x"})
        shared = seq(SET, {18: b"x", 21: "u", 22: 0}, command, 2)
        error, made = refusal(board, shared=shared, install=seq(SET, {5: 0}))
        assert error.reason == n.R_SEQUENCE and made.where[0] == n.S_SHARED
        assert board.holds(A) == b"old"
        nested = seq(TRY, [seq(RUN, shared), None])
        assert reason_of(Board(), shared=nested, install=seq(SET, {5: 0})) == n.R_SEQUENCE
    update(Board(), shared=seq(TRY, [FAIL, seq(RUN, seq(SET, {5: 0}, 5, 2))]), install=seq(5, 2))


# -- what is not known


def test_an_unknown_command_is_refused_when_it_is_reached():
    for command in (0, 9, 10, 13, 16, 17, 30, 36, 99, 1 << 40, -1, -300):
        board = Board()
        error, made = refusal(board, install=seq(*(write(b"x") + [command, 2])))
        assert error.reason == n.R_COMMAND_UNSUPPORTED and error.detail == command
        assert board.holds(A) == b"x"
        assert made.where[1] == command
    # not reached
    update(Board(), install=seq(TRY, [seq(SET, {5: 0}), seq(99, 2)]))


def test_an_unknown_command_in_try_each_ends_everything():
    board = Board()
    install = seq(TRY, [seq(99, 2), seq(*write(b"x"))])
    assert reason_of(board, install=install) == n.R_COMMAND_UNSUPPORTED
    assert board.holds(A) is None


def test_the_argument_of_an_unknown_command_may_be_anything_well_formed():
    for argument in (None, b"x", "x", [1, [2]], {1: 2}, True):
        assert reason_of(Board(), install=seq(99, argument)) == n.R_COMMAND_UNSUPPORTED


def test_an_unknown_parameter_is_refused_when_it_is_reached():
    for number in (0, 6, 17, 20, 99, -1, -300):
        error = refusal(Board(), install=seq(SET, {number: 0}))[0]
        assert error.reason == n.R_PARAMETER_UNSUPPORTED and error.detail == number
    update(Board(), install=seq(TRY, [seq(SET, {5: 0}), seq(SET, {99: 2})]))


def test_parameters_have_their_type():
    for number, wrong in (
        (1, "x"),
        (2, 1),
        (3, [-16, b"x"]),
        (5, -1),
        (5, b""),
        (12, 1),
        (14, "5"),
        (14, -1),
        (18, "x"),
        (21, b"u"),
        (22, True),
        (23, "x"),
        (24, None),
        (25, "x"),
        (21, ["u"]),
    ):
        assert reason_of(Board(), install=seq(SET, {number: wrong})) == n.R_STRUCTURE
    assert reason_of(Board(), install=seq(SET, {})) == n.R_STRUCTURE
    assert reason_of(Board(), install=seq(SET, [])) == n.R_STRUCTURE
    assert reason_of(Board(), install=seq(SET, {"x": 1})) == n.R_STRUCTURE


def test_a_reporting_policy_is_four_bits():
    for policy in range(16):
        update(Board(), install=seq(SET, {5: 0}, 5, policy))
    for wrong in (16, -1, None, b"", True):
        assert reason_of(Board(), install=seq(SET, {5: 0}, 5, wrong)) == n.R_STRUCTURE


# -- component index


def test_index_true_and_lists_apply_to_each_component_in_order():
    board = Board()
    update(board, components=THREE, install=seq(INDEX, True, SET, {18: b"all"}, WRITE, POLICY))
    assert [board.holds(name) for name in (A, B, C)] == [b"all"] * 3
    assert [r[2] for r in board.records if r[1] == WRITE] == [0, 1, 2]
    board = Board()
    update(board, components=THREE, install=seq(INDEX, [2, 0], SET, {18: b"two"}, WRITE, POLICY))
    assert [board.holds(name) for name in (A, B, C)] == [b"two", None, b"two"]
    assert [r[2] for r in board.records if r[1] == WRITE] == [2, 0]


def test_parameters_belong_to_their_component():
    board = Board()
    install = seq(
        INDEX, 0, SET, {18: b"a"}, INDEX, 1, SET, {18: b"b"}, INDEX, [0, 1], WRITE, POLICY
    )
    update(board, components=THREE, install=install)
    assert board.holds(A) == b"a" and board.holds(B) == b"b"
    install = seq(INDEX, 0, SET, {18: b"a"}, INDEX, 1, WRITE, POLICY)
    assert reason_of(Board(), components=THREE, install=install) == n.R_OPERATION_FAILED


def test_the_first_component_that_fails_ends_a_list():
    board = Board({A: b"x", C: b"x"})
    install = seq(INDEX, True, SET, {3: image_digest(b"x")}, MATCH, POLICY)
    error, made = refusal(board, components=THREE, install=install)
    assert made.where == (n.M_INSTALL, MATCH, 1, made.where[3])
    assert made.matched == {0}


def test_an_index_beyond_the_list_is_refused():
    for wrong in (3, 1 << 40, [0, 3], [3]):
        assert reason_of(Board(), components=THREE, install=seq(INDEX, wrong)) == n.R_SEQUENCE
    for wrong in (False, None, [], -1, "0", [True], [-1], b"\0"):
        assert reason_of(Board(), components=THREE, install=seq(INDEX, wrong)) == n.R_STRUCTURE
    assert reason_of(Board(), components=THREE, install=seq(INDEX, [0] * 17)) == n.R_LIMIT


def test_try_each_and_run_sequence_run_once_per_component_with_an_integer_index():
    board = Board({B: b"keep"})
    inner = seq(SET, {18: b"new"}, WRITE, POLICY)
    keep = seq(SET, {18: b"keep"}, 6, POLICY)
    update(board, components=THREE, install=seq(INDEX, True, TRY, [keep, inner]))
    assert [board.holds(name) for name in (A, B, C)] == [b"new", b"keep", b"new"]
    board = Board()
    update(board, components=THREE, install=seq(INDEX, [0, 2], RUN, inner, SET, {5: 0}, 5, 2))
    assert [board.holds(name) for name in (A, B, C)] == [b"new", None, b"new"]
    # afterwards the list is in force again
    assert [r[2] for r in board.records if r[1] == 5] == [0, 2]


def test_a_nested_sequence_changes_the_index_for_itself_only():
    board = Board()
    install = seq(INDEX, 0, RUN, seq(*write(b"inner", 1)), SET, {18: b"outer"}, WRITE, 2)
    update(board, components=THREE, install=install)
    assert board.holds(A) == b"outer" and board.holds(B) == b"inner"


# -- try-each, run-sequence, soft failure


def test_try_each_takes_the_first_sequence_that_succeeds():
    board = Board()
    update(board, install=seq(TRY, [FAIL, seq(*write(b"second")), seq(*write(b"third"))]))
    assert board.holds(A) == b"second"


def test_try_each_without_success_fails_unless_nil_ends_it():
    assert reason_of(Board(), install=seq(TRY, [FAIL, FAIL])) == n.R_CONDITION_FAILED
    board = Board()
    update(board, install=seq(*([TRY, [FAIL, None]] + write(b"after"))))
    assert board.holds(A) == b"after"
    update(Board(), install=seq(TRY, [FAIL, seq()]))


def test_a_failing_directive_in_try_each_ends_everything():
    board = Board()
    install = seq(TRY, [seq(SET, {21: "none"}, FETCH, 2), seq(*write(b"x"))])
    assert reason_of(board, install=install) == n.R_NO_PAYLOAD
    assert board.holds(A) is None


def test_what_a_failed_sequence_did_stays_done():
    board = Board()
    update(board, install=seq(TRY, [seq(SET, {18: b"kept"}, ABORT, 2), seq(WRITE, 2)]))
    assert board.holds(A) == b"kept"


def test_soft_failure_false_in_try_each_ends_everything():
    board = Board()
    install = seq(TRY, [seq(SET, {13: False}, ABORT, 2), seq(*write(b"x"))])
    assert reason_of(board, install=install) == n.R_CONDITION_FAILED
    assert board.holds(A) is None


def test_soft_failure_is_true_again_in_the_next_sequence():
    board = Board()
    update(
        board,
        install=seq(
            TRY, [seq(SET, {13: False}, SET, {13: True}, ABORT, 2), FAIL, seq(*write(b"x"))]
        ),
    )
    assert board.holds(A) == b"x"


def test_run_sequence_fails_with_its_condition_unless_soft_failure_is_set():
    board = Board()
    assert reason_of(board, install=seq(RUN, FAIL)) == n.R_CONDITION_FAILED
    soft = seq(SET, {13: True, 18: b"kept"}, ABORT, 2, SET, {18: b"never"})
    update(board, install=seq(RUN, soft, WRITE, 2))
    assert board.holds(A) == b"kept"
    hard = seq(SET, {13: True}, SET, {21: "none"}, FETCH, 2)
    assert reason_of(Board(), install=seq(RUN, hard)) == n.R_NO_PAYLOAD


def test_nested_sequences_do_not_inherit_soft_failure():
    # run-sequence starts hard though the sequence around it is soft
    board = Board()
    inner = seq(RUN, seq(SET, {13: True}, RUN, FAIL), SET, {18: b"x"}, WRITE, 2)
    update(board, install=inner)
    # the inner run-sequence failed with its condition's code, the outer one took it softly
    assert board.holds(A) == b"x"


def test_a_failed_condition_is_judged_by_each_sequence_around():
    board = Board()
    update(board, install=seq(TRY, [seq(RUN, FAIL), seq(*write(b"x"))]))
    assert board.holds(A) == b"x"
    board = Board()
    update(board, install=seq(TRY, [seq(TRY, [FAIL, FAIL]), seq(*write(b"y"))]))
    assert board.holds(A) == b"y"


def test_soft_failure_may_not_be_set_outside_try_each_and_run_sequence():
    for value in (True, False):
        assert reason_of(Board(), install=seq(SET, {13: value})) == n.R_SEQUENCE
        assert reason_of(Board(), shared=seq(SET, {13: value}), install=FAIL) == n.R_SEQUENCE


def test_a_run_sequence_in_a_soft_one_reverts_to_the_value_before():
    board = Board()
    install = seq(
        RUN,
        seq(SET, {13: True}, RUN, seq(SET, {13: False}, 5, 2), SET, {18: b"no"}, WRITE, 2),
        SET,
        {18: b"yes"},
        WRITE,
        2,
    )
    update(board, install=install)
    assert board.holds(A) == b"yes"


def test_eight_nested_sequences_run():
    inner = seq(*write(b"deep"))
    for _ in range(8):
        inner = seq(RUN, inner)
    board = Board()
    update(board, install=inner)
    assert board.holds(A) == b"deep"


# -- strict order


def test_without_strict_order_a_component_is_not_both_written_and_read():
    loose = [INDEX, 0, SET, {12: False}]
    for commands in (
        write(b"x", 1) + [INDEX, 0, SET, {22: 1}, COPY, 2],
        [SET, {22: 1}, COPY, 2] + write(b"x", 1),
        [SET, {22: 1}, SWAP, 2],
        [SET, {22: 0}, COPY, 2],
    ):
        board = Board({A: b"a", B: b"b"})
        assert reason_of(board, components=THREE, install=seq(*(loose + commands))) == n.R_SEQUENCE
        if commands[1] != {22: 0}:
            update(
                Board({A: b"a", B: b"b"}), components=THREE, install=seq(*([INDEX, 0] + commands))
            )
    # different components, or strict order again
    update(
        Board({B: b"b"}),
        components=THREE,
        install=seq(*(loose + [SET, {22: 1}, COPY, 2] + write(b"c", 2))),
    )
    back = loose + write(b"x", 1) + [SET, {12: True}, INDEX, 0, SET, {22: 1}, COPY, 2]
    update(Board(), components=THREE, install=seq(*back))


def test_without_strict_order_a_run_sequence_chooses_its_component_first_and_keeps_it():
    loose = [INDEX, 0, SET, {12: False}]
    board = Board()
    update(
        board,
        components=THREE,
        install=seq(*(loose + [RUN, seq(*write(b"x", 1)), RUN, seq(*write(b"y", 2))])),
    )
    assert board.holds(B) == b"x" and board.holds(C) == b"y"
    for wrong in (
        seq(*write(b"x")),
        seq(*(write(b"x", 1) + [INDEX, 2])),
        seq(INDEX, 1, RUN, seq(INDEX, 2)),
        seq(INDEX, 1, TRY, [seq(INDEX, 2), None]),
    ):
        assert (
            reason_of(Board(), components=THREE, install=seq(*(loose + [RUN, wrong])))
            == n.R_SEQUENCE
        )


def test_without_strict_order_a_run_sequence_over_a_list_has_its_index_preset():
    loose = [INDEX, True, SET, {12: False}]
    board = Board()
    update(board, components=THREE, install=seq(*(loose + [RUN, seq(*write(b"x"))])))
    assert [board.holds(name) for name in (A, B, C)] == [b"x"] * 3
    wrong = seq(*(loose + [RUN, seq(INDEX, 0)]))
    assert reason_of(Board(), components=THREE, install=wrong) == n.R_SEQUENCE


def test_strict_order_is_true_inside_a_run_sequence_and_at_every_start():
    inner = seq(*([INDEX, 1, SET, {18: b"x", 22: 0}, WRITE, 2, COPY, 2]))
    install = seq(INDEX, 0, SET, {12: False}, RUN, inner)
    board = Board({A: b"a"})
    update(board, components=THREE, fetch=seq(INDEX, 0, SET, {12: False}), install=install)
    assert board.holds(B) == b"a"
    after = seq(*(write(b"x", 1) + [INDEX, 0, SET, {22: 1}, COPY, 2]))
    update(Board(), components=THREE, fetch=seq(INDEX, 0, SET, {12: False}), install=after)


# -- budget, reports, where


def test_the_budget_of_steps_ends_what_would_run_for_ever():
    inner = seq(SET, {5: 0})
    for _ in range(5):
        inner = seq(INDEX, True, RUN, inner)
    sixteen = [(b"%d" % i,) for i in range(16)]
    assert reason_of(Board(), components=sixteen, install=inner) == n.R_BUDGET


def test_every_command_is_recorded_with_its_outcome():
    board = Board()
    refusal(board, install=seq(SET, {18: b"x"}, WRITE, 2, TRY, [FAIL, seq(5, 2), None], ABORT, 2))
    assert board.records == [
        (n.M_INSTALL, SET, None, 0),
        (n.M_INSTALL, WRITE, 0, 0),
        (n.M_INSTALL, ABORT, 0, n.R_CONDITION_FAILED),
        (n.M_INSTALL, 5, 0, n.R_CONDITION_FAILED),
        (n.M_INSTALL, TRY, 0, 0),
        (n.M_INSTALL, ABORT, 0, n.R_CONDITION_FAILED),
    ]


def test_where_says_section_command_component_and_offset():
    install = seq(SET, {18: b"x"}, RUN, seq(WRITE, 2, ABORT, 2))
    made = refusal(Board(), install=install)[1]
    assert made.where == (n.M_INSTALL, ABORT, 0, install.index(b"\x0e\x02"))
    made = refusal(Board(), shared=FAIL, install=install)[1]
    assert made.where == (n.S_SHARED, ABORT, 0, 1)


def test_a_component_that_the_board_does_not_have_is_refused_when_used():
    class Poor(Board):
        def component(self, raw):
            raise SuitError(n.R_COMPONENT_UNSUPPORTED, "none")

    error, made = refusal(Poor(), install=seq(*write(b"x")))
    assert error.reason == n.R_COMPONENT_UNSUPPORTED and made.where[1] == WRITE
    # conditions about the device need no component
    assert reason_of(Poor(), install=identity(1, CLASS, 1)) == n.R_CONDITION_FAILED


def test_an_error_of_the_storage_passes_through_and_leaves_where():
    class Broken(Board):
        def component(self, raw):
            raise OSError(5)

    made = machine(Broken(), install=seq(*write(b"x")))
    raises(OSError, finish, made.update())
    assert made.where[1] == WRITE


def test_dependencies_and_encryption_are_refused_where_their_code_is_left_out():
    import suit.optional
    import suit.processor

    def none(name):
        return None

    before = suit.processor.optional
    suit.processor.optional = none
    try:
        common = {2: [[A]], 1: {0: {}}}
        error = raises(
            SuitError, lambda: machine(Board(), common=common), reason=n.R_COMMAND_UNSUPPORTED
        )
        assert error.detail == "dependencies"
        for command in (7, 11, 25, 34):
            assert reason_of(Board(), install=seq(command, 2)) == n.R_COMMAND_UNSUPPORTED
    finally:
        suit.processor.optional = before
