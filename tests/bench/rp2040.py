"""Cycles and milliseconds of every cryptographic primitive on an emulated RP2040 at 125 MHz, beside the targets.

    python tests/bench/rp2040.py UF2=RPI_PICO.uf2 [--cold] [--least] [--only TEXT]

Needs `rp2040py` (pip install 'suitup[rp2040]') and a MicroPython image for RPI_PICO. The emulator counts cycles of the core
exactly and does not model misses of the flash cache, so figures are a lower bound by a few percent. It takes some 15
seconds of wall time per emulated second. `--cold` measures from a reset to a verified envelope only, `--least` the least
free heap too. Exit status 1 when a *must* is missed."""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE), str(ROOT / "host")]

import material  # noqa: E402
import sizes  # noqa: E402
from suitup.boards import updater  # noqa: E402
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
}

COLD = """
from time import ticks_us, ticks_diff
start = ticks_us()
from suit.envelope import authenticate
from suit.region import FileRegion
from suit.trust import TrustStore
with open("/data/%s", "rb") as f:
    trust = TrustStore(f.read())
with open("/data/envelope.suit", "rb") as f:
    for _ in authenticate(FileRegion(f), trust):
        pass
print("cold start to a verified envelope%s\\t%%d\\t0" %% ticks_diff(ticks_us(), start))
"""


def mend_usb():
    """The emulator answers an idle host-to-board endpoint with an empty packet every few microseconds, which keeps the core busy
    with interrupts while it should run the benchmark. A real host lets it wait; so does this."""
    from rp2040py.usb import cdc

    plain = cdc.USBCDC.__init__

    def init(self, usb):
        plain(self, usb)
        read, send = usb.on_endpoint_read, self.send_serial_byte
        waiting = []

        def on_read(endpoint, size):
            if endpoint and endpoint == self._out_endpoint and self.tx_fifo.empty:
                waiting.append((endpoint, size))
            else:
                read(endpoint, size)

        def answer():
            if waiting and not self.tx_fifo.empty:
                read(*waiting.pop(0))

        alarm = usb.rp2040.clock.create_alarm(answer)

        def send_byte(byte):
            send(byte)
            if waiting:
                alarm.schedule(20_000)  # ns; what arrives together goes together

        usb.on_endpoint_read = on_read
        self.send_serial_byte = send_byte

    cdc.USBCDC.__init__ = init


class Board:
    """A Pico that runs the image; `run(code)` gives what it prints."""

    def __init__(self, image):
        from rp2040py.boards import BOARDS, resolve_firmware
        from rp2040py.device import MicroPythonDevice

        self.device = MicroPythonDevice(board=resolve_firmware(BOARDS["pico"], "micropython", str(image)))

    async def __aenter__(self):
        clock = self.device.simulator.clock if hasattr(self.device.simulator, "clock") else None
        clock = clock or self.device.mcu.clock

        def beat():  # the clock moves while the core sleeps
            alarm.schedule(1_000_000)

        alarm = clock.create_alarm(beat)
        alarm.schedule(1_000_000)
        await self.device.astart(timeout=120)
        return self

    async def __aexit__(self, *_):
        self.device.stop()

    async def run(self, code):
        out, error = await self.device.aexec(code, timeout=7200)
        if error.strip():
            sys.exit(error.decode(errors="replace"))
        return out.decode().replace("\r\n", "\n")

    async def put(self, path, data):
        await self.run("f = open(%r, 'wb')" % path)
        for at in range(0, len(data), 2048):
            await self.run("f.write(%r)" % data[at : at + 2048])
        await self.run("f.close()")


def compiled(name, folder):
    """As it is provisioned, except that `numbers` is there for the benchmark's own use."""
    numbers = constants.constants((sizes.SUIT / "numbers.py").read_text())
    path = sizes.SUIT / (name + ".py")
    return updater.compile_module(path, f"suit/{name}.py", "armv6m", numbers, Path(folder))


def wanted(names):
    """What the benchmarks load: the core of authentication, and all of crypto with every engine."""
    core = (
        "__init__ cbor cose envelope errors numbers optional region trust utf8 wait manifest encoded tables"
    ).split()
    return [name for name in names if name in core or name.startswith("crypto/")]


def shown(output, missed):
    for line in output.splitlines():
        label, first, *rest = line.split("\t")
        if not rest:
            print("%-46s %s" % (label, first))
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
        print("%-46s %12d cycles %9.2f ms%s  %s" % (label, took * MHZ, took / 1000, heap, verdict), flush=True)


async def bench(image, cold, least, only):
    missed = []
    mend_usb()
    with tempfile.TemporaryDirectory() as folder:
        material.make(Path(folder) / "data")
        async with Board(image) as board:
            await board.run("import os\nfor d in ('/lib', '/lib/suit', '/lib/suit/crypto', '/data'):\n os.mkdir(d)\n")
            names = wanted(sizes.files())
            if cold:  # what a build for this board ships
                names = ["numbers", *sizes.shipped(names, "armv6m")]
            for name in names:
                await board.put("/lib/suit/%s.mpy" % name, compiled(name, folder))
            for file in sorted((Path(folder) / "data").iterdir()):
                await board.put("/data/" + file.name, file.read_bytes())
            if cold:
                for trust, label in (("trust.cbor", ""), ("anchor.cbor", ", provisioned anchor")):
                    # each run in a fresh interpreter: modules are dropped from memory
                    await board.run("import sys, gc\nsys.modules.clear()\ngc.collect()")
                    shown(await board.run(COLD % (trust, label)), missed)
            else:
                source = (HERE / "primitives.py").read_text().split('if __name__ == "__main__"')[0]
                await board.run(source)
                await board.run("FOLDER = '/data'\nLEAST = %r" % least)
                names = await board.run("for case in CASES: print(case[0])")
                for i, name in enumerate(names.splitlines()):
                    if only in name:
                        shown(await board.run("main(CASES[%d:%d])" % (i, i + 1)), missed)
    for label in missed:
        print("missed: " + label)
    return 1 if missed else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("image", help="UF2=FILE or FILE: MicroPython for RPI_PICO")
    parser.add_argument("--cold", action="store_true")
    parser.add_argument("--least", action="store_true")
    parser.add_argument("--only", default="", metavar="TEXT", help="primitives with TEXT in their name")
    options = parser.parse_args()
    image = Path(options.image.removeprefix("UF2="))
    if not image.is_file():
        parser.error("no such file: %s" % image)
    sys.exit(asyncio.run(bench(image, options.cold, options.least, options.only)))


if __name__ == "__main__":
    main()
