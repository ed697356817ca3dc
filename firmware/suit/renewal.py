# The ["updater"] component: another updater, by a signed update.
# MIT licence.
"""A manifest by a key with ROLE_UPDATER may bring a whole new updater, which lies in the slot
(`updater.img`, a ROMFS image with the folder `suit`) beside the app that comes with it. Nothing of the
one that runs is touched:

1. updater: validates the slot; then `accept` looks at the image and writes `updater.ok`, without
   which suit_start.py takes no notice of it; then the trial is armed.
2. the trial runs under the new updater, or is gone back from (`check`): a version is one thing.
   Starts are counted before anything of it runs, and the watchdog is on, so one that hangs or
   raises is left after STARTS boots for the one in /lib.
3. `keep`, just before confirm is written down: from now on it needs no starts.
4. going back is one write of the record, as for the app: the other slot has its own updater.

A later version that brings none gets a copy of the one that runs (`carry`), so that an updater
stays until another comes. A cable that writes /lib/suit removes `updater.ok` of both slots.
An updater frozen into the firmware cannot be changed: R_COMPONENT_UNSUPPORTED."""

import hashlib

from .errors import SuitError
from .numbers import R_COMPONENT_UNSUPPORTED, R_IMAGE, R_STORAGE, R_TOO_LARGE, R_UPDATER
from .slots import NAMES, file_size, remove

# as suit_start.py has it
_STARTS = 5
_FOR_GOOD = 255

_BUFFER = 1024  # bytes


def _place():
    import suit

    return getattr(suit, "__file__", "")


def frozen():
    """True when the updater is part of the firmware."""
    return _place().startswith("suit/")


def changeable():
    """Raises SuitError(R_COMPONENT_UNSUPPORTED) where it is frozen."""
    if frozen():
        raise SuitError(R_COMPONENT_UNSUPPORTED, "the updater is frozen")


def running():
    """-> index of the slot whose updater runs, None when it is the board's own."""
    place = _place()
    return NAMES.find(place[9]) if place.startswith("/updater_") else None


def _unread():
    """Did flash fail when it was looked for which updater is to start?"""
    import suit_start

    return getattr(suit_start, "unread", False)


def check(index, slot, record):
    """On trial a version that brings an updater runs under that one or not at all; but for the
    first one of a board, where there is nothing to go back to. It is not to blame for a flash that
    failed when it was to be started."""
    if record.active is not None and running() != index:
        raise SuitError(R_STORAGE if _unread() else R_UPDATER)


def accept(slot):
    """Generator: the image in `slot` has just been matched; let it be started."""
    from .region import FileRegion
    from .romvfs import RomVfs

    with open(slot.updater, "rb") as file:
        try:
            _complete(RomVfs(FileRegion(file)))
        except OSError as error:
            raise SuitError(R_IMAGE, "updater.img: %s" % error.args[0])
    digest = yield from _copy(slot.updater)
    _note(slot, digest, _STARTS)


def _complete(rom):
    """Raises OSError unless all of an image can be read, and a launcher is in it."""
    found = []
    todo = ["/"]
    while todo:
        folder = todo.pop()
        for name, kind, _, _ in rom.ilistdir(folder):
            path = folder + name
            if kind & 0x4000:
                todo.append(path + "/")
            found.append(path)
    # compiled updaters have most modules in a folder of their own (whole.py)
    for names in (("/suit/__init__",), ("/suit/launcher", "/suit/more/launcher")):
        if not [name for name in names if name + ".mpy" in found or name + ".py" in found]:
            raise OSError(2)


def carry(slot, other):
    """Generator: `slot` brings no updater; the one of `other`, if that is what runs, stays."""
    if running() != other.index and not _unread():
        return
    with open(other.vouch, "rb") as file:
        ok = file.read()
    size = file_size(other.updater)
    room = slot.room(slot.updater)
    if size > room:
        raise SuitError(
            R_TOO_LARGE, "slot %s holds %d bytes, the updater is %d" % (slot.name, room, size)
        )
    digest = yield from _copy(other.updater, slot.updater)
    if digest != ok[:32] or (yield from _copy(slot.updater)) != digest:
        raise SuitError(R_STORAGE, "updater.img")
    _note(slot, digest, _FOR_GOOD)


def keep(slot):
    """The app of `slot` is about to be confirmed: its updater has come this far, or does not run."""
    if running() != slot.index:
        remove(slot.vouch)
        return
    with open(slot.vouch, "rb") as file:
        ok = file.read()
    if ok[32] != _FOR_GOOD:
        _note(slot, ok[:32], _FOR_GOOD)


def _note(slot, digest, starts):
    data = digest + bytes((starts,))
    with open(slot.vouch, "wb") as file:
        file.write(data)
    with open(slot.vouch, "rb") as file:
        if file.read() != data:
            raise SuitError(R_STORAGE, "updater.ok")


def _copy(path, target=None):
    """Generator: -> SHA-256 of a file, which is copied to `target` on the way."""
    hasher = hashlib.sha256()
    buf = bytearray(_BUFFER)
    view = memoryview(buf)
    out = open(target, "wb") if target else None
    try:
        with open(path, "rb") as file:
            while True:
                n = file.readinto(buf)
                if not n:
                    return hasher.digest()
                hasher.update(view[:n])
                if out:
                    out.write(view[:n])
                yield
    finally:
        if out:
            out.close()
