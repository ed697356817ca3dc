# The invocation procedure: choose a slot, verify it, run it; go back when it fails.
# MIT licence.
"""`boot()` is all that main.py calls. In this order:

1. read the record (or rebuild it), ask `decide` what to do, save what that changes; where another
   firmware is expected than the one that runs, have the bootloader start it
2. on trial: start the watchdog
3. authenticate the slot's manifest again, run validate, load and invoke, ask board policy
4. mount the image, make it the only place modules come from, import its `main`
5. when that fails, act on it (running.py)

One console line per boot says what runs. Ctrl-C at any point disarms the watchdog and leads to the
REPL. Neither slot good: recovery.py."""

import sys

from . import decide, running, runtime
from .errors import SuitError
from .numbers import (
    C_IMAGE_MATCH,
    R_BACK_EXCEPTION,
    R_BUDGET,
    R_CONDITION_FAILED,
    R_DIGEST,
    R_NO_PAYLOAD,
    R_NOT_MATCHED,
    R_OPERATION_FAILED,
    R_ROLLBACK,
    R_STORAGE,
)
from .wait import run

_NO_ROMFS = (19, 22)  # what ours and the native one raise: ENODEV, EINVAL
_VERIFY = 300  # seconds a validation may take before the watchdog ends it


def boot(root="/suit"):
    """Never raises but SystemExit from a confirmed app (a soft reset)."""
    from .config import read
    from .port import chip

    runtime.root = root
    port = chip()
    config = read(root)
    loaded = set(sys.modules)
    try:
        slot = _choose(port, config)
        if slot is None:
            from . import recovery

            recovery.serve(config, port)
        else:
            _forget(loaded)
            running.run(slot, port, config)
    except KeyboardInterrupt:
        _unwatch()
        port.unwatch()  # of the app's own, too: it must not end a session at the console
        # the console may use what lies about, after the signed code
        sys.path += [path for path in ("/lib", "") if path not in sys.path]
        print("suit: stopped at the console")


def _forget(loaded):
    """Give the app the memory that verifying took; an update loads what it needs again."""
    package = sys.modules["suit"]
    for name in list(sys.modules):
        if name.startswith("suit.") and name not in loaded and not name.startswith("suit.port"):
            del sys.modules[name]
            if name.count(".") == 1:
                delattr(package, name[5:])


def _unwatch():
    if runtime.watchdog:
        runtime.watchdog.stop()
        runtime.watchdog = None


def _choose(port, config):
    """-> the slots.Slot that may run, verified and mounted, or None for recovery."""
    from .port import firmware as firmware_of

    store = runtime.store()
    firmware = firmware_of(port)
    running = firmware.running if firmware else None
    aborted = firmware.aborted() if firmware else None
    failed = [0, 0]
    why = None
    try:
        trust = _trust(config)
        record = store.load()
        if record:
            _tidy(record)
        else:
            record = _rebuilt(store, trust, config)
    except (SuitError, OSError) as error:
        # nothing can be proved now; nothing is judged by it either, perhaps it can be read next time
        runtime.recovery = (getattr(error, "reason", R_STORAGE), str(error))
        return None
    while True:
        action, slot, new = decide.decide(record, port.cause(), failed, running, aborted)
        if new:
            back = record.trial if new.trial is None else None
            try:
                store.save(new)
                if back is not None:
                    from .renewal import running as updater

                    if updater() == back:
                        port.reset()  # what was gone back from includes the updater that runs
            except OSError:
                if action in (decide.TRIAL, decide.SWITCH):
                    # what cannot be counted must not be tried
                    failed[slot] = R_STORAGE
                    continue
            record = new
        if action == decide.RECOVER:
            break
        if action == decide.SWITCH:
            failed[slot] = _switched(firmware, record.slots[slot].firmware, port)
            why = (failed[slot], "firmware")
            continue
        runtime.trial = action == decide.TRIAL
        if runtime.trial:
            _watch(port, config)
        try:
            verified = run(_verified(slot, record, config, port, trust, firmware))
            if not runtime.trial:
                _adopt(verified)
            _say(slot, record)
            if firmware:
                _keep_firmware(firmware, record, store, port)
            runtime.running = slot
            runtime.crashes = 0 if runtime.trial else record.crashes
            return verified
        except Exception as error:  # nothing that is stored may keep the board from recovery
            failed[slot], detail = _reason(error, config)
            why = (failed[slot], detail)
            runtime.failed = (slot, failed[slot], getattr(error, "record", None))
            print("suit: slot %s does not verify: %s %s" % ("ab"[slot], failed[slot], detail))
            _unwatch()
            runtime.trial = False
    if why is None and record.crashes >= decide.MAX_CRASHES:
        why = (R_BACK_EXCEPTION, "crashed early %d times" % record.crashes)
    runtime.recovery = why or (record.back_reason, None)
    return None


def _trust(config):
    from .config import trust_store

    trust = trust_store(runtime.root, config)
    runtime.development = trust.development
    if trust.development:
        print("suit: DEVELOPMENT KEY trusted; anyone may have it, not for production")
    return trust


def _adopt(slot):
    """What a cut kept from being done at confirm (rekey.py)."""
    from .rekey import adopt

    try:
        adopt(runtime.root, slot, runtime.vouched)
    except (OSError, SuitError):
        pass  # the old trust store is in force; tried again at the next boot


