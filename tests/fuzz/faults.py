"""One fault at a time in the code that says no: skip any single statement, turn any single branch round.

    python tests/fuzz/faults.py [--all] [--seed N]

The modules named in TARGETS are compiled with a hook before every statement and around every condition. A clean run of
each scenario (a forged envelope and what the attacker hopes for) counts how often each hook is passed; then the scenario
runs again once for every hook and occurrence with exactly that one skipped or inverted, as a glitch on the supply of a
chip would. A scenario is *lost* when the forged content is installed or invoked. Where a loop passes a hook often, the
first three and the last two occurrences are tried, in arithmetic the first and the last (`--all`: every one, arithmetic
excepted).

Prints one line per scenario, the losses, and the count. Exit status 1 when anything was lost."""

import argparse
import ast
import contextlib
import gc
import hashlib
import hmac
import importlib.abc
import importlib.util
import os
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import cbor2
import pyhsslms
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.keywrap import aes_key_wrap

gc.collect = lambda generation=2: 0  # half of all time, for nothing: see tests/conftest.py

FIRMWARE = Path(__file__).resolve().parents[2] / "firmware"
TARGETS = (
    "suit.envelope", "suit.signers", "suit.context", "suit.manifest", "suit.cose", "suit.trust", "suit.processor",
    "suit.flow", "suit.parameters",
    "suit.conditions", "suit.directives", "suit.transfer", "suit.cbor", "suit.policy", "suit.launcher", "suit.decide",
    "suit.crypto", "suit.crypto.digest", "suit.crypto.hmac256", "suit.crypto.p256", "suit.crypto.scalar_plain",
    "suit.crypto.p256_complete", "suit.crypto.ed25519", "suit.crypto.lms", "suit.crypto.mldsa",
    "suit.mac_key", "suit.crypto.keywrap", "suit.access", "suit.delegation", "suit.dependencies", "suit.rekey", "suit.board",
)  # fmt: skip


class Endless(BaseException):
    """The fault made a loop endless; a watchdog would end it."""


class Glitch:
    """What the hooks ask. `at` = (hook, occurrence) to be faulted, None for a clean run."""

    def __init__(self):
        self.names = []
        self.start(None)

    def start(self, at, limit=5_000_000):
        self.at, self.counts, self.left = at, {}, limit

    def _hit(self, hook):
        n = self.counts.get(hook, 0)
        self.counts[hook] = n + 1
        self.left -= 1
        if self.left < 0:
            raise Endless
        return self.at == (hook, n)

    def run(self, hook):
        return not self._hit(hook)

    def test(self, hook, value):
        return (not value) if self._hit(hook) else value


glitch = Glitch()


class Hooks(ast.NodeTransformer):
    """Put a hook before each statement and around each condition of every function."""

    def __init__(self, module):
        self.module = module

    def _hook(self, node, kind):
        glitch.names.append(f"{self.module}:{node.lineno} {kind}")
        return ast.Constant(len(glitch.names) - 1)

    def _call(self, name, *args):
        target = ast.Attribute(ast.Name("__glitch__", ast.Load()), name, ast.Load())
        return ast.Call(target, list(args), [])

    def _test(self, node):
        return self._call("test", self._hook(node, "inverted"), node)

    def _body(self, statements):
        out = []
        for node in statements:
            plain = isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.Global, ast.Nonlocal))
            text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
            hook = None if plain or text else self._hook(node, "skipped")
            node = self.visit(node)
            if hook is None:
                out.append(node)
            else:
                out.append(ast.If(self._call("run", hook), [node], []))
        return out

    def visit_FunctionDef(self, node):
        node.body = self._body(node.body)
        return node

    def generic_visit(self, node):
        if isinstance(node, (ast.If, ast.While, ast.For, ast.With, ast.Try, ast.ExceptHandler)):
            for field in ("body", "orelse", "finalbody"):
                if getattr(node, field, None):
                    setattr(node, field, self._body(getattr(node, field)))
            for handler in getattr(node, "handlers", ()):
                self.visit(handler)
            for field in ("test", "iter"):
                if getattr(node, field, None) is not None:
                    setattr(node, field, self.visit(getattr(node, field)))
            if isinstance(node, (ast.If, ast.While)):
                node.test = self._test(node.test)
            return node
        node = super().generic_visit(node)
        if isinstance(node, ast.IfExp):
            node.test = self._test(node.test)
        elif isinstance(node, ast.BoolOp):
            node.values = [
                self._test(v) if hasattr(v, "lineno") else v for v in node.values[:-1]
            ] + node.values[-1:]
        elif isinstance(node, ast.comprehension):
            node.ifs = [self._test(v) for v in node.ifs]
        return node


