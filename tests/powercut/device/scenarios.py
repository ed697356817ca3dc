# What boards live through: the stories that the explorer interrupts.
# MIT licence.
"""A Scenario says how the flash looks at the start (`prepare`), what the apps and the server do (`Plan`) and what must be
true when nothing changes any more (`check`), whatever was cut in between. `ALL` lists them by name."""

import os

import world as w
from suit.numbers import (
    R_BACK_ENDED,
    R_BACK_EXCEPTION,
    R_BACK_FIRMWARE,
    R_BACK_INVALID,
    R_BACK_MANUAL,
    R_BACK_TRIES,
    R_BACK_WATCHDOG,
    R_CONDITION_FAILED,
    R_CONTENT_CHANGED,
    R_KNOWN_BAD,
    R_NOT_MATCHED,
    R_ROLLBACK,
    R_TOO_LARGE,
    R_UNAUTHORISED,
    R_UP_TO_DATE,
)

_OWN = ("/suit/config.cbor", "/suit/trust.cbor", "/suit/trust.seen")
# what the board keeps about itself; what it says differs from life to life
_NOTES = ("/suit/state.0", "/suit/state.1", "/suit/traceback", "/suit/report", "/suit/report.back")
_REPORTS = "/suit/reports/"  # and what waits to be delivered


class Plan:
    """What happens outside: `offer`: the version the server has (or None), `trial`: {version: what its app does on trial}."""

    def __init__(self, offer=None, trial=None, patience=3):
        self.offer = offer
        self.trial = trial or {}
        self.patience = patience  # attempts of an update per boot

    def cable(self, world):
        """What is done over the cable before the board is left to itself."""

    def app(self, world, version):
        import suit
        from suit import runtime

        if runtime.trial:
            what = self.trial.get(version, "confirm")
            if what == "raise":
                raise ValueError("the self-test failed")
            if what == "hang":
                world.end("starved")
            if what == "end":
                return
            if what == "power":
                world.end("again")
            if what == "rollback":
                suit.rollback()
                world.fail("rollback() came back")
            for _ in range(3):
                try:
                    if not suit.confirm():
                        world.fail("confirm() on trial found nothing to confirm")
                    break
                except OSError:
                    world.notes["confirm failed"] = True
            else:
                world.end("again")  # the flash takes nothing; perhaps after a pause
            world.confirmed = max(world.confirmed, version)
            world.settled = max(world.settled, version)
        elif world.record().trial is None and suit.confirm() and not world.tolerant:
            world.fail("confirm() confirmed without a trial")
        if self.offer and self.offer != version:
            self.fetch(world, self.offer)
        world.end("idle")

    def recovery(self, world):
        if self.offer:
            self.fetch(world, self.offer)

    def fetch(self, world, number):
        for _ in range(self.patience):
            world.update(number)
            if world.refusals[-1] in _FINAL:
                return


class StandingPlan(Plan):
    """There is a good slot at any time."""

    def recovery(self, world):
        # one that cannot be read just now is left alone until the next boot
        if not world.tolerant:
            world.fail("recovery, with a good slot there")


_FINAL = (
    R_KNOWN_BAD, R_ROLLBACK, R_UP_TO_DATE, R_UNAUTHORISED, R_TOO_LARGE, R_CONDITION_FAILED,
    R_NOT_MATCHED,
)  # fmt: skip


def write(path, data):
    """As a cable does it."""
    at = path.find("/", 1)
    while at > 0:
        try:
            os.mkdir(path[:at])
        except OSError:
            pass
        at = path.find("/", at + 1)
    with open(path, "wb") as file:
        file.write(data)


def discard(path):
    """Raises OSError for anything but that it is not there, as mpremote does."""
    try:
        os.remove(path)
    except OSError as error:
        if error.errno != 2:
            raise


def remove_tree(path):
    """As the cable does it: files, then folders."""
    try:
        names = os.listdir(path)
    except OSError as error:
        if error.errno != 2:
            raise
        return
    for name in names:
        inner = path + "/" + name
        if os.stat(inner)[0] & 0x4000:
            remove_tree(inner)
        else:
            os.remove(inner)
    os.rmdir(path)


