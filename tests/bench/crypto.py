"""Every cryptographic primitive on the Unix port of MicroPython: time, least heap, bytes of .mpy, and how many
times as long as `cryptography` on this machine.

    python tests/bench/crypto.py [--skip-heap]

Heap is what has to be free when the primitive is called, its code loaded; the Unix port has 64-bit words, a board needs
about half. Times on a board: `rp2040.py`."""

import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE), str(ROOT / "host"), str(ROOT / "tests")]

import material  # noqa: E402
import sizes  # noqa: E402
from conftest import find_micropython  # noqa: E402


def run(*arguments):
    done = subprocess.run(
        [find_micropython(), "-X", "heapsize=512k", str(HERE / "primitives.py"), *map(str, arguments)],
        capture_output=True, text=True, env={"MICROPYPATH": "%s/firmware:.frozen" % ROOT},
    )  # fmt: skip
    if done.returncode:
        sys.exit(done.stdout + done.stderr)
    return done.stdout.splitlines()


def measured(folder, least):
    """Lines of `primitives.py`: (label, microseconds or None, heap or the error)."""
    for case in run():
        for line in run(folder, *case.split("\t"), *(["least"] if least else [])):
            label, first, *rest = line.split("\t")
            yield (label, int(first), int(rest[0])) if rest else (label, None, first)


def main(arguments):
    native = {
        name.split("/")[1]: size
        for name, size in sizes.measure("x64").items() if name.startswith("crypto/")
    }
    plain = {
        name.split("/")[1]: size for name, size in sizes.measure("bytecode").items()
        if name.startswith("crypto/") and size is not None
    }
    with tempfile.TemporaryDirectory() as folder:
        reference = material.make(Path(folder))
        print("%-46s %10s %8s %8s %8s" % ("", "us", "heap B", ".mpy B", "ratio"))
        for label, took, heap in measured(folder, "--skip-heap" not in arguments):
            name, _, kind = label.rpartition(", ")
            if kind not in ("thumb", "viper", "plain"):
                name, kind = label, "viper"
            if took is None:
                print("%-46s %s" % (label, heap))
                continue
            code = material.module_bytes(name, kind, plain if kind == "plain" else native)
            ratio = "-"
            if name in reference:
                ratio = "%.1f" % (took / material.microseconds(reference[name]))
            print("%-46s %10d %8d %8s %8s" % (label, took, heap, code or "-", ratio))


if __name__ == "__main__":
    main(sys.argv[1:])
