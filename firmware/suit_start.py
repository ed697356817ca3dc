# Which updater starts: the one thing on a board that no update replaces.
# MIT licence.
"""boot.py and main.py call this module and nothing else. The updater lies in /lib/suit, where a cable put
it, and no update touches that. A version that brings an updater of its own (suit/renewal.py) has it
in its slot, as `updater.img` (a ROMFS image with the folder `suit`) and `updater.ok`: the SHA-256 of that
image, and a byte: how often it may still be started, 255 for good, once it has confirmed an app.

    path()      sys.path for the console: the updater of the confirmed slot, if it is there for good
    run()       the launcher of the updater of the slot that is about to run, one start less for it on trial

Whatever is wrong with it (record, image, starts used up, an exception that leaves its launcher): the
one in /lib runs, whose launcher goes back from a version on trial that runs without its own updater.

This is frozen in time, and with it what it reads: the head of the state record (suit/state.py: magic,
version, generation, active, trial, CRC-32), `updater.ok` and the names of these files."""

import sys

STARTS = 5  # of an updater that has not confirmed an app yet; power may be cut meanwhile
FOR_GOOD = 255
_SIZE = 33  # bytes of updater.ok
_WATCH_MS = 8000  # until the launcher watches itself; the most that every chip has

root = "/suit"
unread = False  # flash failed, so that it says nothing about an updater that it was not started


def _slots():
    """-> (generation, active, trial) of the newest whole state record; 255: none."""
    global unread
    import binascii
    import struct

    best = (-1, 255, 255)
    for copy in "01":
        try:
            with open("%s/state.%s" % (root, copy), "rb") as file:
                data = file.read(257)
        except OSError as error:
            unread = unread or error.args[0] != 2
            continue
        if len(data) == 256 and data[:3] == b"SU\x01":
            crc = binascii.crc32(data[:252]) & 0xFFFFFFFF
            if crc == struct.unpack("<I", data[252:])[0]:
                best = max(best, struct.unpack("<IBB", data[4:10]))
    return best


def _digest(path):
    import hashlib

    hasher = hashlib.sha256()
    buf = bytearray(1024)
    view = memoryview(buf)
    with open(path, "rb") as file:
        while True:
            n = file.readinto(buf)
            if not n:
                return hasher.digest()
            hasher.update(view[:n])


def _write(path, data):
    with open(path, "wb") as file:
        file.write(data)
    with open(path, "rb") as file:
        if file.read() != data:
            raise OSError(5)  # EIO


def pick(starting):
    """-> (letter of the slot whose updater is meant or None for the one in /lib, whether it is on
    trial). With `starting` one of its starts is used up, durably, or it is not meant."""
    global unread
    unread = False
    _, active, trial = _slots()
    slot = trial if starting and trial != 255 else active
    if slot > 1:
        return None, False
    name = "ab"[slot]
    path = "%s/%s/updater." % (root, name)
    try:
        with open(path + "ok", "rb") as file:
            ok = file.read(_SIZE + 1)
        left = ok[32] if len(ok) == _SIZE else 0
        if left == 0 or (left != FOR_GOOD and not starting) or _digest(path + "img") != ok[:32]:
            return None, False
        if left == FOR_GOOD:
            return name, False
        _write(path + "ok", ok[:32] + bytes((left - 1,)))
        return name, True
    except OSError as error:
        unread = unread or error.args[0] != 2  # ENOENT: there is none
        return None, False


def _forget():
    for name in list(sys.modules):
        if name == "suit" or name.startswith("suit."):
            del sys.modules[name]


def _use(name):
    """Have `suit` come from the slot `name`, or from /lib."""
    import vfs

    for other in "ab":
        try:
            vfs.umount("/updater_" + other)
        except OSError:
            pass
    _forget()
    sys.path[:] = [".frozen", "/lib"]
    if name:
        try:
            from suit.region import FileRegion
            from suit.romvfs import RomVfs

            image = open("%s/%s/updater.img" % (root, name), "rb")
            vfs.mount(RomVfs(FileRegion(image)), "/updater_" + name)
            sys.path.insert(1, "/updater_" + name)
        finally:
            _forget()


def path():
    """For boot.py. Never raises."""
    try:
        _use(pick(False)[0])
    except Exception as error:
        sys.print_exception(error)
        sys.path[:] = [".frozen", "/lib"]
    sys.path.append("")  # a session at the console finds its files; whoever starts does not, see `run`


def run():
    """For main.py. Raises what the launcher in /lib raises."""
    if "" in sys.path:
        sys.path.remove("")
    name, trial = pick(True)
    try:
        _use(name)
        if trial:
            import machine

            # until its launcher watches it
            machine.WDT(timeout=_WATCH_MS)
        _launch()
    except Exception as error:
        if not name:
            raise
        sys.print_exception(error)
        if trial:
            _give_up(name)
        _use(None)
        _launch()
    except KeyboardInterrupt:
        if trial:
            _unwatch()
        raise
    else:
        if trial:  # stopped at the console, perhaps before the launcher watched
            _unwatch()


def _unwatch():
    from suit.port import chip

    chip().unwatch()


def _launch():
    from suit import launcher

    launcher.boot(root)


def _give_up(name):
    """It does not get a second chance; the launcher in /lib says so in the record."""
    import machine

    path = "%s/%s/updater.ok" % (root, name)
    try:
        _write(path, b"\0" * _SIZE)
    except OSError:
        pass  # it runs out of starts instead
    machine.reset()
