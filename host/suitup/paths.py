"""Where the device code and the board folders lie: in a checkout beside `host/`, in a wheel inside the package."""

from pathlib import Path

_HERE = Path(__file__).resolve().parent
_ROOT = _HERE.parent.parent


def firmware() -> Path:
    """The folder that holds `suit/`, `main.py` and `boot.py`."""
    packaged = _HERE / "_firmware"
    return packaged if packaged.is_dir() else _ROOT / "firmware"


def boards() -> Path:
    """The folder with one folder per board."""
    packaged = _HERE / "_boards"
    return packaged if packaged.is_dir() else _ROOT / "boards"