class _Loader(importlib.abc.Loader):
    def __init__(self, name, path):
        self.name, self.path = name, path

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        tree = ast.parse(self.path.read_text())
        hooks = Hooks(self.name)
        for node in ast.walk(tree):
            if isinstance(node, (ast.Module, ast.ClassDef)):
                node.body = [
                    hooks.visit(n) if isinstance(n, ast.FunctionDef) else n for n in node.body
                ]
        ast.fix_missing_locations(tree)
        module.__dict__["__glitch__"] = glitch
        exec(compile(tree, str(self.path), "exec"), module.__dict__)


class _Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name not in TARGETS:
            return None
        file = FIRMWARE / (name.replace(".", "/") + ".py")
        folder = FIRMWARE / name.replace(".", "/") / "__init__.py"
        where = folder if folder.exists() else file
        if not where.exists():
            return None
        spec = importlib.util.spec_from_loader(
            name, _Loader(name, where), is_package=folder.exists()
        )
        if folder.exists():
            spec.submodule_search_locations = [str(folder.parent)]
        return spec


sys.path.insert(0, str(FIRMWARE))
sys.meta_path.insert(0, _Finder())

import rights  # noqa: E402
from suit import config, decide, launcher, runtime, state  # noqa: E402
from suit import numbers as n  # noqa: E402
from suit.board import Board  # noqa: E402
from suit.envelope import authenticate  # noqa: E402
from suit.policy import check as policy  # noqa: E402
from suit.processor import Processor  # noqa: E402
from suit.region import MemoryRegion  # noqa: E402
from suit.trust import TrustStore  # noqa: E402

# -- envelopes, made with other people's code -----------------------------------------------------------------

APP = [b"app"]
VENDOR, CLASS = bytes(range(16)), bytes(range(16, 32))
GOOD, EVIL = b"the image that was signed" * 50, b"what an attacker's after." * 50
assert len(GOOD) == len(EVIL)  # or the size would tell
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
TRUSTED = ec.derive_private_key(0x5AFE, ec.SECP256R1())
ATTACKER = ec.derive_private_key(0xBAD, ec.SECP256R1())


def det(value):
    return cbor2.dumps(value, canonical=True)


def mac(key):
    def sign(payload):
        protected = det({1: 5})
        message = det(["MAC0", protected, b"", payload])
        return cbor2.dumps(
            cbor2.CBORTag(17, [protected, {}, None, hmac.digest(key, message, "sha256")])
        )

    return sign


def wrapped_mac(kek):
    def sign(payload):
        protected, key = det({1: 5}), hashlib.sha256(kek).digest()
        tag = hmac.digest(key, det(["MAC", protected, b"", payload]), "sha256")
        recipient = [b"", {1: -5}, aes_key_wrap(kek, key)]
        return cbor2.dumps(cbor2.CBORTag(97, [protected, {}, None, tag, [recipient]]))

    return sign


def esp256(key):
    def sign(payload):
        protected = det({1: -9})
        r, s = decode_dss_signature(
            key.sign(det(["Signature1", protected, b"", payload]), ec.ECDSA(hashes.SHA256()))
        )
        signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
        return cbor2.dumps(cbor2.CBORTag(18, [protected, {}, None, signature]))

    return sign


def numbers_only(r, s):
    """A block with any two numbers as its signature."""

    def sign(payload):
        signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
        return cbor2.dumps(cbor2.CBORTag(18, [det({1: -9}), {}, None, signature]))

    return sign


def manifest(payload, install=None):
    """One component: fetched, matched, validated, invoked."""
    digest = det([-16, hashlib.sha256(payload).digest()])
    shared = [20, {1: VENDOR, 2: CLASS, 3: digest, 14: len(payload)}, 1, 15, 2, 15]
    default = det([20, {21: "#app"}, 21, 2, 3, 15])
    return {
        1: 1, 2: 7, 3: det({2: [APP], 4: det(shared)}), 7: det([3, 15]), 9: det([23, 2]),
        20: default if install is None else install,
    }  # fmt: skip


