"""What is provisioned onto an emulated Pico, made on the workstation: the filesystem image with the updater for its
architecture, a small app, and newer versions of it in its folder /in."""

import dataclasses
from pathlib import Path

from suitup import desk, keys, project
from suitup.boards import catalog
from suitup.boards.provision import Flash, Settings, provision
from suitup.boards.virtual import VirtualBoard

# says who it is until it is stopped: a console that was not open yet misses nothing
GOOD = """
import suit, time
print("app VERSION confirms", suit.confirm())
while True:
    print("app VERSION runs")
    time.sleep_ms(500)
"""
FAILS = "raise ValueError('VERSION is broken')\n"

_TOML = """
name = "pico"
version = "1.0.0"
vendor = "example.com"
class = "pico"
app = "app"
key = "dev.pem"
release = "release"
"""
_MPY = 0x1306  # sys.implementation._mpy of MicroPython 1.23 to 1.29 on an RP2040: version 6.3, armv6m


class Desk:
    """`apps`: {version: source of main.py}; the first is on the board. `files`: {name on the board: file in `folder`};
    `roles` of the key. `flash` is the filesystem's path."""

    def __init__(self, folder: Path, apps: dict, board="RPI_PICO", files=None, roles=1, **options):
        self.folder = folder
        self.board = VirtualBoard(folder / "board").create(
            "rp2040_w" if board.endswith("_W") else "rp2040"
        )
        (folder / "app").mkdir()
        named = "".join('"%s" = "%s"\n' % each for each in (files or {}).items())
        (folder / "suitup.toml").write_text(_TOML + ("[files]\n" + named if named else ""))
        self.key = keys.generate(development=True)
        keys.save(self.key, folder / "dev.pem")
        self.envelopes = {version: self.publish(version, source) for version, source in apps.items()}
        target = Flash(self.board)
        target.mpy = _MPY
        options.setdefault("trial", 20)
        self.made = provision(
            target,
            Settings(
                self.project, [(self.key, roles)], arch=catalog.load(board).mpy_arch,
                envelope=self.envelopes[next(iter(apps))], options=options,
            ),
        )  # fmt: skip
        self.bring()

    def bring(self):
        """What is released lies on the board, too."""
        self.board.write_files({"/in/" + path.name: path.read_bytes() for path in self._released()})

    @property
    def project(self):
        return project.load(self.folder)

    @property
    def release(self) -> Path:
        return Path(self.project.release)

    @property
    def flash(self) -> Path:
        return self.board.flash

    def _released(self):
        return [path for path in self.release.iterdir() if path.is_file() and path.suffix != ".cbor"]

    def publish(self, version, source, **changes):
        """Path of a new envelope."""
        (self.folder / "app" / "main.py").write_text(source.replace("VERSION", version))
        return desk.make(dataclasses.replace(self.project, **changes), version)

    def update(self, version):
        """What a raw REPL runs to install it from the board's own flash."""
        return "import sys\nif '/lib' not in sys.path: sys.path.append('/lib')\nimport suit\nsuit.update('/in/%s', False)" % (
            self.envelopes[version].name
        )
