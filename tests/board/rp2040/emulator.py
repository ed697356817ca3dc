"""Real MicroPython on an emulated RP2040 that keeps its filesystem and can lose power.

    async with Pico(image, "flash.bin") as pico:        # power on; flash.bin holds the filesystem and nothing else
        await pico.wait_for("suit: slot a")              # what the console shows
        print(await pico.run("print(1 + 1)"))            # Ctrl-C, raw REPL
        url = await pico.console()                       # a TCP port for mpremote and suitup

`flash.bin` is the filesystem of the board as boards/virtual/image.py writes it: every erase and program of the emulated
flash chip is in the file before the next instruction runs, so ending the emulator is a power cut. `cut=(n, tear)` ends it
within the n-th operation. `pico.operations` lists them all, for `after()`: the flash as it was when power went at any of them.

What is mended in rp2040py (0.3.6), by replacing methods when `Pico` is made: an idle USB endpoint is not answered (stock
answers every 10 us, which costs the core most of its time in interrupts); the guest's clock moves while the core sleeps;
the network of a Pico W ends at this machine (loopback.py).

Facts that are looked at here and not modelled again (platform.md): section 2, `rp2.Flash`, heap, watchdog and reset registers;
section 4, the boot sequence; section 6, "Emulator limits".

Not modelled: the time flash takes, misses of the flash cache, the second core. About 15 seconds of wall time pass per
emulated second of work."""

import asyncio
import os
import random
import time
from pathlib import Path

FLASH = 2 * 1024 * 1024
# boards/*/board.toml: where the filesystem lies
KINDS = {"pico": (0x0A0000, 352 * 4096), "pico_w": (0x12C000, 212 * 4096)}
ERASE, PROGRAM = "erase", "program"


class PowerCut(Exception):
    """The board lost power, as it was asked to."""


class _Idle(Exception):
    """The core sleeps: the event loop may have a turn."""

    def __init__(self, delay):
        self.delay = delay


def torn(kind, old, new, seed):
    """What is in the flash when power goes within an operation."""
    chance = random.Random(seed)
    if kind == ERASE:  # some bits are 1 again, others not yet
        return bytes(byte | chance.randrange(256) for byte in old)
    done = chance.randrange(len(new) + 1)
    out = bytearray(new[:done] + old[done:])
    if done < len(new):
        out[done] = old[done] & (new[done] | chance.randrange(256))
    return bytes(out)


def after(image, operations, count, tear=None):
    """The filesystem `image` after `count` operations, and with `tear` (a seed) a part of the next one."""
    image = bytearray(image)
    for _, offset, data in operations[:count]:
        image[offset : offset + len(data)] = data
    if tear is not None and count < len(operations):
        kind, offset, data = operations[count]
        image[offset : offset + len(data)] = torn(kind, image[offset : offset + len(data)], data, tear)
    return bytes(image)


class _Chip:
    """The flash chip's state file; knows when power goes."""

    def __init__(self, mcu, path, base, size, cut, rom=None):
        self._mcu, self._base, self._size, self._cut = mcu, base, size, cut
        self.operations = []
        self.dead = False
        self._file = os.open(path, os.O_RDWR)
        image = os.read(self._file, size)
        if len(image) != size:
            raise ValueError("%s has %d bytes, the filesystem %d" % (path, len(image), size))
        mcu.flash[base : base + size] = image
        mcu.flash_of_test = self
        self._rom = rom  # what lies just below the filesystem and may be written too
        if rom:
            mcu.flash[base - len(rom) : base] = rom

    def apply(self, kind, offset, data):
        if self.dead:
            return
        if self._rom and self._base - len(self._rom) <= offset <= self._base - len(data):
            at = offset - (self._base - len(self._rom))
            self._rom[at : at + len(data)] = self._mcu.flash[offset : offset + len(data)] = data
            return
        if not self._base <= offset <= self._base + self._size - len(data):
            raise AssertionError("%s outside the filesystem, at %#x" % (kind, offset))
        flash = self._mcu.flash
        if self._cut and len(self.operations) == self._cut[0]:
            data = torn(kind, bytes(flash[offset : offset + len(data)]), data, self._cut[1])
            self.dead = True
            self._mcu.simulator.stop()
        flash[offset : offset + len(data)] = data
        os.pwrite(self._file, bytes(data), offset - self._base)
        self.operations.append((kind, offset - self._base, bytes(data)))

    def close(self):
        os.close(self._file)


