"""HSS-LMS private keys (RFC 8554 section 6): a secret that never changes, and an index that must never be used twice.

    release.hss          the secret (mode 0600), written once
    release.hss.state    the next index, rewritten before every signature
    release.hss.tree     nodes of the trees in use; public, may be lost

Signing reserves an index first: lock the key file, read the state, write the next index beside it, fsync, rename, fsync the
folder, and only then sign. A process that dies in between wastes an index, it never repeats one.

A key that was copied, or restored from a backup, may have signed elsewhere. It is noticed where it can be: the state names
the file it belongs to (device, inode) and the machine, and a journal outside of the folder (in $XDG_STATE_HOME) holds the highest
index this user ever reserved for this key. Either mismatch refuses to sign until `suitup keygen --adopt` skips ahead. A
copy of the whole machine cannot be noticed: keep such keys in one place."""

import contextlib
import fcntl
import hashlib
import os
import secrets
from pathlib import Path

from suitup import cbor
from suitup import numbers as n
from suitup.errors import USAGE, Failure
from suitup.keys import lms
from suitup.keys.model import PUB, Key

# private-use labels of the COSE_Key in the secret file
_SEED, _LEVELS = -70011, -70012
_MAX_LEVELS = 8


def parse_parameters(text: str) -> list[tuple[int, int]]:
    """`10/4` or `5/8,5/8` -> [(height, Winternitz width) ...], the top tree first."""
    try:
        levels = [tuple(int(part) for part in each.split("/")) for each in text.split(",")]
        if (
            all(len(each) == 2 and each[0] in lms.LMS and each[1] in lms.OTS for each in levels)
            and len(levels) <= _MAX_LEVELS
        ):
            return levels
    except ValueError:
        pass
    raise Failure(
        f"{text!r} are no HSS-LMS parameters",
        hint="HEIGHT/WIDTH per level, as in 10/4 or 5/8,5/8; heights "
        f"{', '.join(map(str, lms.LMS))}, widths {', '.join(map(str, lms.OTS))}",
        code=USAGE,
    )


def _derive(seed, *path):
    """(I, seed) of the tree at `path`, a sequence of leaf numbers from the top."""
    name = b"suitup hss" + b"".join(each.to_bytes(4, "big") for each in path)
    return hashlib.sha256(seed + name + b"I").digest()[:16], hashlib.sha256(
        seed + name + b"S"
    ).digest()


def _fsync_folder(path):
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_durably(path: Path, data: bytes):
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)
    _fsync_folder(path.parent)


def _machine() -> str:
    """Something that differs between machines, as far as this one has it."""
    for name in ("/etc/machine-id", "/var/lib/dbus/machine-id"):
        with contextlib.suppress(OSError):
            return Path(name).read_text().strip()
    return os.uname().nodename


def _journal_folder() -> Path:
    base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(base) / "suitup" / "hss"