def provision(world, number=1, slot="a"):
    """Format, configuration, trust store and, with `number`, a first app."""
    import nor
    import vfs

    world.image[:] = b"\xff" * len(world.image)
    disk = chip = nor.RamNor(world.image, world.page)
    if world.esp:
        import explorer_esp32

        disk = explorer_esp32.FilesystemPart(chip, world.blocks)
        start = world.esp._find("ota_0")[3]
        world.image[start : start + len(world.firmware[0])] = world.firmware[0]
        world.esp.nor = chip
        world.esp.boot()
        world.esp.Partition("ota_0").set_boot()
        world.esp.boot()
        world.esp.mark_valid()
    vfs.VfsLfs2.mkfs(disk, progsize=world.page or 32)

    def work():
        write("/suit/config.cbor", world._asset("config.cbor"))
        write("/suit/trust.cbor", world._asset("trust.cbor"))
        if number:
            put_app(world, number, slot)

    world.mounted(work)


def put_app(world, number, slot):
    base = "/suit/" + slot
    for name, data in world.content[number].items():
        write(base + ("/files/" + name if name else "/app.img"), data)
    write(base + "/manifest.suit", world._asset(world.versions[number]["url"]))


class Scenario:
    """`final`: the version that runs in the end; `back`: reasons of going back that may stand in the record then."""

    name = ""
    allowed = (1, 2)
    final = 2
    back = (0,)
    refused = ()  # reasons that have to have been given at least once
    blocks = 40
    firmware = False  # an ESP32 with two firmware partitions
    carries = None  # version that keeps the updater of the one before
    recovers = False  # without the new version there is nothing good to run
    brings_updater = False
    crowded = False  # the filesystem was full meanwhile

    def plan(self):
        return Plan(offer=2)

    def prepare(self, world):
        """Leaves the start on the chip."""
        provision(world)
        self.settle(world, Plan())

    def settle(self, world, plan):
        self.begin(world, plan)
        world.live()

    def begin(self, world, plan=None):
        world.reset_story()
        world.plan = plan or self.plan()
        world.allowed = self.allowed
        world.carries = self.carries

    def boots(self, world, plan, n):
        """So many boots of a clean run."""
        self.begin(world, plan)
        for _ in range(n):
            outcome = world.boot()
            world.cause = {"starved": w.WATCHDOG, "again": w.POWER}.get(outcome, w.BUTTON)

    def check(self, world, baseline):
        """After the last boot. `baseline`: what `look` saw after the clean run, or None."""
        # once more from power-on: what was reached stays, and nothing is left to be tidied up
        world.cause = w.POWER
        world.live()
        if not world.history or world.history[-1] != (self.final, False):
            world.fail(
                "version %s should run, this ran: %r, refused: %r"
                % (self.final, world.history[-4:], world.refusals[-4:])
            )
        for reason in self.refused:
            kinds = reason if isinstance(reason, tuple) else (reason,)
            if not any(kind in world.refusals for kind in kinds):
                world.fail("reason %r was not given, these were: %r" % (reason, world.refusals))
        seen = world.mounted(lambda: self.look(world))
        self.judge(world, seen)
        if baseline:
            self.leaks(world, seen, baseline)
        return seen

    def check_back(self, world, reason):
        """As `check`, when something that looks like the new version's fault was done to its trial on purpose: the board
        went back, for that reason."""
        if not world.history or world.history[-1] != (world.settled, False):
            if world.outcome != "recovery" or not (self.recovers or not world.settled):
                world.fail("version %d should run again, this ran: %r" % (world.settled, world.history[-4:]))
        record = world.mounted(lambda: self.look(world))[0]
        if record.trial is not None or record.back_reason != reason:
            world.fail("went back because of %d, expected %d" % (record.back_reason, reason))

    def look(self, world):
        record = world.record()
        files = world.files()
        for name in list(files):
            if name in _NOTES or name.startswith(_REPORTS):
                files.pop(name)
        from suit.state import unpack

        copies = 0
        for name in ("/suit/state.0", "/suit/state.1"):
            try:
                with open(name, "rb") as file:
                    copies += unpack(file.read()) is not None
            except OSError:
                pass
        stat = os.statvfs("/")
        return record, files, stat[3], copies

    def judge(self, world, seen):
        record = seen[0]
        if record.trial is not None:
            world.fail("a trial is left in the record")
        if record.active is None or record.slots[record.active].digest != world.digest(self.final):
            world.fail("the record does not name version %d as active" % self.final)
        if record.back_reason not in self.back:
            world.fail("went back because of %d, expected %r" % (record.back_reason, self.back))
        lowest = max([floor for _, floor in record.floors] or [0])
        if lowest != max(self.final, world.confirmed):
            world.fail("the floor is %d, version %d was confirmed" % (lowest, self.final))
        # what a version consists of, and nothing else, lies in its slot; the rest is the board's own
        base = "/suit/%s/" % "ab"[record.active]
        mine = [path for path in seen[1] if path.startswith(base)]
        wanted = [base + ("files/" + name if name else "app.img") for name in world.content[self.final]]
        wanted.append(base + "manifest.suit")
        wanted += [base + "manifests/" + name for name in world.versions[self.final]["manifests"]]
        if world.versions[self.final]["trust"]:
            wanted.append(base + "trust.cbor")
        if world.versions[self.final]["updater"] or self.carries:
            wanted += [base + "updater.img", base + "updater.ok"]
        if self.final in world.firmware:
            wanted.append(base + "firmware")  # the note of what was written into the partition
        if sorted(mine) != sorted(wanted):
            world.fail("slot %s holds %r" % (base, mine))
        for path in seen[1]:
            if not path.startswith(("/suit/a/", "/suit/b/")) and path not in _OWN:
                world.fail("%s was left behind" % path)
        if seen[3] < min(record.generation, 2):
            world.fail("%d copies of the record are whole" % seen[3])

    def leaks(self, world, seen, baseline):
        files, free = seen[1:3]
        wanted, before = baseline[1:3]
        if self.crowded:
            # what lies in the slot that does not run made room for others
            other = "/suit/%s/" % "ba"[seen[0].active]
            wanted = {path: wanted[path] for path in wanted if path in files or not path.startswith(other)}
        extra = [path for path in files if path not in wanted]
        missing = [path for path in wanted if path not in files]
        if extra or missing:
            world.fail("files left over %r, missing %r" % (extra, missing))
        for path in wanted:
            if files[path] != wanted[path]:
                world.fail("%s has %d bytes, %d in a clean run" % (path, files[path], wanted[path]))
        if free < before - 4:
            world.fail("%d blocks are free, %d after a clean run" % (free, before))