def digest_of(content):
    return [-16, hashlib.sha256(cbor2.dumps(content)).digest()]


def envelope(body, sign, payload, digest=None, wrapper=None, **extra):
    encoded = det(body)
    signed = det(digest or digest_of(encoded))
    blocks = wrapper or [signed, *([sign(signed)] if sign else [])]
    members = {2: cbor2.dumps(blocks), 3: encoded, "#app": payload}
    members.update(extra.get("members", {}))
    return cbor2.dumps(cbor2.CBORTag(107, members), canonical=True)


class Part:
    """A component in RAM."""

    slot = 1

    def __init__(self):
        self.data, self.mark = None, None

    def size(self):
        return None if self.data is None else len(self.data)

    def read_at(self, offset, buf):
        piece = (self.data or b"")[offset : offset + len(buf)]
        buf[: len(piece)] = piece
        return len(piece)

    def begin(self, size=None, digest=None):
        self.data = b""
        return 0

    def restart(self):
        self.data = b""

    def write(self, view):
        self.data += bytes(view)

    def end(self):
        pass

    def abandon(self):
        pass

    def close(self):
        pass


class RamBoard:
    """What the processor sees of a board, in RAM."""

    vendor_id, class_ids, device_id, roles = VENDOR, (CLASS,), None, n.ROLE_APP

    def __init__(self):
        self.parts = {}

    def component(self, raw):
        return self.parts.setdefault(bytes(raw), Part())

    def open(self, uri, args=None):
        raise OSError(2)

    def invoke(self, component, args):
        pass

    def now(self):
        return None

    def record(self, *args):
        pass

    def judged_by(self, key, trust):
        self.roles, self.trust = key.roles, trust

    _writable = True
    allowed = getattr(Board, "allowed", None)  # who may write which kind of component


def finish(gen):
    try:
        while True:
            next(gen)
    except StopIteration as done:
        return done.value


def install(data, trust, board=None):
    """What updater and launcher do, without their storage: True when EVIL was armed and invoked, or merely armed."""
    board = board or RamBoard()
    board.trust = trust
    opened = finish(authenticate(MemoryRegion(data), trust))
    board.roles = opened.key.roles
    machine = Processor(opened, board)
    finish(machine.update())
    policy(machine, opened.manifest, board)
    part = board.parts.get(det(APP))
    return part is not None and part.data == EVIL


def start(data, trust):
    """A slot whose stored envelope or image was exchanged: True when EVIL would be started."""
    board = RamBoard()
    board.component(det(APP)).data = EVIL
    opened = finish(authenticate(MemoryRegion(data), trust))
    board.roles = opened.key.roles
    machine = Processor(opened, board)
    finish(machine.invocation())
    policy(machine, opened.manifest, board)
    return bool(machine.invoked)


class Chip:
    """The port as the launcher sees it."""

    def cause(self):
        return decide.CAUSE_OTHER

    def now(self):
        return None


def boot(data, trust, image=EVIL):
    """The launcher before a slot whose record says that it is the active one: True when it would be started."""
    root = boot.root
    (root / "a").mkdir(exist_ok=True)
    record = state.Record()
    record.active = 0
    manifest = cbor2.loads(data).value[3]
    record.slots[0].status = state.OK
    record.slots[0].digest = hashlib.sha256(cbor2.dumps(manifest)).digest()
    record.slots[0].sequence = cbor2.loads(manifest)[2]
    (root / "state.0").write_bytes(state.pack(record))
    (root / "state.1").write_bytes(b"")
    (root / "trust.cbor").write_bytes(boot.trust)
    (root / "config.cbor").write_bytes(det({"vendor": VENDOR, "class": [CLASS]}))
    (root / "a" / "app.img").write_bytes(image)
    (root / "a" / "manifest.suit").write_bytes(data)
    runtime.root = str(root)
    # ROMFS and the mounting of it are MicroPython's
    launcher._mount = lambda slot, port: None
    return launcher._choose(Chip(), config.read(str(root))) is not None


def ed25519(key):
    def sign(payload):
        protected = det({1: -19})
        signature = key.sign(det(["Signature1", protected, b"", payload]))
        return cbor2.dumps(cbor2.CBORTag(18, [protected, {}, None, signature]))

    return sign


