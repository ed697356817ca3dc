# Reports of what happens in the launcher: a trial that was gone back from, a slot that does not run.
# MIT licence.
"""`notice()` makes a report of each once, when there is time for it: the updater asks before it
begins, delivery.py when it starts. The record of the state says what was gone back from and why,
`runtime.failed` what the launcher met at this boot: (slot, reason, encoded record of suit-report of
the command that failed, or None). `/suit/report.back` notes what was reported. Never fails: a
report must not end what it reports on."""

from . import runtime
from .cbor import encode
from .errors import SuitError
from .numbers import ALG_SHA256, M_INVOKE, M_VALIDATE, R_BACK_EXCEPTION, R_BACK_INVALID
from .report import base, compose
from .reporting import keep, read


def notice():
    try:
        _notice(runtime.record())
    except (OSError, MemoryError, SuitError):
        pass  # at the next start


def _notice(record):
    reason, detail = record.back_reason, record.back_detail
    digest = record.back_digest
    failed = runtime.failed
    if failed and record.active == failed[0]:
        # nothing to go back to
        reason, detail, digest = failed[1], 0, record.slots[failed[0]].digest
    slot = _slot_of(record, digest) if reason else None
    if slot is None:
        return
    path = runtime.root + "/report.back"
    found = failed[2] if failed and failed[0] == slot else None
    note = encode([reason, detail, record.slots[slot].sequence, digest])
    if note == read(path):
        return
    if found is None:
        ran = reason >= R_BACK_EXCEPTION and reason != R_BACK_INVALID
        stage = M_INVOKE if ran else M_VALIDATE
        found = encode([(), stage, 0, 0, {}])
    about = encode([ALG_SHA256, record.slots[slot].digest])
    keep(compose("", about, (), (reason, found, base(detail or reason))))
    with open(path, "wb") as file:
        file.write(note)


def _slot_of(record, digest):
    """The slot whose manifest begins with that digest; another update may have taken its place."""
    for index in (0, 1):
        if digest and record.slots[index].digest[: len(digest)] == digest:
            return index
    return None