class Install(Scenario):
    """An update of app and files, from the request to the confirmed trial; one file is unchanged."""

    name = "install"


class Signed(Scenario):
    """The same with an ESP256 signature over an image of one page."""

    name = "signed"
    allowed = (1, 4)
    final = 4
    blocks = 36

    def plan(self):
        return Plan(offer=4)


class Small(Scenario):
    """The smallest update there is: for exhaustive pairs of cuts."""

    name = "small"
    allowed = (1, 3)
    final = 3
    blocks = 36

    def plan(self):
        return Plan(offer=3)


class Confirm(Scenario):
    """The first boot of an armed trial, up to its confirmation: tries, watchdog, floor."""

    name = "confirm"

    def prepare(self, world):
        Scenario.prepare(self, world)
        self.boots(world, Plan(offer=2), 1)


class Back(Scenario):
    """A trial that fails is gone back from, with its reason, and is known bad afterwards."""

    final = 1
    how = ""
    reason = 0
    refused = (R_KNOWN_BAD,)

    def plan(self):
        return Plan(offer=2, trial={2: self.how})

    def prepare(self, world):
        Scenario.prepare(self, world)
        self.boots(world, Plan(offer=2, trial={2: self.how}), 1)

    @property
    def back(self):
        return (self.reason,)


class BackException(Back):
    name = "back-exception"
    how = "raise"
    reason = R_BACK_EXCEPTION


class BackEnded(Back):
    name = "back-ended"
    how = "end"
    reason = R_BACK_ENDED


class BackWatchdog(Back):
    name = "back-watchdog"
    how = "hang"
    reason = R_BACK_WATCHDOG


class BackManual(Back):
    name = "back-manual"
    how = "rollback"
    reason = R_BACK_MANUAL


