"""Envelopes that are almost right, for the comparison of verdicts: `cases()` is a hypothesis strategy of Case.

hypothesis chooses the numbers a `random.Random` starts from, and this module does the rest: drawing each choice from
hypothesis itself takes ten times longer than both verdicts together."""

from dataclasses import dataclass, field
from random import Random

from hypothesis import strategies as st
from suitup import cbor, cose, keys
from suitup import numbers as n
from suitup.cose import algorithms
from suitup.manifest import Command, Digest, Manifest, Sequence, Text, templates
from suitup.manifest.templates import condition, directive, override, select

VENDOR, CLASS, DEVICE = b"vendor-identity!", b"class-identity-0", b"device-identity0"
# 2030-03-20 00:26:40 UTC, a Wednesday
NOW, BATTERY, VERSION, EVENTS = 1900196800, 50, (1, 2, 3), ("power",)
# fixed keys: the same cases in every run
SIGNER = keys.Key(
    {
        1: 2,
        -1: 1,
        -2: bytes.fromhex("6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"),
        -3: bytes.fromhex("4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"),
        -4: (1).to_bytes(32, "big"),
    }
)
MAC = keys.Key({1: 4, 3: n.ALG_HMAC256, -1: b"a shared key of thirty-two bytes"})
TRUSTED = [SIGNER.public(), MAC]
PAYLOADS = {"app.img": b"the image of an app " * 7, "x": b"x"}
INSIDE = {"#in": b"a payload inside the envelope"}
COMPONENTS = [(b"app",), (b"file", b"x"), (b"ram", b"r")]


@dataclass
class Case:
    """`data`: the envelope; the rest is the device it is judged for; `trusted`: keys or anchors."""

    data: bytes
    slot: int = 0
    floor: int = 3
    before: dict = field(default_factory=dict)
    procedures: tuple = ("update", "invocation")
    trusted: list = field(default_factory=lambda: TRUSTED)


def authenticate(
    manifest: bytes, members: dict, key=MAC, tagged=True, blocks=None, digest=None
) -> bytes:
    """An envelope whose manifest bytes may be anything at all, but whose authentication is right."""
    digest = (digest or Digest.of(cbor.encode(manifest))).encode()
    if blocks is None:
        blocks = [cose.block(digest, key)]
    item = {
        n.ENV_AUTHENTICATION: cbor.encode([digest, *blocks]),
        n.ENV_MANIFEST: manifest,
        **members,
    }
    return cbor.encode(cbor.CBORTag(n.TAG_SUIT_ENVELOPE, item) if tagged else item)


def _image(identifier, uri, content):
    return templates.Image(identifier, Digest.of(content), len(content), uri)


def _seeds() -> list[Manifest]:
    """Good manifests, one for each kind of thing that manifests do."""
    app = _image(COMPONENTS[0], "app.img", PAYLOADS["app.img"])
    small = _image(COMPONENTS[1], "x", PAYLOADS["x"])
    inside = _image(COMPONENTS[2], "#in", INSIDE["#in"])
    out = [
        templates.update(5, VENDOR, CLASS, [app]),
        templates.update(5, VENDOR, CLASS, [app, small], set_version=(1, 2, 3)),
        templates.update(
            5, VENDOR, CLASS, [app, small, inside], reference_uri="http://example.com/a"
        ),
        templates.update(5, VENDOR, CLASS, [[app, inside], small]),
    ]
    written = templates.update(
        5, VENDOR, CLASS, [_image(each, None, b"abc") for each in COMPONENTS]
    )
    written.sequences[n.M_INSTALL] = Sequence(
        [
            select(1),
            override(content=b"abc"),
            directive(n.C_WRITE),
            select([0, 2]),
            override(source=1),
            directive(n.C_COPY),
            select(True),
            condition(n.C_IMAGE_MATCH),
            override(content=b"abc"),
            condition(n.C_CHECK_CONTENT),
            select(0),
            override(source=2),
            directive(n.C_SWAP),
        ]
    )
    out.append(written)
    flow = templates.update(5, VENDOR, CLASS, [app, inside])
    soft = Command(n.C_OVERRIDE_PARAMETERS, {n.P_SOFT_FAILURE: True})
    flow.sequences[n.M_INSTALL] = Sequence(
        [
            select(0),
            Command(
                n.C_TRY_EACH,
                [
                    Sequence(
                        [override(uri="app.img"), directive(n.C_FETCH), condition(n.C_DEVICE_ID)]
                    ),
                    Sequence([override(uri="#in"), condition(n.C_ABORT)]),
                    None,
                ],
            ),
            select(True),
            Command(n.C_RUN_SEQUENCE, Sequence([soft, condition(n.C_ABORT)])),
            select([1, 0]),
            Command(n.C_RUN_SEQUENCE, Sequence([condition(n.C_CLASS_ID)])),
            select(1),
            override(uri="#in"),
            directive(n.C_FETCH),
        ]
    )
    flow.sequences[n.M_LOAD] = Sequence(
        [select(0), override(invoke_args=b"args", device_id=DEVICE), condition(n.C_DEVICE_ID)]
    )
    out.append(flow)
    loose = templates.update(5, VENDOR, CLASS, [app, small])
    loose.sequences[n.M_PAYLOAD_FETCH] = Sequence(
        [
            select(0),
            Command(n.C_OVERRIDE_PARAMETERS, {n.P_STRICT_ORDER: False}),
            Command(
                n.C_RUN_SEQUENCE, Sequence([select(1), override(uri="x"), directive(n.C_FETCH)])
            ),
            override(uri="app.img"),
            directive(n.C_FETCH),
        ]
    )
    out.append(loose)
    for each in out:
        each.text = Text(
            {"en": {"": {1: "something that nobody has to read, but long enough to be severed"}}}
        )
    return out


