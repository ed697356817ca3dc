"""Cases of suit-trust-domains: a root manifest with dependencies that are carried inside its envelope, and what can be wrong
with one of them."""

from suitup import cbor
from suitup import numbers as n
from suitup.manifest import Envelope

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

ROOT, OWNER, STRANGER = test_key("root"), test_key("owner", "Ed25519"), test_key("stranger")
KEYS = [Anchor(ROOT), Anchor(OWNER)]
# the dependency lies beyond the components, as in the published examples: its identifier is its prefix
DEPENDENCY = {1: {1: [b"dep"]}}
INTEGRITY, PROCESS = condition(n.C_DEPENDENCY_INTEGRITY), directive(n.C_PROCESS_DEPENDENCY)
WRITE = directive(n.C_WRITE)
SECTION = {"integrity": "suit-condition-dependency-integrity", "process": "suit-directive-process-dependency"}


def digest(envelope: bytes) -> Digest:
    return Envelope.decode(envelope).digest


def owned(commands=None, signer=OWNER, components=((b"d",),), sever=(), **more) -> bytes:
    """A dependency that writes `y` into its component."""
    install = [override(content=b"y"), WRITE] if commands is None else commands
    return sign(manifest(install, components, **more), signer, sever=sever)


def root(dependency: bytes, resolve=None, install=None, named=None, payloads=None, listed=None, **more) -> bytes:
    """A root that fetches the dependency from its own envelope, checks it and has it processed, then writes `x`."""
    if resolve is None:
        resolve = [select(1), override(uri="#dep"), directive(n.C_FETCH), INTEGRITY]
    if install is None:
        install = [select(1), PROCESS, select(0), override(content=b"x"), WRITE]
    shared = [select(1), override(image_digest=named or digest(dependency))]
    made = manifest(
        install, shared=shared if named is not False else [], resolve=resolve,
        dependencies=DEPENDENCY if listed is None else listed, **more,
    )  # fmt: skip
    return sign(made, ROOT, payloads={"#dep": dependency} if payloads is None else payloads)


def _case(name, data, word, section, after=None, invoked=None):
    return Case(name, data, word, KEYS, SECTION.get(section, section), after, invoked)


def _holds(dependency, **more):
    """What the components hold when all went well."""
    return {"646570": dependency.hex(), "64": "79", "61": "78", **more}


def _stopped(name, dependency, word, section="integrity", also=(), **more):
    """The dependency is fetched and refused before anything else is written."""
    after = {"646570": dependency.hex()}
    return Case(name, root(dependency, **more), word, KEYS, SECTION[section], after, also=also)


def integrity():
    good = owned()
    yield _case("integrity-true", root(good), "ok", "integrity", _holds(good))
    mac = sign(manifest([override(content=b"y"), WRITE], ((b"d",),)), OWNER, ROOT)
    yield _case("integrity-two-signatures", root(mac), "ok", "integrity", _holds(mac))
    wrong = Digest.of(b"another manifest")
    yield _stopped("integrity-false", good, "condition-failed", also=("abort",), named=wrong)
    algorithm = Digest(digest(good).value, n.ALG_SHA512)
    yield _stopped("integrity-another-algorithm", good, "condition-failed", also=("abort",), named=algorithm)
    yield _stopped("integrity-unset", good, "condition-failed", named=False, also=("abort",))
    absent = root(good, resolve=[select(1), INTEGRITY])
    yield Case("integrity-empty", absent, "condition-failed", KEYS, SECTION["integrity"], {}, also=("abort",))
    stranger = owned(signer=STRANGER)
    yield _stopped("integrity-unknown-signer", stranger, "abort", also=("auth-fail",))
    unsigned = sign(manifest([override(content=b"y"), WRITE], ((b"d",),)))
    yield _stopped("integrity-unsigned", unsigned, "abort", also=("auth-fail",))
    item = cbor.decode(good).value
    changed = {**item, n.ENV_MANIFEST: item[n.ENV_MANIFEST][:-1] + b"\x0d"}
    changed = cbor.encode(cbor.CBORTag(n.TAG_SUIT_ENVELOPE, changed))
    yield _stopped("integrity-changed-manifest", changed, "abort", also=("auth-fail",), named=digest(good))
    yield _stopped("integrity-no-envelope", b"no envelope", "parse-fail", also=("abort",), named=digest(good))
    other = sign(manifest([override(content=b"z"), WRITE], ((b"d",),)), OWNER)
    yield _stopped("integrity-another-version", other, "condition-failed", also=("abort",), named=digest(good))
    untagged = cbor.encode(cbor.decode(good).value)
    yield _case("integrity-untagged", root(untagged, named=digest(good)), "ok", "integrity", _holds(untagged))
    not_one = root(good, resolve=[select(0), parameters({n.P_IMAGE_DIGEST: digest(good)}), INTEGRITY])
    yield Case("integrity-of-a-component", not_one, "condition-failed", KEYS, SECTION["integrity"], {}, also=("abort",))
    again = [select(1), override(uri="#dep"), directive(n.C_FETCH), INTEGRITY, override(uri="#other"), directive(n.C_FETCH)]
    carried = {"#dep": good, "#other": other}
    replaced = root(good, resolve=again, payloads=carried)
    after = {"646570": other.hex()}
    yield Case("integrity-void-after-fetch", replaced, "abort", KEYS, SECTION["integrity"], after)
    severed = owned([override(content=b"y"), WRITE], sever=[n.M_INSTALL])
    yield _case("integrity-severed-install", root(severed), "ok", "integrity", _holds(severed))
    item = cbor.decode(severed).value
    broken = cbor.encode(cbor.CBORTag(n.TAG_SUIT_ENVELOPE, {**item, n.M_INSTALL: b"\x80"}))
    yield _stopped("integrity-severed-changed", broken, "severed-digest-fail", named=digest(severed), also=("abort",))
    gone = cbor.encode(cbor.CBORTag(n.TAG_SUIT_ENVELOPE, {k: v for k, v in item.items() if k != n.M_INSTALL}))
    yield _stopped("integrity-severed-absent", gone, "abort", "process", named=digest(severed))