def mldsa44(key):
    def sign(payload):
        protected = det({1: -48})
        signature = key.sign(det(["Signature1", protected, b"", payload]))
        return cbor2.dumps(cbor2.CBORTag(18, [protected, {}, None, signature]))

    return sign


def hss(key):
    def sign(payload):
        protected = det({1: -46})
        signature = key.sign(det(["Signature1", protected, b"", payload]))
        return cbor2.dumps(cbor2.CBORTag(18, [protected, {}, None, signature]))

    return sign


def others():
    """(kind, trust store, the owner's signer, the attacker's) for the algorithms whose arithmetic is slow here, and a
    MAC under a wrapped key."""
    kek = [b"k" * 32, b"x" * 32]
    yield "wrapped mac", det([{1: 4, 3: -5, -1: kek[0]}]), wrapped_mac(kek[0]), wrapped_mac(kek[1])
    ours, theirs = (Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32) for n in (1, 2))
    public = ours.public_key().public_bytes_raw()
    yield "ed25519", det([{1: 1, -1: 6, -2: public}]), ed25519(ours), ed25519(theirs)
    ours, theirs = (MLDSA44PrivateKey.from_seed_bytes(bytes([n]) * 32) for n in (1, 2))
    public = ours.public_key().public_bytes_raw()
    yield "ml-dsa-44", det([{1: 7, 3: -48, -1: public}]), mldsa44(ours), mldsa44(theirs)
    ours, theirs = (pyhsslms.HssPrivateKey(levels=1, lms_type=pyhsslms.lms_sha256_m32_h5,
                                           lmots_type=pyhsslms.lmots_sha256_n32_w8) for _ in range(2))  # fmt: skip
    public = ours.publicKey().serialize()
    yield "hss-lms", det([{1: 5, -1: public}]), hss(ours), hss(theirs)


def scenarios():
    """(name, trust store, envelope, what to attempt)"""
    secret, other = b"k" * 32, b"x" * 32
    mac_trust = det([{1: 4, 3: 5, -1: secret}])
    numbers = TRUSTED.public_key().public_numbers()
    ec_trust = det(
        [{1: 2, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}]
    )
    good, evil = manifest(GOOD), manifest(EVIL)
    quorum = det([{1: 4, 3: 5, -1: secret, n.KEY_QUORUM: 2}, {1: 4, 3: 5, -1: b"s" * 32, n.KEY_QUORUM: 2}])
    yield "mac: one signature of two", quorum, envelope(evil, mac(secret), EVIL), install
    for kind, trust, ours, theirs in (
        ("mac", mac_trust, mac(secret), mac(other)),
        ("esp256", ec_trust, esp256(TRUSTED), esp256(ATTACKER)),
    ):
        signed = det(digest_of(det(good)))
        yield f"{kind}: signed by another key", trust, envelope(evil, theirs, EVIL), install
        yield f"{kind}: not signed", trust, envelope(evil, None, EVIL), install
        old = [signed, ours(signed)]
        yield (
            f"{kind}: another manifest under an old signature",
            trust,
            envelope(evil, None, EVIL, wrapper=old),
            install,
        )
        mixed = [det(digest_of(det(evil))), ours(signed)]
        yield (
            f"{kind}: another digest over an old signature",
            trust,
            envelope(evil, None, EVIL, wrapper=mixed),
            install,
        )
        yield f"{kind}: stored envelope of another key", trust, envelope(evil, theirs, EVIL), start
        yield (
            f"{kind}: launcher, envelope of another key",
            trust,
            envelope(evil, theirs, EVIL),
            boot,
        )
        yield (
            f"{kind}: launcher, another manifest under an old signature",
            trust,
            envelope(evil, None, b"", wrapper=old),
            boot,
        )
        if kind == "esp256":
            for r, s in ((0, 0), (0, 1), (1, 0), (1, 1), (ORDER, ORDER), (ORDER, 1)):
                yield (
                    f"esp256: ({r:.3g}, {s:.3g}) for a signature",
                    trust,
                    envelope(evil, numbers_only(r, s), EVIL),
                    install,
                )
        else:
            yield "payload exchanged", trust, envelope(good, ours, EVIL), install
            yield "stored image exchanged", trust, envelope(good, ours, GOOD), start
            yield "launcher, image exchanged", trust, envelope(good, ours, b""), boot
            body = manifest(GOOD, digest_of(manifest(GOOD)[20]))
            digest = det([-16, hashlib.sha256(EVIL).digest()])
            swapped = det([20, {3: digest, 14: len(EVIL), 21: "#app"}, 21, 2, 3, 15])
            yield (
                "severed member exchanged",
                trust,
                envelope(body, ours, EVIL, members={20: swapped}),
                install,
            )
            body = dict(good)
            body[3] = det({2: [APP], 4: det([20, {1: CLASS, 2: CLASS, 3: det([-16, hashlib.sha256(EVIL).digest()]),
                                                  14: len(EVIL)}, 1, 15, 2, 15])})  # fmt: skip
            yield "for another vendor", trust, envelope(body, ours, EVIL), install

    for kind, trust, ours, theirs in others():
        signed = det(digest_of(det(good)))
        mixed = [det(digest_of(det(evil))), ours(signed)]
        yield f"{kind}: signed by another key", trust, envelope(evil, theirs, EVIL), start
        yield (
            f"{kind}: another digest over an old signature",
            trust,
            envelope(evil, None, EVIL, wrapper=mixed),
            start,
        )


