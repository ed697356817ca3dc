"""dependencies.py: manifests that need manifests, after suit-trust-domains."""

import envelopes as e
from envelopes import (
    POLICY,
    TRUST,
    Board,
    digest_of,
    envelope,
    image_digest,
    manifest,
    opened,
    seq,
    wrapped,
)
from harness import finish, raises
from suit import numbers as n
from suit.cbor import encode
from suit.dependencies import join
from suit.errors import SuitError
from suit.processor import Processor
from suit.trust import TrustStore

A, DEP, OTHER = b"\0", b"dep", b"other"
SET, SET_DEFAULT = n.C_OVERRIDE_PARAMETERS, n.C_SET_PARAMETERS
INDEX, FETCH, WRITE, MATCH = n.C_SET_COMPONENT_INDEX, n.C_FETCH, n.C_WRITE, n.C_IMAGE_MATCH
INTEGRITY, PROCESS, IS = n.C_DEPENDENCY_INTEGRITY, n.C_PROCESS_DEPENDENCY, n.C_IS_DEPENDENCY
UNLINK = n.C_UNLINK


class Owner(Board):
    trust = TRUST


def reference(dependency):
    """image-digest of a dependency: that of its manifest."""
    return encode(digest_of(wrapped(dependency)))


def wants(dependency, index=1, uri="#d"):
    return [INDEX, index, SET, {n.P_IMAGE_DIGEST: reference(dependency), n.P_URI: uri}]


def common(components=((A,),), dependencies=None, shared=None):
    found = {n.COMMON_COMPONENTS: [list(one) for one in components]}
    found[n.COMMON_DEPENDENCIES] = {1: {1: [DEP]}} if dependencies is None else dependencies
    if shared:
        found[n.COMMON_SHARED_SEQUENCE] = shared
    return found


def run(board, inside, procedure="update", **members):
    """A root manifest with integrated dependencies {uri: manifest bytes or envelope}."""
    members.setdefault("common", common())
    payloads = {uri: one if one[:1] == b"\xd8" else envelope(one) for uri, one in inside.items()}
    data = envelope(manifest(**members), members=payloads)
    made = Processor(opened(data), board)
    finish(getattr(made, procedure)())
    return made


def refused(board, inside, reason, **members):
    error = raises(SuitError, lambda: run(board, inside, **members), reason=reason)
    return error


def writes(content, name=A, **more):
    """A dependency that writes `content` into [name]."""
    return manifest(
        components=((name,),), install=seq(SET, {n.P_CONTENT: content}, WRITE, POLICY), **more
    )


def test_a_dependency_is_fetched_authenticated_and_processed_section_by_section():
    dependency = writes(
        b"theirs",
        OTHER,
        validate=seq(SET, {n.P_IMAGE_DIGEST: image_digest(b"theirs")}, MATCH, POLICY),
    )
    board = Owner()
    made = run(
        board, {"#d": dependency},
        resolution=seq(*wants(dependency), FETCH, POLICY, INTEGRITY, POLICY),
        install=seq(INDEX, 1, PROCESS, POLICY, INDEX, 0, SET, {n.P_CONTENT: b"mine"}, WRITE, POLICY),
        validate=seq(INDEX, 1, PROCESS, POLICY),
    )  # fmt: skip
    assert board.holds(OTHER) == b"theirs" and board.holds(A) == b"mine"
    assert encode([OTHER]) in made.matched_identifiers
    assert [context.path for context in made.root.tree()] == [(), (1,)]
    sections = [(section, command) for section, command, _, reason in board.records if reason == 0]
    assert sections.index((n.M_INSTALL, WRITE)) < sections.index((n.M_VALIDATE, PROCESS))