def is_dependency():
    good = owned()
    section = "suit-condition-is-dependency"
    check = condition(n.C_IS_DEPENDENCY)
    write = [override(content=b"x"), WRITE]
    done = _holds(good)

    def one(name, install, word, after):
        return Case(name, root(good, install=install), word, KEYS, section, after)

    process = [select(1), PROCESS, select(0)]
    yield one("is-dependency-true", [select(1), check, *process, *write], "ok", done)
    failed = {"646570": good.hex()}
    yield one("is-dependency-false", [select(0), check, *process, *write], "condition-failed", failed)
    branches = [
        Sequence([condition(n.C_IS_DEPENDENCY), PROCESS]),
        Sequence([override(content=b"x"), WRITE]),
    ]
    each = [select(True), Command(n.C_TRY_EACH, branches)]
    yield one("is-dependency-tells-them-apart", each, "ok", done)
    data = sign(manifest([check, *write]), ROOT)
    yield Case("is-dependency-without-any", data, "condition-failed", KEYS, section, {})
    shared = sign(manifest(write, shared=[Command(n.C_TRY_EACH, [Sequence([check]), None])]), ROOT)
    yield Case("is-dependency-in-shared", shared, "ok", KEYS, section, {"61": "78"})


def process():
    good = owned()
    yield _stopped("process-unchecked", good, "abort", "process", resolve=[select(1), override(uri="#dep"), directive(n.C_FETCH)])
    on_component = [select(0), PROCESS]
    yield _stopped("process-a-component", good, "abort", "process", install=on_component)
    forgotten = [select(0), override(content=b"x"), WRITE]
    after = {"646570": good.hex(), "61": "78"}
    yield Case("process-forgotten", root(good, install=forgotten), "abort", KEYS, SECTION["process"], after)
    everything = [select(True), PROCESS, select(0), override(content=b"x"), WRITE]
    yield _case("process-true-is-all-dependencies", root(good, install=everything), "ok", "process", _holds(good))
    without = owned([])
    yield _case("process-section-absent", root(without), "ok", "process", {"646570": without.hex(), "61": "78"})
    loading = owned(load=[condition(n.C_VENDOR_ID)])
    both = root(loading, validate=[select(1), INTEGRITY], load=[select(1), INTEGRITY, PROCESS])
    yield _case("process-load", both, "ok", "process", _holds(loading))
    failing = owned([condition(n.C_ABORT)])
    yield _stopped("process-fails-in-it", failing, "condition-failed", "process")
    soft = [select(1), Command(n.C_TRY_EACH, [Sequence([PROCESS]), None]), PROCESS]
    yield _stopped("process-fails-softly-then-again", failing, "condition-failed", "process", install=soft)
    made = manifest(
        [select(0), override(content=b"x"), WRITE],
        shared=[select(1), override(image_digest=digest(good), uri="#dep"), PROCESS],
        resolve=[select(0), condition(n.C_VENDOR_ID)], dependencies=DEPENDENCY,
    )  # fmt: skip
    data = sign(made, ROOT, payloads={"#dep": good})
    yield Case("process-in-shared", data, "abort", KEYS, SECTION["process"], {})
    # a dependency for devices of somebody else
    other = manifest([override(content=b"y"), WRITE], ((b"d",),))
    other.shared[0].argument[n.P_VENDOR_ID] = b"another's vendor"
    wrong = sign(other, OWNER)
    yield _stopped("process-for-another-vendor", wrong, "condition-failed", "process")
    run = owned(invoke=[override(invoke_args=b"from d"), directive(n.C_INVOKE)])
    invoke = [select(1), INTEGRITY, PROCESS]
    yield _case(
        "process-invoke", root(run, invoke=invoke), "ok", "process", _holds(run),
        invoked=[{"component": "64", "args": b"from d".hex()}],
    )  # fmt: skip
    yield _case("process-invoke-is-the-root's-decision", root(run), "ok", "process", _holds(run), invoked=[])
    inside = sign(
        manifest([override(uri="#y"), directive(n.C_FETCH)], ((b"d",),)), OWNER, payloads={"#y": b"y"}
    )
    yield _case("process-payload-inside-the-dependency", root(inside), "ok", "process", _holds(inside))
    outside = owned([override(uri="#dep"), directive(n.C_FETCH)])
    yield _stopped("process-payload-of-the-root", outside, "operation-failed", "process")