class BackTries(Back):
    """Power cuts use its tries up. Twice that is put down to the power, and the release is installed again; the third time it
    is known bad, or a board that an app makes reset would never come to rest."""

    name = "back-tries"
    how = "power"
    reason = R_BACK_TRIES
    number = 2
    starts = 7  # of nine, two of which a cut and what it leaves may cost

    def leaks(self, world, seen, baseline):
        starts = [each for each in world.history if each == (self.number, True)]
        if len(starts) < self.starts and not world.notes.get("faulty"):
            world.fail("power cuts alone made it known bad after %d starts" % len(starts))
        Back.leaks(self, world, seen, baseline)


class BackDamaged(Back):
    """The trial's image is damaged before it first runs: gone back from, but not the manifest's fault: installed again."""

    name = "back-damaged"
    final = 2
    reason = R_BACK_INVALID
    refused = ()

    def plan(self):
        return Plan(offer=2)

    def prepare(self, world):
        Back.prepare(self, world)

        def damage():
            with open("/suit/b/app.img", "rb") as file:
                data = bytearray(file.read())
            data[1000] ^= 1
            with open("/suit/b/app.img", "wb") as file:
                file.write(data)

        world.mounted(damage)


class Resume(Scenario):
    """A longer image; what was stored durably before the cut is not fetched again."""

    name = "resume"
    allowed = (1, 5)
    final = 5
    blocks = 64

    def plan(self):
        return Plan(offer=5)


class Provision(Scenario):
    """First provisioning: no app; recovery takes the first one."""

    name = "provision"
    recovers = True
    allowed = (1,)
    final = 1

    def plan(self):
        return Plan(offer=1)

    def prepare(self, world):
        provision(world, None)


class CablePlan(Plan):
    """The owner provisions, as host/suitup/boards/provision.py does, until it went through once."""

    def __init__(self, number):
        Plan.__init__(self)
        self.number = number
        self.done = False

    def cable(self, world):
        if self.done:
            return
        remove_tree("/suit/a")
        remove_tree("/suit/b")
        for name in ("state.0", "state.1", "spool", "traceback"):
            discard("/suit/" + name)
        files = {"/suit/config.cbor": world._asset("config.cbor"), "/suit/trust.cbor": world._asset("trust.cbor")}
        files["/suit/a/manifest.suit"] = world._asset(world.versions[self.number]["url"])
        for name, data in world.content[self.number].items():
            files["/suit/a/" + ("files/" + name if name else "app.img")] = data
        for path, data in files.items():
            try:
                with open(path, "rb") as file:
                    if file.read() == data:
                        continue
            except OSError:
                pass
            write(path, data)
        self.done = True


class Cable(Scenario):
    """First provisioning over the cable, with a first app; what was interrupted is begun again."""

    name = "cable"
    allowed = (1,)
    final = 1
    recovers = True

    def plan(self):
        return CablePlan(1)

    def prepare(self, world):
        import nor
        import vfs

        world.image[:] = b"\xff" * len(world.image)
        vfs.VfsLfs2.mkfs(nor.RamNor(world.image, world.page), progsize=world.page or 32)


class CableAgain(Cable):
    """A board that has an app already gets another first one."""

    name = "cable-again"
    allowed = (2, 3)
    final = 3

    def plan(self):
        return CablePlan(3)

    def prepare(self, world):
        provision(world)
        self.allowed = (1, 2)
        self.settle(world, Plan(offer=2))
        self.allowed = (3,)


class Firmware(Scenario):
    """An ESP32 gets app and firmware in one envelope: both new, on trial together, or both old."""

    name = "firmware"
    allowed = (1, 10)
    final = 10
    # cut while the bootloader's entry was rewritten, or in the one start that ESP-IDF gives: the bootloader takes the other
    # one; the trial goes on, or the update is repeated
    back = (0, R_BACK_FIRMWARE)
    firmware = True

    def plan(self):
        return Plan(offer=10)


class FirmwareBack(Back):
    """The same, and the app raises on trial: both go back."""

    name = "firmware-back"
    allowed = (1, 10)
    firmware = True
    # a reset before that is in the record leaves it to the bootloader to go back
    back = (R_BACK_EXCEPTION, R_BACK_FIRMWARE)

    def plan(self):
        return Plan(offer=10, trial={10: "raise"})

    def prepare(self, world):
        Scenario.prepare(self, world)


