# The power-cut-safe record: what is confirmed, what is on trial, how far back is too far.
# MIT licence.
"""256 bytes, versioned, in two copies (`state.0`, `state.1`), each with a generation and a CRC-32
(DESIGN, State record). `save` overwrites the older copy, so a cut or a torn write leaves the
other one:

    store = Store("/suit")
    record = store.load()       # None when neither copy is whole: the launcher rebuilds it
    store.save(changed)         # before the act it announces; raises OSError when it did not last

The record is never the only guard: what it names is authenticated again before it runs. What
changes it is in `decide.py`; nothing else assigns to its fields. Slots are 0 ("a") and 1 ("b"),
None for none."""

import binascii
import struct

try:
    from micropython import const
except ImportError:

    def const(value):
        return value


# what a slot holds
EMPTY = const(0)  # nothing that may boot; also while it is being written
READY = const(1)  # installed and read back: armed or on trial when `trial` names it
OK = const(2)  # confirmed once
BAD = const(3)  # gone back from

_VERSION = const(1)
_SIZE = const(256)
_NONE = const(255)
_FLOORS = const(8)
_BAD_DIGESTS = const(3)
# magic, version, flags, generation, active, trial, tries, crashes
_HEAD = "<2sBBIBBBB"
_SLOT = "<B32sQBB"  # status, manifest digest, sequence, firmware partition, index of its floor
_FLOOR = "<5sQ"  # key: hash of the root manifest-component-id; lowest sequence that is accepted
_BACK = "<BBQ8s8s"  # reason, detail, sequence, manifest digest, digest of the traceback
_AT_SLOTS = const(12)
_AT_FLOORS = const(98)
_AT_BAD = const(202)
_AT_BACK = const(226)
_AT_CRC = const(252)
_BOOTED = const(1)  # flags: bit 0; bits 1 to 3 hold `switches`, bits 4 and 5 `spared`
_SWITCHES = const(7)
_SPARED = const(3)

FLOOR_KEY = 5  # bytes of a floor's key
BAD_DIGEST = 8  # bytes kept of a digest known to be bad, and of the one gone back from


class Slot:
    """One slot's line of the record. `digest`: of its manifest, b"" when empty; `sequence`: int;
    `firmware`: number of the firmware partition it expects or None; `floor`: index in `floors` or
    None."""

    def __init__(self, status=EMPTY, digest=b"", sequence=0, firmware=None, floor=None):
        self.status = status
        self.digest = digest
        self.sequence = sequence
        self.firmware = firmware
        self.floor = floor


class Record:
    """All the board must not forget. `active`: the confirmed slot; `trial`: the slot armed or on
    trial; `tries`: boots it has left; `booted`: it was started at least once; `switches`: how often
    the bootloader may still be asked for the expected firmware (0 to 7); `crashes`: early crashes of
    the confirmed app in a row; `floors`: list of (key, sequence); `bad`: digest
    prefixes, newest first; `back_*`: the last going back (`back_reason` 0: never); `spared`: how
    often in a row what it went back from was not called bad, since the power had gone (0 to 3)."""

    def __init__(self):
        self.generation = 0
        self.active = None
        self.trial = None
        self.tries = 0
        self.booted = False
        self.switches = 0
        self.crashes = 0
        self.slots = (Slot(), Slot())
        self.floors = []
        self.bad = []
        self.spared = 0
        self.back_reason = 0
        self.back_detail = 0
        self.back_sequence = 0
        self.back_digest = b""
        self.back_traceback = b""

    def copy(self):
        """A record of its own, to be changed and saved."""
        return unpack(pack(self))

    def floor(self, key):
        """The lowest sequence number that is accepted for the root manifest `key` (0: any)."""
        for known, lowest in self.floors:
            if known == key:
                return lowest
        return 0

    def room_for(self, key):
        """False when `key` has no floor yet and every place is taken; no floor is ever given
        up."""
        return len(self.floors) < _FLOORS or any(known == key for known, _ in self.floors)

    def knows_bad(self, digest):
        return digest[:BAD_DIGEST] in self.bad


def _byte(value):
    return _NONE if value is None else value


def _optional(value):
    return None if value == _NONE else value


