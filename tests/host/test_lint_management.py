"""lint knows every command, condition and parameter of suit-update-management and suit-trust-domains: what the device refuses
for what stands in the manifest is found beforehand, what it takes is not complained about."""

import pytest
from suitup import cbor, conformance
from suitup import numbers as n
from suitup.manifest import Command, Sequence, labels
from suitup.manifest.lint import ERROR, WARNING, lint
from suitup.manifest.lint_walk import _NEEDS
from suitup.manifest.templates import condition, directive, override, select
from test_lint import findings, good, said
from test_own_vectors import VECTORS

# boards ask for a digest of what is written; the cases, which are about something else, have none
_BESIDE = ("its digest is never checked", "image-size is not set", "there is no command sequence")


def errors(case):
    found = lint(case.bytes("envelope"))
    return [each for each in found if each.level == ERROR and not any(text in each.what for text in _BESIDE)]


def cases(folder):
    return {case.get("name"): case for case in conformance.cases([VECTORS / folder])}


def test_what_a_device_takes_has_no_error():
    for folder in ("management", "domains"):
        for name, case in cases(folder).items():
            # a condition that fails in a branch, for want of its parameter or not, is a mistake to be told of
            if case.accept and not name.endswith("-unset-soft"):
                assert errors(case) == [], name


STATIC = (
    "version-kind-", "version-no-", "wait-unknown-event", "wait-nothing", "wait-wrong-argument",
    "wait-in-shared", "override-multiple-of-nothing", "override-multiple-unknown", "override-multiple-s",
    "copy-params-u", "copy-params-of", "copy-params-empty", "metadata-p", "metadata-u", "metadata-g",
    "metadata-ro", "metadata-d", "metadata-s", "metadata-c", "process-unchecked", "process-a-component",
    "process-forgotten", "process-in-shared", "integrity-no-envelope", "prefix-unknown", "prefix-no-i",
    "dependency-beyond", "integrity-of-a-component", "two-dependencies-one", "too-many-dependencies",
    "set-unknown", "set-soft-failure-outside",
)  # fmt: skip


def test_what_a_device_refuses_for_what_is_written_there_is_found_beforehand():
    found = {**cases("management"), **cases("domains")}
    chosen = [name for name, case in found.items() if not case.accept and name.endswith("-unset")]
    # what sets no size or digest at all is found as well, and said with other words
    chosen += [name for name, case in found.items() if not case.accept and name.startswith(STATIC)]
    assert len(chosen) > 40
    for name in chosen:
        assert errors(found[name]), name


@pytest.mark.parametrize("number", sorted(_NEEDS), ids=lambda number: labels.COMMANDS[number])
def test_a_command_without_its_parameter_is_found(number):
    manifest = good()
    manifest.shared = Sequence(
        each for each in manifest.shared if each.number not in (n.C_OVERRIDE_PARAMETERS, n.C_VENDOR_ID, n.C_CLASS_ID)
    )
    manifest.sequences = {n.M_INSTALL: Sequence([select(0), condition(number)])}
    assert said(findings(manifest), ERROR, f"{labels.PARAMETERS[_NEEDS[number]]} is never set")


def test_every_command_that_reads_a_parameter_is_known():
    without = {
        n.C_ABORT, n.C_IS_DEPENDENCY, n.C_PROCESS_DEPENDENCY, n.C_SET_COMPONENT_INDEX, n.C_TRY_EACH, n.C_SET_PARAMETERS,
        n.C_OVERRIDE_PARAMETERS, n.C_INVOKE, n.C_RUN_SEQUENCE, n.C_UNLINK, n.C_OVERRIDE_MULTIPLE, n.C_COPY_PARAMS,
    }  # fmt: skip
    assert set(_NEEDS) | without == set(labels.COMMANDS)


def extended(*commands):
    manifest = good()
    manifest.sequences[n.M_INSTALL] += [select(0), *commands]
    return findings(manifest)


def given(number, value):
    return Command(n.C_OVERRIDE_PARAMETERS, {number: value})


WRONG = {
    n.P_USE_BEFORE: -1, n.P_COMPONENT_SLOT: "a", n.P_STRICT_ORDER: 1, n.P_IMAGE_SIZE: -1, n.P_CONTENT: "text",
    n.P_ENCRYPTION_INFO: b"\xff", n.P_SOURCE_COMPONENT: b"", n.P_INVOKE_ARGS: 5, n.P_FETCH_ARGUMENTS: 5,
    n.P_MINIMUM_BATTERY: -1, n.P_UPDATE_PRIORITY: "high", n.P_VERSION: cbor.encode([9, [1]]), n.P_WAIT_INFO: b"\x18\x00",
    n.P_COMPONENT_METADATA: cbor.encode({5: 2}), n.P_VENDOR_ID: b"short", n.P_CLASS_ID: b"short", n.P_DEVICE_ID: 5,
    n.P_IMAGE_DIGEST: b"\x00", n.P_URI: "x" * 600, n.P_SOFT_FAILURE: True,
}  # fmt: skip


@pytest.mark.parametrize("number", sorted(labels.PARAMETERS), ids=lambda number: labels.PARAMETERS[number])
def test_a_value_that_no_device_takes_is_found(number):
    found = [each for each in extended(given(number, WRONG[number])) if each.level == ERROR]
    assert found


def test_local_time_is_warned_about_and_unknown_events_are_errors():
    def wait(events):
        return extended(given(n.P_WAIT_INFO, cbor.encode(events)), directive(n.C_WAIT))

    assert wait({8: 7200}) == [] and wait({2: 1, 5: 9}) == []
    for event in (6, 7):
        assert said(wait({event: 1}), WARNING, "by itself")
    assert said(wait({4: [b"x", [[3, [1]]]]}), WARNING, "other-device-version")
    assert said(wait({12: 1}), ERROR, "event 12 is not known")
    assert said(wait({5: -1}), ERROR, "time is not what it should be")
    assert said(wait({}), ERROR, "names no event")


def test_what_several_commands_set_counts():
    """copy-params and override-multiple are followed like override-parameters."""
    manifest = good()
    manifest.components.append((b"file", b"y"))
    steps = [
        Command(n.C_OVERRIDE_MULTIPLE, {1: {n.P_MINIMUM_BATTERY: 5}}), condition(n.C_MINIMUM_BATTERY),
        select(0), Command(n.C_COPY_PARAMS, {1: [n.P_MINIMUM_BATTERY]}), condition(n.C_MINIMUM_BATTERY),
    ]  # fmt: skip
    manifest.sequences[n.M_INSTALL] += steps
    assert not said(findings(manifest), ERROR, "never set")
    del manifest.sequences[n.M_INSTALL][-2]
    assert said(findings(manifest), ERROR, "minimum-battery is never set for component 0")


def test_a_section_of_a_dependency_that_nobody_runs_is_found():
    case = cases("domains")["process-forgotten"]
    assert any("nothing here runs it" in each.what and each.where == "install" for each in errors(case))


def test_findings_inside_a_dependency_are_found_from_outside():
    from making.domains import owned, root

    inner = owned([condition(n.C_USE_BEFORE), override(content=b"y"), directive(n.C_WRITE)])
    found = lint(root(inner))
    assert said(found, ERROR, "dependency 1, install[0] use-before: use-before is never set")


def test_a_section_that_only_the_dependency_has_is_warned_about():
    from making.domains import owned, root

    inner = owned(validate=[condition(n.C_VENDOR_ID)])
    assert said(lint(root(inner)), WARNING, "validate: dependency 1 has this section")