SEEDS = _seeds()
_ENCODED = [each.encode() for each in SEEDS]
SEVERED = ((), (n.M_TEXT,), (n.M_INSTALL,), (n.M_INSTALL, n.M_TEXT))

# -- bytes

_HEADS = (
    0x00,
    0x17,
    0x18,
    0x20,
    0x40,
    0x5F,
    0x60,
    0x80,
    0xA0,
    0xC1,
    0xD8,
    0xF4,
    0xF5,
    0xF6,
    0xF7,
    0xF9,
    0xFF,
)
_WAYS = ("bit", "bit", "byte", "byte", "insert", "delete", "cut", "repeat", "swap", "append")


def _damage(r, data: bytes) -> bytes:
    """One change of a few bytes somewhere in `data`."""
    data = bytearray(data)
    at = r.randrange(max(len(data), 1))
    way = r.choice(_WAYS)
    if way == "append" or not data:
        data += r.randbytes(r.randint(1, 3))
    elif way == "bit":
        data[at] ^= 1 << r.randrange(8)
    elif way == "byte":
        data[at] = r.choice(_HEADS) if r.random() < 0.5 else r.randrange(256)
    elif way == "insert":
        data[at:at] = r.randbytes(r.randint(1, 3))
    elif way == "delete":
        del data[at : at + r.randint(1, 3)]
    elif way == "cut":
        del data[at:]
    elif way == "repeat":
        data[at:at] = data[at : at + r.randint(1, 8)]
    else:
        other = r.randrange(len(data))
        data[at], data[other] = data[other], data[at]
    return bytes(data)


# -- manifests from a grammar: well-formed, meaning anything

