"""The updater's own files: `firmware/suit` compiled for a board, and the two short files that start it.

    files = updater.files(arch=None)        # {path on the board: bytes}

Registry numbers are put in as literals (`images/constants.py`) and line tables left out (`-O3`): together a sixth of the
flash. A traceback of the updater names the function; those of apps keep their lines.

Modules of an engine (`NAME_viper.py`, `NAME_thumb.py`) are native code: they go only to boards whose architecture is
known, and the plain engine does their work elsewhere."""

import subprocess
import tempfile
from pathlib import Path

from suitup import paths
from suitup.errors import Failure
from suitup.images import constants
from suitup.images.app import mpy_cross

LIB = "/lib/suit"
START = ("boot.py", "main.py")
NUMBERS = "suit/numbers.py"
_THUMB = ("armv6m", "armv7m", "armv7em", "armv7emsp", "armv7emdp")


def modules(arch=None) -> list:
    """The source files that go to a board of that architecture, as (path, name under firmware/)."""
    folder = paths.firmware()
    found = []
    for path in sorted((folder / "suit").rglob("*.py")):
        if path == folder / NUMBERS:
            continue
        if path.stem.endswith("_viper") and not arch:
            continue
        if path.stem.endswith("_thumb") and arch not in _THUMB:
            continue
        # one fast engine of each kind, and the plain one to fall back to
        assembly = path.with_stem(path.stem[: -len("_viper")] + "_thumb")
        if path.stem.endswith("_viper") and arch in _THUMB and assembly.exists():
            continue
        found.append((path, path.relative_to(folder).as_posix()))
    return found


def files(arch=None) -> dict:
    """{path on the board: bytes}: `.mpy` files under /lib/suit, boot.py and main.py. Raises Failure."""
    out = {}
    numbers = constants.constants((paths.firmware() / NUMBERS).read_text())
    # one after the other: CPython 3.11 cannot parse in two threads at a time (python/cpython#106905)
    with tempfile.TemporaryDirectory() as folder:
        for path, name in modules(arch):
            data = compile_module(path, name, arch, numbers, Path(folder))
            out["/lib/" + name[:-3] + ".mpy"] = data
    for name in START:
        out["/" + name] = (paths.firmware() / name).read_bytes()
    return out


def compile_module(path, name, arch, numbers, folder) -> bytes:
    """One module as `.mpy`; `folder`: a temporary one. Raises Failure."""
    source = folder / (name.replace("/", "-"))
    output = source.with_suffix(".mpy")
    source.write_text(constants.inline(path.read_text(), numbers))
    command = [*mpy_cross(), "-O3", "-s", name, "-o", str(output)]
    if arch:
        command.append(f"-march={arch}")
    done = subprocess.run([*command, str(source)], capture_output=True, check=False)
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        raise Failure(f"{path} does not compile", lines[-1] if lines else "mpy-cross failed")
    return output.read_bytes()
