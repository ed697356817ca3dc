"""Cases of suit-update-management: each condition true, false, unknown to the device and without its parameter; each event;
each thing that can be wrong with what sets parameters."""

from suitup import cbor
from suitup import numbers as n

from making.parts import (
    NOW,
    Anchor,
    Case,
    Command,
    Digest,
    condition,
    directive,
    manifest,
    override,
    parameters,
    select,
    sign,
    test_key,
)

SIGNER = test_key("management")
KEYS = [Anchor(SIGNER)]
WRITE = [override(content=b"x"), directive(n.C_WRITE)]
DONE = {"61": "78"}


def _case(name, commands, word, section, environment=None, also=(), components=((b"a",),), after=None, **more):
    made = manifest(commands, components, **more)
    if word == "ok" and after is None:
        after = DONE
    return Case(name, sign(made, SIGNER), word, KEYS, section, after, environment=environment or {}, also=also)


def _condition(name, number, values, word, environment=None):
    """The condition, then a write; when it fails, also as a branch that is left."""
    section = "suit-condition-" + name.rsplit("-", 1)[0]
    check = ([parameters(values)] if values else []) + [condition(number)]
    yield _case(name, check + WRITE, word, section, environment)
    if word != "ok":
        branch = Command(n.C_TRY_EACH, [_sequence(check), None])
        yield _case(name + "-soft", [branch, *WRITE], "ok", section, environment, after=_also(environment))


def _sequence(commands):
    from suitup.manifest import Sequence

    return Sequence(commands)


def _also(environment):
    before = dict((environment or {}).get("components_before", {}))
    return {**before, **DONE}


def conditions():
    for name, limit, now, word in (
        ("use-before-true", NOW + 1, NOW, "ok"),
        ("use-before-equal", NOW, NOW, "condition-failed"),
        ("use-before-false", NOW - 1, NOW, "condition-failed"),
        ("use-before-far", 2**63 + 5, 2**33, "ok"),
        ("use-before-unknown", NOW + 1, None, "condition-failed"),
        ("use-before-unset", None, NOW, "condition-failed"),
    ):
        values = None if limit is None else {n.P_USE_BEFORE: limit}
        yield from _condition(name, n.C_USE_BEFORE, values, word, {} if now is None else {"now": now})
    for name, least, left, word in (
        ("minimum-battery-true", 50, 51, "ok"),
        ("minimum-battery-equal", 50, 50, "ok"),
        ("minimum-battery-false", 50, 49, "condition-failed"),
        ("minimum-battery-unknown", 50, None, "condition-failed"),
        ("minimum-battery-unset", None, 50, "condition-failed"),
    ):
        values = None if least is None else {n.P_MINIMUM_BATTERY: least}
        yield from _condition(name, n.C_MINIMUM_BATTERY, values, word, {} if left is None else {"battery_mwh": left})
    for name, priority, agreed, word in (
        ("update-authorized-true", 3, True, "ok"),
        ("update-authorized-negative", -3, True, "ok"),
        ("update-authorized-false", 3, False, "condition-failed"),
        ("update-authorized-unknown", 3, None, "condition-failed"),
        ("update-authorized-unset", None, True, "condition-failed"),
    ):
        values = None if priority is None else {n.P_UPDATE_PRIORITY: priority}
        environment = {} if agreed is None else {"update_authorized": agreed}
        yield from _condition(name, n.C_UPDATE_AUTHORIZED, values, word, environment)
    digest = {n.P_IMAGE_DIGEST: Digest.of(b"old")}
    for name, values, held, word in (
        ("image-not-match-true", digest, b"other", "ok"),
        ("image-not-match-empty", digest, None, "ok"),
        ("image-not-match-size", {**digest, n.P_IMAGE_SIZE: 4}, b"old", "ok"),
        ("image-not-match-false", digest, b"old", "condition-failed"),
        ("image-not-match-unset", None, b"old", "condition-failed"),
    ):
        environment = {} if held is None else {"components_before": {"61": held.hex()}}
        check = ([parameters(values)] if values else []) + [condition(n.C_IMAGE_NOT_MATCH)]
        # what is written next has another size
        write = [parameters({n.P_IMAGE_SIZE: 1, n.P_IMAGE_DIGEST: Digest.of(b"x")}), *WRITE]
        yield _case(name, check + write, word, "suit-condition-image-not-match", environment)


_KINDS = {1: "greater", 2: "greater-equal", 3: "equal", 4: "lesser-equal", 5: "lesser"}
_TRUE = {1: (1,), 2: (0, 1), 3: (0,), 4: (0, -1), 5: (-1,)}