def _mend_flash():
    from rp2040py.peripherals import ssi

    plain = ssi.RPSSI._apply_command

    def apply_command(self):
        chip = getattr(self.rp2040, "flash_of_test", None)
        buffer = self._tx_buffer
        if chip is None or not buffer:
            return plain(self)
        command = buffer[0]
        if command in (ssi.CMD_SECTOR_ERASE, ssi.CMD_BLOCK_ERASE) and len(buffer) >= 4:
            if self._write_enabled:
                size = 4096 if command == ssi.CMD_SECTOR_ERASE else 65536
                chip.apply(ERASE, self._address_from_buffer() & ~(size - 1) & (FLASH - 1), b"\xff" * size)
            self._write_enabled = False
        elif command == ssi.CMD_PAGE_PROGRAM and len(buffer) > 4:
            if self._write_enabled:
                offset = self._address_from_buffer() & (FLASH - 1)
                new = buffer[4:260]
                old = self.rp2040.flash[offset : offset + len(new)]
                # a program only ever clears bits
                chip.apply(PROGRAM, offset, bytes(a & b for a, b in zip(old, new)))
            self._write_enabled = False
        elif command == ssi.CMD_WRITE_STATUS:
            self._write_enabled = False
        self._tx_buffer = bytearray()

    ssi.RPSSI._apply_command = apply_command


def mend_usb():
    """A real host lets an endpoint wait that has nothing to say."""
    from rp2040py.usb import cdc

    plain = cdc.USBCDC.__init__

    def init(self, usb):
        plain(self, usb)
        read, reset, send = usb.on_endpoint_read, usb.on_reset, self.send_serial_byte
        waiting = []

        def on_read(endpoint, size):
            if endpoint and endpoint == self._out_endpoint and self.tx_fifo.empty:
                waiting.append((endpoint, size))
            else:
                read(endpoint, size)

        def answer():
            self.gathering = False
            if waiting and not self.tx_fifo.empty:
                read(*waiting.pop(0))

        alarm = usb.rp2040.clock.create_alarm(answer)
        self.gathering = False

        def on_reset():
            waiting.clear()
            alarm.cancel()
            self.gathering = False
            if reset:
                reset()

        def send_byte(byte):
            send(byte)
            if waiting and not self.gathering:
                self.gathering = True
                alarm.schedule(20_000)  # ns; what arrives together goes together

        usb.on_endpoint_read, usb.on_reset = on_read, on_reset
        self.send_serial_byte = send_byte

    cdc.USBCDC.__init__ = init


def _mend_idle():
    """While the core sleeps the event loop has its turn at once."""
    from rp2040py.simulator import Simulator

    async def execute(self):
        self.stopped = False
        try:
            while not self.stopped:
                delay = 0
                try:
                    self._execute_batch()
                except _Idle as idle:
                    delay = idle.delay
                await asyncio.sleep(delay)
        except Exception as error:
            self.engine_room_error = error
            self.stopped = True
            raise

    Simulator.execute = execute


def _mend():
    if not getattr(_mend, "done", False):
        # one look at the clock per instruction, or timers are late
        os.environ.setdefault("RP2040PY_CLOCK_TICK_BATCH", "1")
        import loopback

        mend_usb()
        _mend_flash()
        _mend_idle()
        loopback.mend()
        _mend.done = True


