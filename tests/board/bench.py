"""A virtual board with a small app on it, and newer versions to offer: the whole way from source to a
boot, with the host's own tools."""

import contextlib
import dataclasses
import functools
from pathlib import Path

from suitup import author, desk, keys, project
from suitup.boards import updater
from suitup.boards.provision import Flash, Settings, provision
from suitup.errors import Failure
from suitup.manifest import Envelope

# compiled once for all boards of a test run
updater.files = functools.cache(updater.files)

APP = """
import suit
print("app VERSION starts")
suit.confirm()
print("app VERSION confirmed", open(suit.path("settings.txt")).read())
import asyncio
async def main():
    while True:
        await asyncio.sleep(1)
asyncio.run(main())
"""

WAITS = """
print("app VERSION starts")
import time
while True:
    time.sleep_ms(50)
"""

TOML = """
name = "bench"
version = "1.0.0"
vendor = "example.com"
class = "bench"
app = "app"
key = "dev.pem"
release = "release"
[files]
"settings.txt" = "settings.txt"
"""


@contextlib.contextmanager
def image(data):
    """Builds give an image of these bytes."""
    build = author.build
    author.build = lambda project: dataclasses.replace(build(project), data=data)
    try:
        yield
    finally:
        author.build = build


class Bench:
    """`board`: a VirtualBoard that is off. `apps`: {version: source of main.py, or the bytes of an image},
    published in order; the first is put on the board, all of them lie in its folder /in."""

    def __init__(self, board, folder: Path, apps: dict, **options):
        self.board = board
        self.folder = folder
        folder.mkdir(exist_ok=True)
        (folder / "app").mkdir()
        (folder / "suitup.toml").write_text(TOML)
        self.key = keys.generate(development=True)
        keys.save(self.key, folder / "dev.pem")
        self.envelopes = {}
        for version, source in apps.items():
            raw = isinstance(source, bytes)
            source = "" if raw else source.replace("VERSION", version)
            (folder / "app" / "main.py").write_text(source)
            (folder / "settings.txt").write_text("settings of " + version.split(".")[0])
            with image(apps[version]) if raw else contextlib.nullcontext():
                self.envelopes[version] = desk.make(self.project, version)
        options.setdefault("trial", 10)
        options.setdefault("bind", "127.0.0.1")
        options.setdefault("port", board.coap_port)
        first = options.pop("first", next(iter(apps)))
        settings = Settings(
            self.project,
            [(self.key, options.pop("roles", 1))],
            envelope=first and self.envelopes[first],
            options=options,
        )
        self.made = provision(Flash(board), settings)
        release = Path(self.project.release)
        board.write_files({f"/in/{f.name}": f.read_bytes() for f in release.iterdir() if f.is_file()})

    @property
    def project(self):
        return project.load(self.folder)

    def name(self, version):
        return "/in/" + self.envelopes[version].name

    def update(self, version, reset=True):
        """Offer a version at the console; what was printed."""
        return self.board.exec(f"import suit; suit.update({self.name(version)!r}, {reset})")

    def digest(self, version):
        """Digest of the version's manifest."""
        return Envelope.decode(self.envelopes[version].read_bytes()).digest.value

    def leave(self, code):
        """Run `code` at the console, which resets the board in the middle of it."""
        with contextlib.suppress(Failure):
            self.board.exec(code)