def _rebuilt(store, trust, config):
    from .rebuild import rebuild

    record = run(rebuild(runtime.root, trust, config.tries))
    if record.floors:
        try:
            store.save(record)
        except OSError:
            pass  # it can be rebuilt again
    return record


def _tidy(record):
    """What an update or a trial left behind and nothing may use any more."""
    from .slots import Slot, remove
    from .state import BAD, EMPTY

    try:
        remove(runtime.root + "/spool")
        for index in (0, 1):
            # should the record be lost later, nothing but good manifests may speak for it
            if index not in (record.active, record.trial) and record.slots[index].status in (
                EMPTY,
                BAD,
            ):
                Slot(runtime.root, index).drop_manifest()
    except OSError:
        pass  # tried again at the next boot


def _switched(firmware, number, port):
    """Have the bootloader start the firmware `number`. -> why that is not possible."""
    print("suit: the firmware in partition %s is expected, %s runs" % (number, firmware.name))
    try:
        firmware.set_boot(number)
    except OSError:
        return R_DIGEST  # it was compared when it was written, and is damaged now
    port.reset()
    return R_OPERATION_FAILED


def _keep_firmware(firmware, record, store, port):
    """The confirmed firmware is no trial, although it was just gone back to: the bootloader must
    know before the record forgets."""
    active = record.active
    if active is None or record.slots[active].firmware != firmware.running:
        return
    try:
        port.mark_valid()
        if record.switches and record.trial is None:
            store.save(decide.returned(record))
    except OSError:
        pass  # tried again at the next boot


def _watch(port, config):
    from .port.watchdog import Watchdog

    runtime.watchdog = Watchdog(port, config.wdt)
    runtime.watchdog.start(_VERIFY)


def _reason(error, config):
    """-> (reason, detail) why a slot does not verify. Whether the bytes were damaged or the manifest
    wants something that is not so decides if it may be installed again."""
    if isinstance(error, MemoryError):
        return R_BUDGET, "memory"
    if isinstance(error, OSError):
        missing = error.args and error.args[0] == 2
        return (R_NO_PAYLOAD if missing else R_STORAGE), error.args[0] if error.args else None
    if not isinstance(error, SuitError):
        return R_OPERATION_FAILED, repr(error)
    where = getattr(error, "where", None)
    if error.reason == R_CONDITION_FAILED and where and where[1] == C_IMAGE_MATCH:
        return R_DIGEST, where[2]
    if error.reason == R_CONDITION_FAILED and config.error:
        return R_STORAGE, config.error  # a board that cannot read who it is fits no manifest
    return error.reason or R_OPERATION_FAILED, error.detail


def _verified(index, record, config, port, trust, firmware=None):
    """Generator: the Slot, once everything in it is proved and the image is mounted. This is the
    only way to one that can run."""
    from .board import Board
    from .envelope import authenticate
    from .policy import check, floor_key
    from .processor import Processor
    from .region import FileRegion
    from .rekey import vouched
    from .slots import Slot, exists

    runtime.vouched = None
    slot = Slot(runtime.root, index)
    board = Board(config, port, slot, firmware=firmware)
    with open(slot.manifest, "rb") as file:
        envelope = yield from authenticate(FileRegion(file), trust)
        manifest = envelope.manifest
        if bytes(envelope.digest) != record.slots[index].digest:
            raise SuitError(R_DIGEST, "another manifest")
        if manifest.sequence_number < record.floor(floor_key(manifest)):
            raise SuitError(R_ROLLBACK, "below the floor")
        board.roles = envelope.key.roles
        board.trust = trust
        if runtime.trial and exists(slot.updater):
            from .renewal import check as own

            own(index, slot, record)
        processor = Processor(envelope, board)
        try:
            yield from processor.invocation()
        except SuitError as error:
            error.where = getattr(processor, "where", None)
            error.record = _record(processor)
            raise
        finally:
            board.close()
        app = check(processor, manifest, board)
        if app not in processor.invoked_identifiers:
            raise SuitError(R_OPERATION_FAILED, "the app is not invoked")
        # once more, should one decision above be turned round
        if app not in processor.matched_identifiers:
            raise SuitError(R_NOT_MATCHED, app)
        runtime.vouched = vouched(processor, slot)
    runtime.version = manifest.set_version
    _mount(slot, port)
    return slot


def _record(processor):
    """What a report will say of the command that failed."""
    from .optional import optional

    report = optional("report")
    try:
        return report and report.failure(processor)
    except (SuitError, OSError, MemoryError):
        return None


def _mount(slot, port):
    import vfs

    native = getattr(vfs, "VfsRom", None)
    memory = port.rom_buffer(slot) if native else None
    try:
        if memory is not None:
            rom = native(memory)
        else:
            from .romvfs import RomVfs

            rom = RomVfs(running.Image(open(slot.app, "rb")))
    except OSError as error:
        if error.args[0] in _NO_ROMFS:
            # whole as signed, and yet no image
            raise SuitError(R_OPERATION_FAILED, "app.img is no ROMFS")
        raise
    vfs.mount(rom, "/rom_" + slot.name)


def _say(slot, record):
    line = record.slots[slot]
    text = "suit: slot %s, sequence %d" % ("ab"[slot], line.sequence)
    if runtime.trial:
        text += ", on trial, %d tries left" % record.tries
    print(text)