def attempt(act, data, trust):
    """True when the attacker got what he wanted."""
    boot.trust = trust
    try:
        with contextlib.redirect_stdout(None):
            return act(data, TrustStore(trust))
    except Endless:
        return False
    except Exception:
        # whatever it is, the updater and the launcher take it for a refusal
        return False


def occurrences(count, everything, arithmetic):
    if everything or count <= (2 if arithmetic else 5):
        return range(count)
    return (0, count - 1) if arithmetic else (0, 1, 2, count - 2, count - 1)


ARITHMETIC = ("suit.crypto.p256:", "suit.crypto.scalar", "suit.crypto.p256_complete", "suit.crypto.ed25519",
              "suit.crypto.lms", "suit.crypto.mldsa")  # fmt: skip


def explore(everything=False, part=0, parts=1, only=""):
    """Every fault in every scenario, or in one of `parts` shares of them; returns (tried, [lost])."""
    tried, lost = 0, []
    everyone = [(*each, ("suit.",)) for each in scenarios()]
    everyone += rights.scenarios(sys.modules[__name__])
    for number, (name, trust, data, act, modules) in enumerate(everyone):
        if number % parts != part or only not in name:
            continue
        glitch.start(None)
        if attempt(act, data, trust):
            lost.append(f"{name}: accepted without any fault")
        counts = dict(glitch.counts)
        limit = 20 * sum(counts.values()) + 10_000
        here = 0
        for hook, count in counts.items():
            if not glitch.names[hook].split(":")[0].startswith(modules):
                continue
            arithmetic = glitch.names[hook].startswith(ARITHMETIC)
            for n_th in occurrences(count, everything and not arithmetic, arithmetic):
                glitch.start((hook, n_th), limit)
                here += 1
                if attempt(act, data, trust):
                    lost.append(f"{name}: {glitch.names[hook]} (occurrence {n_th + 1} of {count})")
        tried += here
        print(f"{name}: {here} faults", flush=True)
    return tried, lost


def share(everything, part, parts, only=""):
    """What one process does, with a board of its own."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        boot.root = Path(folder)
        self_check()
        return explore(everything, part, parts, only)


def self_check():
    """The harness itself: the signed original is accepted, and is the only one that is."""
    glitch.start(None)
    trust = TrustStore(det([{1: 4, 3: 5, -1: b"k" * 32}]))
    assert install(envelope(manifest(EVIL), mac(b"k" * 32), EVIL), trust), (
        "a good envelope is refused"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--all", action="store_true", help="every occurrence, arithmetic excepted")
    parser.add_argument("--only", default="", metavar="TEXT", help="scenarios whose name has this in it")
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1), help="processes")
    options = parser.parse_args()
    with ProcessPoolExecutor(options.jobs) as pool:
        shares = [pool.submit(share, options.all, part, options.jobs, options.only) for part in range(options.jobs)]
        results = [each.result() for each in shares]
    tried = sum(count for count, _ in results)
    lost = [line for _, lines in results for line in lines]
    for line in lost:
        print("LOST", line)
    print(f"{tried} single faults tried, {len(lost)} let a forged envelope through")
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