class FirmwareTries(BackTries):
    """Power cuts in every start of app and firmware: as for an app alone, although ESP-IDF gives firmware one start."""

    name = "firmware-tries"
    allowed = (1, 10)
    firmware = True
    number = 10
    back = (R_BACK_TRIES, R_BACK_FIRMWARE)

    def plan(self):
        return Plan(offer=10, trial={10: "power"})

    def prepare(self, world):
        Scenario.prepare(self, world)


class Replace(Scenario):
    """An armed trial is replaced by a newer update before it has booted."""

    name = "replace"
    allowed = (1, 2, 3)
    final = 3

    def plan(self):
        return ReplacePlan()


    def leaks(self, world, seen, baseline):
        if (2, True) in world.history:
            # the power went after it was armed: version 2 ran first, and 3 replaced 1
            files = dict(baseline[1])
            for path in baseline[1]:
                if path.startswith("/suit/a/") or path.startswith("/suit/b/"):
                    files.pop(path)
            for slot, number in (("a", 3), ("b", 2)):
                files["/suit/%s/manifest.suit" % slot] = len(world._asset(world.versions[number]["url"]))
                for name, data in world.content[number].items():
                    files["/suit/" + slot + ("/files/" + name if name else "/app.img")] = len(data)
            baseline = (baseline[0], files, 0)
        Scenario.leaks(self, world, seen, baseline)


class ReplacePlan(Plan):
    """The server changes its mind: version 2 is armed without a reset, then 3 is offered."""

    def __init__(self):
        Plan.__init__(self, offer=3)

    def app(self, world, version):
        import suit
        from suit.errors import SuitError

        # as long as it has not seen the newer one fail
        if version == 1 and not world.record().knows_bad(world.digest(3)):
            try:
                suit.update(world.url(2), False)
            except SuitError as error:
                world.refusals.append(error.reason)
        Plan.app(self, world, version)


class Recovery(Scenario):
    """Both slots are damaged: the board comes up in recovery and takes a good update."""

    name = "recovery"
    recovers = True
    allowed = (3,)
    final = 3

    def plan(self):
        return Plan(offer=3)

    def prepare(self, world):
        provision(world)
        self.allowed = (1, 2, 3)
        self.settle(world, Plan(offer=2))
        self.allowed = (3,)

        def damage():
            for slot in "ab":
                path = "/suit/%s/app.img" % slot
                with open(path, "rb") as file:
                    data = bytearray(file.read())
                data[900] ^= 1
                with open(path, "wb") as file:
                    file.write(data)

        world.mounted(damage)


class Crashes(Scenario):
    """A confirmed app that crashes early three times leads to recovery, which takes the repaired one."""

    name = "crashes"
    recovers = True
    allowed = (1, 3)
    final = 3

    def plan(self):
        return CrashPlan()


class CrashPlan(Plan):
    def __init__(self):
        Plan.__init__(self, offer=3)

    def app(self, world, version):
        if version == 1:
            raise ValueError("a bug that shows later")
        Plan.app(self, world, version)


class TwoInARow(Scenario):
    """Two updates one after the other: each slot is written over a confirmed version."""

    name = "two-in-a-row"
    allowed = (1, 2, 3)
    final = 3

    def plan(self):
        return RowPlan()


class RowPlan(StandingPlan):
    def __init__(self):
        Plan.__init__(self, offer=3)

    def app(self, world, version):
        self.offer = 2 if version == 1 else 3
        Plan.app(self, world, version)


class Rot(Scenario):
    """A confirmed version and its predecessor at rest; bits turn over, then a newer version is offered."""

    name = "rot"
    allowed = (1, 2, 3)
    final = 3

    def plan(self):
        return Plan(offer=3)

    def prepare(self, world):
        provision(world)
        self.settle(world, Plan(offer=2))


class RotArmed(Rot):
    """The same with an armed trial."""

    name = "rot-armed"

    def prepare(self, world):
        provision(world)
        self.settle(world, Plan())
        self.boots(world, Plan(offer=2), 1)


class RotPart(Rot):
    """An interrupted download at rest: what is there already may have decayed when it is taken up again."""

    name = "rot-part"
    allowed = (1, 5)
    final = 5
    blocks = 64

    def plan(self):
        return Plan(offer=5)

    def prepare(self, world):
        import nor

        provision(world)
        self.settle(world, Plan())
        self.begin(world, Plan(offer=5))
        world.cuts = [(220, nor.BEFORE, 0, w.POWER)]
        while world.boot() != "cut":
            pass