def test_without_dependency_integrity_nothing_is_processed():
    dependency = writes(b"x", OTHER)
    board = Owner()
    install = seq(*wants(dependency), FETCH, POLICY, PROCESS, POLICY)
    refused(board, {"#d": dependency}, n.R_SEQUENCE, install=install)
    assert board.holds(OTHER) is None
    # fetched once more: what was checked before says nothing about it
    install = seq(
        *wants(dependency), FETCH, POLICY, INTEGRITY, POLICY, FETCH, POLICY, PROCESS, POLICY
    )
    refused(Owner(), {"#d": dependency}, n.R_SEQUENCE, install=install)


def test_integrity_needs_signature_digest_and_parameter():
    dependency = writes(b"x", OTHER)
    check = [FETCH, POLICY, INTEGRITY, POLICY]
    stranger = encode([digest_of(wrapped(dependency))[0], b""])
    unsigned = envelope(dependency, auth=e.wrapper(dependency, blocks=[]))
    refused(Owner(), {"#d": unsigned}, n.R_UNAUTHORISED, install=seq(*wants(dependency), *check))
    mac = e.mac0(encode(digest_of(wrapped(dependency))), key=b"another key, of thirty-two bytes")
    forged = envelope(dependency, auth=e.wrapper(dependency, blocks=[mac]))
    refused(Owner(), {"#d": forged}, n.R_UNAUTHORISED, install=seq(*wants(dependency), *check))
    refused(
        Owner(),
        {"#d": writes(b"y", OTHER)},
        n.R_CONDITION_FAILED,
        install=seq(*wants(dependency), *check),
    )
    no_digest = seq(INDEX, 1, SET, {n.P_URI: "#d"}, *check)
    refused(Owner(), {"#d": dependency}, n.R_CONDITION_FAILED, install=no_digest)
    refused(
        Owner(),
        {"#d": dependency},
        n.R_CONDITION_FAILED,
        install=seq(*wants(dependency), INTEGRITY, POLICY),
    )
    refused(
        Owner(), {"#d": dependency}, n.R_CONDITION_FAILED, install=seq(INDEX, 0, INTEGRITY, POLICY)
    )
    assert stranger


def test_a_dependency_of_a_key_that_the_board_no_longer_trusts_is_refused():
    dependency = writes(b"x", OTHER)
    board = Owner()
    board.trust = TrustStore(encode([{1: 4, 3: 5, -1: b"another key, of thirty-two bytes"}]))
    refused(
        board,
        {"#d": dependency},
        n.R_UNAUTHORISED,
        install=seq(*wants(dependency), FETCH, POLICY, INTEGRITY, POLICY),
    )
    assert board.holds(OTHER) is None


def test_image_match_of_a_dependency_takes_the_digest_of_its_manifest():
    dependency = writes(b"x", OTHER)
    made = run(
        Owner(), {"#d": dependency}, install=seq(*wants(dependency), FETCH, POLICY, MATCH, POLICY)
    )
    assert encode([DEP]) in made.matched_identifiers
    by_bytes = {n.P_IMAGE_DIGEST: image_digest(envelope(dependency)), n.P_URI: "#d"}
    install = seq(INDEX, 1, SET, by_bytes, FETCH, POLICY, MATCH, POLICY)
    refused(Owner(), {"#d": dependency}, n.R_CONDITION_FAILED, install=install)


def test_is_dependency_tells_dependencies_from_images():
    board = Owner()
    dependency = writes(b"x", OTHER)
    ours = seq(
        IS, POLICY, *wants(dependency)[2:], FETCH, POLICY, INTEGRITY, POLICY, PROCESS, POLICY
    )
    install = seq(
        INDEX, True, n.C_TRY_EACH, [ours, seq(SET, {n.P_CONTENT: b"image"}, WRITE, POLICY)]
    )
    run(board, {"#d": dependency}, install=install)
    assert board.holds(OTHER) == b"x" and board.holds(A) == b"image"


