# One board's lives between power cuts, with the device code as it is and a littlefs on a modelled chip.
# MIT licence.
"""`World` boots the device code (`suit.launcher.boot`) on a chip, again and again, until nothing changes any more. What a
reset forgets is forgotten here too: every module of `suit` gets its variables back as they were when it was imported.

The apps are real images; their main.py calls `app(version)` below, which first checks what it sees (`World.ran`) and then
does what the scenario's plan says. Nothing above the flash is replaced but `machine`, the clock of the updater's last
wait, and recovery's network, for which `recovered` stands in.

A broken promise is a `Violation`: it carries a sentence."""

import builtins
import gc
import hashlib
import json
import os
import sys
import time
from array import array

import explorer_machine
import nor
import vfs

POWER, BUTTON, WATCHDOG = 1, 2, 3  # reset causes
_SCALARS = (int, str, bytes, float, tuple, bool, type(None))
_print = builtins.print
_MODULES = """access api board components conditions context cose decide dependencies device_key directives envelope flow
launcher manifest optional parameters policy port.common port.unix port.watchdog processor rebuild recovery region rekey renewal
report reporting romvfs running signers slots state transfer transports.local trust unchanged updater utf8 wait
crypto.digest crypto.hmac256"""

world = None


class Violation(Exception):
    """A promise of the design was broken."""


class Ended(KeyboardInterrupt):
    """This boot has shown what there was to see."""


def quiet(*args, **options):
    """Console lines are kept for reports, not shown. Without power there are none."""
    if world is not None and world.chip is not None and world.chip.lost:
        raise nor.PowerCut
    if world is not None and len(world.said) < 400:
        world.said.append(" ".join(str(a) for a in args))


def report(*args):
    """A line for the driver."""
    _print("@", *args)


# -- what a reset forgets ---------------------------------------------------------------------------------------


def _is_plain(value):
    return isinstance(value, _SCALARS) or callable(value)


class Memory:
    """The variables of every module of `suit`, as they were after the import."""

    def __init__(self):
        self._modules = []
        for name in sorted(sys.modules):
            if name == "suit" or name.startswith("suit."):
                module = sys.modules[name]
                values = dict(module.__dict__)
                inner = {}
                for key, value in values.items():
                    if isinstance(value, (list, dict, bytearray)) and not key.startswith("__"):
                        inner[key] = type(value)(value)
                    elif hasattr(value, "__dict__") and not callable(value) and hasattr(type(value), "__init__"):
                        if type(value).__name__ not in ("module", "function", "type"):
                            inner[key] = dict(value.__dict__)
                self._modules.append((module, values, inner))
        self._path = list(sys.path)

    def forget(self):
        """As after a reset."""
        sys.path[:] = self._path
        sys.modules.pop("main", None)
        for module, values, inner in self._modules:
            now = module.__dict__
            for key, value in values.items():
                if now.get(key) is not value:
                    setattr(module, key, value)
            for key, before in inner.items():
                value = values[key]
                if isinstance(value, list):
                    value[:] = before
                elif isinstance(value, dict):
                    value.clear()
                    value.update(before)
                elif isinstance(value, bytearray):
                    value[:] = before
                else:
                    for name, part in before.items():
                        setattr(value, name, part)


