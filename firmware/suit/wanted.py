# Whether an update that somebody we trust has signed is one to install.
# MIT licence.
"""`judge(envelope, progress)` tells `progress` what is offered, and raises SuitError: R_UP_TO_DATE when
it is what runs confirmed, R_KNOWN_BAD when it was gone back from, R_ROLLBACK below the floor of its
manifest-component-id, R_LIMIT when there is no room for one more of those. -> (record, key of the
floor). OSError when the record cannot be read."""

from . import runtime
from .errors import SuitError
from .numbers import R_KNOWN_BAD, R_LIMIT, R_ROLLBACK, R_UP_TO_DATE
from .policy import floor_key


def judge(envelope, progress):
    manifest = envelope.manifest
    digest = progress.digest = bytes(envelope.digest)
    sequence = progress.sequence = manifest.sequence_number
    record = runtime.record()
    key = floor_key(manifest)
    active = record.active
    if active is not None and runtime.recovery is None and digest == record.slots[active].digest:
        raise SuitError(R_UP_TO_DATE)
    if record.knows_bad(digest):
        raise SuitError(R_KNOWN_BAD)
    lowest = record.floor(key)
    if sequence < lowest:
        raise SuitError(R_ROLLBACK, "sequence %d is below %d" % (sequence, lowest))
    if not record.room_for(key):
        raise SuitError(R_LIMIT, "manifest-component-id")
    return record, key