class Swapped(Scenario):
    """Somebody put another signed version into the active slot: the record does not name it, so it does not run; recovery
    installs it properly."""

    name = "swapped"
    allowed = (3,)
    final = 3
    recovers = True

    def plan(self):
        return Plan(offer=3)

    def prepare(self, world):
        provision(world)
        self.allowed = (1, 2, 3)
        self.settle(world, Plan(offer=2))
        self.allowed = (3,)
        world.mounted(lambda: put_app(world, 3, "b"))

    def check(self, world, baseline):
        if world.history and world.history[0] != (3, True):
            world.fail("version 3 ran without having been installed: %r" % world.history[:2])
        return Scenario.check(self, world, baseline)


class Forgetful(Scenario):
    """The author forgot to have a file validated: board policy does not arm it."""

    name = "forgetful"
    allowed = (1,)
    final = 1
    refused = (R_NOT_MATCHED,)

    def plan(self):
        return Plan(offer=8)

    def leaks(self, world, seen, baseline):
        pass


class Unproved(Scenario):
    """The same version put on the board by cable: board policy does not run it."""

    name = "unproved"
    allowed = (9,)
    final = 9
    recovers = True

    def plan(self):
        return Plan(offer=9)

    def prepare(self, world):
        provision(world, 8)

class Trust(Scenario):
    """The trust store is replaced over the cable (written beside, renamed); then an update by the new key."""

    name = "trust"
    allowed = (1, 7)
    final = 7

    def plan(self):
        return TrustPlan()


class TrustPlan(Plan):
    def __init__(self):
        Plan.__init__(self, offer=7)

    def app(self, world, version):
        if version == 1:
            new = world._asset("trust2.cbor")
            with open("/suit/trust.cbor", "rb") as file:
                if file.read() != new:
                    write("/suit/trust.new", new)
                    os.rename("/suit/trust.new", "/suit/trust.cbor")
        Plan.app(self, world, version)


def _content(path):
    with open(path, "rb") as file:
        return file.read()


class Updater(Scenario):
    """Another updater with its app: each version runs under its own, on trial and ever after."""

    name = "updater"
    allowed = (1, 15)
    final = 15
    brings_updater = True

    def plan(self):
        return Plan(offer=15)

    def check(self, world, baseline):
        seen = Scenario.check(self, world, baseline)
        path = "/suit/%s/updater.ok" % "ab"[seen[0].active]
        if world.mounted(lambda: _content(path))[32] != 255:
            world.fail("the updater of the confirmed version still has starts to lose")
        return seen


class UpdaterCarried(Scenario):
    """The next app brings none: it keeps the one that runs."""

    name = "updater-carried"
    allowed = (15, 16)
    final = 16
    carries = 16

    def plan(self):
        return Plan(offer=16)

    def prepare(self, world):
        provision(world)
        self.allowed = (1, 15)
        self.settle(world, Plan(offer=15))
        self.allowed = (15, 16)


class UpdaterBack(Back):
    """The app under the new updater fails: the old app runs, under the old updater."""

    name = "updater-back"
    how = "raise"
    reason = R_BACK_EXCEPTION
    allowed = (1, 15)

    def plan(self):
        return Plan(offer=15, trial={15: "raise"})

    def prepare(self, world):
        Scenario.prepare(self, world)
        self.boots(world, self.plan(), 1)


class Rekey(Scenario):
    """The trust store is replaced by a signed update (its component ["trust"]); then an update by the new key. At every
    moment one whole store is in force: the old one until the trial is confirmed, the new one from then on."""

    name = "rekey"
    allowed = (1, 11, 12)
    final = 12
    store = "trust3.cbor"

    def plan(self):
        return RekeyPlan()

    def check(self, world, baseline):
        seen = Scenario.check(self, world, baseline)
        if world.mounted(lambda: world.contents()["/suit/trust.cbor"]) != w.sha(world._asset(self.store)):
            world.fail("the board trusts other keys than it should")
        return seen


