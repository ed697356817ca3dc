"""Cases of access control (the third model of suit-manifest section 9): what a key is not permitted is refused, whatever the
command; what it is permitted works."""

from suitup import cbor
from suitup import numbers as n
from suitup.keys.trust import Access
from suitup.manifest import labels

from making.parts import (
    Anchor,
    Case,
    Command,
    Digest,
    Sequence,
    condition,
    directive,
    manifest,
    override,
    parameters,
    select,
    sign,
    test_key,
)

SIGNER, OWNER = test_key("restricted"), test_key("owner", "Ed25519")
ALL_COMMANDS, ALL_PARAMETERS = tuple(labels.COMMANDS), tuple(labels.PARAMETERS)
SECTION = "section 9 (KEY_ACCESS)"
WRITE = [override(content=b"x"), directive(n.C_WRITE)]
TWO = ((b"a",), (b"b",))
BEFORE = {"components_before": {"61": "6f6c64", "62": "6b657074"}}
CONTENT = {n.P_CONTENT: b"x"}

# one use of each command, on component 0; all of them succeed for a key without restrictions
USES = {
    n.C_VENDOR_ID: [condition(n.C_VENDOR_ID)],
    n.C_CLASS_ID: [condition(n.C_CLASS_ID)],
    n.C_IMAGE_MATCH: [override(image_digest=Digest.of(b"old")), condition(n.C_IMAGE_MATCH)],
    n.C_USE_BEFORE: [parameters({n.P_USE_BEFORE: 9}), condition(n.C_USE_BEFORE)],
    n.C_COMPONENT_SLOT: [override(slot=0), condition(n.C_COMPONENT_SLOT)],
    n.C_CHECK_CONTENT: [override(content=b"old"), condition(n.C_CHECK_CONTENT)],
    n.C_DEPENDENCY_INTEGRITY: [select(2), condition(n.C_DEPENDENCY_INTEGRITY), directive(n.C_PROCESS_DEPENDENCY)],
    n.C_IS_DEPENDENCY: [select(2), condition(n.C_IS_DEPENDENCY)],
    n.C_PROCESS_DEPENDENCY: [select(2), condition(n.C_DEPENDENCY_INTEGRITY), directive(n.C_PROCESS_DEPENDENCY)],
    n.C_SET_COMPONENT_INDEX: [select(0)],
    n.C_ABORT: [Command(n.C_TRY_EACH, [Sequence([condition(n.C_ABORT)]), None])],
    n.C_TRY_EACH: [Command(n.C_TRY_EACH, [Sequence([condition(n.C_VENDOR_ID)])])],
    n.C_WRITE: WRITE,
    n.C_SET_PARAMETERS: [Command(n.C_SET_PARAMETERS, CONTENT)],
    n.C_OVERRIDE_PARAMETERS: [parameters(CONTENT)],
    n.C_FETCH: [override(uri="#x"), directive(n.C_FETCH)],
    n.C_COPY: [override(source=1), directive(n.C_COPY)],
    n.C_INVOKE: [directive(n.C_INVOKE)],
    n.C_DEVICE_ID: [override(device_id=b"one device of it"), condition(n.C_DEVICE_ID)],
    n.C_IMAGE_NOT_MATCH: [override(image_digest=Digest.of(b"x")), condition(n.C_IMAGE_NOT_MATCH)],
    n.C_MINIMUM_BATTERY: [parameters({n.P_MINIMUM_BATTERY: 9}), condition(n.C_MINIMUM_BATTERY)],
    n.C_UPDATE_AUTHORIZED: [parameters({n.P_UPDATE_PRIORITY: 9}), condition(n.C_UPDATE_AUTHORIZED)],
    n.C_VERSION: [parameters({n.P_VERSION: cbor.encode([3, [1]])}), condition(n.C_VERSION)],
    n.C_WAIT: [parameters({n.P_WAIT_INFO: cbor.encode({2: 1})}), directive(n.C_WAIT)],
    n.C_SWAP: [override(source=1), directive(n.C_SWAP)],
    n.C_RUN_SEQUENCE: [Command(n.C_RUN_SEQUENCE, Sequence([condition(n.C_VENDOR_ID)]))],
    n.C_UNLINK: [directive(n.C_UNLINK)],
    n.C_OVERRIDE_MULTIPLE: [Command(n.C_OVERRIDE_MULTIPLE, {0: CONTENT})],
    n.C_COPY_PARAMS: [Command(n.C_COPY_PARAMS, {0: [n.P_VENDOR_ID]})],
}
# those that touch the component that is selected
TOUCHING = (
    n.C_IMAGE_MATCH, n.C_COMPONENT_SLOT, n.C_CHECK_CONTENT, n.C_WRITE, n.C_FETCH, n.C_COPY, n.C_INVOKE,
    n.C_IMAGE_NOT_MATCH, n.C_VERSION, n.C_SWAP, n.C_UNLINK,
)  # fmt: skip
VALUES = {
    n.P_VENDOR_ID: bytes(16), n.P_CLASS_ID: bytes(16), n.P_IMAGE_DIGEST: Digest.of(b""), n.P_USE_BEFORE: 1,
    n.P_COMPONENT_SLOT: 0, n.P_STRICT_ORDER: True, n.P_SOFT_FAILURE: False, n.P_IMAGE_SIZE: 1, n.P_CONTENT: b"x",
    n.P_ENCRYPTION_INFO: cbor.encode([]), n.P_URI: "#x", n.P_SOURCE_COMPONENT: 1, n.P_INVOKE_ARGS: b"",
    n.P_DEVICE_ID: bytes(16), n.P_FETCH_ARGUMENTS: b"", n.P_MINIMUM_BATTERY: 1, n.P_UPDATE_PRIORITY: 1,
    n.P_VERSION: cbor.encode([3, [1]]), n.P_WAIT_INFO: cbor.encode({2: 1}), n.P_COMPONENT_METADATA: cbor.encode({5: 1}),
}  # fmt: skip
KNOWN = {
    **BEFORE, "now": 5, "battery_mwh": 10, "update_authorized": True, "wait_events": ["power"],
    "component_versions": {"61": [1]}, "procedures": ["update"],
}  # fmt: skip


