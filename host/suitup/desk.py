"""A desk without hardware: the release to push next, and a virtual board to push it to.

`suitup push` without --host and --port uses it, and so does the show of refusals."""

import contextlib
from dataclasses import replace
from pathlib import Path

from suitup import author, keys, version
from suitup.boards.provision import Flash, Settings, provision
from suitup.boards.virtual import VirtualBoard
from suitup.errors import Failure
from suitup.keys.trust import parse_roles
from suitup.project import Project
from suitup.release import Release

BOARD = Path("build/board")
FACTORY = Path("build/factory")
_PUSHED = ".pushed"  # in the release folder: digest of the last envelope that got a verdict


def make(project: Project, number: str, release=None, sequence=None) -> Path:
    """Build, sign and publish `project` as version `number`; returns the path of the envelope."""
    project = replace(
        project, version=version.require(number), release=Path(release or project.release)
    )
    folder = Release(project.release)
    with folder.lock():
        draft = author.draft(project, folder, sequence)
        author.sign(draft.envelope, author.load_signers(project))
        return author.publish(project, folder, draft)


def after(number: str) -> str:
    """The version that follows: `1.0.0` -> `2.0.0`."""
    numbers = version.parse(number)
    if not numbers:
        raise Failure(f"what follows version {number!r} is not known", hint="name it: VERSION=")
    return f"{numbers[0] + 1}.0.0"


def _last(project):
    """The newest entry of the index for this app, or None."""
    entries = Release(project.release).entries(project.name)
    return max(entries, key=lambda entry: entry["sequence"], default=None)


def waiting(project: Project) -> Path | None:
    """What was signed and not pushed yet."""
    last = _last(project)
    if last is None or _pushed(project) == last["digest"].hex():
        return None
    return Path(project.release) / last["envelope"]


def _pushed(project):
    with contextlib.suppress(FileNotFoundError):
        return (Path(project.release) / _PUSHED).read_text().strip()
    return None


def mark_pushed(release: Path, digest: bytes):
    """It got its verdict: the next push needs another version."""
    (Path(release) / _PUSHED).write_text(digest.hex() + "\n")


def next_release(project: Project, number=None) -> Path:
    """The envelope to push: what waits, else a new version, signed now.

    Nothing signed at all: this makes a version 1 first, so that there is something to update from."""
    path = waiting(project)
    if path and number is None:
        return path
    last = _last(project)
    if last is None:
        make(project, project.version)
        last = _last(project)
    return make(project, number or after(last["version"]))


def _older(project, path: Path) -> Path:
    """An envelope to provision with, so that `path` is news: the one published before it, else one made for this."""
    entries = Release(project.release).entries(project.name)
    this = next((entry for entry in entries if entry["envelope"] == path.name), None)
    sequence = this["sequence"] if this else 1
    before = [entry for entry in entries if entry["sequence"] < sequence]
    if before:
        return Path(project.release) / max(before, key=lambda entry: entry["sequence"])["envelope"]
    # everything that can be pushed is above sequence 0
    return make(project, "0.9.0", FACTORY, 0)


def board_settings(project: Project, board: VirtualBoard, first=None, **options) -> Settings:
    """Settings for a virtual board that trusts the keys of the project."""
    trust = [(keys.load(path).public(), parse_roles("app")) for path in project.keys]
    if not trust:
        author.load_signers(project)  # says what is missing
    options = {"bind": "127.0.0.1", "port": board.coap_port, **options}
    return Settings(project, trust, None, None, first, options, board.directory / "keys")


def virtual(project: Project, path: Path, directory=BOARD, say=lambda text: None) -> VirtualBoard:
    """A virtual board, off, with the present updater and an app older than `path`; made when there is none."""
    board = VirtualBoard(directory)
    first = None
    if not board.exists:
        board.create()
        say(f"made a virtual board in {directory}: {board.settings['description']}")
    else:
        board.stop()
    there = board.list_files("/")
    if "/suit/a/manifest.suit" not in there and "/suit/b/manifest.suit" not in there:
        first = _older(project, path)
    made = provision(Flash(board), board_settings(project, board, first))
    if first:
        say(f"provisioned with {first.stem}, sequence {made.first.manifest.sequence_number}")
    elif made.written:
        say(f"updated {len(made.written)} files of its updater")
    return board


@contextlib.contextmanager
def powered(board: VirtualBoard):
    """The board is on inside, and off afterwards whatever happens."""
    board.start()
    try:
        yield board
    finally:
        board.stop()