def nested():
    """Dependencies of dependencies."""
    name = "suit-directive-process-dependency"

    def chain(depth):
        """An envelope whose manifest has `depth` manifests inside one another, and what is stored."""
        inner = owned(components=((b"d",),))
        held = {}
        for level in range(depth - 1):
            named = b"dep" + bytes([0x30 + level])
            held[named.hex()] = inner.hex()
            made = manifest(
                [select(1), PROCESS], ((b"c",),), shared=[select(1), override(image_digest=digest(inner))],
                resolve=[select(1), override(uri="#in"), directive(n.C_FETCH), INTEGRITY, PROCESS],
                dependencies={1: {1: [named]}},
            )  # fmt: skip
            inner = sign(made, OWNER, payloads={"#in": inner})
        return inner, held

    fetch = [select(1), override(uri="#dep"), directive(n.C_FETCH), INTEGRITY, PROCESS]
    for depth in (2, 4):
        made, held = chain(depth)
        after = _holds(made, **held)
        yield Case(f"depth-{depth}", root(made, resolve=fetch), "ok", KEYS, name, after)
    made, held = chain(5)
    # the innermost is fetched, and not looked at
    after = {"646570": made.hex(), **held}
    yield Case("depth-5", root(made, resolve=fetch), "parse-fail", KEYS, name, after, also=("abort",), note="limit: 4")
    # two owners, one component each
    first, second = owned(), owned([override(content=b"z"), WRITE], ROOT, ((b"e",),))
    listed = {1: {1: [b"one"]}, 2: {1: [b"two"]}}

    def two(install):
        made = manifest(
            install, dependencies=listed,
            shared=[
                select(1), override(image_digest=digest(first), uri="#1"),
                select(2), override(image_digest=digest(second), uri="#2"),
            ],
            resolve=[select([1, 2]), directive(n.C_FETCH), INTEGRITY],
        )  # fmt: skip
        return sign(made, ROOT, payloads={"#1": first, "#2": second})

    stored = {b"one".hex(): first.hex(), b"two".hex(): second.hex()}
    yield Case("two-dependencies", two([select([1, 2]), PROCESS]), "ok", KEYS, name, {**stored, "64": "79", "65": "7a"})
    yield Case("two-dependencies-one-forgotten", two([select(1), PROCESS]), "abort", KEYS, name, {**stored, "64": "79"})