def test_process_dependency_for_every_index_leaves_images_aside():
    dependency = writes(b"x", OTHER)
    before = wants(dependency) + [FETCH, POLICY, INTEGRITY, POLICY]
    board = Owner()
    run(board, {"#d": dependency}, install=seq(*before, INDEX, True, PROCESS, POLICY))
    assert board.holds(OTHER) == b"x"
    refused(
        Owner(), {"#d": dependency}, n.R_SEQUENCE, install=seq(*before, INDEX, 0, PROCESS, POLICY)
    )


def test_the_shared_sequence_may_not_process_but_runs_in_the_dependency_first():
    dependency = writes(b"x", OTHER, shared=seq(n.C_ABORT, POLICY))
    install = seq(*wants(dependency), FETCH, POLICY, INTEGRITY, POLICY, PROCESS, POLICY)
    refused(Owner(), {"#d": dependency}, n.R_CONDITION_FAILED, install=install)
    dependency = writes(b"x", OTHER)
    shared = seq(*wants(dependency), PROCESS, POLICY)
    refused(Owner(), {"#d": dependency}, n.R_SEQUENCE, common=common(shared=shared), install=seq())


def test_a_section_that_a_known_dependency_has_must_be_processed_before_its_dependents_ends():
    dependency = writes(b"x", OTHER)
    install = seq(*wants(dependency), FETCH, POLICY, INTEGRITY, POLICY)
    error = refused(Owner(), {"#d": dependency}, n.R_SEQUENCE, install=install)
    assert "not processed" in error.detail


def test_a_dependency_without_the_section_succeeds_at_once():
    dependency = manifest(components=((OTHER,),), load=seq())
    run(
        Owner(),
        {"#d": dependency},
        install=seq(*wants(dependency), FETCH, POLICY, INTEGRITY, POLICY, PROCESS, POLICY),
    )


def test_set_parameters_lets_the_dependent_decide_and_override_does_not():
    for command, result in ((SET_DEFAULT, b"dependent"), (SET, b"default")):
        install = seq(command, {n.P_CONTENT: b"default"}, WRITE, POLICY)
        dependency = manifest(components=((OTHER,),), install=install)
        board = Owner()
        run(
            board, {"#d": dependency}, common=common(((OTHER,),)),
            install=seq(INDEX, 0, SET, {n.P_CONTENT: b"dependent"}, *wants(dependency), FETCH, POLICY, INTEGRITY, POLICY,
                        PROCESS, POLICY),
        )  # fmt: skip
        assert board.holds(OTHER) == result


def test_what_a_dependency_sets_lasts_in_its_dependent():
    dependency = manifest(components=((A,),), install=seq(SET, {n.P_CONTENT: b"from below"}))
    board = Owner()
    before = wants(dependency) + [FETCH, POLICY, INTEGRITY, POLICY, PROCESS, POLICY]
    run(board, {"#d": dependency}, install=seq(*before, INDEX, 0, WRITE, POLICY))
    assert board.holds(A) == b"from below"


def test_a_prefix_comes_before_what_a_listed_dependency_names():
    dependency = writes(b"x", OTHER)
    board = Owner()
    run(
        board, {"#d": dependency}, common=common(((A,), (DEP,)), {1: {1: [b"scope"]}}),
        install=seq(*wants(dependency), FETCH, POLICY, INTEGRITY, POLICY, PROCESS, POLICY),
    )  # fmt: skip
    assert (
        board.components[encode([b"scope", OTHER])].content == b"x" and board.holds(OTHER) is None
    )
    assert join(encode([A]), encode([DEP, OTHER])) == encode([A, DEP, OTHER])