class RekeyPlan(StandingPlan):
    def __init__(self, trial=None):
        Plan.__init__(self, trial=trial)

    def app(self, world, version):
        from suit import runtime

        with open("/suit/trust.cbor", "rb") as file:
            new = self._which(world, file.read())
        if new and (version == 1 or runtime.trial and version == 11):
            world.fail("the new trust store is in force before version 11 was confirmed")
        # a flash that takes nothing leaves the old one in force; the next boot tries again
        if not new and not world.tolerant and (version == 12 or version == 11 and not runtime.trial):
            world.fail("version %d runs for good under the old trust store" % version)
        self.offer = 11 if version == 1 else 12
        Plan.app(self, world, version)

    def _which(self, world, data):
        """-> True when it is the new one; neither of them is a loss."""
        if data == world._asset("trust3.cbor"):
            return True
        if data != world._asset("trust.cbor"):
            world.fail("the trust store is neither the old one nor the new one")
        return False


class RekeyBack(Back):
    """The same, and the app raises on trial: the old store stays."""

    name = "rekey-back"
    how = "raise"
    reason = R_BACK_EXCEPTION
    allowed = (1, 11)
    store = "trust.cbor"

    def plan(self):
        return RekeyPlan({11: "raise"})

    def prepare(self, world):
        Scenario.prepare(self, world)
        self.boots(world, self.plan(), 1)

    check = Rekey.check


class Composite(Scenario):
    """App, files and what a dependency brings, in one envelope: all of it new or all of it old; twice, each time over a
    slot that held another set."""

    name = "composite"
    allowed = (1, 13, 14)
    final = 14
    blocks = 56

    def plan(self):
        return CompositePlan()


class CompositePlan(StandingPlan):
    def app(self, world, version):
        self.offer = 13 if version == 1 else 14
        Plan.app(self, world, version)


class CompositeBack(Back):
    """The same, and the app raises on trial."""

    name = "composite-back"
    how = "raise"
    reason = R_BACK_EXCEPTION
    allowed = (1, 13)

    def plan(self):
        return Plan(offer=13, trial={13: "raise"})

    def prepare(self, world):
        Scenario.prepare(self, world)
        self.boots(world, self.plan(), 1)


class RotSet(Rot):
    """A set with a dependency at rest: its manifest and its file decay too."""

    name = "rot-set"
    allowed = (1, 13, 14)
    final = 14
    blocks = 56

    def plan(self):
        return Plan(offer=14)

    def prepare(self, world):
        provision(world)
        self.settle(world, Plan(offer=13))


class Tight(Scenario):
    """Nearly no block of the flash is free, but for those of the slot to be written: an update is possible."""

    name = "tight"
    allowed = (5, 9, 14)
    final = 14
    blocks = 64
    free = 5  # blocks: less than are kept back for folders and the record

    def plan(self):
        return Plan(offer=14)

    def prepare(self, world):
        provision(world, 5)
        self.settle(world, Plan(offer=9))

        def fill():
            stat = os.statvfs("/")
            with open("/data", "wb") as file:
                for _ in range(stat[3] - self.free):
                    file.write(bytes(stat[0] - 8))

        world.mounted(fill)

    def judge(self, world, seen):
        seen[1].pop("/data")
        Scenario.judge(self, world, seen)


class Careless(Scenario):
    """The author forgot to look at what was installed, and the server sends something else: nothing is armed."""

    name = "careless"
    allowed = (1,)
    final = 1
    # once its beginning is there and does not match, the whole is said to have changed
    refused = ((R_CONDITION_FAILED, R_CONTENT_CHANGED),)

    def plan(self):
        return Plan(offer=6)

    def leaks(self, world, seen, baseline):
        pass  # what a refused update leaves in its slot is overwritten by the next


ALL = {}
for _kind in (
    Install, Signed, Small, Confirm, BackException, BackEnded, BackWatchdog, BackManual, BackTries,
    BackDamaged, Resume, Provision, Replace, Recovery, Crashes, TwoInARow, Trust, Careless, Rot, RotArmed, RotPart,
    Swapped, Forgetful, Unproved, Cable, CableAgain, Firmware, FirmwareBack, FirmwareTries,
    Updater, UpdaterCarried, UpdaterBack, Rekey, RekeyBack, Composite, CompositeBack, RotSet, Tight,
):  # fmt: skip
    ALL[_kind.name] = _kind
