# What the board does next: pure functions over the state record, without I/O.
# MIT licence.
"""The launcher, the updater, confirm and rollback change the record only through this module, so
that a model can walk through every state there is. Each function returns a new Record to be saved
before the act, and leaves the one it was given alone. `decide(record, cause, failed)` is the
launcher's question, asked again with `failed` filled in when a slot did not verify:

  trial  booted  tries  cause / failed             then
  -----  ------  -----  -------------------------  ----------------------------------------
  Y      -       -      Y failed to verify         go back: R_BACK_INVALID, then as for no trial
  Y      yes     -      watchdog                   go back: R_BACK_WATCHDOG, then as for no trial
  Y      no      -      firmware differs, asked 0  ask the bootloader once more, reset
  Y      yes     > 0    firmware differs, power    ask the bootloader once more, reset
  Y      -       -      firmware differs           go back: R_BACK_FIRMWARE, then as for no trial
  Y      -       0      any                        go back: R_BACK_TRIES, then as for no trial
  Y      -       > 0    any other                  tries - 1, booted; run Y on trial
  none   -       -      X's firmware is to return  ask the bootloader for it, reset
  none   -       -      that was in vain 3 times   recovery
  none   -       -      active X verifies          run X
  none   -       -      X failed to verify         recovery (the other slot lies below the floor)
  none   -       -      no active slot             recovery
  none   -       -      watchdog                   one more crash, then as below
  none   -       -      three crashes, power-on    forget the crashes, run X
  none   -       -      three crashes, otherwise   recovery

A watchdog reset before the trial's first boot is somebody else's and costs nothing. Going back
happens in the record only; from a running trial the launcher resets afterwards, at boot it goes
on with the active slot.

A board with several firmware partitions passes `running`, the number of the one that runs, and
`aborted`, the number of one the bootloader went back from (None: there is no such thing). A slot
expects a partition: the one its update wrote, else the one that ran when it was installed. After a
trial the active slot's own is to return (`switches` > 0). When nothing is to return and another one
runs all the same, somebody put it there by cable, or the bootloader passed over a damaged image: it
is what the active slot expects from then on, and whether it fits is for the manifest to say.

Whatever a trial was gone back from is *known bad*, but for these cases. A slot whose stored bytes
no longer match was damaged on this board before it ran; its manifest is not at fault and may be
installed again. So may firmware that the bootloader did not abort: it was never started, or its
entry was lost while it was rewritten. ESP-IDF gives new firmware one start; when the power goes
during it, that costs a try like any other power cut. When the tries are used up, or the firmware
is gone, and it was the power that went last, the release is let off twice in a row (`spared`) and
known bad the third time: a good one survives the power cuts, and one that draws so much that the
board resets does not come back for ever."""

from .numbers import (
    R_BACK_FIRMWARE,
    R_BACK_INVALID,
    R_BACK_TRIES,
    R_BACK_WATCHDOG,
    R_CBOR_PARSE,
    R_DIGEST,
    R_NO_PAYLOAD,
    R_STORAGE,
    R_STRUCTURE,
    R_UNAUTHORISED,
)
from .state import BAD, BAD_DIGEST, EMPTY, OK, READY, Record

# why the processor last stopped, as far as that can be told
CAUSE_OTHER = 0  # reset button, machine.reset(), deep sleep
CAUSE_POWER = 1
CAUSE_WATCHDOG = 2

RUN = 0
TRIAL = 1
RECOVER = 2
SWITCH = 3  # have the bootloader start the firmware that the slot expects, then reset

MAX_CRASHES = 3  # early crashes of a confirmed app before recovery
_ONCE_MORE = 1  # `switches` of a trial: beside the first time, which is the updater's
_RETURNS = 4  # `switches` after a trial; 1 left: given up
_MERCY = 2  # goings back in a row that a release may put down to the power

# `back_detail`
STARTED = 1  # R_BACK_FIRMWARE: it ran, and the bootloader went back
POWER = 2  # R_BACK_FIRMWARE, R_BACK_TRIES: the power went, and it is not known bad

_DAMAGE = (R_DIGEST, R_STORAGE, R_NO_PAYLOAD, R_UNAUTHORISED, R_CBOR_PARSE, R_STRUCTURE)


def decide(record, cause, failed, running=None, aborted=None):
    """-> (action, slot or None, record to save first or None). `failed[slot]`: why it did not
    verify at this boot, 0 when it did or was not looked at."""
    new = None
    if record.trial is not None:
        reason = detail = 0
        expected = record.slots[record.trial].firmware
        other = None not in (expected, running) and expected != running
        if failed[record.trial]:
            reason = R_BACK_INVALID
            detail = failed[record.trial]
        elif record.booted and cause == CAUSE_WATCHDOG:
            reason = R_BACK_WATCHDOG
        elif other and not record.booted and record.switches:
            new = record.copy()
            new.switches -= 1
            return SWITCH, new.trial, new
        elif other and record.booted and record.tries and cause == CAUSE_POWER:
            new = record.copy()
            new.booted = False  # the next start is a first one again, one try having been paid
            new.switches = _ONCE_MORE
            return SWITCH, new.trial, new
        elif other:
            reason = R_BACK_FIRMWARE
            # the bootloader's entry may also have been lost while it was rewritten: nobody's fault
            detail = STARTED if aborted == expected else 0
        elif record.tries == 0:
            reason = R_BACK_TRIES
        if not reason:
            new = record.copy()
            new.tries -= 1
            new.booted = True
            return TRIAL, new.trial, new
        if cause == CAUSE_POWER and _let_off(record, reason, detail):
            detail = POWER
        new = went_back(record, reason, detail)
    elif record.active is not None and not failed[record.active]:
        if cause == CAUSE_WATCHDOG and record.crashes < MAX_CRASHES:
            new = crashed(record)
        elif cause == CAUSE_POWER and record.crashes >= MAX_CRASHES:
            new = stable(record)
    now = new or record
    if now.active is None or failed[now.active]:
        return RECOVER, None, new
    if running is not None and now.slots[now.active].firmware != running:
        if now.switches == 1:
            return RECOVER, None, new
        new = now = now.copy()
        if new.switches:
            new.switches -= 1
            return SWITCH, new.active, new
        new.slots[new.active].firmware = running
    if now.crashes >= MAX_CRASHES:
        return RECOVER, None, new
    return RUN, now.active, new


