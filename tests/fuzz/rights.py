"""Scenarios for faults.py in which somebody whom the board trusts wants more than he may: restricted keys, delegations,
dependencies, trust stores.

    for name, trust, data, act, modules in scenarios(faults): ...

`modules`: the only ones that are faulted, those that decide here; the signatures have scenarios of their own. Each group
begins with a control, the same within its rights, which must succeed: else the scenario would prove nothing. That a
battery is too low or a clock too late is no question of rights: a glitch there installs what was signed all the same."""

import hashlib

import cbor2

NOW = 2_000_000_000


class Control(AssertionError):
    """What is within its rights did not succeed."""


def symmetric(f, secret, **labels):
    key = {1: 4, 3: 5, -1: secret}
    for name, value in labels.items():
        key[getattr(f.n, name)] = value
    return key


def restricted(f):
    """Keys with KEY_ACCESS, and keys without the role."""
    secret = b"k" * 32
    sign = f.mac(secret)
    evil = f.manifest(f.EVIL)
    data = f.envelope(evil, sign, f.EVIL)
    everything = {1: [[b"app"]], 2: [1, 2, 3, 15, 20, 21, 23], 3: [1, 2, 3, 14, 21]}

    def store(**changed):
        access = {**everything, **{int(k[1:]): v for k, v in changed.items()}}
        return f.det([symmetric(f, secret, KEY_ACCESS=access)])

    for act in (f.install, f.start):
        yield True, "access: everything that is needed", store(), data, act
    yield False, "access: another component", store(_1=[[b"file"], [b"apple"]]), data, f.install
    yield False, "access: no image-match", store(_2=[1, 2, 15, 20, 21, 23]), data, f.start
    yield False, "access: no image-digest", store(_3=[1, 2, 14, 21]), data, f.install
    yield False, "access: no invoke", store(_2=[1, 2, 3, 15, 20, 21]), data, f.start
    yield False, "access: no fetch", store(_2=[1, 2, 3, 15, 20, 23]), data, f.install
    yield False, "access: no uri", store(_3=[1, 2, 3, 14]), data, f.install
    other = f.det([symmetric(f, secret, KEY_ROLES=f.n.ROLE_FIRMWARE)])
    if f.RamBoard.allowed:
        yield False, "roles: a key for firmware installs an app", other, data, f.install


def delegated(f):
    """A chain of one token, to a key that signs the manifest."""
    n, det = f.n, f.det
    secret = b"d" * 32
    data = f.manifest(f.EVIL)

    def store(key, **labels):
        public = key.public_key().public_numbers()
        entry = {1: 2, -1: 1, -2: public.x.to_bytes(32, "big"), -3: public.y.to_bytes(32, "big")}
        return det([{**entry, **{getattr(n, k): v for k, v in labels.items()}}])

    def sealed(signer, claims=None, **labels):
        payload = det({8: {1: symmetric(f, secret, **labels)}, **(claims or {})})
        block = cbor2.loads(f.esp256(signer)(payload)).value
        token = cbor2.dumps(cbor2.CBORTag(18, [block[0], {}, payload, block[3]]))
        return f.envelope(data, f.mac(secret), f.EVIL, members={1: det([[token]])})

    def install(data, trust):
        return f.install(data, trust.judges([f.VENDOR], NOW))

    may = n.ROLE_APP | n.ROLE_DELEGATE
    trusted = store(f.TRUSTED, KEY_ROLES=may)
    hour = 3600
    yield True, "delegation: by an anchor that may", trusted, sealed(f.TRUSTED, {4: NOW + hour, 5: NOW - hour}), install
    yield False, "delegation: by nobody", trusted, sealed(f.ATTACKER), install
    yield False, "delegation: by an anchor that may not", store(f.TRUSTED), sealed(f.TRUSTED), install
    yield False, "delegation: by one of two", store(f.TRUSTED, KEY_ROLES=may, KEY_QUORUM=2), sealed(f.TRUSTED), install
    yield False, "delegation: expired", trusted, sealed(f.TRUSTED, {4: NOW - hour}), install
    yield False, "delegation: not valid yet", trusted, sealed(f.TRUSTED, {5: NOW + hour}), install
    yield False, "delegation: to another board", trusted, sealed(f.TRUSTED, {3: "00" * 16}), install
    limited = store(f.TRUSTED, KEY_ROLES=may, KEY_ACCESS={1: [[b"file"]]})
    yield False, "delegation: by an anchor that may not do this itself", limited, sealed(f.TRUSTED), install
    firmware = store(f.TRUSTED, KEY_ROLES=n.ROLE_FIRMWARE | n.ROLE_DELEGATE)
    yield False, "delegation: of a role the anchor has not", firmware, sealed(f.TRUSTED, KEY_ROLES=may), install


