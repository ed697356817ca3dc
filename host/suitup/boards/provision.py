"""Making a board a device: the updater, who it is, whom it trusts, and perhaps its first app.

    with open_target("a0") as target:                       # a cable, or the folder of a virtual board
        made = provision(target, Settings(project, trust))
        print(made.report())

Nothing is written that is there already, so doing it twice costs a look. Identity (the device id) stays, and so do
the state record and the slots, unless a first app is given for a board that has one: then the slots and the record are
cleared first, because a cable is ownership.

The board makes a key of its own from its randomness and ours (firmware/suit/device_key.py) and tells the public part,
which is kept here: it verifies the board's reports, and payloads can be encrypted to it. A key that is there stays."""

import contextlib
import hashlib
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from suitup import __version__, cbor, identity
from suitup import keys as keyfiles
from suitup import numbers as n
from suitup import version as versions
from suitup.boards import serial, updater
from suitup.boards.virtual import VirtualBoard
from suitup.errors import USAGE, Failure
from suitup.keys import access_text
from suitup.keys.model import BadKey, Key, from_cose_key
from suitup.keys.trust import Anchor, role_names, trust_store
from suitup.manifest import Envelope, signers
from suitup.project import Project

CONFIG, TRUST = "/suit/config.cbor", "/suit/trust.cbor"
# as boot.py has it; modules of an updater that ran before this one was written are forgotten first
_OWN_KEY = """\
import sys, gc
from binascii import unhexlify
for _m in [m for m in sys.modules if m == 'suit' or m.startswith('suit.')]: del sys.modules[_m]
gc.collect()
sys.path[:] = ['.frozen', '/lib', '']
from suit.device_key import own
_own = own(unhexlify('%s'))
"""
_STATE = ("/suit/state.0", "/suit/state.1", "/suit/spool", "/suit/traceback", "/suit/a", "/suit/b")


class Cable:
    """A board that is on, through its raw REPL."""

    def __init__(self, board: serial.SerialBoard):
        self._board = board
        self.mpy = board.mpy
        self.what = f"{board.machine}, MicroPython {board.version}, {board.free // 1024} KiB free"

    def hashes(self, paths):
        return self._board.hashes(paths)

    def read(self, path):
        return self._board.read(path)

    def listing(self, path):
        return self._board.listing(path)

    def remove(self, paths):
        for path in paths:
            self._board.remove(path)

    def write(self, files, progress=None):
        for path, data in files.items():
            self._board.write(path, data)
            if progress:
                progress(len(data))

    def own_key(self, host):
        return self._board.eval_printed(_OWN_KEY % host.hex() + "print(_own)", timeout=60)

    def finish(self):
        """Start what was installed."""
        self._board.reset()


class Flash:
    """A virtual board that is off: its filesystem is written without booting it."""

    def __init__(self, board: VirtualBoard):
        self._board = board
        self.mpy = _interpreter_mpy()
        self.what = f"virtual board ({board.settings['geometry']}) in {board.directory}"
        self._there = None

    def _all(self):
        if self._there is None:
            self._there = self._board.list_files("/")
        return self._there

    def hashes(self, paths):
        found = self._board.read_files([path for path in paths if path in self._all()])
        return {
            path: hashlib.sha256(found[path]).hexdigest() if path in found else None for path in paths
        }

    def read(self, path):
        return self._board.read_file(path) if path in self._all() else None

    def listing(self, path):
        return [each for each in self._all() if each.startswith(path + "/")]

    def remove(self, paths):
        there = self._all()
        for path in paths:
            if any(each == path or each.startswith(path + "/") for each in there):
                self._board.remove(path)
        self._there = None

    def write(self, files, progress=None):
        self._board.write_files(files)
        self._there = None
        if progress:
            progress(sum(map(len, files.values())))

    def own_key(self, host):
        self._there = None
        return self._board.evaluate(_OWN_KEY % host.hex(), "_own")

    def finish(self):
        """It was off and stays so."""


def _interpreter_mpy():
    import subprocess

    from suitup.boards import micropython

    code = "import sys; print(sys.implementation._mpy)"
    return int(
        subprocess.run([micropython.find(), "-c", code], capture_output=True, check=True).stdout
    )


@contextlib.contextmanager
def open_target(port: str):
    """What a port names: the folder of a virtual board that is off is written directly; one that is on, and every
    other port, through the console."""
    if Path(port).is_dir() and VirtualBoard(port).exists:
        board = VirtualBoard(port)
        if not board.running:
            yield Flash(board)
            return
        port = board.console_url
    with serial.connect(port) as cable:
        yield Cable(cable)


