# Which slot an update writes, and how room is made in it.
# MIT licence.
"""`target(record)` is the slot that is neither running nor active. `clear(record, slot, wanted)` first
makes sure that nothing boots from it, then removes what the new version does not have; what it has
stays, since it may be whole already or the beginning of it. `give_up()` removes all of it, for an
envelope that the filesystem has no room for otherwise, unless a trial is armed there.

SuitError(R_NOT_ALLOWED) when there is no such slot. OSError from the storage passes through."""

from . import decide, runtime
from .errors import SuitError
from .numbers import R_NOT_ALLOWED
from .slots import Slot
from .state import EMPTY


def target(record):
    """-> index of the slot to be written."""
    if record.active is not None:
        index = 1 - record.active
    elif record.trial is not None:
        index = record.trial  # armed only: on trial there are no updates
    else:
        index = 0
    if index == runtime.running:
        raise SuitError(R_NOT_ALLOWED, "slot %s is running" % "ab"[index])
    return index


def clear(record, slot, wanted):
    """`wanted`: the components of the new version."""
    if record.trial == slot.index or record.slots[slot.index].status != EMPTY:
        runtime.store().save(decide.writing(record, slot.index))
    slot.drop_manifest()
    part = slot.part()
    keep = [getattr(component, "path", None) for component in wanted]
    if part and part[0] in keep:
        keep.append(slot.path + "/part")
    slot.tidy(keep)


def give_up():
    """-> False when there was nothing that could be removed."""
    record = runtime.record()
    if record.trial is not None:
        return False
    slot = Slot(runtime.root, target(record))
    if not slot.walk()[0]:
        return False
    clear(record, slot, ())
    return True