_DIGESTS = [Digest.of(each) for each in (*PAYLOADS.values(), *INSIDE.values(), b"abc", b"")]
_VALUES = {
    n.P_VENDOR_ID: (VENDOR, CLASS, b"short", cbor.CBORTag(n.TAG_PEN, b"\x01")),
    n.P_CLASS_ID: (CLASS, VENDOR),
    n.P_DEVICE_ID: (DEVICE, CLASS),
    n.P_IMAGE_DIGEST: (
        *_DIGESTS,
        Digest(b"\x00" * 32),
        Digest.of(b"abc", n.ALG_SHA512),
        Digest(b"", -99),
        b"\x82",
    ),
    n.P_IMAGE_SIZE: (140, 1, 3, 29, 0, 2**64 - 1, -1, "1"),
    n.P_COMPONENT_SLOT: (0, 1, 2),
    n.P_CONTENT: (b"abc", b"", PAYLOADS["x"]),
    n.P_URI: ("app.img", "x", "#in", "#none", "", "x" * 513, b"x"),
    n.P_SOURCE_COMPONENT: (0, 1, 2, 3),
    n.P_INVOKE_ARGS: (b"", b"args", 0),
    n.P_FETCH_ARGUMENTS: (b"", b"x"),
    n.P_STRICT_ORDER: (True, False, 0),
    n.P_SOFT_FAILURE: (True, False, None),
    n.P_USE_BEFORE: (NOW + 1, NOW, 2**64 - 1, 0, -1),
    n.P_MINIMUM_BATTERY: (BATTERY, BATTERY + 1, 0, -1),
    n.P_UPDATE_PRIORITY: (-1, 0, b""),
    n.P_VERSION: tuple(
        cbor.encode(each)
        for each in ([3, [1]], [1, [1, 2, -1]], [5, [1, 2, 3, 0]], [2, []], [6, [1]], [3], {})
    ),
    n.P_WAIT_INFO: tuple(
        cbor.encode(each)
        for each in (
            {2: 1}, {5: NOW}, {5: NOW + 1}, {1: -5}, {8: 0}, {9: 3, 2: 0}, {}, {3: 1}, {5: -1},
            {4: [b"x", [[3, [1]]]]}, {10: 0}, [], {"a": 1},
        )
    ),
    n.P_COMPONENT_METADATA: tuple(
        cbor.encode(each) for each in ({5: 1}, {}, {5: 2}, {1: 7}, {5: "x"}, [1], {"a": 1})
    ),
    99: (0,),
    -300: (0,),
}
_NUMBERS = sorted(_VALUES)
_OFTEN = (
    n.P_CONTENT,
    n.P_URI,
    n.P_SOURCE_COMPONENT,
    n.P_IMAGE_DIGEST,
    n.P_SOFT_FAILURE,
    n.P_STRICT_ORDER,
    n.P_IMAGE_SIZE,
)
_PLAIN = (
    n.C_VENDOR_ID,
    n.C_CLASS_ID,
    n.C_IMAGE_MATCH,
    n.C_COMPONENT_SLOT,
    n.C_CHECK_CONTENT,
    n.C_ABORT,
    n.C_WRITE,
    n.C_FETCH,
    n.C_COPY,
    n.C_SWAP,
    n.C_INVOKE,
    n.C_DEVICE_ID,
    n.C_USE_BEFORE,
    n.C_IMAGE_NOT_MATCH,
    n.C_MINIMUM_BATTERY,
    n.C_UPDATE_AUTHORIZED,
    n.C_VERSION,
    n.C_WAIT,
    n.C_IS_DEPENDENCY,
    n.C_DEPENDENCY_INTEGRITY,
    n.C_PROCESS_DEPENDENCY,
    n.C_UNLINK,
    99,
    -300,
)
_HARMLESS = (n.C_CLASS_ID, n.C_WRITE, n.C_COPY, n.C_INVOKE, n.C_FETCH)
_ODD_INDICES = (
    True,
    True,
    False,
    -1,
    [],
    [True],
    [0, 1, 2],
    [2, 0],
    [1, 1],
    [0] * 17,
    3,
    2**64 - 1,
    "0",
)


def _parameters(r):
    out = {}
    for _ in range(r.choice((1, 1, 2)) if r.random() < 0.95 else 0):
        number = r.choice(_OFTEN if r.random() < 0.75 else _NUMBERS)
        out[number] = r.choice(_VALUES[number])
    return out


def _command(r, depth):
    kind = r.randrange(20)
    if kind < 5:
        return select(r.randrange(3) if r.random() < 0.7 else r.choice(_ODD_INDICES))
    if kind < 9:
        several = r.random()
        if several < 0.05:
            indices = [r.randrange(4) for _ in range(r.randrange(3))]
            return Command(n.C_OVERRIDE_MULTIPLE, {each: _parameters(r) for each in indices})
        if several < 0.1:
            wanted = [r.choice(_OFTEN) for _ in range(r.randrange(3))]
            return Command(n.C_COPY_PARAMS, {r.randrange(4): wanted})
        setting = n.C_SET_PARAMETERS if several < 0.25 else n.C_OVERRIDE_PARAMETERS
        return Command(setting, _parameters(r))
    if kind < 11 and depth < 3:
        branches = [_sequence(r, depth + 1, 4) for _ in range(r.randint(0, 3))]
        if not branches or r.random() < 0.5:
            branches.append(None)
        return Command(n.C_TRY_EACH, branches)
    if kind < 13 and depth < 3:
        return Command(n.C_RUN_SEQUENCE, _sequence(r, depth + 1, 4))
    return Command(
        r.choice(_HARMLESS if kind < 18 else _PLAIN),
        16 if r.random() < 0.03 else r.choice((15, 2, 0)),
    )


def _sequence(r, depth=0, size=7):
    return Sequence(_command(r, depth) for _ in range(r.randint(0, size)))