def prefixes():
    section = "suit-dependency-prefix"
    good = owned()

    def listed(metadata, after, name, dependency=good, word="ok", install=None):
        """The dependency is component 1 of the list."""
        made = manifest(
            install or [select(1), PROCESS, select(0), override(content=b"x"), WRITE], ((b"a",), (b"dep",)),
            shared=[select(1), override(image_digest=digest(dependency))], dependencies={1: metadata},
            resolve=[select(1), override(uri="#dep"), directive(n.C_FETCH), INTEGRITY],
        )  # fmt: skip
        return Case(name, sign(made, ROOT, payloads={"#dep": dependency}), word, KEYS, section, after)

    yield listed({}, _holds(good), "prefix-none")
    scoped = {"646570": good.hex(), "7031/64": "79", "61": "78"}
    yield listed({1: [b"p1"]}, scoped, "prefix-one-part")
    yield listed({1: [b"p1", b"q"]}, {"646570": good.hex(), "7031/71/64": "79", "61": "78"}, "prefix-two-parts")
    # a dependency of a dependency: both prefixes
    inner = owned()
    made = manifest(
        [select(1), PROCESS], ((b"c",), (b"in",)), shared=[select(1), override(image_digest=digest(inner))],
        resolve=[select(1), override(uri="#in"), directive(n.C_FETCH), INTEGRITY], dependencies={1: {1: [b"p2"]}},
    )  # fmt: skip
    outer = sign(made, OWNER, payloads={"#in": inner})
    resolve = [select(1), override(uri="#dep"), directive(n.C_FETCH), INTEGRITY, PROCESS]
    root_made = manifest(
        [select(1), PROCESS], ((b"a",), (b"dep",)), shared=[select(1), override(image_digest=digest(outer))],
        resolve=resolve, dependencies={1: {1: [b"p1"]}},
    )  # fmt: skip
    after = {"646570": outer.hex(), "7031/696e": inner.hex(), "7031/7032/64": "79"}
    data = sign(root_made, ROOT, payloads={"#dep": outer})
    yield Case("prefix-of-prefix", data, "ok", KEYS, section, after)
    for name, metadata, word, also in (
        ("prefix-unknown-member", {2: b""}, "abort", ("parse-fail",)),
        ("prefix-no-identifier", {1: b"dep"}, "abort", ("parse-fail",)),
    ):
        yield Case(name, root(good, listed={1: metadata}), word, KEYS, section, {}, also=also)
    nameless = root(good, listed={1: {}})
    yield Case("dependency-beyond-without-name", nameless, "abort", KEYS, section, {}, also=("parse-fail",))
    many = root(good, listed={index: {1: [bytes([index])]} for index in range(1, 18)})
    yield Case("too-many-dependencies", many, "parse-fail", KEYS, section, {}, also=("abort",))


def setting():
    """set-parameters, and parameters that dependent and dependency both name."""
    section = "suit-directive-set-parameters"

    def default(**values):
        return Command(n.C_SET_PARAMETERS, override(**values).argument)

    def one(name, commands, after, word="ok", also=(), **more):
        return Case(name, sign(manifest(commands, **more), ROOT), word, KEYS, section, after, also=also)

    yield one("set-when-unset", [default(content=b"x"), WRITE], {"61": "78"})
    yield one("set-when-set", [override(content=b"x"), default(content=b"no"), WRITE], {"61": "78"})
    yield one("set-twice", [default(content=b"x"), default(content=b"no"), WRITE], {"61": "78"})
    yield one("set-then-override", [default(content=b"no"), override(content=b"x"), WRITE], {"61": "78"})
    yield one("set-in-shared", [WRITE], {"61": "78"}, shared=[default(content=b"x")])
    yield one("set-nothing", [Command(n.C_SET_PARAMETERS, {}), override(content=b"x"), WRITE], {}, "abort", ("parse-fail",))
    unknown = Command(n.C_SET_PARAMETERS, {99: 1})
    yield one("set-unknown-parameter", [unknown, override(content=b"x"), WRITE], {}, "abort")
    soft = Command(n.C_SET_PARAMETERS, {n.P_SOFT_FAILURE: True})
    yield one("set-soft-failure-outside", [soft, override(content=b"x"), WRITE], {}, "abort")
    inner = Sequence([soft, condition(n.C_ABORT)])
    yield one("set-soft-failure", [Command(n.C_RUN_SEQUENCE, inner), override(content=b"x"), WRITE], {"61": "78"})
    # both name component [d]: what the dependent says wins over a default, and loses against an order
    for name, commands, content in (
        ("set-in-dependency-yields", [default(content=b"y"), WRITE], "78"),
        ("override-in-dependency-holds", [override(content=b"y"), WRITE], "79"),
    ):
        made = owned(commands)
        data = sign(
            manifest(
                [select(0), override(content=b"x"), select(1), PROCESS], ((b"d",),), dependencies=DEPENDENCY,
                shared=[select(1), override(image_digest=digest(made))],
                resolve=[select(1), override(uri="#dep"), directive(n.C_FETCH), INTEGRITY],
            ), ROOT, payloads={"#dep": made},
        )  # fmt: skip
        yield Case(name, data, "ok", KEYS, section, {"646570": made.hex(), "64": content})


