"""The release folder: what a server serves and `push` pushes.

    <name>-<version>.suit     the envelope            latest.suit    a copy of the newest one
    <digest8>-<file>          payloads, named by the first 8 hex digits of their SHA-256
    index.cbor                {"latest": name, "releases": [{"name", "version", "sequence", "envelope", "digest",
                              "payloads": [name ...]} ...]}, oldest first

Files appear whole (written beside, then renamed), payloads before the envelope that names them."""

import contextlib
import fcntl
import hashlib
import os
from pathlib import Path

from suitup import cbor
from suitup.errors import Failure

INDEX, LATEST = "index.cbor", "latest.suit"


def write(path: Path, data: bytes):
    """Write so that a reader sees the old file or the new one, never half of it."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with open(temporary, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


class Release:
    """A release folder at `path`, made when something is published."""

    def __init__(self, path):
        self.path = Path(path)

    @contextlib.contextmanager
    def lock(self):
        """Hold the folder: two signers never give out the same sequence number."""
        self.path.mkdir(parents=True, exist_ok=True)
        with open(self.path / ".lock", "w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield self

    def index(self) -> dict:
        """The index, empty when nothing was published yet."""
        try:
            data = (self.path / INDEX).read_bytes()
        except FileNotFoundError:
            return {"latest": None, "releases": []}
        try:
            return cbor.decode(data)
        except cbor.NotDeterministic as error:
            raise Failure(
                f"{self.path / INDEX} is damaged",
                str(error),
                "restore it, or start a new release folder and give --sequence",
            ) from None

    def entries(self, name=None) -> list[dict]:
        """What was published, oldest first; of one app when `name` is given."""
        return [each for each in self.index()["releases"] if name in (None, each["name"])]

    def last_sequence(self) -> int:
        """The highest sequence number given out, 0 when none was."""
        return max((each["sequence"] for each in self.entries()), default=0)

    def payload_name(self, name: str, data: bytes) -> str:
        """The file name of a payload: by digest, so that what did not change keeps its name."""
        digest = hashlib.sha256(data).hexdigest()
        for size in (8, 16, 64):
            candidate = f"{digest[:size]}-{name.replace('/', '-')}"
            path = self.path / candidate
            if not path.exists() or path.read_bytes() == data:
                return candidate
        raise Failure(f"{path} is damaged", "it does not have the digest in its name", "remove it")

    def publish(
        self, name, version, sequence, envelope: bytes, digest: bytes, payloads: dict
    ) -> Path:
        """Put an envelope and its payloads ({file name: bytes}) into the folder and make it the latest."""
        self.path.mkdir(parents=True, exist_ok=True)
        for file, data in payloads.items():
            if not (self.path / file).exists():
                write(self.path / file, data)
        path = self.path / f"{name}-{version}.suit"
        index = self.index()
        index["releases"] = [each for each in index["releases"] if each["envelope"] != path.name]
        index["releases"].append(
            {
                "name": name,
                "version": version,
                "sequence": sequence,
                "envelope": path.name,
                "digest": digest,
                "payloads": sorted(payloads),
            }
        )
        index["latest"] = path.name
        write(path, envelope)
        write(self.path / LATEST, envelope)
        write(self.path / INDEX, cbor.encode(index))
        return path