def _grown(r) -> Manifest:
    """Random commands behind what a good manifest starts with."""
    manifest = Manifest.decode(r.choice(_ENCODED))
    if r.random() < 0.3:
        manifest.shared += [each for each in _sequence(r) if each.number != n.C_FETCH]
    for number in r.choices(
        (n.M_INSTALL, n.M_INSTALL, n.M_VALIDATE, n.M_LOAD, n.M_INVOKE, n.M_PAYLOAD_FETCH),
        k=r.randint(1, 2),
    ):
        sequence = _sequence(r)
        if r.random() < 0.9:
            sequence.insert(0, select(r.randrange(len(manifest.components))))
        if r.random() < 0.5:
            sequence = Sequence([*manifest.sequences.get(number, ()), *sequence])
        manifest.sequences[number] = sequence
    return manifest


def _edited(r) -> Manifest:
    """A good manifest with one field or one command made wrong, moved, doubled or dropped."""
    manifest = Manifest.decode(r.choice(_ENCODED))
    sequence = r.choice([manifest.shared, *manifest.sequences.values()])
    at = r.randrange(len(sequence))
    kind = r.choice(
        (
            "sequence-number",
            "version",
            "member",
            "common",
            "drop",
            "double",
            "move",
            "set-version",
            "components",
            "component-id",
            "uri",
            "command",
            "policy",
            "none",
        )
    )
    if kind == "sequence-number":
        manifest.sequence_number = r.choice((0, 2, 3, 2**63, 2**64 - 1, -1, "5"))
    elif kind == "version":
        manifest.version = r.choice((0, 2, 1, "1", 2**40))
    elif kind == "member":
        manifest.other[r.choice((0, 10, 24, 25, 26, 99, -1, "x"))] = r.choice((b"", 0, {}))
    elif kind == "common":
        manifest.common_other[r.choice((0, 3, 5, -1, "x"))] = b""
    elif kind == "drop":
        del sequence[at]
    elif kind == "double":
        sequence.insert(at, sequence[at])
    elif kind == "move":
        sequence.insert(r.randrange(len(sequence)), sequence.pop(at))
    elif kind == "set-version":
        manifest.set_version = r.choice(((), (1,), (1, -1, 2), ("1",), (2**64 - 1,)))
    elif kind == "components":
        manifest.components = r.choice(
            ([], COMPONENTS[:1] * 2, COMPONENTS * 6, [()], [(b"", b"..")], [("app",)])
        )
    elif kind == "component-id":
        manifest.component_id = r.choice(((), (b"root",), ("root",)))
    elif kind == "uri":
        manifest.reference_uri = r.choice(("", "x" * 512, "x" * 513, 5, b"x"))
    elif kind == "command":
        sequence[at] = _command(r, 0)
    elif kind == "policy" and isinstance(sequence[at].argument, int):
        sequence[at] = Command(sequence[at].number, r.choice((0, 15, 16, -1, True, None, "x")))
    return manifest


# -- authentication


def _headers(r, key, alg):
    """(protected, unprotected), in most cases with something odd in them."""
    protected, unprotected = {n.HDR_ALG: alg}, {n.HDR_KID: key.thumbprint}
    odd = r.choice(
        ("none", "none", "unprotected", "both", "crit", "open crit", "kid", "other", "text")
    )
    bucket = r.choice((protected, unprotected))
    if odd == "unprotected":
        unprotected[n.HDR_ALG] = protected.pop(n.HDR_ALG)
    elif odd == "both":
        unprotected[n.HDR_ALG] = alg
    elif odd == "crit":
        protected[n.HDR_CRIT] = r.choice(
            ([n.HDR_ALG], [], [99], [n.HDR_ALG, n.HDR_KID], 1, ["x"], [n.HDR_CRIT])
        )
    elif odd == "open crit":
        unprotected[n.HDR_CRIT] = [n.HDR_ALG]
    elif odd == "kid":
        unprotected[n.HDR_KID] = r.choice((b"", b"other", SIGNER.thumbprint, MAC.thumbprint, 7))
    elif odd == "other":
        bucket[r.choice((3, 5, 33, -70000))] = r.choice((0, b"x", [1, {2: 3}], "text/plain"))
    elif odd == "text":
        bucket["name"] = 1
    return protected, unprotected