class World:
    """A board: `image` (bytearray, the chip's content) and `page` (nor.py). Assets come from `folder` on the host."""

    def __init__(self, blocks, page, folder, curves=False, firmware=False):
        global world
        self.curves = curves  # P-256 is needed
        self.esp = None  # the model of an ESP32's firmware partitions, where they are part of the scenario
        world = self
        explorer_machine.world = self
        sys.modules["machine"] = explorer_machine
        builtins.print = quiet
        self.folder = folder
        self.page = page
        self.blocks = blocks
        more = 0
        if firmware:
            import explorer_esp32

            more = explorer_esp32.BLOCKS
            sys.modules["esp32"] = explorer_esp32
            self.esp = explorer_esp32.chip
            self.esp.table = explorer_esp32.table(blocks)
        self.image = bytearray(b"\xff" * ((blocks + more) * nor.BLOCK))
        self.said = []
        self.chip = None
        self.cause = POWER
        self.watchdog = None
        with open(folder + "/assets.json") as file:
            made = json.load(file)["versions"]
        self.versions = {int(number): made[number] for number in made}
        self.content = {}
        self.firmware = {0: self._asset("factory-firmware")}
        for number in self.versions:
            files = {"": self._asset("%d-app" % number)}
            for name in self.versions[number]["files"]:
                files[name] = self._asset("%d-%s" % (number, name.replace("/", "-")))
            if self.versions[number]["firmware"]:
                self.firmware[number] = self._asset("%d-firmware" % number)
            self.content[number] = files
        self._import()
        self.memory = Memory()
        self.reset_story()

    def _asset(self, name):
        with open(self.folder + "/" + name, "rb") as file:
            return file.read()

    def url(self, number):
        return "file://" + self.folder + "/" + self.versions[number]["url"]

    def _import(self):
        """Everything the device code might import later, since an import is no part of what is explored."""
        import suit
        import suit_start  # noqa: F401

        for name in _MODULES.split():
            __import__("suit." + name)
        if self.curves:
            from suit.crypto import p256  # noqa: F401

        if self.esp:
            import suit.firmware
            import suit.port.esp32

            suit.port.chip = lambda: suit.port.esp32
        suit.updater._TOLD_MS = 0  # nobody watches, so nobody needs to be told before the reset
        suit.recovery.serve = recovered

    # -- a story: several lives in a row -----------------------------------------------------------------------

    def reset_story(self):
        """Before a scenario is played: what the outside world knows."""
        self.cuts = []  # (operation, kind, fraction, cause afterwards), the next one first
        self.wear = array("I", [0] * (len(self.image) // nor.BLOCK))
        self.ops = 0  # since the last cut
        self.reads = 0
        self.fault = None  # called with every new chip
        self.journal = None  # where every operation is written down, or None
        self.tolerant = False  # the flash fails on purpose just now
        self.confirmed = 0  # highest version whose confirm() returned
        self.settled = 0  # highest version seen running without being on trial
        self.history = []  # (version, on trial) of every app start
        self.refusals = []  # reasons of updates that were refused
        self.plan = None  # Plan of the scenario
        self.allowed = ()  # versions that may run
        self.carries = None  # version that keeps the updater of the one before
        self.notes = {}
        self.cause = POWER
        self.said.clear()

    def end(self, outcome):
        """End this boot from inside, as a reset does: nothing more reaches the flash."""
        self.outcome = self.outcome or outcome
        self.chip.dead = True
        raise (explorer_machine.Reset if outcome == "reset" else Ended)

    def fail(self, text):
        raise Violation(text)

    # -- power ------------------------------------------------------------------------------------------------

    def power_on(self):
        self.memory.forget()
        chip = (self.journal.chip if self.journal else nor.RamNor)(self.image, self.page)
        chip.polite = True
        chip.wear = self.wear
        chip.ops = self.ops
        chip.reads = self.reads
        if self.cuts:
            chip.cut(*self.cuts[0][:3])
        if self.fault:
            self.fault(chip)
        self.chip = chip
        disk = chip
        if self.esp:
            disk = sys.modules["esp32"].FilesystemPart(chip, self.blocks)
            self.esp.nor = chip
        vfs.mount(vfs.VfsLfs2(disk, progsize=self.page or 32), "/")

    def bootloader(self):
        """What an ESP32 does before MicroPython starts."""
        if self.esp and self.esp.boot() is None:
            self.fail("no firmware boots")

    def running_firmware(self):
        """The version of the firmware that runs, 0: from the factory."""
        part = self.esp._find(self.esp.running)
        for number, image in self.firmware.items():
            if self.image[part[3] : part[3] + len(image)] == image:
                return number
        self.fail("firmware runs that is no version's")

    def power_off(self):
        chip = self.chip
        self.ops = chip.ops
        self.reads = chip.reads
        chip.dead = True  # for the finalisers of files
        for point in ("/rom_a", "/rom_b", "/"):
            try:
                vfs.umount(point)
            except OSError:
                pass
        if chip.violations:
            self.fail("the filesystem was made to program %d times over what was not erased" % chip.violations)

    def boot(self):
        """One boot to its end: "cut", "reset", "starved", "idle", "repl" (the app returned)."""
        from suit import launcher

        self.outcome = None
        self.watchdog = None
        try:
            self._boot(launcher)
        finally:
            self.power_off()
        if self.chip.lost:
            # whatever the program made of a flash that answered no more: it was without power
            return self._cut()
        if self.outcome == "violation":
            raise self.violation
        return self.outcome or "repl"

    def _boot(self, launcher):
        try:
            self.power_on()
        except OSError as error:
            if self.chip.lost:
                return
            if not self.tolerant:
                self.fail("the filesystem cannot be mounted: %r" % error)
            self.outcome = "again"
            return
        try:
            self.bootloader()
            if not self._cable():
                return
            self.start()
            launcher.boot()
        except (Ended, explorer_machine.Reset, nor.PowerCut, SystemExit):
            pass
        except Violation:
            if not self.chip.lost:
                raise
        except BaseException as error:
            if not self.chip.lost:
                sys.print_exception(error)
                self.fail("boot() raised %r" % error)

    def _cable(self):
        """What comes over the cable; False when the flash kept it from that, and it is begun again."""
        try:
            self.plan.cable(self)
        except OSError:
            if not self.tolerant:
                raise
            self.outcome = "again"
            return False
        return True

    def start(self):
        """As main.py does it: which updater runs, one of its starts less when it is on trial."""
        import suit
        import suit_start

        name, _ = suit_start.pick(True)
        suit.__file__ = ("/updater_%s" % name if name else "/lib") + "/suit/__init__.mpy"

    def _cut(self):
        cut = self.cuts.pop(0)
        self.cause = cut[3]
        self.ops = 0  # operations are counted from the last cut
        return "cut"

    def live(self, limit=16):
        """Boot until nothing changes any more; returns the last outcome."""
        for _ in range(limit):
            outcome = self.boot()
            if outcome == "cut":
                continue
            if outcome == "reset":
                self.cause = BUTTON
            elif outcome == "starved":
                self.cause = WATCHDOG
            elif outcome == "again":
                self.cause = POWER
            else:
                return outcome
        self.fail("does not settle: %r" % (self.history[-6:],))

    # -- the outside, looking in ---------------------------------------------------------------------------------

    def mounted(self, work):
        """Do something with the filesystem as a cable would: `work()` on a board that does not boot."""
        self.power_on()
        try:
            return work()
        finally:
            self.power_off()

    def record(self):
        """The record as the board reads it. Only while mounted."""
        from suit import runtime
        from suit.state import Record

        runtime.root = "/suit"
        return runtime.store().load() or Record()

    def files(self):
        """{path: size} of all files. Only while mounted."""
        found = {}
        todo = ["/"]
        while todo:
            folder = todo.pop()
            for entry in os.ilistdir(folder):
                path = folder.rstrip("/") + "/" + entry[0]
                if entry[1] & 0x4000:
                    if path not in ("/host",):
                        todo.append(path)
                else:
                    found[path] = entry[3]
        return found

    def contents(self):
        """{path: digest} of all files. Only while mounted."""
        found = {}
        for path in self.files():
            with open(path, "rb") as file:
                found[path] = sha(file.read())
        return found

    # -- the app, looking around -----------------------------------------------------------------------------------

    def ran(self, version):
        """An app says it runs: is it one that may, whole, and not too old?"""
        import suit
        from suit import renewal, runtime

        trial = runtime.trial
        self.history.append((version, trial))
        if version not in self.allowed:
            self.fail("version %d runs, only %r may" % (version, self.allowed))
        slot = "ab"[runtime.running]
        for name, data in self.content[version].items():
            if not self._same(suit.path(name) if name else "/suit/%s/app.img" % slot, data):
                self.fail("version %d runs with %s that is not its own" % (version, name or "an image"))
        if self.esp:
            wanted = version if version in self.firmware else 0
            if self.running_firmware() != wanted:
                self.fail("version %d runs on firmware %d" % (version, self.running_firmware()))
        own = self.versions[version]["updater"] or self.carries == version
        # where nothing can be written, what was started cannot be exchanged
        if renewal.running() != (runtime.running if own else None) and not self.tolerant:
            self.fail("version %d runs under the updater of %r" % (version, renewal.running()))
        if version < self.confirmed:
            self.fail("version %d runs after %d was confirmed" % (version, self.confirmed))
        if version < self.settled:
            self.fail("version %d runs after %d ran for good" % (version, self.settled))
        if trial and self.watchdog is None:
            self.fail("version %d is on trial without a watchdog" % version)
        if not trial:
            self.settled = version
        record = runtime.record()
        if (record.trial if trial else record.active) != runtime.running:
            self.fail("the record says that another slot runs")

    def _same(self, path, data):
        """Does the app see these bytes in that file? After a reading error on purpose an error says nothing: littlefs keeps
        the block it failed to read in its cache as if it had been read, until the next boot."""
        try:
            with open(path, "rb") as file:
                return file.read() == data
        except OSError:
            return self.reads <= self.chip.fail_read < self.chip.reads

    def update(self, number):
        """The app is told of an update; only a refusal comes back."""
        import suit
        from suit.errors import SuitError

        try:
            suit.update(self.url(number))
        except SuitError as error:
            if self.chip.lost:
                raise nor.PowerCut  # whatever it made of a flash without power, nobody has heard it
            self.refusals.append(error.reason)
            self.said.append("update %d refused: %s %s" % (number, error.reason, error.detail))
            return error.reason

    def digest(self, number):
        return bytes(int(self.versions[number]["digest"][i : i + 2], 16) for i in range(0, 64, 2))


def app(version):
    """Called by the main.py of every image."""
    if world.chip.lost:
        raise nor.PowerCut
    try:
        world.ran(version)
        world.plan.app(world, version)
    except Violation as error:
        world.violation = error
        world.end("violation")


def recovered(config, port):
    """Called in place of recovery's network: the server is reachable and has what the plan says."""
    if world.chip.lost:
        raise nor.PowerCut
    try:
        world.plan.recovery(world)
    except Violation as error:
        world.violation = error
        world.end("violation")
    world.end("recovery")


def setup_files(folder_of_world, files):
    """Write files as a cable does: folders first, then each file beside its name and renamed."""
    for path, data in files:
        at = path.find("/", 1)
        while at > 0:
            try:
                os.mkdir(path[:at])
            except OSError:
                pass
            at = path.find("/", at + 1)
        with open(path, "wb") as file:
            file.write(data)


def sha(data):
    return hashlib.sha256(data).digest()


def now_ms():
    return time.ticks_ms()


def collect():
    gc.collect()
