"""The updater's own files: `firmware/suit` compiled for a board, and the short ones that start it.

    files = updater.files(arch=None)        # {path on the board: bytes}
    data = updater.image(arch=None)         # the same as the component ["updater"]: a ROMFS image

Registry numbers are put in as literals (`images/constants.py`) and line tables left out (`-O3`): together a sixth of the
flash. A traceback of the updater names the function; those of apps keep their lines. Modules that every boot needs are
joined into a few (`programs.py`), and read in one piece (`firmware/suit/whole.py`).

Modules of an engine (`NAME_viper.py`, `NAME_thumb.py`) are native code: they go only to boards whose architecture is
known, and the plain engine does their work elsewhere."""

import subprocess
import tempfile
from pathlib import Path

from suitup import paths
from suitup.boards.programs import programs as made
from suitup.errors import Failure
from suitup.images import constants, romfs
from suitup.images.app import mpy_cross

LIB = "/lib/suit"
START = ("boot.py", "main.py")
NUMBERS = "suit/numbers.py"
STARTER = "suit_start.py"  # chooses among updaters, so no part of one
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
    """{path on the board: bytes}: `.mpy` files under /lib, boot.py and main.py. Raises Failure."""
    out = {"/lib/" + name: data for name, data in package(arch).items()}
    with tempfile.TemporaryDirectory() as folder:
        starter = (paths.firmware() / STARTER).read_text()
        out["/lib/" + STARTER[:-3] + ".mpy"] = compiled(starter, STARTER, None, Path(folder))
    for name in START:
        out["/" + name] = (paths.firmware() / name).read_bytes()
    return out


def package(arch=None) -> dict:
    """{name like suit/core.mpy: bytes}: the updater without what starts it. Raises Failure."""
    out = {}
    # one after the other: CPython 3.11 cannot parse in two threads at a time (python/cpython#106905)
    with tempfile.TemporaryDirectory() as folder:
        for name, source in programs(arch).items():
            out[name[:-3] + ".mpy"] = compiled(source, name, arch, Path(folder))
    return out


def image(arch=None) -> bytes:
    """The updater as a component: a ROMFS image. Raises Failure."""
    return romfs.write(package(arch))


def programs(arch=None) -> dict:
    """{name like suit/core.py: source} of what is compiled for a board."""
    numbers = constants.constants((paths.firmware() / NUMBERS).read_text())
    return made({name: path.read_text() for path, name in modules(arch)}, numbers)


def compile_module(path, name, arch, numbers, folder) -> bytes:
    """One module by itself as `.mpy`; `folder`: a temporary one. Raises Failure."""
    return compiled(constants.inline(path.read_text(), numbers), name, arch, folder)


def compiled(text, name, arch, folder) -> bytes:
    """A program as `.mpy`. Raises Failure."""
    source = folder / (name.replace("/", "-"))
    output = source.with_suffix(".mpy")
    source.write_text(text)
    command = [*mpy_cross(), "-O3", "-s", name, "-o", str(output)]
    if arch:
        command.append(f"-march={arch}")
    done = subprocess.run([*command, str(source)], capture_output=True, check=False)
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        raise Failure(f"{name} does not compile", lines[-1] if lines else "mpy-cross failed")
    return output.read_bytes()