@dataclass
class Settings:
    """What a board is to be. `trust`: Anchors, or pairs (Key, roles); `envelope`: path of the first app's, or None;
    `options`: further entries of config.cbor (servers, poll, trial, tries, bind, port, wifi, wdt, slot)."""

    project: Project
    trust: list
    name: str | None = None
    arch: str | None = None
    envelope: Path | None = None
    options: dict = field(default_factory=dict)
    own_keys: Path | None = None  # folder for the public part of the board's own key; None: not kept


@dataclass
class Made:
    """What `provision` did."""

    what: str
    config: dict
    settings: Settings
    written: dict  # path -> bytes, of what was not there yet
    kept: int  # files that were right already
    removed: list
    updater: dict
    first: object = None  # Envelope of the first app
    key: Key | None = None  # the board's own, public
    key_made: bool = False  # now; else it was there
    key_file: Path | None = None
    key_before: Key | None = None  # what the file held, when that was another key

    def report(self) -> str:
        """Lines for people: what is on the board now."""
        size = sum(map(len, self.updater.values()))
        whole = hashlib.sha256()
        for path in sorted(self.updater):
            whole.update(hashlib.sha256(self.updater[path]).digest())
        project = self.settings.project
        lines = [
            f"board     {self.what}",
            f"updater   suit {__version__}, {len(self.updater)} files, {size} bytes, sha-256 {whole.hexdigest()[:16]}"
            f" ({len(self.written)} written, {self.kept} unchanged, {len(self.removed)} removed)",
            f"identity  {self.config['name']}: vendor {project.vendor} {self.config['vendor'].hex()}",
            f"          class {project.class_name} {' '.join(each.hex() for each in self.config['class'])}",
            f"          device {self.config['device'].hex()}",
        ]
        for each in map(Anchor.of, self.settings.trust):
            more = f", with {each.quorum - 1} others" if each.quorum > 1 else ""
            lines.append(f"trust     {each.key.describe()}, for {', '.join(role_names(each.roles))}{more}")
            for access in each.access:
                lines += [f"          only {line}" for line in access_text.words(access)]
        where = f", public part in {self.key_file}" if self.key_file else ""
        lines.append(f"own key   {self.key.kid}")
        lines.append(f"          {'made now' if self.key_made else 'kept'}{where}")
        if self.key_before:
            lines.append(
                f"note      that file held {self.key_before.kid[:16]}, which this board has no more: what was encrypted to "
                "it cannot be read"
            )
        for server in self.config.get("servers", ()):
            lines.append(f"server    {server}")
        if self.first:
            manifest = self.first.manifest
            shown = (
                versions.show(manifest.set_version)
                if manifest.set_version
                else "without a version"
            )
            lines.append(
                f"app       {project.name} {shown} in slot a, sequence {manifest.sequence_number}, "
                f"manifest {self.first.digest.value.hex()[:16]}"
            )
        if any(Anchor.of(each).key.development for each in self.settings.trust):
            lines.append(
                "note      a development key is trusted: fine on a desk, not in a product"
            )
        return "\n".join(lines)


def provision(target, settings: Settings, progress=None) -> Made:
    """Install; `progress(bytes)` is called as they are written. Raises Failure."""
    if not settings.trust:
        raise Failure(
            "no key the board would trust",
            hint="name one with --trust KEY.pem, or `key` in suitup.toml",
            code=USAGE,
        )
    program = updater.files(settings.arch)
    config = _config(target, settings)
    files = dict(program)
    files[CONFIG] = cbor.encode(config)
    files[TRUST] = trust_store(settings.trust, tables=True)
    removed = []
    first = None
    if settings.envelope:
        first, parts = first_app(settings.envelope, settings.trust)
        removed += _STATE
        target.remove(_STATE)
        files.update(parts)
    stale = [path for path in target.listing(updater.LIB) if path not in program]
    target.remove(stale)
    there = target.hashes(list(files))
    new = {
        path: data
        for path, data in files.items()
        if there[path] != hashlib.sha256(data).hexdigest()
    }
    if stale or any(path in program for path in new):
        # an updater that came by an update gives way to what a cable brings
        target.remove([f"/suit/{slot}/updater.ok" for slot in "ab"])
    target.write(new, progress)
    after = target.hashes(list(new))
    for path, data in new.items():
        if after[path] != hashlib.sha256(data).hexdigest():
            raise Failure(
                f"{path} was written but reads back differently", hint="is the flash full or worn?"
            )
    key, made_now = _own_key(target)
    target.finish()
    made = Made(
        target.what, config, settings, new, len(files) - len(new), stale, program, first, key, made_now
    )  # fmt: skip
    if settings.own_keys:
        _keep(made, Path(settings.own_keys) / f"{config['device'].hex()}.pub.pem")
    return made