def _dependency(signer=OWNER, commands=WRITE, components=((b"d",),)):
    return sign(manifest(commands, components), signer)


def _manifest(commands, dependent):
    """A manifest whose validation holds the commands; with the dependency at index 2 when it needs one."""
    dependency = sign(manifest(validate=[condition(n.C_VENDOR_ID)], components=((b"d",),)), OWNER)
    more = {"dependencies": {2: {1: [b"dep"]}}} if dependent else {}
    made = manifest(validate=[select(0), *commands], components=TWO, **more)
    environment = dict(KNOWN)
    if dependent:
        from suitup.manifest import Envelope

        made.shared += [select(2), override(image_digest=Envelope.decode(dependency).digest)]
        environment["components_before"] = {**BEFORE["components_before"], "646570": dependency.hex()}
    return made, environment


def _used(number, name, access, word, after=None):
    commands = USES[number]
    made, environment = _manifest(commands, number in (n.C_DEPENDENCY_INTEGRITY, n.C_IS_DEPENDENCY, n.C_PROCESS_DEPENDENCY))
    data = sign(made, SIGNER, payloads={"#x": b"x"} if number == n.C_FETCH else None)
    keys = [Anchor(SIGNER, access=(access,) if access else ()), Anchor(OWNER)]
    return Case(name, data, word, keys, SECTION, after, None, environment)


def commands():
    for number, name in labels.COMMANDS.items():
        yield _used(number, f"command-{name}-unrestricted", None, "ok")
        yield _used(number, f"command-{name}-permitted", Access(commands=ALL_COMMANDS), "ok")
        others = tuple(each for each in ALL_COMMANDS if each != number)
        yield _used(number, f"command-{name}-denied", Access(commands=others), "abort")
    yield _used(n.C_WRITE, "no-command-at-all", Access(commands=()), "abort")


