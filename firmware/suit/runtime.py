# What this boot knows and the flash does not: which slot runs, how the update goes.
# MIT licence.
"""Module variables, set by the launcher and the updater, read by `status()` and the API. Nothing
here is trusted with a decision that matters after a reset; that is the record's business."""

import os
from binascii import crc32

from .state import Store

root = "/suit"  # where config, trust store, record and slots lie
running = None  # slot that was booted; None: recovery, or a console without the launcher
trial = False  # it was booted on trial
vouched = None  # digest of the trust store that the running manifest brings, see rekey.py
version = None  # set_version of the running manifest, tuple of ints or None
recovery = None  # (reason, detail): why the board is in recovery, None when it is not
development = False  # the trust store holds a development key
unread = False  # there was an error while the image of the app was read
crashes = 0  # early crashes of the confirmed app at the boots before this one
settle_at = None  # ticks in ms from which a crash is no longer early; None: there were none
strict = False  # the update under way is a stranger's: net.Pace wants more of it
watchdog = None  # port.watchdog.Watchdog while a trial is watched
failed = None  # (slot, reason, encoded record): what did not verify at this boot, see noticing.py
reports = 0  # reports that were put aside for delivery since boot
hooks = {}  # what only the app knows: name -> function; see suit.hooks
buffer = memoryview(bytearray(1024))  # an update works in it; taken at boot, when memory is in one piece
boot = os.urandom(4)  # tells one boot from the next


class Progress:
    """How the update that is running, or the last one, goes."""

    def __init__(self):
        self.count = -1  # updates since boot, so that two alike are told apart
        self.begin("idle")

    def begin(self, state, url=None):
        self.count += 1
        # of the URL that was asked for, so that whoever asked knows this one from a stranger's; the URL
        # itself is nobody else's business
        self.asked = None if url is None else crc32(url.encode())
        self.state = state  # idle checking fetching installing armed refused failed waiting
        self.vouched = False  # a trusted key has signed for what is being looked at
        self.sequence = None
        self.digest = None
        self.component = None  # index in the manifest
        self.done = 0  # bytes of what is being fetched
        self.total = 0
        self.reason = None
        self.detail = None


progress = Progress()


def asked(name, *args):
    """-> what the app's function `name` answers; None without one, or when it fails: no fault of the
    app's may decide anything but "unknown"."""
    try:
        return hooks[name](*args)
    except Exception:
        return None


def store():
    """-> the Store of the state record."""
    return Store(root)


def record():
    """-> the present Record. Raises OSError(EIO) when neither copy can be read: to go on with an empty
    one would be to write down that no slot is good."""
    found = store().load()
    if found is None:
        raise OSError(5)
    return found