def _block(r, digest: bytes) -> bytes:
    """An authentication block with odd headers or an odd form, its signature or tag made for just that."""
    key = MAC if r.random() < 0.8 else SIGNER
    alg = n.ALG_HMAC256 if key is MAC else r.choice((n.ALG_ESP256, n.ALG_ES256))
    if r.random() < 0.2:
        alg = r.choice((n.ALG_ES256, n.ALG_ESP256, n.ALG_HMAC256, -99, "ES256", None))
    protected, unprotected = _headers(r, key, alg)
    encoded = cbor.encode(protected) if protected or r.random() < 0.5 else b""
    context = "MAC0" if key is MAC else "Signature1"
    covered = cbor.encode([context, encoded if protected else b"", b"", digest])
    make = algorithms.HMAC256.compute_tag if key is MAC else algorithms.ESP256.sign
    proof = make(key, covered)
    if r.random() < 0.1:
        proof = _damage(r, proof)
    payload = r.choice((digest, b"")) if r.random() < 0.1 else None
    parts = [encoded, unprotected, payload, proof]
    if r.random() < 0.07:
        parts = r.choice((parts[:3], [*parts, b""], [encoded, [], None, proof], [{}, *parts[1:]]))
    tag = n.TAG_MAC0 if key is MAC else n.TAG_SIGN1
    if r.random() < 0.1:
        tag = r.choice((n.TAG_MAC0, n.TAG_SIGN1, n.TAG_SIGN, n.TAG_MAC, n.TAG_ENCRYPT0, 24))
    item = parts if r.random() < 0.07 else cbor.CBORTag(tag, parts)
    return cbor.encode(item, sort=r.random() < 0.5)


def _blocks(r, encoded, several):
    """(blocks, digest) for a manifest: odd ones, and sometimes a good one behind them."""
    digest = Digest.of(cbor.encode(encoded))
    if r.random() < 0.1:
        digest = r.choice(
            (
                Digest.of(cbor.encode(encoded), n.ALG_SHA512),
                Digest.of(encoded),
                Digest(digest.value, -99),
                Digest(b""),
            )
        )
    blocks = [_block(r, digest.encode()) for _ in range(r.randint(0, 2) if several else 1)]
    if blocks and r.random() < 0.3:
        blocks[0] = _damage(r, blocks[0])
    if several and r.random() < 0.5:
        blocks.append(cose.block(digest.encode(), MAC))
    return blocks, digest


_MADE = (
    "grown",
    "grown",
    "grown",
    "grown",
    "edited",
    "edited",
    "bytes",
    "bytes",
    "common",
    "envelope",
    "wrapper",
    "block",
    "blocks",
    "members",
)
_BEFORE = ({}, {}, {COMPONENTS[1]: b"abc"}, {COMPONENTS[0]: PAYLOADS["app.img"]})
_PROCEDURES = (("update", "invocation"), ("update", "invocation"), ("update",), ("invocation",))


def _members(r, members):
    """Change or rename one of the members beside the manifest."""
    name = r.choice(sorted(members, key=str))
    if r.random() < 0.5:
        members[name] = _damage(r, members[name])
    else:
        members[r.choice((n.M_INSTALL, 24, 0, -1, "#in", "#other", "x" * 513))] = members.pop(name)


def make(r) -> Case:
    """One mutated envelope and the device it meets, from the random numbers of `r`."""
    made = r.choice(_MADE)
    source = {"grown": _grown, "edited": _edited}.get(made)
    item = (source(r) if source else r.choice(SEEDS)).item()
    members = dict(INSIDE)
    for number in r.choice(SEVERED):
        if isinstance(item.get(number), bytes):
            members[number] = item[number]
            item[number] = Digest.of(cbor.encode(item[number])).item()
    if made == "common":
        item[n.M_COMMON] = _damage(r, item[n.M_COMMON])
    encoded = cbor.encode(item)
    if made == "bytes":
        for _ in range(r.randint(1, 2)):
            encoded = _damage(r, encoded)
    if made == "members":
        _members(r, members)
    blocks, digest = (
        _blocks(r, encoded, made == "blocks") if made in ("block", "blocks") else (None, None)
    )
    key = SIGNER if r.random() < 0.05 else MAC
    data = authenticate(encoded, members, key, r.random() < 0.9, blocks, digest)
    if made == "envelope":
        data = _damage(r, data)
    if made == "wrapper":
        start = data.index(b"\x82\x58\x24\x82")  # the list in the wrapper
        data = data[:start] + _damage(r, data[start : start + 140]) + data[start + 140 :]
    return Case(
        data,
        r.randrange(2),
        r.choice((0, 3, 3, 5, 5, 5, 6)),
        r.choice(_BEFORE),
        r.choice(_PROCEDURES),
    )


def one(r) -> Case:
    """A case of this module, or one with dependencies, delegations and restricted keys."""
    import domain_mutations

    return domain_mutations.make(r) if r.random() < 0.3 else make(r)


def cases():
    """A strategy of Case."""
    return st.integers(0, 2**64 - 1).map(lambda seed: one(Random(seed)))
