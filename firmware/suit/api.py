# What an app calls besides update: confirm, go back, ask how things stand.
# MIT licence.
"""The bodies of `suit.confirm`, `suit.rollback`, `suit.status` and `suit.path`; see
suit/__init__.py."""

import gc
import time

from . import decide, runtime
from .errors import SuitError
from .numbers import R_BACK_MANUAL, R_NOT_ALLOWED
from .slots import NAMES, Slot, exists
from .state import Record

_TRACEBACK = 800  # bytes of it in the status


def confirm():
    record = runtime.record()
    slot = record.trial
    # gone back from, and the record could not be written: nobody else's app speaks for it
    other = runtime.running is not None and slot != runtime.running
    if slot is None or other or not (record.booted or runtime.trial):
        # a crash after this call, as at every boot before, must go on counting
        settle()
        # on trial all the same: the record of an earlier call lasted although writing it seemed to fail
        if not runtime.trial or record.active != runtime.running:
            return False
        slot = record.active
    else:
        from .port import chip

        # before the record: a cut in between leaves firmware and updater that stay and an app that
        # confirms again
        chip().mark_valid()
        _keep_updater(Slot(runtime.root, slot))
        runtime.store().save(decide.confirmed(record))
    _adopt(slot)
    runtime.trial = False
    # whoever follows a trial at the console has no other way to learn of it
    print("suit: slot %s confirmed" % NAMES[slot])
    if runtime.watchdog:
        runtime.watchdog.stop()
        runtime.watchdog = None
    return True


def _keep_updater(slot):
    if exists(slot.vouch):
        from .renewal import keep

        keep(slot)


def _adopt(slot):
    """The confirmed slot's trust store, if it brings one, is the board's from now on."""
    from .rekey import adopt

    try:
        adopt(runtime.root, Slot(runtime.root, slot), runtime.vouched)
    except (OSError, SuitError):
        pass  # the launcher does it at the next boot


def settle():
    """A confirmed app that crashed early at the boots before has now come far enough."""
    if runtime.settle_at is not None and time.ticks_diff(time.ticks_ms(), runtime.settle_at) > 0:
        runtime.settle_at = None
        runtime.store().save(decide.stable(runtime.record()))


def rollback():
    record = runtime.record()
    if record.trial is None:
        raise SuitError(R_NOT_ALLOWED, "no trial")
    from .port import chip

    runtime.store().save(decide.went_back(record, R_BACK_MANUAL))
    chip().reset()


def path(name):
    if runtime.running is None:
        raise SuitError(R_NOT_ALLOWED, "no slot is running")
    return Slot(runtime.root, runtime.running).file(name.split("/"))


def _name(slot):
    return None if slot is None else NAMES[slot]


def _slot(record, index):
    line = record.slots[index]
    if record.trial == index:
        how = "trial" if record.booted else "armed"
    else:
        how = ("empty", "empty", "ok", "bad")[line.status]
    told = {"seq": line.sequence, "digest": line.digest, "state": how}
    if index == runtime.running and runtime.version:
        told["version"] = ".".join(str(n) for n in runtime.version)
    return told


def _progress():
    p = runtime.progress
    told = {"n": p.count, "state": p.state, "done": p.done, "total": p.total}
    for key, value in (
        ("seq", p.sequence),
        ("digest", p.digest),
        ("reason", p.reason),
        ("component", p.component),
        ("for", p.asked),
    ):
        if value is not None:
            told[key] = value
    if p.detail is not None:
        told["detail"] = p.detail if isinstance(p.detail, int) else str(p.detail)[:120]
    return told


def _traceback():
    """The last traceback that was kept, its end if it is long; "" without one."""
    try:
        with open(runtime.root + "/traceback", "rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - _TRACEBACK))
            return str(file.read(), "utf-8")
    except (OSError, UnicodeError):
        return ""


def status():
    from .config import read
    from .port import chip
    from .port import firmware as firmware_of

    config = read(runtime.root)
    try:
        record = runtime.record()
    except OSError:
        record = Record()
    slot = record.trial if runtime.trial else record.active
    line = record.slots[slot] if slot is not None else None
    told = {
        "name": config.name,
        "machine": chip().name(),
        "vendor": config.vendor or b"",
        "class": list(config.classes),
        "device": config.device or b"",
        "dev": runtime.development,
        "running": _name(runtime.running),
        "active": _name(record.active),
        "trial": _name(record.trial),
        "tries": record.tries,
        "slots": {"a": _slot(record, 0), "b": _slot(record, 1)},
        "floor": record.floors[line.floor][1] if line and line.floor is not None else 0,
        "update": _progress(),
        "uptime": time.ticks_ms(),
        "boot": int.from_bytes(runtime.boot, "big"),
        "free": gc.mem_free(),
    }
    try:
        own = slot is not None and exists(Slot(runtime.root, slot).vouch)
    except OSError:
        own = False
    if own:
        from .renewal import running

        if running() is not None:
            told["updater"] = NAMES[running()]
    firmware = firmware_of(chip())
    if firmware:
        told["firmware"] = firmware.name
    trace = _traceback()
    if record.back_reason:
        told["back"] = {
            "reason": record.back_reason,
            "detail": record.back_detail,
            "digest": record.back_digest,
            "seq": record.back_sequence,
        }
    if trace:
        told["traceback"] = trace
    if runtime.recovery:
        told["recovery"] = {"reason": runtime.recovery[0], "detail": runtime.recovery[1]}
    return told


