# /suit/config.cbor: who this board is, where it looks for updates, how patient it is.
# MIT licence.
"""Written once when the board is provisioned; no update touches it. A CBOR map with text keys;
what is absent has the default below. `read(root)` never raises: a board without a readable file
still comes up in recovery, and `config.error` says why."""

from .errors import SuitError

_DEFAULTS = {
    "name": "board",
    "vendor": None,  # 16 bytes (RFC 9562 UUID)
    "class": (),  # 16 bytes each
    "device": None,  # 16 bytes
    "servers": (),  # URLs of an envelope, or of a folder (ending in "/") with a latest.suit
    "poll": 0,  # seconds between looks at the servers; 0: never by itself
    "trial": 60,  # seconds a new app has to confirm
    "tries": 3,  # boots it has for that
    "bind": "0.0.0.0",
    "port": 5683,
    "wifi": None,  # {"ssid": text, "key": text}
    "wdt": None,  # watchdog limit in ms; None: the port's
    "slot": None,  # bytes one slot may hold; None: as much as there is room for
    "ntp": "",  # server asked for the time before https when the clock is not set; "": none
    "reports": "",  # URL that reports are brought to, see delivery.py; "": nowhere
    "spool": None,  # bytes of an envelope with all it carries; None: a slot and what surrounds it
}


_TABLE = b"\x59\x08\x00"  # head of a byte string as long as the table of a P-256 key


_LONGEST = 400_000  # seconds; asyncio sleeps no longer at a time than half a period of 2**30 ms


class Config:
    """The settings as attributes, `class` as `classes`."""

    def __init__(self, settings, error=None):
        self.error = error
        for key in _DEFAULTS:
            default = _DEFAULTS[key]
            value = settings.get(key, default)
            if value is None or not _like(value, default, key):
                value = default
            setattr(self, "classes" if key == "class" else key, value)
        self.tries = min(max(self.tries, 1), 200)
        self.trial = max(self.trial, 1)
        self.poll = min(self.poll, _LONGEST)


def _like(value, default, key):
    if key in ("vendor", "device"):
        return isinstance(value, (bytes, bytearray)) and len(value) == 16
    if key == "wifi":
        return isinstance(value, dict)
    if isinstance(default, tuple):
        return isinstance(value, (list, tuple))
    if isinstance(default, str):
        return isinstance(value, str)
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def read(root="/suit"):
    """-> Config from `root`/config.cbor."""
    from .cbor import value

    try:
        with open(root + "/config.cbor", "rb") as file:
            settings = value(memoryview(file.read()), False)
        if isinstance(settings, dict):
            return Config(settings)
        return Config({}, "config.cbor is no map")
    except OSError as error:
        return Config({}, "config.cbor: errno %s" % error.args[0])
    except SuitError as error:
        return Config({}, "config.cbor: %s at %s" % (error.detail, error.offset))


def trust_bytes(root="/suit"):
    """-> the bytes of the trust store: frozen into the firmware as `suit_trust.KEYS`, else
    `root`/trust.cbor. Raises OSError where there is neither."""
    try:
        from suit_trust import KEYS

        return KEYS
    except ImportError:
        pass
    with open(root + "/trust.cbor", "rb") as file:
        return _aligned(file)


def _aligned(file):
    """-> what is in `file`, so placed in memory that the first table of a key begins at a multiple of
    four: assembly reads words, and would have to make a copy of 2 KiB where it cannot."""
    size = file.seek(0, 2)
    file.seek(0)
    room = bytearray(size + 3)
    whole = memoryview(room)
    n = file.readinto(whole[: min(size, 256)]) or 0
    at = bytes(whole[:n]).find(_TABLE)
    view = whole[-(at + 3) & 3 :] if at >= 0 else whole
    file.seek(0)
    return view[: file.readinto(view[:size]) or 0]


def trust_store(root, config, moment=False):
    """-> the TrustStore of this board, judging delegations at `moment` (trust.TrustStore)."""
    from .trust import TrustStore

    names = [config.vendor, config.device] + list(config.classes)
    return TrustStore(trust_bytes(root)).judges(names, moment)