def components():
    mine, others = Access(components=((b"a",),)), Access(components=((b"b",),))
    for number in TOUCHING:
        name = labels.COMMANDS[number]
        yield _used(number, f"component-{name}-denied", others, "abort")
        # copy and swap touch their source too
        if number not in (n.C_COPY, n.C_SWAP):
            yield _used(number, f"component-{name}-permitted", mine, "ok")
        else:
            yield _used(number, f"component-{name}-source-denied", mine, "abort")
            yield _used(number, f"component-{name}-permitted", Access(components=((b"a",), (b"b",))), "ok")

    def one(name, identifier, prefixes, word):
        data = sign(manifest(WRITE, (identifier,)), SIGNER)
        held = "/".join(part.hex() for part in identifier)
        keys = [Anchor(SIGNER, access=(Access(components=prefixes),))]
        return Case(name, data, word, keys, SECTION, {held: "78"} if word == "ok" else {})

    file = (b"file", b"config", b"x")
    yield one("prefix-whole", file, (file,), "ok")
    yield one("prefix-shorter", file, ((b"file",),), "ok")
    yield one("prefix-empty-is-any", file, ((),), "ok")
    yield one("prefix-second", file, ((b"app",), (b"file", b"config")), "ok")
    yield one("prefix-longer", (b"file", b"config"), (file,), "abort")
    yield one("prefix-another", file, ((b"file", b"conf"),), "abort")
    yield one("prefix-of-a-part", file, ((b"fi",),), "abort")
    yield one("prefix-none", file, (), "abort")
    # to say something about somebody else's component is no touch
    made = manifest([select(1), override(content=b"x"), select(0), *WRITE], TWO)
    keys = [Anchor(SIGNER, access=(mine,))]
    yield Case("parameters-of-others", sign(made, SIGNER), "ok", keys, SECTION, {"61": "78"})


def parameters_of_keys():
    for number, name in labels.PARAMETERS.items():
        others = tuple(each for each in ALL_PARAMETERS if each != number)
        value = {number: VALUES[number]}
        inner = Command(n.C_RUN_SEQUENCE, Sequence([parameters(value)]))
        given = [inner] if number == n.P_SOFT_FAILURE else [parameters(value)]
        keys = [Anchor(SIGNER, access=(Access(parameters=others),))]
        all_of = [Anchor(SIGNER, access=(Access(parameters=ALL_PARAMETERS),))]
        # the shared sequence sets vendor and class itself
        made = manifest(validate=given)
        yield Case(f"parameter-{name}-denied", sign(made, SIGNER), "abort", keys, SECTION, {})
        yield Case(f"parameter-{name}-permitted", sign(made, SIGNER), "ok", all_of, SECTION, {})
    others = tuple(each for each in ALL_PARAMETERS if each != n.P_CONTENT)
    keys = [Anchor(SIGNER, access=(Access(parameters=others),))]
    for name, commands_ in (
        ("set-parameters", [select(0), Command(n.C_SET_PARAMETERS, CONTENT)]),
        ("override-multiple", [select(0), Command(n.C_OVERRIDE_MULTIPLE, {1: CONTENT})]),
    ):
        made = manifest(validate=commands_, components=TWO)
        yield Case(f"parameter-by-{name}-denied", sign(made, SIGNER), "abort", keys, SECTION, {})
    for name, others_ in (("strict-order", n.P_STRICT_ORDER), ("soft-failure", n.P_SOFT_FAILURE)):
        allowed = tuple(each for each in ALL_PARAMETERS if each != others_)
        inside = Sequence([Command(n.C_SET_PARAMETERS, {others_: True})])
        made = manifest(validate=[Command(n.C_RUN_SEQUENCE, inside)])
        keys = [Anchor(SIGNER, access=(Access(parameters=allowed),))]
        yield Case(f"parameter-by-set-parameters-{name}-denied", sign(made, SIGNER), "abort", keys, SECTION, {})


