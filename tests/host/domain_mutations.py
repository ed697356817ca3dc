"""Envelopes with dependencies, delegations, several signers and restricted keys that are almost right, for the comparison of
verdicts: `make(r)` is a Case (mutations.py) that says whom the device trusts."""

from mutations import (
    CLASS,
    COMPONENTS,
    DEVICE,
    MAC,
    NOW,
    PAYLOADS,
    SIGNER,
    VENDOR,
    Case,
    _command,
    _damage,
    _parameters,
    authenticate,
)
from suitup import cbor, cose, keys
from suitup import numbers as n
from suitup.cose import algorithms
from suitup.keys.trust import Access, Anchor
from suitup.manifest import Command, Digest, Manifest, Sequence, labels
from suitup.manifest.templates import compatibility, condition, directive, override, select

OTHERS = [keys.Key({1: 4, 3: n.ALG_HMAC256, -1: bytes([number]) * 32}) for number in range(3)]
EVERYBODY = [MAC, *OTHERS]
AUTHOR = keys.Key({1: 1, -1: 6, -2: bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"),
                   -4: bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")})  # fmt: skip
ROLES = n.ROLE_APP | n.ROLE_DELEGATE
INTEGRITY, PROCESS = condition(n.C_DEPENDENCY_INTEGRITY), directive(n.C_PROCESS_DEPENDENCY)
# of trust-domains, and what makes them matter
_COMMANDS = (
    INTEGRITY, PROCESS, condition(n.C_IS_DEPENDENCY), directive(n.C_UNLINK), directive(n.C_FETCH), directive(n.C_COPY),
    condition(n.C_IMAGE_MATCH), condition(n.C_IMAGE_NOT_MATCH), directive(n.C_WRITE), condition(n.C_ABORT), select(True),
    directive(n.C_INVOKE), directive(n.C_SWAP),
)  # fmt: skip
_SECTIONS = (n.M_DEPENDENCY_RESOLUTION, n.M_INSTALL, n.M_VALIDATE, n.M_INVOKE, n.M_UNINSTALL)
_PREFIXES = ((), (b"p",), (b"file",), (b"p", b"q"))


def _extra(r, indices):
    """A command that was not asked for."""
    if r.random() < 0.3:
        return select(r.choice([*indices, True, [0, 1], 5]))
    if r.random() < 0.3:
        return Command(r.choice((n.C_SET_PARAMETERS, n.C_OVERRIDE_PARAMETERS)), _parameters(r))
    if r.random() < 0.2:
        return Command(n.C_TRY_EACH, [Sequence([r.choice(_COMMANDS), r.choice(_COMMANDS)]), None])
    return r.choice(_COMMANDS) if r.random() < 0.8 else _command(r, 2)


def _disturb(r, sequence, indices):
    for _ in range(r.choice((0, 0, 0, 1, 1, 2))):
        at = r.randrange(len(sequence) + 1)
        how = r.random()
        if how < 0.7 or not sequence:
            sequence.insert(at, _extra(r, indices))
        elif how < 0.85:
            del sequence[min(at, len(sequence) - 1)]
        else:
            sequence.insert(at, sequence.pop(r.randrange(len(sequence))))


def _leaf(r) -> Manifest:
    mine = r.choice([(b"dep", b"c"), COMPONENTS[1], COMPONENTS[0]])
    sequences = {
        number: Sequence(commands)
        for number, commands in (
            (n.M_INSTALL, [override(content=r.choice((b"abc", b"dep"))), directive(n.C_WRITE)]),
            (n.M_VALIDATE, [condition(n.C_CLASS_ID)]),
            (n.M_INVOKE, [directive(n.C_INVOKE)]),
            (n.M_UNINSTALL, [directive(n.C_UNLINK)]),
        )
        if r.random() < 0.7
    }
    return Manifest(r.choice((0, 5)), [mine], compatibility(VENDOR, CLASS, 0), sequences=sequences)


def _dependent(r, inner, level) -> tuple[Manifest, dict]:
    """A manifest whose dependencies are `inner`, pairs (digest, envelope), and its payloads."""
    listed = r.random() < 0.4
    own = [COMPONENTS[0]] if level == 0 else [(b"level", bytes([level]))]
    names = [(b"manifest", bytes([level, number])) for number in range(len(inner))]
    indices = list(range(1, 1 + len(inner)))
    dependencies, shared = {}, Sequence([select(0), *compatibility(VENDOR, CLASS, 0)[1:]])
    for index, name, (digest, data) in zip(indices, names, inner):
        prefix = r.choice(_PREFIXES)
        dependencies[index] = ({1: list(prefix)} if prefix else {}) if listed else {1: list(name)}
        if r.random() < 0.02:
            dependencies[index] = r.choice(({}, {2: 0}, {1: b""}, 0, {1: []}))
        if r.random() < 0.05:
            digest = r.choice((Digest.of(b""), Digest(digest.value, n.ALG_SHA512), Digest.of(data)))
        shared += [select(index), override(image_digest=digest, uri=f"#{index}")]
    fetch = [step for index in indices for step in (select(index), directive(n.C_FETCH), INTEGRITY)]
    every = [step for index in indices for step in (select(index), PROCESS)]
    sequences = {n.M_DEPENDENCY_RESOLUTION: Sequence([*fetch, *every] if r.random() < 0.9 else fetch)}
    sequences[n.M_INSTALL] = Sequence([*every, select(0), override(content=b"abc"), directive(n.C_WRITE)])
    check = [step for index in indices for step in (select(index), INTEGRITY, PROCESS)]
    for number in (n.M_VALIDATE, n.M_INVOKE):
        if r.random() < 0.8:
            sequences[number] = Sequence(check)
    leave = [step for index in indices for step in (select(index), INTEGRITY, directive(n.C_UNLINK))]
    if r.random() < 0.5:
        sequences[n.M_UNINSTALL] = Sequence([*leave, select(0), directive(n.C_UNLINK)])
    for each in (shared, *sequences.values()):
        if r.random() < 0.3:
            _disturb(r, each, [0, *indices])
    components = own + (names if listed else [])
    made = Manifest(5, components, shared, dependencies, sequences=sequences)
    return made, {f"#{index}": data for index, (_, data) in zip(indices, inner)}


def _manifest_digest(data):
    item = cbor.decode(data)
    item = item.value if isinstance(item, cbor.CBORTag) else item
    return Digest.of(cbor.encode(item[n.ENV_MANIFEST]))


def _sealed(r, made, payloads, signers, delegation=None):
    item = made.item()
    members = dict(payloads)
    for number in (n.M_INSTALL, n.M_DEPENDENCY_RESOLUTION):
        if r.random() < 0.1 and isinstance(item.get(number), bytes):
            if r.random() < 0.8:
                members[number] = item[number]
            item[number] = Digest.of(cbor.encode(item[number])).item()
    if delegation is not None:
        members[n.ENV_DELEGATION] = delegation
    encoded = cbor.encode(item)
    digest = Digest.of(cbor.encode(encoded)).encode()
    blocks = [cose.block(digest, each) for each in signers]
    return authenticate(encoded, members, tagged=r.random() < 0.9, blocks=blocks)


def _token(r, issuer, holder) -> bytes:
    claims = {8: {1: Anchor(holder.public(), *_rights(r, ROLES)).params()}}
    odd = r.choice(("none", "none", "time", "audience", "cnf", "other"))
    if odd == "time":
        claims[r.choice((4, 5))] = r.choice((NOW, NOW + 1, NOW - 1, "x"))
    elif odd == "audience":
        claims[3] = r.choice((VENDOR.hex(), [CLASS.hex(), "x"], DEVICE.hex(), "x", [], 5, [5]))
    elif odd == "cnf":
        claims[8] = r.choice(({}, {3: b"x"}, 5, {1: 5}, {1: {}}))
    elif odd == "other":
        claims[r.choice((1, 6, 99, "x"))] = r.choice(("x", 5, [1]))
    protected, payload = cbor.encode({n.HDR_ALG: n.ALG_ESP256 if issuer is SIGNER else n.ALG_ED25519}), cbor.encode(claims)
    make = algorithms.ESP256 if issuer is SIGNER else algorithms.ED25519
    signature = make.sign(issuer, cbor.encode(["Signature1", protected, b"", payload]))
    item = cbor.CBORTag(n.TAG_SIGN1, [protected, {}, payload, signature])
    return cbor.encode(cbor.CBORTag(61, item) if r.random() < 0.5 else item)


def _chains(r):
    chain = [_token(r, SIGNER, AUTHOR)]
    if r.random() < 0.3:
        chain.append(_token(r, AUTHOR, AUTHOR))
    data = cbor.encode(r.choice(([chain], [chain], [chain, chain], [chain * 5], [[], chain], [])))
    return _damage(r, data) if r.random() < 0.3 else data


def _rights(r, roles=n.ROLE_APP):
    """(roles, quorum, access) of an anchor, mostly without restrictions."""
    access = ()
    if r.random() < 0.12:
        lists = {
            "components": r.choice((None, None, ((),), (COMPONENTS[0], (b"manifest",), (b"dep",)), ((b"app",),), ())),
            "commands": r.choice((None, None, tuple(r.sample(sorted(labels.COMMANDS), 26)))),
            "parameters": r.choice((None, None, tuple(r.sample(sorted(labels.PARAMETERS), 17)))),
        }
        access = (Access(**lists),)
    roles = r.choice((roles, roles, roles, roles, roles | n.ROLE_FIRMWARE, n.ROLE_TRUST))
    return roles, r.choice((1, 1, 1, 1, 1, 1, 2, 2, 3)), access


def make(r) -> Case:
    """One envelope that may have dependencies, the device it meets, and whom that trusts."""
    trusted = [Anchor(each, *_rights(r)) for each in EVERYBODY]
    delegation = None
    made, payloads = None, {}
    depth = r.choice((0, 1, 1, 1, 1, 2, 2, 3, 5))
    signers = r.sample(EVERYBODY, r.choice((1, 1, 2, 3)))
    for level in reversed(range(depth)):
        inner = []
        for _ in range(r.choice((1, 1, 2)) if level == depth - 1 else 1):
            below = _leaf(r) if made is None or inner else made
            carried = {} if below is not made else payloads
            for each in below.sequences.values():
                if r.random() < 0.1:
                    _disturb(r, each, [0, 1])
            data = _sealed(r, below, carried, r.sample(EVERYBODY, r.choice((1, 2, 3))))
            digest = _manifest_digest(data)
            inner.append((digest, _damage(r, data) if r.random() < 0.04 else data))
        made, payloads = _dependent(r, inner, level)
    if made is None:
        made = _leaf(r)
    if r.random() < 0.06:
        delegation = _chains(r)
        trusted.append(Anchor(SIGNER.public(), r.choice((ROLES, ROLES, n.ROLE_APP)), r.choice((1, 1, 2))))
        signers = r.choice(([AUTHOR], [AUTHOR], [AUTHOR, MAC]))
    data = _sealed(r, made, payloads, signers, delegation)
    before = r.choice(({}, {COMPONENTS[0]: PAYLOADS["app.img"]}))
    procedures = r.choice((("update", "invocation"), ("update", "invocation"), ("update",), ("update", "uninstall")))
    return Case(data, r.randrange(2), 0, before, procedures, trusted)
