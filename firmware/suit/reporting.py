# What this board reports: of its last attempt at an update, and of what it went back from.
# MIT licence.
"""`begin(envelope, room)` before an attempt, `save(envelope, recorder, error)` after it: that writes
`/suit/report`, signed with the key of `/suit/device.cbor` (a COSE_Mac0 where that is a symmetric
one), and never fails: a report must not end what it reports on. One that says the same as the one
before is not written again, so that polling wears no flash. `load()` -> bytes or None: for
`GET /suit/report` and the cable.

Where the configuration names a place for `reports`, each is also kept in `/suit/reports/N`, not
signed yet, until delivery.py has brought it there; of more than `_WAITING` the oldest is given up.
What happens in the launcher is reported by noticing.py.

Memory may be so short that a report cannot be made: what it holds at least was made before the
attempt began (`Recorder.least`), and whoever reads it later signs it."""

import os

from . import runtime
from .config import read as settings
from .errors import SuitError
from .numbers import ALG_HMAC256, CRV_P256, KTY_EC2, KTY_SYMMETRIC, R_BUDGET
from .report import Recorder, least, report
from .sealing import inside, sealed, sealed_mac, signed

try:
    from micropython import const
except ImportError:

    def const(value):
        return value


_MOST = const(4096)  # bytes
_WAITING = const(4)  # reports that are kept for delivery


def _path():
    return runtime.root + "/report"


def folder():
    return runtime.root + "/reports"


def read(path):
    try:
        with open(path, "rb") as file:
            return file.read(_MOST)
    except OSError:
        return None


def _write(path, data):
    with open(path, "wb") as file:
        file.write(data)


def load():
    """The last report, signed now if memory was too short for that when it was made."""
    data = read(_path())
    if data and not signed(data):
        try:
            data = seal(data)
            # not where there is no key: anybody may ask, as often as they like
            if signed(data):
                _write(_path(), data)
        except (OSError, MemoryError, SuitError):
            pass
    return data


def seal(data):
    """`data` as a COSE message by the board's own key; as it is where there is none."""
    from .trust import TrustStore

    stored = read(runtime.root + "/device.cbor")
    shared = None
    for key in TrustStore(stored).keys if stored else ():
        if key.kty == KTY_EC2 and key.crv == CRV_P256 and key.d is not None:
            return sealed(data, key.d, key.kid)
        if key.kty == KTY_SYMMETRIC and key.alg == ALG_HMAC256:
            shared = key
    return sealed_mac(data, shared.k, shared.kid) if shared else data


def begin(envelope, room):
    """-> Recorder of an attempt that begins, with at most `room` bytes of records."""
    recorder = Recorder(room=room)
    recorder.least = least(envelope, R_BUDGET)
    return recorder


def save(envelope, recorder, error):
    try:
        try:
            made = report(envelope, recorder or Recorder(), error)
        except MemoryError:
            made = recorder.least if recorder else None
        if made:
            keep(made)
    except (OSError, MemoryError, SuitError):
        pass


def keep(made):
    """Store a report that is not signed yet, unless it is what the last one said."""
    before = read(_path())
    try:
        if before and (inside(before) if signed(before) else before) == made:
            return
    except SuitError:
        pass  # what a flash gone bad made of it says nothing
    # for delivery first: a cut in between makes one too many, not one too few
    if settings(runtime.root).reports:
        _queue(made)
    try:
        message = seal(made)
    except MemoryError:
        message = made
    _write(_path(), message)


# -- for delivery


def waiting():
    """Numbers of the reports that wait, oldest first."""
    try:
        return sorted([int(name) for name in os.listdir(folder()) if name.isdigit()])
    except OSError:
        return []


def _queue(made):
    there = waiting()
    try:
        os.mkdir(folder())
    except OSError:
        pass  # it is there, or the write below says why not
    while len(there) >= _WAITING:
        delivered(there.pop(0))
    _write("%s/%d" % (folder(), there[-1] + 1 if there else 1), made)
    runtime.reports += 1


def delivered(number):
    try:
        os.remove("%s/%d" % (folder(), number))
    except OSError:
        pass  # it is brought once more