def dependencies():
    """Each manifest is held to what its own key may do."""
    from suitup.manifest import Envelope

    listed = {1: {1: [b"dep"]}}
    process = [condition(n.C_DEPENDENCY_INTEGRITY), directive(n.C_PROCESS_DEPENDENCY)]

    def one(name, inner, root_access, inner_access, word, after, install=None, metadata=listed, own=((b"a",),)):
        resolve = [select(1), override(uri="#dep"), directive(n.C_FETCH), process[0]]
        made = manifest(
            install or [select(1), process[1], select(0), *WRITE], own, dependencies=metadata, resolve=resolve,
            shared=[select(1), override(image_digest=Envelope.decode(inner).digest)],
        )  # fmt: skip
        keys = [
            Anchor(key, access=(access,) if access else ())
            for key, access in ((SIGNER, root_access), (OWNER, inner_access))
        ]
        return Case(name, sign(made, SIGNER, payloads={"#dep": inner}), word, keys, SECTION, after)

    inner = _dependency()
    stored = {"646570": inner.hex()}
    all_well = {**stored, "64": "78", "61": "78"}
    only_d, only_a = Access(components=((b"d",),)), Access(components=((b"a",), (b"dep",)))
    yield one("dependency-permitted", inner, None, only_d, "ok", all_well)
    yield one("dependency-component-denied", inner, None, Access(components=((b"e",),)), "abort", stored)
    no_write = Access(commands=tuple(each for each in ALL_COMMANDS if each != n.C_WRITE))
    yield one("dependency-command-denied", inner, None, no_write, "abort", stored)
    no_content = Access(parameters=tuple(each for each in ALL_PARAMETERS if each != n.P_CONTENT))
    yield one("dependency-parameter-denied", inner, None, no_content, "abort", stored)
    yield one("dependent-restricted-dependency-free", inner, only_a, None, "ok", all_well)
    yield one("dependent-may-not-store-a-dependency", inner, Access(components=((b"a",),)), None, "abort", {})
    yield one("dependent-command-denied", inner, no_write, None, "abort", {**stored, "64": "78"})
    # a restricted dependency reaches no further under a prefix: it is the whole identifier that counts
    prefixed = {1: {1: [b"p"]}}
    scoped = {**stored, "70/64": "78", "61": "78"}
    both = ((b"a",), (b"dep",))
    yield one("prefixed-dependency-denied", inner, None, only_d, "abort", stored, metadata=prefixed, own=both)
    in_scope = Access(components=((b"p", b"d"),))
    yield one("prefixed-dependency-permitted", inner, None, in_scope, "ok", scoped, metadata=prefixed, own=both)
    # the dependent hands a parameter to a dependency whose key could not set it
    given = _dependency(commands=[directive(n.C_WRITE)], components=((b"a",),))
    handed = [select(0), override(content=b"x"), select(1), process[1]]
    stored = {"646570": given.hex(), "61": "78"}
    # its own shared sequence sets vendor and class only
    little = Access(parameters=(n.P_VENDOR_ID, n.P_CLASS_ID))
    yield one("dependency-with-a-parameter-of-the-dependent", given, None, little, "ok", stored, install=handed)


def typical():
    """A key for settings, and no more: what `config-only` is for."""
    allowed = Access(
        ((b"file",),),
        (n.C_SET_COMPONENT_INDEX, n.C_VENDOR_ID, n.C_CLASS_ID, n.C_OVERRIDE_PARAMETERS, n.C_FETCH, n.C_IMAGE_MATCH),
        (n.P_VENDOR_ID, n.P_CLASS_ID, n.P_IMAGE_DIGEST, n.P_IMAGE_SIZE, n.P_URI),
    )
    keys = [Anchor(SIGNER, access=(allowed,))]

    def made(identifier):
        fetch = [override(uri="#x", image_digest=Digest.of(b"x"), image_size=1), directive(n.C_FETCH), condition(n.C_IMAGE_MATCH)]
        return sign(manifest(fetch, (identifier,)), SIGNER, payloads={"#x": b"x"})

    yield Case("settings-key-on-a-file", made((b"file", b"s")), "ok", keys, SECTION, {"66696c65/73": "78"})
    yield Case("settings-key-on-the-app", made((b"app",)), "abort", keys, SECTION, {})


def cases():
    assert set(USES) == set(ALL_COMMANDS) and set(VALUES) == set(ALL_PARAMETERS)
    for part in (commands, components, parameters_of_keys, dependencies, typical):
        yield from part()
