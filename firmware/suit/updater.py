# The update procedure, in the order that cannot brick.
# MIT licence.
"""`update(url)` is a generator (see wait.py):

1. refuse while a trial runs or another update is under way
2. spool the envelope to flash, authenticate it
3. up to date, known bad, below the floor, nothing it may write: refuse before any payload is fetched
4. take an armed trial that has not booted off the record, then clear its slot of what is not wanted any more
5. payload fetch and install, into the slot that is neither running nor active
6. validate what is stored, as the launcher will, under the board's policy
7. save the severed manifest, read it back; arm the trial in the record; tell the bootloader when
   firmware was written; reset

A manifest that waits for an event (R_WAITING) is looked at again by `listening.look` and at the next
nudge; nothing is kept for it but what was fetched.

Whatever fails on the way leaves the running version as it was, and in the other slot what a later
attempt can continue. Raises SuitError; errors of the storage become R_STORAGE with their errno,
lack of memory R_BUDGET. `runtime.progress` tells how it goes. Without `url` every server of the
configuration is looked at in turn."""

from . import decide, rekey, runtime, thrift
from .config import read, trust_store
from .errors import SuitError
from .kept import keep as _save_manifest
from .numbers import (
    R_BUDGET,
    R_BUSY,
    R_CONTENT_CHANGED,
    R_IMAGE,
    R_NETWORK,
    R_NO_PAYLOAD,
    R_SERVER,
    R_STORAGE,
    R_TOO_LARGE,
    R_TRIAL_RUNNING,
    R_UP_TO_DATE,
    R_WAITING,
)
from .policy import check, components
from .region import PathRegion
from .slots import Slot, exists, remove
from .target import clear, give_up, target
from .wanted import judge

# the attempt failed; what was offered may be good
_FAILURES = (
    R_BUDGET, R_BUSY, R_CONTENT_CHANGED, R_NETWORK, R_NO_PAYLOAD, R_SERVER, R_STORAGE,
)  # fmt: skip
_TOLD_MS = 300  # between "armed" and the reset, for those who watch

_busy = False


def busy():
    """Is an update under way, or a trial?"""
    try:
        return _busy or on_trial(runtime.record())
    except OSError:
        return False  # the update will make sure of a record, or say why not


def on_trial(record):
    return record.trial is not None and record.booted


def update(url=None, reset=True, strict=False):
    """Generator: fetch, check, install, arm; then reset, or return when `reset` is False. `strict`:
    `url` is a stranger's, so that a trusted key has to vouch for the manifest before anything behind
    it is fetched, and all of it may not be slow."""
    global _busy
    from .port import chip

    if _busy:
        raise SuitError(R_BUSY)
    _busy = True
    progress = runtime.progress
    memory = None
    try:
        progress.begin("checking", url)
        memory = thrift.begin()
        port = chip()
        config = read(runtime.root)
        runtime.strict = strict
        yield from _first(url, config, port, progress, strict)
        progress.state = "armed"
    except SuitError as error:
        progress.reason = error.reason
        progress.detail = error.detail
        progress.state = (
            "waiting"
            if error.reason == R_WAITING
            else "failed"
            if error.reason in _FAILURES
            else "refused"
        )
        raise
    finally:
        if progress.state not in ("armed", "failed", "refused", "waiting"):
            progress.state = "failed"  # cancelled, or an error nobody foresaw
        _busy = False
        thrift.end(memory)
    if reset:
        yield _TOLD_MS
        port.reset()


def _first(url, config, port, progress, strict):
    """Install from the first of the places that offers something to install."""
    try:
        if runtime.store().load() is None:
            from .rebuild import remember

            yield from remember(config)
        if on_trial(runtime.record()):
            raise SuitError(R_TRIAL_RUNNING)
        _notice()
    except OSError as error:
        raise SuitError(R_STORAGE, error.args[0] if error.args else None)
    places = (url,) if url else config.servers
    if not places:
        raise SuitError(R_NO_PAYLOAD, "no server configured")
    worst = None
    for place in places:
        try:
            yield from _guarded(place, config, port, progress, strict)
            return
        except SuitError as error:
            # of several answers a refusal says more than "up to date", and that more than silence
            if worst is None or _weight(error) > _weight(worst):
                worst = error
    raise worst


def _notice():
    """Report what was gone back from before its slot is written."""
    from .optional import optional

    noticing = optional("noticing")
    if noticing:
        noticing.notice()


def _weight(error):
    return 0 if error.reason in _FAILURES else 1 if error.reason == R_UP_TO_DATE else 2


def _guarded(place, config, port, progress, strict):
    from .port import firmware as firmware_of

    spool = runtime.root + "/spool"
    if place.endswith("/"):
        place += "latest.suit"
    try:
        try:
            firmware = firmware_of(port)
            yield from _spool(place, spool, config, port, progress, strict)
            region = PathRegion(spool)
            try:
                yield from _install(region, place, config, port, progress, firmware)
            finally:
                region.rest()
            if firmware:
                _switch(firmware)
        finally:
            remove(spool)
    except OSError as error:
        raise SuitError(R_STORAGE, error.args[0] if error.args else None)
    except MemoryError:
        raise SuitError(R_BUDGET, "memory")