def unlinking():
    section = "suit-directive-unlink"
    unlink = directive(n.C_UNLINK)
    before = {"components_before": {"61": "6f6c64", "62": "6b657074"}}
    data = sign(manifest([unlink]), ROOT)
    yield Case("unlink-the-only-reference", data, "ok", KEYS, section, {"61": "", "62": "6b657074"}, environment=before)
    data = sign(manifest([unlink, unlink]), ROOT)
    yield Case("unlink-twice-counts-once", data, "ok", KEYS, section, {"61": ""}, environment=before)
    data = sign(manifest(uninstall=[select(True), unlink], components=((b"a",), (b"b",))), ROOT)
    procedure = {**before, "procedures": ["uninstall"]}
    yield Case("uninstall-procedure", data, "ok", KEYS, "suit-uninstall", {"61": "", "62": ""}, environment=procedure)
    yield Case("uninstall-not-during-update", data, "ok", KEYS, "suit-uninstall", {"61": "6f6c64", "62": "6b657074"},
               environment=before)  # fmt: skip
    both = owned(components=((b"a",),), uninstall=[unlink])
    shared = sign(
        manifest(
            [select(1), PROCESS, select(0), unlink], dependencies=DEPENDENCY,
            shared=[select(1), override(image_digest=digest(both))],
            resolve=[select(1), override(uri="#dep"), directive(n.C_FETCH), INTEGRITY],
        ), ROOT, payloads={"#dep": both},
    )  # fmt: skip
    yield Case("unlink-one-of-two-references", shared, "ok", KEYS, section, {"61": "79", "646570": both.hex()})
    # to unlink a dependency runs what it has for being uninstalled
    leaving = owned(components=((b"d",),), uninstall=[unlink])
    data = root(leaving, install=[select(1), PROCESS, unlink])
    yield Case("unlink-a-dependency", data, "ok", KEYS, section, {"64": "", "646570": ""})
    unchecked = root(
        leaving, resolve=[select(1), override(uri="#dep"), directive(n.C_FETCH)], install=[select(1), unlink]
    )
    yield Case("unlink-an-unchecked-dependency", unchecked, "abort", KEYS, section, {"646570": leaving.hex()})


def rest():
    """What is left of the numbers: manifest-component-id, image-match of a dependency, candidate-verification."""
    good = owned()
    match = condition(n.C_IMAGE_MATCH)
    verify = [select(1), match]
    section = "SUIT_Dependencies, image-match"
    yield Case("image-match-covers-the-manifest", root(good, verify=verify), "ok", KEYS, section, _holds(good))
    whole = root(good, verify=[select(1), override(image_digest=Digest.of(good)), match])
    yield Case("image-match-of-the-envelope", whole, "condition-failed", KEYS, section, {"646570": good.hex()})
    differs = condition(n.C_IMAGE_NOT_MATCH)
    data = root(good, verify=[select(1), differs])
    yield Case("image-not-match-covers-the-manifest", data, "condition-failed", KEYS, section, {"646570": good.hex()})
    section = "suit-manifest-component-id"
    write = [override(content=b"x"), WRITE]
    data = sign(manifest(write, component_id=(b"manifest", b"root")), ROOT)
    yield Case("manifest-component-id", data, "ok", KEYS, section, {"61": "78"})
    made = manifest(write)
    made.other[n.M_COMPONENT_ID] = ["text"]
    yield Case("manifest-component-id-no-identifier", sign(made, ROOT), "parse-fail", KEYS, section, {}, also=("abort",))
    in_dependency = owned(component_id=(b"ignored",))
    yield Case("manifest-component-id-of-a-dependency", root(in_dependency), "ok", KEYS, section, _holds(in_dependency))
    for name, short, number in (
        ("candidate-verification", "verify", n.M_CANDIDATE_VERIFICATION),
        ("dependency-resolution", "resolve", n.M_DEPENDENCY_RESOLUTION),
    ):
        made = manifest(write, **{short: [condition(n.C_VENDOR_ID)]})
        yield Case(f"{name}-true", sign(made, ROOT), "ok", KEYS, "suit-" + name, {"61": "78"})
        yield Case(f"{name}-severed", sign(made, ROOT, sever=[number]), "ok", KEYS, "suit-" + name, {"61": "78"})
        made = manifest(write, **{short: [condition(n.C_ABORT)]})
        yield Case(f"{name}-false", sign(made, ROOT), "condition-failed", KEYS, "suit-" + name, {})


def cases():
    for part in (integrity, is_dependency, process, nested, prefixes, setting, unlinking, rest):
        yield from part()