def _own_key(target):
    """(the board's own public key, whether it was made now)."""
    hint = "should /suit/device.cbor be damaged: remove it, and the key in it is lost"
    try:
        data, made = target.own_key(secrets.token_bytes(32))
        key = from_cose_key(data)
    except Failure as failure:
        raise Failure("the board has no key of its own", failure.why or failure.what, hint) from None
    except (BadKey, TypeError, ValueError) as error:
        raise Failure("the board names no key of its own", str(error)) from None
    return key.public(), made


def _keep(made, path):
    made.key_file = path
    if path.exists():
        with contextlib.suppress(Failure):
            before = keyfiles.load(path)
            if before.thumbprint == made.key.thumbprint:
                return
            made.key_before = before
    keyfiles.save_public(made.key, path)


def _config(target, settings):
    """config.cbor: what is asked for, and the device id the board has already."""
    project = settings.project
    old = {}
    data = target.read(CONFIG)
    if data:
        with contextlib.suppress(cbor.NotDeterministic):
            old = cbor.decode(data)
    device = old.get("device") if isinstance(old, dict) else None
    if not isinstance(device, bytes) or len(device) != 16:
        device = secrets.token_bytes(16)
    config = {
        "name": settings.name or project.name,
        "vendor": project.vendor_id,
        "class": identity.device_classes(project.vendor_id, project.class_name, target.mpy),
        "device": device,
    }
    if project.servers:
        config["servers"] = list(project.servers)
    config.update({key: value for key, value in settings.options.items() if value is not None})
    return config


def first_app(path, trust) -> tuple:
    """(Envelope, {path on the board: bytes}): slot a as an update would have left it.

    The payloads are found by digest, in the envelope or beside it. The signature is checked here, because a board
    would only fall into recovery over it."""
    path = Path(path)
    envelope = Envelope.decode(path.read_bytes())
    if not envelope.digest_matches():
        raise Failure(f"{path} does not have the digest that is signed", hint="sign it again")
    anchors = [Anchor.of(each) for each in trust]
    anchor, why = signers.authenticated(envelope.blocks, envelope.digest_bytes, anchors)
    if anchor is None:
        raise Failure(
            f"{path} is not signed by a key the board will trust",
            why,
            "sign it with the key in suitup.toml, or add its key with --trust",
        )
    if envelope.manifest.dependencies:
        raise Failure(
            f"{path} has parts of other owners",
            "a first app is laid out without running its manifest",
            "provision with the app alone, then push this one",
        )
    out = {"/suit/a/manifest.suit": Envelope(
        envelope.manifest_bytes, envelope.digest, list(envelope.blocks), tagged=True
    ).encode()}  # fmt: skip
    contents = {hashlib.sha256(data).digest(): data for data in envelope.payloads.values()}
    for index, digest in image_digests(envelope).items():
        identifier = envelope.manifest.components[index]
        name = _place(identifier)
        if name is None:
            continue
        data = contents.get(digest) or _beside(path.parent, digest)
        if data is None:
            raise Failure(
                f"the payload of {'/'.join(part.decode() for part in identifier)} is not beside {path.name}",
                f"no file there has the SHA-256 {digest.hex()[:16]}...",
            )
        out["/suit/a/" + name] = data
    if "/suit/a/app.img" not in out:
        raise Failure(f"{path} installs no app", hint='a first app needs the component ["app"]')
    return envelope, out


def _place(identifier):
    """Where a component lies in its slot; None for what is not kept in one."""
    kind, *rest = [part.decode() for part in identifier]
    if kind == "app" and not rest:
        return "app.img"
    if kind == "updater" and not rest:
        return "updater.img"
    if kind == "file" and rest:
        return "files/" + "/".join(rest)
    return None


def _beside(folder, digest):
    for path in sorted(folder.iterdir()):
        if path.is_file() and not path.name.startswith("."):
            data = path.read_bytes()
            if hashlib.sha256(data).digest() == digest:
                return data
    return None


def image_digests(envelope) -> dict:
    """{component index: SHA-256 its image must have}, from the sequences that an update runs."""
    manifest = envelope.manifest
    found = {}
    for sequence in (
        manifest.shared,
        *(envelope.member(m) for m in (n.M_PAYLOAD_FETCH, n.M_INSTALL, n.M_VALIDATE)),
    ):
        chosen = [0]
        for command in sequence.walk() if sequence else ():
            if command.number == n.C_SET_COMPONENT_INDEX:
                which = command.argument
                if which is True:
                    chosen = list(range(len(manifest.components)))
                else:
                    chosen = which if isinstance(which, list) else [which]
            elif command.number in (n.C_OVERRIDE_PARAMETERS, n.C_SET_PARAMETERS):
                digest = command.argument.get(n.P_IMAGE_DIGEST)
                if digest is not None:
                    found.update({index: digest.value for index in chosen})
    return found
