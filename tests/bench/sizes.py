"""Bytes of every .mpy of the updater, per architecture, against the budget.

    python tests/bench/sizes.py [--all] [ARCH...]

*All crypto* is every module of suit/crypto by itself. *Everything* is what `suitup provision` writes, where modules are
joined; both leave out the plain engines that a board keeps to fall back to, *with fallback* counts them. *Core* is
everything but what a board for ESP256 and HTTP can do without: other algorithms, other transports and CoAP, other chips,
and the parts that are asked for by `optional`. `--all` prints each file. Exit status 1 when a budget (DESIGN, and section 8 of
the notes on crypto) is not kept."""

import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "host"))

from suitup.boards import updater  # noqa: E402
from suitup.errors import Failure  # noqa: E402
from suitup.images import constants  # noqa: E402

SUIT = ROOT / "firmware" / "suit"
ARCHS = ("armv6m", "armv7m", "xtensawin", "rv32imc", "x64", "bytecode")
KIB = 1024
CRYPTO = {"armv6m": 45, "armv7m": 45, "xtensawin": 55, "rv32imc": 55}  # KiB
EVERYTHING = 100
CORE = 40
# beginnings of the names of files that such a board can do without
_LEFT_OUT = (
    "suit/more/crypto.", "suit/more/transports.coap", "suit/more/transports.serial", "suit/more/transports.tls",
    "suit/more/coap_", "suit/more/listening", "suit/more/online", "suit/more/strangers", "suit/more/dependencies",
    "suit/more/delegation", "suit/more/management", "suit/more/report", "suit/more/decrypt", "suit/more/content_key",
    "suit/more/encryption_info", "suit/more/device_key", "suit/more/mac_key", "suit/more/profiles", "suit/more/firmware",
    "suit/more/port.esp32", "suit/more/port.unix",
)  # fmt: skip


def files():
    """Names like `crypto/p256` of every module of the updater."""
    return sorted(str(p.relative_to(SUIT).with_suffix("")) for p in SUIT.rglob("*.py"))


def shipped(arch):
    """Names of the modules that go to a board of that architecture."""
    arch = None if arch == "bytecode" else arch
    return [name[len("suit/") : -3] for _, name in updater.modules(arch)]


def is_fallback(name, names):
    """A plain engine beside a faster one."""
    if not name.endswith("_plain"):
        return False
    base = name[: -len("plain")]
    return base + "thumb" in names or base + "viper" in names


def compiled(names, arch):
    """name -> bytes of the .mpy; raises Failure for what does not compile."""
    numbers = constants.constants((SUIT / "numbers.py").read_text())
    arch = None if arch == "bytecode" else arch
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(2) as pool:

        def one(name):
            path = SUIT / (name + ".py")
            return updater.compile_module(path, "suit/%s.py" % name, arch, numbers, Path(folder))

        return dict(zip(names, pool.map(one, names)))


def measure(arch, names=None):
    """name -> bytes of .mpy of each module that compiles for `arch`."""
    sizes = {}
    for name in names or files():
        try:
            sizes[name] = len(compiled([name], arch)[name])
        except Failure:
            pass  # native code of another architecture
    return sizes


def main(arguments):
    archs = [a for a in arguments if not a.startswith("-")] or list(ARCHS)
    late = False
    for arch in archs:
        names = shipped(arch)
        sizes = {name: len(data) for name, data in compiled(names, arch).items()}
        if "--all" in arguments:
            for name, size in sizes.items():
                print("  %-32s %6d" % (name, size))
        fast = {name: size for name, size in sizes.items() if not is_fallback(name, sizes)}
        crypto = sum(size for name, size in fast.items() if name.startswith("crypto/"))
        installed = updater.package(None if arch == "bytecode" else arch)
        files = {name: len(data) for name, data in installed.items()}
        quick = {
            name: size
            for name, size in files.items()
            if arch == "bytecode" or not name.endswith("_plain.mpy")
        }
        core = sum(size for name, size in quick.items() if not name.startswith(_LEFT_OUT))
        line = [arch]
        for what, size, budget in (
            ("all crypto", crypto, CRYPTO.get(arch)),
            ("core", core, CORE),
            ("everything", sum(quick.values()), EVERYTHING),
            ("with fallback", sum(files.values()), None),
        ):
            over = budget is not None and size > budget * KIB
            late = late or over
            line.append("%s %.1f%s KiB%s" % (
                what, size / KIB, " of %d" % budget if budget else "", " OVER" if over else ""
            ))
        print("  ".join(line), flush=True)
    return 1 if late else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