def pack(record):
    """-> the 256 bytes of `record`."""
    out = bytearray(_SIZE)
    flags = (_BOOTED if record.booted else 0) | record.switches << 1 | record.spared << 4
    struct.pack_into(
        _HEAD, out, 0, b"SU", _VERSION, flags, record.generation,
        _byte(record.active), _byte(record.trial), record.tries, record.crashes,
    )  # fmt: skip
    at = _AT_SLOTS
    for slot in record.slots:
        struct.pack_into(
            _SLOT, out, at, slot.status, slot.digest, slot.sequence, _byte(slot.firmware),
            _byte(slot.floor),
        )  # fmt: skip
        at += struct.calcsize(_SLOT)
    at = _AT_FLOORS
    for key, lowest in record.floors[:_FLOORS]:
        struct.pack_into(_FLOOR, out, at, key, lowest)
        at += struct.calcsize(_FLOOR)
    at = _AT_BAD
    for digest in record.bad[:_BAD_DIGESTS]:
        out[at : at + BAD_DIGEST] = digest
        at += BAD_DIGEST
    struct.pack_into(
        _BACK, out, _AT_BACK, record.back_reason, record.back_detail, record.back_sequence,
        record.back_digest, record.back_traceback,
    )  # fmt: skip
    struct.pack_into("<I", out, _AT_CRC, binascii.crc32(memoryview(out)[:_AT_CRC]) & 0xFFFFFFFF)
    return out


def unpack(data):
    """-> the Record in `data`, or None when it is torn, of another version, or says what cannot
    be."""
    if len(data) != _SIZE:
        return None
    crc = struct.unpack_from("<I", data, _AT_CRC)[0]
    if crc != binascii.crc32(memoryview(data)[:_AT_CRC]) & 0xFFFFFFFF:
        return None
    magic, version, flags, generation, active, trial, tries, crashes = struct.unpack_from(
        _HEAD, data, 0
    )
    if magic != b"SU" or version != _VERSION:
        return None
    for slot in (active, trial):
        if slot > 1 and slot != _NONE:
            return None
    if trial != _NONE and trial == active:
        return None
    record = Record()
    record.generation = generation
    record.active = _optional(active)
    record.trial = _optional(trial)
    record.tries = tries
    record.booted = bool(flags & _BOOTED)
    record.switches = flags >> 1 & _SWITCHES
    record.spared = flags >> 4 & _SPARED
    record.crashes = crashes
    at = _AT_FLOORS
    for _ in range(_FLOORS):
        key, lowest = struct.unpack_from(_FLOOR, data, at)
        at += struct.calcsize(_FLOOR)
        if any(key):
            record.floors.append((key, lowest))
    at = _AT_SLOTS
    for slot in record.slots:
        slot.status, digest, slot.sequence, firmware, floor = struct.unpack_from(_SLOT, data, at)
        at += struct.calcsize(_SLOT)
        slot.digest = digest if any(digest) else b""
        slot.firmware = _optional(firmware)
        slot.floor = _optional(floor)
        if slot.status > BAD or (slot.floor is not None and slot.floor >= len(record.floors)):
            return None
    for at in range(_AT_BAD, _AT_BACK, BAD_DIGEST):
        digest = bytes(data[at : at + BAD_DIGEST])
        if any(digest):
            record.bad.append(digest)
    (
        record.back_reason,
        record.back_detail,
        record.back_sequence,
        record.back_digest,
        record.back_traceback,
    ) = struct.unpack_from(_BACK, data, _AT_BACK)
    return record


class Store:
    """The two copies in the folder `root`."""

    def __init__(self, root="/suit"):
        self._root = root
        self._newest = 1  # the copy last read or written; the other one is overwritten next
        self._generation = 0

    def _path(self, copy):
        return "%s/state.%d" % (self._root, copy)

    def _read(self, copy):
        try:
            with open(self._path(copy), "rb") as file:
                # one byte more than a record: a longer file is not one
                return unpack(file.read(_SIZE + 1))
        except OSError:
            return None

    def load(self):
        """-> the newest whole Record, or None when both copies are lost."""
        best = None
        for copy in (0, 1):
            record = self._read(copy)
            if record and (best is None or record.generation > best.generation):
                best = record
                self._newest = copy
                self._generation = record.generation
        return best

    def save(self, record):
        """Write `record` over the older copy and read it back. Raises OSError; the newer copy is
        then untouched."""
        self.load()  # another Store may have written since; the newer copy must be spared
        record.generation = self._generation + 1
        copy = 1 - self._newest
        data = pack(record)
        # littlefs: what was in the file stays until close commits the new content
        with open(self._path(copy), "wb") as file:
            file.write(data)
        with open(self._path(copy), "rb") as file:
            if file.read() != data:
                raise OSError(5)  # EIO
        self._newest = copy
        self._generation = record.generation
