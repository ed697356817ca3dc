# The virtual board's power-on: from a flash file to a running main.py, as a board's C code does it.
# MIT licence.
"""`VIRTUAL_BOARD='{"flash": PATH, ...}' micropython -X heapsize=N board.py`, started by the supervisor
(host/suitup/boards), which gives the console on stdin and stdout and the control channel as a file descriptor.

Order: littlefs at `/` (formatted when it cannot be mounted, as stock RP2 firmware does it; ESP32 firmware formats only
blank flash and else stops with a message), sys.path of a board, `boot.py`, `main.py` (skipped when boot.py raised, or
after a soft reset in the raw REPL), the REPL. Ctrl-C ends either file and leads to the REPL; SystemExit is a soft reset.

Facts implemented (platform.md): section 0, findings 1, 3 and 4 (no VfsRom; rp2 formats what it cannot mount, ESP32 does not);
section 4, the boot sequence from `_boot.py` on, `sys.path` included; section 5, littlefs itself is the real one."""

import gc
import json
import os
import sys
import time

import nor
import repl
import shim_machine
import shim_select
import shim_time
import shim_vfs
import vfs

_o = json.loads(os.getenv("VIRTUAL_BOARD"))
_posix = vfs.VfsPosix()
_CRASHES = b"crashes before Python"  # in an image: what starts it gets no further


def _flash(o):
    """The chip; the power cut somebody asked for is reported to the supervisor, which then cuts for real."""
    file = _posix.open(o["flash"], "r+b")
    blocks = o["blocks"] + (2 + 2 * o["firmware"] if o["firmware"] else 0)
    chip = nor.FileNor(file, blocks, o["page"], _posix.open(o["wear"], "r+b"))
    chip.endurance = o.get("endurance", 0)
    if o.get("cut"):
        chip.cut(*o["cut"])
        chip._lost = lambda: shim_machine.end(b"cut")
    return chip


def _bootloader(chip, o):
    """What an ESP32 does before MicroPython starts: -> what is left of the chip for the filesystem."""
    import shim_esp32

    esp32 = shim_esp32.Chip(chip, shim_esp32.scaled(o["blocks"], o["firmware"]))
    if o["cause"] == shim_machine.SOFT_RESET:
        esp32.resume()
    elif esp32.boot() is None:
        print("No bootable app partitions in the partition table")
        shim_machine.ask(b"up")
        while True:
            time.sleep_ms(1000)
    print("boot: firmware in", esp32.running)
    part = esp32._find(esp32.running)
    if _CRASHES in esp32.read(part[3], 512):
        shim_machine.ask(b"up")
        print("Guru Meditation Error: Core 0 panic'ed")
        shim_machine.reset()
    module = type("module", (), {})()
    module.Partition = esp32.Partition
    sys.modules["esp32"] = module
    # the radio is this machine's network, and always there
    module = type("module", (), {"STA_IF": 0})()
    module.WLAN = lambda interface: type("WLAN", (), {"isconnected": lambda self: True})()
    sys.modules["network"] = module
    return shim_esp32.FilesystemPart(chip, o["blocks"])


def _blank(chip):
    """Is the first block all ones?"""
    buf = bytearray(nor.BLOCK)
    chip.readblocks(0, buf)
    return buf == b"\xff" * nor.BLOCK


def _mount(chip, esp32):
    """What the frozen `_boot.py` of the port does."""
    size = chip.page or 32
    try:
        fs = vfs.VfsLfs2(chip, progsize=size)
    except OSError:
        if esp32 and not _blank(chip):
            shim_machine.ask(b"up")
            while True:
                print("The filesystem appears to be corrupted. If you had important data there, you")
                print("may want to make a flash snapshot to try to recover it.")
                time.sleep_ms(3000)
        vfs.VfsLfs2.mkfs(chip, progsize=size)
        fs = vfs.VfsLfs2(chip, progsize=size)
    vfs.umount("/")
    vfs.mount(fs, "/")


def _file(name, names):
    """Run a file if there is one; False when it ended with an exception. SystemExit passes."""
    try:
        with open(name) as f:
            source = f.read()
    except OSError:
        return True
    try:
        exec(compile(source, name, "exec"), names)
        return True
    except SystemExit:
        raise
    except BaseException as error:
        repl.print_exception(error)
        return False


def _run(o):
    """Boot and REPL; True or False when a soft reset was asked for from the raw or friendly REPL."""
    names = {"__name__": "__main__"}
    raw = o["raw"]
    try:
        if not o["files"]:
            print("KeyboardInterrupt: ")
        elif _file("boot.py", names) and not raw:
            _file("main.py", names)
    except SystemExit:
        return raw
    except KeyboardInterrupt:  # between the two
        pass
    gc.collect()
    return repl.run(names, raw)


shim_machine.setup(open(_o["control"], "wb"), bytes.fromhex(_o["uid"]), _o["cause"])
repl.setup(_o["input"])
_chip = _flash(_o)
_mount(_bootloader(_chip, _o) if _o["firmware"] else _chip, _o["esp32"])
for _name in ("nor", "repl", "shim_machine", "shim_select", "shim_time", "shim_vfs", "shim_esp32"):
    sys.modules.pop(_name, None)
sys.modules["machine"] = shim_machine
sys.modules["select"] = shim_select
sys.modules["time"] = shim_time
if not _o["rom"]:
    sys.modules["vfs"] = shim_vfs
sys.path[:] = ["", ".frozen", "/lib"]
sys.argv[:] = []
os.unsetenv("VIRTUAL_BOARD")
gc.collect()
shim_machine.ask(b"up")
try:
    _soft = _run(_o)
except KeyboardInterrupt:
    _soft = False
except EOFError:
    raise SystemExit
sys.stdout.write("MPY: soft reboot\n")
shim_machine.end(b"soft raw" if _soft else b"soft")