def test_a_failure_below_fails_the_dependent_and_may_be_soft_there():
    dependency = manifest(components=((OTHER,),), install=seq(n.C_ABORT, POLICY))
    before = wants(dependency) + [FETCH, POLICY, INTEGRITY, POLICY]
    board = Owner()
    made = Processor(
        opened(
            envelope(
                manifest(common=common(), install=seq(*before, PROCESS, POLICY)),
                members={"#d": envelope(dependency)},
            )
        ),
        board,
    )
    raises(SuitError, finish, made.update(), reason=n.R_CONDITION_FAILED)
    assert made.path == (1,) and made.where[:2] == (n.M_INSTALL, n.C_ABORT)
    tried = [
        n.C_TRY_EACH,
        [seq(PROCESS, POLICY), seq(INDEX, 0, SET, {n.P_CONTENT: b"instead"}, WRITE, POLICY)],
    ]
    error = refused(Owner(), {"#d": dependency}, n.R_SEQUENCE, install=seq(*before, *tried))
    assert "not processed" in error.detail  # it still has to be


def chain(levels):
    """(the innermost manifest's dependents inside one another): {uri: envelope} and the manifest below the root."""
    below = writes(b"deep", OTHER)
    payload = envelope(below)
    for _ in range(levels - 1):
        install = seq(*wants(below), FETCH, POLICY, INTEGRITY, POLICY, PROCESS, POLICY)
        # each level keeps its own envelope under its own name
        name = b"d%d" % len(payload)
        upper = manifest(common=common(((A,),), {1: {1: [name]}}), install=install)
        payload = envelope(upper, members={"#d": payload})
        below = upper
    return below, payload


def test_dependencies_may_lie_four_deep_and_not_five():
    for levels, fits in ((4, True), (5, False)):
        below, payload = chain(levels)
        board = Owner()
        install = seq(*wants(below), FETCH, POLICY, INTEGRITY, POLICY, PROCESS, POLICY)
        if fits:
            run(board, {"#d": payload}, install=install)
            assert board.holds(OTHER) == b"deep"
        else:
            refused(board, {"#d": payload}, n.R_LIMIT, install=install)
            assert board.holds(OTHER) is None


def test_a_list_of_dependencies_that_makes_no_sense_is_refused():
    for dependencies in (
        {},
        {1: {}},
        {1: {2: [DEP]}},
        {1: {1: b"x"}},
        {"1": {1: [DEP]}},
        {1: 1},
        [],
    ):
        refused(
            Owner(),
            {},
            n.R_STRUCTURE,
            common=common(dependencies=dependencies),
            install=seq(INDEX, 0),
        )
    many = {i: {1: [b"%d" % i]} for i in range(1, 17)}
    refused(Owner(), {}, n.R_LIMIT, common=common(dependencies=many), install=seq(INDEX, 0))


def test_each_section_must_select_a_component_first_when_there_are_dependencies():
    refused(Owner(), {}, n.R_SEQUENCE, install=seq(SET, {n.P_CONTENT: b"x"}, WRITE, POLICY))


def test_uninstall_runs_below_and_removes_what_nobody_refers_to():
    dependency = manifest(components=((OTHER,),), uninstall=seq(UNLINK, POLICY, UNLINK, POLICY))
    board = Owner({A: b"mine", OTHER: b"theirs", DEP: envelope(dependency), b"kept": b"k"})
    for component in board.components.values():
        component.remove = lambda component=component: setattr(component, "content", None)
    uninstall = seq(
        *wants(dependency), INTEGRITY, POLICY, UNLINK, POLICY, INDEX, 0, UNLINK, POLICY
    )
    run(board, {}, "uninstall", uninstall=uninstall)
    assert board.holds(A) is None and board.holds(OTHER) is None and board.holds(DEP) is None
    assert board.holds(b"kept") == b"k"


def test_a_component_that_another_manifest_refers_to_stays():
    dependency = manifest(components=((A,),), uninstall=seq())
    board = Owner({A: b"shared", DEP: envelope(dependency)})
    board.components[encode([A])].remove = lambda: None
    uninstall = seq(
        *wants(dependency),
        INTEGRITY,
        POLICY,
        n.C_PROCESS_DEPENDENCY,
        POLICY,
        INDEX,
        0,
        UNLINK,
        POLICY,
    )
    run(board, {}, "uninstall", uninstall=uninstall)
    assert board.holds(A) == b"shared"
