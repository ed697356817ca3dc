"""The updater's own files: `firmware/suit` compiled for a board, and the two short files that start it.

    files = updater.files(arch=None)        # {path on the board: bytes}

Modules of an engine (`NAME_viper.py`, `NAME_thumb.py`) are native code: they go only to boards whose architecture is
known, and the plain engine does their work elsewhere."""

import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from suitup import paths
from suitup.errors import Failure
from suitup.images.app import mpy_cross

LIB = "/lib/suit"
START = ("boot.py", "main.py")
_THUMB = ("armv6m", "armv7m", "armv7em", "armv7emsp", "armv7emdp")


def modules(arch=None) -> list:
    """The source files that go to a board of that architecture, as (path, name under firmware/)."""
    folder = paths.firmware()
    found = []
    for path in sorted((folder / "suit").rglob("*.py")):
        if path.stem.endswith("_viper") and not arch:
            continue
        if path.stem.endswith("_thumb") and arch not in _THUMB:
            continue
        found.append((path, path.relative_to(folder).as_posix()))
    return found


def files(arch=None) -> dict:
    """{path on the board: bytes}: `.mpy` files under /lib/suit, boot.py and main.py. Raises Failure."""
    out = {}
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(2) as pool:

        def compiled(source):
            path, name = source
            return name, _compile(
                path, name, arch, Path(folder) / (name.replace("/", "-") + ".mpy")
            )

        for name, data in pool.map(compiled, modules(arch)):
            out["/lib/" + name[:-3] + ".mpy"] = data
    for name in START:
        out["/" + name] = (paths.firmware() / name).read_bytes()
    return out


def _compile(path, name, arch, output):
    command = [*mpy_cross(), "-s", name, "-o", str(output)]
    if arch:
        command.append(f"-march={arch}")
    done = subprocess.run([*command, str(path)], capture_output=True, check=False)
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        raise Failure(f"{path} does not compile", lines[-1] if lines else "mpy-cross failed")
    return output.read_bytes()
