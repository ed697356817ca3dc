"""`suitup conformance`: every case of the index.json files under some paths, judged by the device code.

`run(paths, judge)` yields one `Verdict` per case. What a case means is said in tests/vectors/README.md; each kind is
one function in `KINDS`, in a module of this package: it gets a `Case` and a `Judge` and returns nothing when the
device did as it should, or raises `Wrong` or `Unsupported` with the reason."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from suitup.errors import USAGE, Failure


class Wrong(Exception):
    """The device did not do what the case asks for."""


class Unsupported(Exception):
    """The device lacks an algorithm, an extension or the kind."""


@dataclass
class Verdict:
    word: str  # ok, FAIL or unsupported
    name: str  # folder/name
    why: str

    def __str__(self):
        return f"{self.word} {self.name}: {self.why}" if self.why else f"{self.word} {self.name}"


class Case:
    """One entry of an index.json. `files` are relative to its folder, keys to the directory above."""

    def __init__(self, folder: Path, data: dict):
        self.folder = folder
        self.data = data
        self.name = f"{folder.name}/{data['name']}"
        self.kind = data["kind"]
        self.files = data.get("files") or {}
        self.expect = data.get("expect") or {}
        self.accept = self.expect.get("accept")

    def path(self, role: str) -> Path:
        return self.folder / self.files[role]

    def bytes(self, role: str) -> bytes:
        return self.path(role).read_bytes()

    def json(self, role: str = "json"):
        return json.loads(self.path(role).read_text(encoding="utf-8"))

    def key_path(self, name: str) -> Path:
        return self.folder.parent / name

    def get(self, field, default=None):
        return self.data.get(field, default)


def indexes(paths) -> list[Path]:
    """Every index.json at or under the paths, in their order."""
    found = []
    for path in map(Path, paths):
        if path.is_dir():
            below = sorted(path.rglob("index.json"))
        elif path.name == "index.json" and path.is_file():
            below = [path]
        else:
            raise Failure(f"no such folder: {path}", hint="give folders that hold index.json", code=USAGE)
        if not below:
            raise Failure(f"no index.json under {path}", code=USAGE)
        found += [entry for entry in below if entry not in found]
    return found


# inputs of authoring tools and fragments: nothing a device could run, so they are left out
LEFT_OUT = ("authoring", "data")


def cases(paths) -> Iterator[Case]:
    for index in indexes(paths):
        try:
            data = json.loads(index.read_text(encoding="utf-8"))
            entries = data["cases"]
        except (ValueError, KeyError, TypeError) as error:
            raise Failure(f"{index} is not an index of cases", repr(error), code=USAGE) from None
        for entry in entries:
            if entry.get("kind") not in LEFT_OUT:
                yield Case(index.parent, entry)


def judge_case(case: Case, judge) -> Verdict:
    from suitup.conformance.kinds import KINDS

    function = KINDS.get(case.kind)
    try:
        if function is None:
            raise Unsupported(f"kind {case.kind}")
        return Verdict("ok", case.name, function(case, judge) or "")
    except Unsupported as why:
        return Verdict("unsupported", case.name, str(why))
    except Wrong as why:
        return Verdict("FAIL", case.name, str(why))
    except (OSError, KeyError, ValueError, TypeError, IndexError) as error:
        # the case cannot be read: that must not look like a success
        return Verdict("FAIL", case.name, f"the case cannot be run: {error!r}")


def run(paths, judge) -> Iterator[Verdict]:
    for case in cases(paths):
        yield judge_case(case, judge)