def versions():
    section = "suit-condition-version"

    def one(name, kind, wanted, installed, word):
        values = {n.P_VERSION: cbor.encode([kind, wanted])}
        environment = {} if installed is None else {"component_versions": {"61": installed}}
        return _case(name, [parameters(values), condition(n.C_VERSION), *WRITE], word, section, environment)

    for kind, what in _KINDS.items():
        for word, installed, order in (("below", [1, 9, 9], -1), ("same", [2, 0, 1], 0), ("above", [2, 0, 2], 1)):
            result = "ok" if order in _TRUE[kind] else "condition-failed"
            yield one(f"version-{what}-installed-{word}", kind, [2, 0, 1], installed, result)
    # comparison ends with the integers of the manifest
    yield one("version-equal-prefix", 3, [1], [1, 7, 3], "ok")
    yield one("version-greater-prefix", 1, [1], [1, 7, 3], "condition-failed")
    # [2, 0, -1, 1] is 2.0-rc.1
    yield one("version-candidate-is-lesser", 5, [2, 0, 0], [2, 0, -1, 1], "ok")
    yield one("version-beta-below-candidate", 1, [2, 0, -2, 4], [2, 0, -1, 1], "ok")
    yield one("version-large", 3, [2**62, 5], [2**62, 5], "ok")
    yield one("version-unknown", 3, [1], None, "condition-failed")
    unset = [condition(n.C_VERSION), *WRITE]
    yield _case("version-unset", unset, "condition-failed", section, {"component_versions": {"61": [1]}})
    for name, value in (
        ("version-kind-0", [0, [1]]),
        ("version-kind-6", [6, [1]]),
        ("version-no-numbers", [3, []]),
        ("version-no-list", [3, 1]),
    ):
        values = {n.P_VERSION: cbor.encode(value)}
        yield _case(name, [parameters(values), *WRITE], "abort", section, also=("parse-fail",))


def waits():
    section = "suit-directive-wait"
    midnight = NOW - NOW % 86400

    def one(name, info, word, environment, also=()):
        commands = [parameters({n.P_WAIT_INFO: cbor.encode(info)}), directive(n.C_WAIT), *WRITE]
        return _case(name, commands, word, section, environment, also)

    other = [b"another device", [[3, [1, 2]]]]
    happened = {"wait_events": ["power", "network", "other-device-version", "time-of-day", "day-of-week"]}
    for number, name, argument, true, false in (
        (1, "authorization", -4, {"update_authorized": True}, {"update_authorized": False}),
        (2, "power", 1, happened, {}),
        (3, "network", 1, happened, {}),
        (4, "other-device-version", other, happened, {}),
        (5, "time", NOW, {"now": NOW}, {"now": NOW - 1}),
        (6, "time-of-day", 3600, happened, {"now": midnight + 3600}),
        (7, "day-of-week", 3, happened, {"now": NOW}),
        (8, "time-of-day-utc", 3600, {"now": midnight + 3605}, {"now": midnight + 3599}),
        (9, "day-of-week-utc", 3, {"now": NOW}, {"now": NOW + 86400}),
    ):
        yield one(f"wait-{name}-happened", {number: argument}, "ok", true)
        yield one(f"wait-{name}-not-yet", {number: argument}, "operation-failed", false)
    yield one("wait-time-without-clock", {5: NOW}, "operation-failed", {})
    yield one("wait-all-of-two", {2: 1, 5: NOW}, "ok", {**happened, "now": NOW})
    yield one("wait-one-of-two", {2: 1, 5: NOW}, "operation-failed", {"now": NOW})
    yield one("wait-unknown-event", {10: 0}, "operation-failed", happened, ("abort",))
    yield one("wait-nothing", {}, "abort", happened, ("parse-fail",))
    yield one("wait-wrong-argument", {5: -1}, "abort", {"now": NOW}, ("parse-fail",))
    unset = [directive(n.C_WAIT), *WRITE]
    yield _case("wait-unset", unset, "operation-failed", section, happened)
    info = {n.P_WAIT_INFO: cbor.encode({2: 1})}
    shared = [parameters(info), directive(n.C_WAIT)]
    yield _case("wait-in-shared", WRITE, "abort", section, happened, shared=shared)
    soft = Command(n.C_TRY_EACH, [_sequence([parameters(info), directive(n.C_WAIT)]), None])
    yield _case("wait-is-no-condition", [soft, *WRITE], "operation-failed", section, {})


TWO = ((b"a",), (b"b",))