def dependent(f):
    """A root that leaves the app to a dependency."""
    det = f.det
    secret, limited, other = b"k" * 32, b"l" * 32, b"x" * 32
    trust = det([symmetric(f, secret), symmetric(f, limited, KEY_ACCESS={1: [[b"file"]]})])

    def part(payload, key):
        image = det([-16, hashlib.sha256(payload).digest()])
        common = det({2: [f.APP], 4: det([20, {3: image, 14: len(payload)}])})
        body = det({1: 1, 2: 1, 3: common, 7: det([3, 15]), 20: det([20, {18: payload}, 18, 15, 3, 15])})
        signed = det(f.digest_of(body))
        blocks = [signed, f.mac(key)(signed)]
        members = {2: cbor2.dumps(blocks), 3: body}
        return signed, cbor2.dumps(cbor2.CBORTag(107, members), canonical=True)

    def root(digest, lying, integrity=(7, 15)):
        run = det([12, 1, 20, {3: digest}, *integrity, 11, 15])
        body = {
            1: 1, 2: 7, 3: det({1: {1: {1: [b"manifest", b"d"]}}, 2: [f.APP]}), 7: run, 20: run,
            15: det([12, 1, 20, {3: digest, 21: "#d"}, 21, 2, *integrity]),
        }  # fmt: skip
        encoded = det(body)
        signed = det(f.digest_of(encoded))
        members = {2: cbor2.dumps([signed, f.mac(secret)(signed)]), 3: encoded, "#d": lying}
        return cbor2.dumps(cbor2.CBORTag(107, members), canonical=True)

    good, _ = part(f.GOOD, secret)
    evil, whole = part(f.EVIL, secret)
    yield True, "dependency: as the root wants it", trust, root(evil, whole), f.install
    yield False, "dependency: exchanged for one of another key", trust, root(good, part(f.EVIL, other)[1]), f.install
    yield False, "dependency: exchanged for another one we signed", trust, root(good, whole), f.install
    digest, forged = part(f.EVIL, other)
    yield False, "dependency: named, and signed by nobody", trust, root(digest, forged), f.install
    digest, wide = part(f.EVIL, limited)
    yield False, "dependency: beyond the rights of its key", trust, root(digest, wide), f.install
    yield False, "dependency: never authenticated", trust, root(digest, forged, ()), f.install


def rekeyed(f):
    """Trust stores that must not become the board's."""
    from suit import rekey
    from suit.slots import Slot

    n, det = f.n, f.det
    secret, other = b"k" * 32, b"x" * 32
    old = det([symmetric(f, secret)])
    owner = det([symmetric(f, secret, KEY_ROLES=n.ROLE_APP | n.ROLE_TRUST)])
    new = det([symmetric(f, other), symmetric(f, secret)])

    def slot(lying):
        root = f.boot.root
        (root / "a").mkdir(exist_ok=True)
        (root / "trust.cbor").write_bytes(old)
        (root / "a" / "trust.cbor").write_bytes(lying)
        for name in ("trust.seen", "trust.new"):
            (root / name).unlink(missing_ok=True)
        return Slot(str(root), 0)

    def adopted(vouched):
        def act(data, trust):
            rekey.adopt(str(f.boot.root), slot(data), vouched)
            return (f.boot.root / "trust.cbor").read_bytes() == data
        return act

    yield True, "rekey: a store that is vouched for", old, new, adopted(hashlib.sha256(new).digest())
    yield False, "rekey: a store nobody vouches for", old, new, adopted(None)
    yield False, "rekey: another store than vouched for", old, new, adopted(bytes(32))

    def naming(store):
        """A manifest with an app and a trust store, both matched."""
        body = f.manifest(f.GOOD)
        digests = [det([-16, hashlib.sha256(each).digest()]) for each in (f.GOOD, store)]
        steps = det([12, 0, 20, {3: digests[0]}, 3, 15, 12, 1, 20, {3: digests[1]}, 3, 15])
        body.update({3: det({2: [f.APP, [b"trust"]]}), 7: steps, 20: steps, 9: det([12, 0, 23, 2])})
        return f.envelope(body, f.mac(secret), f.GOOD)

    def booted(data, trust):
        """As the launcher and confirm."""
        where = slot(new)
        board, machine = validated(data, trust, new)
        rekey.adopt(str(f.boot.root), where, rekey.vouched(machine, where))
        return (f.boot.root / "trust.cbor").read_bytes() == new

    def validated(data, trust, store):
        board = f.RamBoard()
        board._writable = False  # as at boot, and when what is stored is judged
        board.component(det(f.APP)).data = f.GOOD
        board.component(det([b"trust"])).data = store
        opened = f.finish(f.authenticate(f.MemoryRegion(data), trust))
        board.trust = trust
        machine = f.Processor(opened, board)
        f.finish(machine.run((n.M_VALIDATE,)))
        f.policy(machine, opened.manifest, board)
        return board, machine

    yield True, "rekey: named by a key that may", owner, naming(new), booted
    yield False, "rekey: named by a key that may not", old, naming(new), booted
    yield False, "rekey: another store than the one named", owner, naming(old), booted

    def checked(store):
        def act(data, trust):
            where = slot(store)
            board, machine = validated(data, trust, store)
            f.finish(rekey.check(machine.root.envelope, where, board, trust))
            return True  # it would be armed
        return act

    yield True, "rekey: one the board can live with", owner, naming(new), checked(new)
    for name, store in (
        ("without the key of the manifest", det([symmetric(f, other)])),
        ("without a key for apps", det([symmetric(f, secret, KEY_ROLES=n.ROLE_TRUST)])),
        ("that is empty", b"\x80"),
    ):
        yield False, f"rekey: one {name}", owner, naming(store), checked(store)


def scenarios(f):
    machine = ("suit.access", "suit.context", "suit.processor", "suit.flow", "suit.trust", "suit.policy", "suit.board")
    for group, modules in (
        (restricted, (*machine, "suit.parameters")),
        (delegated, ("suit.delegation", "suit.signers", "suit.trust", "suit.access", "suit.context")),
        (dependent, (*machine, "suit.dependencies", "suit.signers", "suit.envelope", "suit.cose")),
        (rekeyed, ("suit.rekey", "suit.trust", "suit.policy", "suit.signers")),
    ):
        for control, name, trust, data, act in group(f):
            if control:
                f.glitch.start(None)
                if not f.attempt(act, data, trust):
                    raise Control(name)
            else:
                yield name, trust, data, act, modules