class HSSPrivate:
    """The stateful private key at `path`."""

    def __init__(self, path, params):
        self.path = Path(path)
        self.public = params[PUB]
        self._seed = params[_SEED]
        self._levels = [tuple(each) for each in params[_LEVELS]]

    @property
    def total(self) -> int:
        """How many signatures the key can make in all."""
        return 1 << sum(height for height, _ in self._levels)

    @property
    def left(self) -> int:
        """How many it can still make."""
        return self.total - self._read_state()["next"]

    def _beside(self, suffix):
        return self.path.with_name(self.path.name + suffix)

    def _where(self, descriptor=None):
        """What tells this file from a copy of it."""
        stat = os.stat(self.path) if descriptor is None else os.fstat(descriptor)
        return [_machine(), stat.st_dev, stat.st_ino]

    def _journal(self) -> Path:
        return _journal_folder() / hashlib.sha256(self.public).hexdigest()

    def _read_state(self) -> dict:
        try:
            return cbor.decode(self._beside(".state").read_bytes())
        except FileNotFoundError:
            raise Failure(
                f"{self._beside('.state')} is missing",
                "without it nobody knows which signatures were made",
                "restore it, then `suitup keygen --adopt` skips what may have been used",
            ) from None
        except cbor.NotDeterministic as error:
            raise Failure(f"{self._beside('.state')} is damaged", str(error)) from None

    def _read_journal(self) -> int:
        try:
            return int(self._journal().read_text())
        except (FileNotFoundError, ValueError):
            return 0

    def _write_state(self, index, where):
        # the state first: killed in between, the journal is one behind, which wastes an index; one ahead would
        # look like a key that was rolled back
        _write_durably(self._beside(".state"), cbor.encode({"next": index, "where": where}))
        self._journal().parent.mkdir(parents=True, exist_ok=True)
        _write_durably(self._journal(), str(index).encode())

    @contextlib.contextmanager
    def _lock(self):
        """Hold the key against every other signer; the secret file is never replaced, so its lock stays the same."""
        with open(self.path, "rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield file.fileno()

    def reserve(self) -> int:
        """An index nobody else gets, on disk as used before this returns."""
        with self._lock() as descriptor:
            state, where = self._read_state(), self._where(descriptor)
            index = state["next"]
            if state["where"] != where:
                raise Failure(
                    f"{self.path} was copied or moved here",
                    "the original may have signed since",
                    f"sign with the original, or `suitup keygen --adopt {self.path} --skip N`",
                )
            if self._read_journal() > index:
                raise Failure(
                    f"{self.path} was rolled back: it says {index} signatures were made, "
                    f"{self._read_journal()} were",
                    "a signature made twice gives the key away",
                    f"`suitup keygen --adopt {self.path}` goes on behind the last one",
                )
            if index >= self.total:
                raise Failure(
                    f"{self.path} is used up",
                    f"it made all of its {self.total} signatures",
                    "make a new key, and have devices trust it by an update signed with another",
                )
            self._write_state(index + 1, where)
        return index

    def adopt(self, skip=0) -> int:
        """Go on with a copied or restored key behind what may have been used, `skip` indices further; returns the next
        index."""
        with self._lock() as descriptor:
            index = min(max(self._read_state()["next"], self._read_journal()) + skip, self.total)
            self._write_state(index, self._where(descriptor))
        return index

    def sign(self, message: bytes) -> bytes:
        """An HSS signature; one index is used up, also when this fails."""
        return self.sign_with(self.reserve(), message)

    def sign_with(self, index, message) -> bytes:
        """The signature with a reserved index."""
        leaves = []
        for height, _ in reversed(self._levels):
            leaves.insert(0, index & (1 << height) - 1)
            index >>= height
        cache = self._read_cache()
        used = {}
        signatures, publics = [], []
        for level, (height, width) in enumerate(self._levels):
            path = leaves[:level]
            identifier, seed = _derive(self._seed, *path)
            name = "/".join(map(str, path))
            nodes = cache.get(name)
            if nodes is None or len(nodes) != 2 << height:
                nodes = lms.tree(identifier, seed, height, width)
            used[name] = nodes
            publics.append(lms.public(identifier, nodes, height, width))
            signatures.append((identifier, seed, leaves[level], height, width, nodes))
        out = (len(self._levels) - 1).to_bytes(4, "big")
        for level, key in enumerate(signatures):
            last = level == len(signatures) - 1
            # the same leaf always signs the same tree below, because that is derived from the same seed
            out += lms.sign(*key, message if last else publics[level + 1])
            if not last:
                out += publics[level + 1]
        if used != cache:
            self._write_cache(used)
        return out

    def _read_cache(self) -> dict:
        try:
            item = cbor.decode(self._beside(".tree").read_bytes())
            nodes = {
                name: [b"", *(data[at : at + 32] for at in range(0, len(data), 32))]
                for name, data in item.items()
            }
            top = lms.public(_derive(self._seed)[0], nodes[""], *self._levels[0])
            return nodes if self.public[4:] == top else {}
        except (OSError, cbor.NotDeterministic, AttributeError, TypeError, KeyError, IndexError):
            return {}

    def _write_cache(self, trees):
        with contextlib.suppress(OSError):
            _write_durably(
                self._beside(".tree"),
                cbor.encode({name: b"".join(nodes[1:]) for name, nodes in trees.items()}),
            )


def key_of(path, params) -> Key:
    """The Key of a secret file's COSE_Key map."""
    public = {n.KEY_KTY: n.KTY_HSS_LMS, n.KEY_ALG: n.ALG_HSS_LMS, PUB: params[PUB]}
    return Key(public, bool(params.get(n.KEY_DEVELOPMENT)), HSSPrivate(path, params))


def is_secret(params) -> bool:
    """Is this COSE_Key map that of a secret file?"""
    return isinstance(params, dict) and params.get(n.KEY_KTY) == n.KTY_HSS_LMS and _SEED in params


def create(path, parameters="10/4", development=False, force=False) -> Key:
    """A new private key at `path`; seconds for height 10, minutes for more."""
    from suitup.keys.files import write_private

    levels = parse_parameters(parameters)
    seed = secrets.token_bytes(32)
    identifier, tree_seed = _derive(seed)
    nodes = lms.tree(identifier, tree_seed, *levels[0])
    public = len(levels).to_bytes(4, "big") + lms.public(identifier, nodes, *levels[0])
    params = {
        n.KEY_KTY: n.KTY_HSS_LMS,
        n.KEY_ALG: n.ALG_HSS_LMS,
        PUB: public,
        _SEED: seed,
        _LEVELS: [list(each) for each in levels],
    }
    if development:
        params[n.KEY_DEVELOPMENT] = True
    write_private(path, cbor.encode(params), force)
    key = key_of(path, params)
    key.state._write_state(0, key.state._where())
    key.state._write_cache({"": nodes})
    return key
