# The report of the last attempt at an update: kept on flash until the next one.
# MIT licence.
"""`save(envelope, recorder, error)` writes `/suit/report`, signed with the key of `/suit/device.cbor`
where the board has one, and never fails: a report must not end what it reports on. One that says
the same as what is stored is not written again (signatures are deterministic), so that polling
wears no flash. `load()` -> bytes or None: for `GET /suit/report` and the cable."""

from . import runtime
from .errors import SuitError
from .numbers import CRV_P256, KTY_EC2
from .report import Recorder, report, sealed  # noqa: F401

_MOST = 4096  # bytes


def _path():
    return runtime.root + "/report"


def load():
    try:
        with open(_path(), "rb") as file:
            return file.read(_MOST)
    except OSError:
        return None


def _own_key():
    """The board's own P-256 key, None without one."""
    from .trust import TrustStore

    try:
        with open(runtime.root + "/device.cbor", "rb") as file:
            keys = TrustStore(file.read()).keys
    except OSError:
        return None
    for key in keys:
        if key.kty == KTY_EC2 and key.crv == CRV_P256 and key.d is not None:
            return key
    return None


def save(envelope, recorder, error):
    try:
        made = report(envelope, recorder or Recorder(), error)
        key = _own_key()
        if key is not None:
            made = sealed(made, key.d, key.kid)
        if made != load():
            with open(_path(), "wb") as file:
                file.write(made)
    except (OSError, MemoryError, SuitError):
        pass