class Pico:
    """`image`: MicroPython as UF2. `flash`: path of the filesystem. `paced`: the guest's clock does not run ahead of
    the wall clock while it sleeps, which a network needs. `rom`: bytearray of the ROMFS partition of a build
    that has one."""

    def __init__(self, image, flash, kind="pico", cut=None, paced=None, rom=None):
        _mend()
        from rp2040py.boards import BOARDS, resolve_firmware
        from rp2040py.device import MicroPythonDevice

        self._device = MicroPythonDevice(
            board=resolve_firmware(BOARDS[kind], "micropython", str(Path(image).resolve()))
        )
        self.mcu = self._device.mcu
        self._chip = _Chip(self.mcu, flash, *KINDS[kind], cut, rom)
        self._paced = kind == "pico_w" if paced is None else paced
        self._server = None
        self._writer = None
        self.shown = bytearray()  # by the console, apart from answers to `run`

    @property
    def operations(self):
        """[(kind, offset in the filesystem, bytes)] of this power-on."""
        return self._chip.operations

    @property
    def ms(self):
        """The guest's clock."""
        return self.mcu.clock.nanos / 1e6

    async def __aenter__(self):
        self._beat()
        await self._alive(self._device.astart(timeout=120))
        self._device.cdc.on_serial_data = self._show
        return self

    async def __aexit__(self, *_):
        self._device.stop()
        if self._server:
            self._server.close()
        task = self._device.simulator._execute_task
        if task:
            await asyncio.wait([task], timeout=10)
        self._chip.close()

    def _beat(self):
        clock, core = self.mcu.clock, self.mcu.core
        start = [time.monotonic(), clock.nanos]

        def beat():
            alarm.schedule(1_000_000)
            delay = 0
            if self._paced:
                ahead = (clock.nanos - start[1]) / 1e9 - (time.monotonic() - start[0])
                if ahead > 0:
                    delay = min(ahead, 0.002)
                else:  # the emulator is the slower one: no burst to catch up
                    start[:] = time.monotonic(), clock.nanos
            if core.waiting:
                raise _Idle(delay)

        alarm = clock.create_alarm(beat)
        alarm.schedule(1_000_000)

    async def _alive(self, awaitable):
        try:
            return await awaitable
        except RuntimeError:
            if self._chip.dead:
                raise PowerCut(len(self.operations)) from None
            raise

    def _show(self, data):
        self.shown += data
        if self._writer:
            self._writer.write(bytes(data))

    async def run(self, code, timeout=3000):
        """What `code` prints in the raw REPL, after Ctrl-C. RuntimeError with the traceback when it raises."""
        try:
            out, error = await self._alive(self._device.aexec(code, timeout=timeout))
        finally:
            self._device.cdc.on_serial_data = self._show
        if error.strip():
            raise RuntimeError(error.decode(errors="replace"))
        return out.decode(errors="replace").replace("\r\n", "\n")

    async def wait_for(self, text, timeout=3000, since=0):
        """Until the console shows `text`; -> all it showed since then and before."""
        end = time.monotonic() + timeout
        while text.encode() not in self.shown[since:]:
            if self._chip.dead:
                raise PowerCut(len(self.operations))
            if time.monotonic() > end or not self._device.simulator.executing:
                raise TimeoutError("no %r on the console: %s" % (text, self.shown[-1500:].decode(errors="replace")))
            await asyncio.sleep(0.02)
        return self.shown.decode(errors="replace")

    def type(self, data):
        """Press keys."""
        for byte in data:
            self._device.cdc.send_serial_byte(byte)

    async def reset(self):
        """Press the reset button."""
        await self._device.ahard_reset(120)
        self._device.cdc.on_serial_data = self._show

    async def console(self):
        """-> URL of the console for mpremote's SerialTransport and for `suitup --port`; one client at a time."""

        async def client(reader, writer):
            self._writer = writer
            fifo = self._device.cdc.tx_fifo
            while data := await reader.read(256):
                for byte in data:
                    while fifo.full:
                        await asyncio.sleep(0)
                    self._device.cdc.send_serial_byte(byte)
            self._writer = None
            writer.close()

        self._server = await asyncio.start_server(client, "127.0.0.1", 0)
        return "socket://127.0.0.1:%d" % self._server.sockets[0].getsockname()[1]