def several():
    """override-multiple and copy-params."""
    write = directive(n.C_WRITE)
    multiple = Command(n.C_OVERRIDE_MULTIPLE, {0: {n.P_CONTENT: b"x"}, 1: {n.P_CONTENT: b"y"}})
    section = "suit-directive-override-multiple"

    def one(name, commands, word, after=None, **more):
        return _case(name, commands, word, section, components=TWO, after=after, also=more.pop("also", ()), **more)

    both = {"61": "78", "62": "79"}
    yield one("override-multiple-sets-each", [select(0), multiple, select(True), write], "ok", both)
    yield one("override-multiple-selects-the-last", [select(0), multiple, write], "ok", {"62": "79"})
    yield one("override-multiple-replaces", [select(0), override(content=b"old"), multiple, select(0), write], "ok", DONE)
    yield one("override-multiple-in-shared", [select(True), write], "ok", both, shared=[multiple])
    for name, argument, also in (
        ("override-multiple-of-nothing", {}, ("parse-fail",)),
        ("override-multiple-unknown-component", {0: {n.P_CONTENT: b"x"}, 2: {n.P_CONTENT: b"y"}}, ()),
        ("override-multiple-no-parameters", {0: {}}, ("parse-fail",)),
        ("override-multiple-unknown-parameter", {0: {99: b""}}, ()),
        ("override-multiple-strict-order", {0: {n.P_STRICT_ORDER: False}}, ()),
        ("override-multiple-soft-failure", {0: {n.P_SOFT_FAILURE: True}}, ()),
    ):
        commands = [select(0), Command(n.C_OVERRIDE_MULTIPLE, argument), override(content=b"x"), write]
        yield one(name, commands, "abort", also=also)
    section = "suit-directive-copy-params"
    given = [select(0), parameters({n.P_CONTENT: b"x", n.P_IMAGE_SIZE: 1}), select(1)]

    def copy(argument):
        return Command(n.C_COPY_PARAMS, argument)

    yield one("copy-params-copies", [*given, copy({0: [n.P_CONTENT, n.P_IMAGE_SIZE]}), write], "ok", {"62": "78"})
    yield one("copy-params-replaces", [*given, override(content=b"old"), copy({0: [n.P_CONTENT]}), write], "ok", {"62": "78"})
    yield one("copy-params-to-several", [*given, select([0, 1]), copy({0: [n.P_CONTENT]}), write], "ok", {"61": "78", "62": "78"})
    yield one("copy-params-in-shared", [select(1), write], "ok", {"62": "78"}, shared=[*given, copy({0: [n.P_CONTENT]})])
    for name, argument, also in (
        ("copy-params-unset", {0: [n.P_URI]}, ()),
        ("copy-params-unknown-source", {2: [n.P_CONTENT]}, ()),
        ("copy-params-of-nothing", {}, ("parse-fail",)),
        ("copy-params-empty-list", {0: []}, ("parse-fail",)),
    ):
        yield one(name, [*given, copy(argument), override(content=b"x"), write], "abort", also=also)


def members():
    """set-version, CoSWID, component-metadata, and texts of this draft."""
    section = "suit-parameter-component-metadata"
    for name, value, word, also in (
        ("metadata-regular-file", {5: 1}, "ok", ()),
        ("metadata-empty", {}, "ok", ()),
        ("metadata-permissions", {1: 0b111}, "operation-failed", ()),
        ("metadata-user-permissions", {2: {"root": 7}}, "operation-failed", ()),
        ("metadata-group-permissions", {3: {1: 7}}, "operation-failed", ()),
        ("metadata-role-permissions", {4: {b"r": 7}}, "operation-failed", ()),
        ("metadata-directory", {5: 2}, "operation-failed", ()),
        ("metadata-symlink", {5: 3}, "operation-failed", ()),
        ("metadata-creator", {8: "somebody"}, "operation-failed", ()),
        ("metadata-unknown", {99: 1}, "operation-failed", ()),
    ):
        values = {n.P_COMPONENT_METADATA: cbor.encode(value)}
        yield _case(name, [parameters(values), *WRITE], word, section, also=also)
    yield _case("set-version", WRITE, "ok", "suit-set-version", set_version=(2, 0, -1, 1))
    for name, value in (("set-version-no-list", cbor.encode(2)), ("set-version-text", cbor.encode(["2"]))):
        yield _case(name, WRITE, "parse-fail", "suit-set-version", other={n.M_SET_VERSION: value}, also=("abort",))
    section = "suit-coswid"
    tag = cbor.encode({0: "a tag id", 1: "software", 12: 0, 2: {31: "somebody", 33: 1}})
    made = manifest(WRITE, coswid=tag)
    yield Case("coswid-in-manifest", sign(made, SIGNER), "ok", KEYS, section, DONE)
    yield Case("coswid-severed", sign(made, SIGNER, sever=[n.M_COSWID]), "ok", KEYS, section, DONE)
    envelope = cbor.decode(sign(made, SIGNER, sever=[n.M_COSWID])).value
    for name, change, word in (
        ("coswid-left-behind", lambda members: members.pop(n.M_COSWID), "ok"),
        ("coswid-changed", lambda members: members.update({n.M_COSWID: tag + b"\x00"}), "severed-digest-fail"),
    ):
        members = dict(envelope)
        change(members)
        data = cbor.encode(cbor.CBORTag(n.TAG_SUIT_ENVELOPE, members))
        yield Case(name, data, word, KEYS, section, DONE if word == "ok" else None)
    text = cbor.encode({"en": {(b"a",): {7: ">=1.0.0", 8: "1.2.3"}}})
    yield _case("text-versions", WRITE, "ok", "suit-text-version-required", text=text)
    mud = cbor.encode({1: cbor.CBORTag(32, "https://example.com/mud.json"), 2: [n.ALG_SHA256, bytes(32)]})
    yield _case("mud-carried", WRITE, "ok", "suit-mud-09, section 5", other={n.M_MUD: mud})


def cases():
    for part in (conditions, versions, waits, several, members):
        yield from part()