def _spool(url, path, config, port, progress, strict):
    """Bring the envelope to `path`; see spool.py."""
    from . import spool

    def vouch(region):
        trust = trust_store(runtime.root, config, port.now())
        envelope = yield from _authenticated(region, trust, progress)
        try:
            judge(envelope, progress)
        except SuitError as refusal:
            _report(envelope, None, refusal)
            raise

    vouch = vouch if strict else None
    for again in (False, True):
        remove(path)
        free = Slot(runtime.root, 0).room(path)
        room = spool.room(config, free)
        try:
            yield from spool.fetch(url, path, room, vouch)
            return
        except SuitError as error:
            # the flash is nearly full: what lies in the slot to be written makes room; not for a stranger
            full = error.reason == R_TOO_LARGE and room == free
            if again or strict or not full or not give_up():
                raise


def _authenticated(region, trust, progress):
    from .envelope import authenticate

    envelope = yield from authenticate(region, trust)
    progress.vouched = True
    return envelope


def _report(envelope, recorder, error):
    from .optional import optional

    reporting = optional("reporting")
    if reporting and not (error and error.reason == R_UP_TO_DATE):
        reporting.save(envelope, recorder, error)


def _install(region, url, config, port, progress, firmware=None):
    from .optional import optional

    trust = trust_store(runtime.root, config, port.now())
    envelope = yield from _authenticated(region, trust, progress)
    # what made it trusted is done with: the table of a key has 2 KiB, an open file more than one
    envelope.key = envelope.key.rights()
    if envelope.manifest.dependencies is None:
        trust = trust.judging_alike()
    elif thrift.free() < thrift.little:
        trust = trust.without_tables()
    region.rest()
    reporting = optional("reporting")
    # what is told shall not keep from being done what it tells of
    recorder = reporting.begin(envelope, thrift.free() // 32) if reporting else None
    error = None
    try:
        yield from _execute(envelope, trust, url, config, port, progress, firmware, recorder)
    except SuitError as refusal:
        error = refusal
    except MemoryError:
        error = SuitError(R_BUDGET, "memory")  # what it held is free by now: its report finds room
    _report(envelope, recorder, error)
    if error:
        raise error


def _execute(envelope, trust, url, config, port, progress, firmware, recorder):
    record, key = judge(envelope, progress)
    index = target(record)
    slot = Slot(runtime.root, index, config.slot)
    # each in a function of its own: nothing of the machine that fetches lies beside the one that judges
    how = (envelope, trust, recorder, config, port, slot, firmware)
    yield from _fetched(how, url, record, progress)
    progress.state = "installing"
    yield from _validated(how)
    if exists(slot.trust):
        board = _machine(how)[0]
        board.recorder = None  # what it would tell of is not the machine that runs
        try:
            yield from rekey.check(envelope, slot, board, trust)
        finally:
            board.close()
    yield from _renew(slot, Slot(runtime.root, 1 - index))
    if firmware:
        record = runtime.record()
        numbers = (firmware.expected, firmware.running)
        runtime.store().save(decide.expecting(record, index, *numbers))
    slot.end_part()
    yield from _save_manifest(envelope, slot)
    # the record may have changed while we waited
    record = runtime.record()
    if on_trial(record) or record.active == index or record.trial is not None:
        raise SuitError(R_BUSY)
    runtime.store().save(
        decide.armed(record, index, progress.digest, progress.sequence, key, config.tries)
    )


def _machine(how, *more):
    """-> (board, processor) for an envelope; `more`: what a Board that may be written takes."""
    from .board import Board
    from .processor import Processor

    envelope, trust, recorder, config, port, slot, firmware = how
    board = Board(config, port, slot, *more, firmware=firmware)
    board.roles = envelope.key.roles
    board.trust = trust
    machine = Processor(envelope, board)
    if recorder:
        recorder.machine = machine
        board.recorder = recorder
    return board, machine


def _fetched(how, url, record, progress):
    """All of the update procedure but its last part, which is judged as the launcher will."""
    from .processor import UPDATE

    slot, firmware = how[5:]
    other = Slot(runtime.root, 1 - slot.index)
    board, machine = _machine(how, other, True, url)
    board.progress = progress
    try:
        wanted = components(how[0].manifest, board)
        clear(record, slot, wanted)
        if firmware:
            firmware.stay()  # an update that was armed may have asked for another one
        progress.state = "fetching"
        yield from machine.run(UPDATE[:-1])
    finally:
        _done(board, how[2])


def _validated(how):
    """What is stored, through a board that can write nothing."""
    from .processor import UPDATE

    board, validation = _machine(how)
    try:
        yield from validation.run(UPDATE[-1:])
        check(validation, how[0].manifest, board)
    finally:
        _done(board, how[2])


def _done(board, recorder):
    board.close()
    if recorder:
        recorder.machine = None


def _renew(slot, other):
    """The updater that comes with the version, or else the one that runs, if it came by an update."""
    if exists(slot.updater):
        from .renewal import accept

        yield from accept(slot)
    elif exists(other.vouch):
        from .renewal import carry

        yield from carry(slot, other)


def _switch(firmware):
    """The record names the partition already; now the bootloader gets to know."""
    if firmware.expected == firmware.running:
        return
    try:
        firmware.set_boot(firmware.expected)
    except OSError as error:
        record = runtime.record()
        runtime.store().save(decide.writing(record, record.trial))
        raise SuitError(R_IMAGE, "refused by the bootloader: %s" % error.args[0])