def _let_off(record, reason, detail):
    """Might the power alone have ended this trial, and is that still believed?"""
    if reason != R_BACK_TRIES and not (reason == R_BACK_FIRMWARE and detail == STARTED):
        return False
    return _spared(record) < _MERCY


def _spared(record):
    digest = record.slots[record.trial].digest[:BAD_DIGEST]
    return record.spared if digest == record.back_digest else 0


def went_back(record, reason, detail=0, traceback=b""):
    """The trial is over. `detail`: why it did not verify, or STARTED or POWER; `traceback`: digest
    of what is kept of it."""
    new = record.copy()
    slot = new.slots[new.trial]
    slot.status = BAD
    digest = slot.digest[:BAD_DIGEST]
    if reason == R_BACK_INVALID:
        blamed = detail not in _DAMAGE
    else:
        blamed = detail != POWER and (reason != R_BACK_FIRMWARE or detail == STARTED)
    new.spared = _spared(record) + (detail == POWER and reason != R_BACK_INVALID)
    if blamed and digest not in new.bad:
        new.bad.insert(0, digest)
        del new.bad[3:]
    new.back_reason = reason
    new.back_detail = detail
    new.back_sequence = slot.sequence
    new.back_digest = digest
    new.back_traceback = traceback[:8]
    new.trial = None
    new.tries = 0
    new.booted = False
    _return_firmware(new)
    return new


def _return_firmware(new):
    """Whatever the trial's firmware was: the active slot's own is to run again."""
    known = new.active is not None and new.slots[new.active].firmware is not None
    new.switches = _RETURNS if known else 0


def returned(record):
    """The active slot's own firmware runs, and the bootloader will stay with it."""
    new = record.copy()
    new.switches = 0
    return new


def writing(record, slot):
    """`slot` is about to be written: an armed trial in it is off, nothing in it may boot. The
    caller has made sure that it is neither running nor active."""
    if record.active == slot:
        raise ValueError("the active slot")
    new = record.copy()
    line = new.slots[slot]
    line.status = EMPTY
    line.digest = b""
    line.sequence = 0
    line.floor = None
    line.firmware = None
    if new.trial == slot:
        new.trial = None
        new.tries = 0
        new.booted = False
        _return_firmware(new)
    return new


def expecting(record, slot, firmware, running):
    """`slot`, which is being written, will want to run on the partition `firmware`."""
    if record.active == slot or record.trial == slot:
        raise ValueError("not being written")
    new = record.copy()
    new.slots[slot].firmware = firmware
    if new.active is not None and new.slots[new.active].firmware is None:
        new.slots[new.active].firmware = running
    return new


def armed(record, slot, digest, sequence, key, tries):
    """`slot` is installed and read back: it runs on trial after the next reset. `key`: of its
    floor."""
    if record.active == slot or record.trial is not None or not record.room_for(key):
        raise ValueError("cannot arm")
    new = record.copy()
    line = new.slots[slot]
    line.status = READY
    line.digest = bytes(digest)
    line.sequence = sequence
    line.floor = _floor_index(new, key)
    new.trial = slot
    new.tries = tries
    new.booted = False
    new.switches = 0 if line.firmware is None else _ONCE_MORE
    return new


def confirmed(record):
    """The trial passed: it is the active slot and its floor rises."""
    new = record.copy()
    slot = new.slots[new.trial]
    slot.status = OK
    if slot.floor is not None:
        key, lowest = new.floors[slot.floor]
        new.floors[slot.floor] = (key, max(lowest, slot.sequence))
    new.active = new.trial
    new.trial = None
    new.tries = 0
    new.booted = False
    new.switches = 0
    new.crashes = 0
    return new


def crashed(record):
    """The confirmed app crashed early once more."""
    new = record.copy()
    new.crashes = min(new.crashes + 1, MAX_CRASHES)
    return new


def stable(record):
    """The confirmed app has come far enough: its early crashes are forgotten."""
    new = record.copy()
    new.crashes = 0
    return new


def rebuilt(found, tries):
    """A record from what the slots hold, when both copies are lost. `found[slot]`: None, or
    (digest, sequence, key) of its authenticated manifest. One manifest: it is the active one (this
    is also how a board put together by cable starts). Two: which of them was confirmed is not
    known any more; the floors rise to both, and the newer one has to confirm once more, so that a
    broken one ends in recovery and not in a hang."""
    new = Record()
    for slot in (0, 1):
        if found[slot]:
            digest, sequence, key = found[slot]
            line = new.slots[slot]
            line.status = OK
            line.digest = bytes(digest)
            line.sequence = sequence
            line.floor = _floor_index(new, key)
            lowest = new.floors[line.floor][1]
            new.floors[line.floor] = (key, max(lowest, sequence))
    if found[0] and found[1]:
        new.trial = 1 if found[1][1] > found[0][1] else 0
        new.tries = tries
        new.slots[new.trial].status = READY
    elif found[0] or found[1]:
        new.active = 0 if found[0] else 1
    return new


def _floor_index(record, key):
    for i, (known, _) in enumerate(record.floors):
        if known == key:
            return i
    record.floors.append((key, 0))
    return len(record.floors) - 1
