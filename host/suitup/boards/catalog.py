"""The boards: one folder each under `boards/` with a `board.toml` (geometry, how to flash, what it cannot do)."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from suitup import paths
from suitup.errors import USAGE, Failure


@dataclass(frozen=True)
class Board:
    """A board as its `board.toml` has it; sizes in bytes."""

    id: str
    folder: Path
    data: dict

    @property
    def name(self) -> str:
        return self.data["name"]

    @property
    def port(self) -> str:
        """MicroPython's port: rp2, esp32 or unix."""
        return self.data["port"]

    @property
    def mpy_arch(self) -> str | None:
        return self.data.get("mpy-arch")

    @property
    def slot_size(self) -> int:
        """The largest app image."""
        return self.data["app"]["slot-size"]

    @property
    def firmware_slots(self) -> int:
        return self.data["firmware"]["slots"]

    @property
    def cannot(self) -> list[str]:
        return self.data["cannot"]["items"]

    def __getitem__(self, table: str) -> dict:
        return self.data[table]


def names() -> list[str]:
    """Ids of every board there is, sorted."""
    return sorted(path.parent.name for path in paths.boards().glob("*/board.toml"))


def load(board: str) -> Board:
    """The board of that id; case and `-` do not matter. Failure lists the ones there are."""
    wanted = board.upper().replace("-", "_")
    for name in names():
        if name.upper() == wanted:
            folder = paths.boards() / name
            return Board(name, folder, tomllib.loads((folder / "board.toml").read_text()))
    raise Failure(f"no board {board!r}", hint="one of: " + ", ".join(names()), code=USAGE)
