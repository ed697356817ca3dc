"""What boards report: taken over HTTP and CoAP beside the release store, verified, kept.

    inbox = Inbox("build/release/.reports", "keys/boards")
    inbox.nonce()            # bytes that the next report has to carry
    inbox.take(data)         # path of the report in the folder; raises Refused

A report has to be signed by (or share its MAC key with) a board whose key lies in the folder of board keys, which is what
`suitup provision` fills, and carry a nonce that was given out here no more than NONCE_S ago. So nobody else fills the folder, and
nobody brings an old report again. Nonces are made from a secret of this process and the time: nothing is stored for one that is
asked for.

Bounds: MAX_REPORT bytes each, MAX_PER_BOARD of one board; the oldest makes way. The same report brought twice, because an answer
was lost, is one."""

import contextlib
import hashlib
import hmac
import os
import secrets
import struct
import time
from pathlib import Path

from suitup import cbor, keys, reports
from suitup.errors import Failure
from suitup.release import write

NAME = "reports"  # path on the server
FOLDER = ".reports"  # below the release folder; the store never serves what begins with a dot
SUFFIX = ".cose"
MAX_REPORT = 8192  # bytes
MAX_PER_BOARD = 64
NONCE_S = 600
_NONCE = 2  # label in a report


class Refused(Exception):
    """Why a report is not taken; `malformed` when nobody could have meant it."""

    def __init__(self, why, malformed=False):
        super().__init__(why)
        self.malformed = malformed


class Inbox:
    """See above. `folder` is made when the first report comes."""

    def __init__(self, folder, board_keys="keys/boards", clock=time.monotonic):
        self.folder = Path(folder)
        self._board_keys = Path(board_keys)
        self._known = (None, [])
        self._secret = secrets.token_bytes(32)
        self._clock = clock

    def keys(self) -> list:
        """The keys of known boards; read again when the folder has changed."""
        stamp = []
        for path in sorted(self._board_keys.glob("*.pem")):
            with contextlib.suppress(OSError):
                stamp.append((path, path.stat().st_mtime_ns))
        if stamp != self._known[0]:
            self._known = (stamp, known(self._board_keys))
        return self._known[1]

    def nonce(self) -> bytes:
        return self._make(int(self._clock()))

    def _make(self, now):
        stamp = struct.pack("!I", now & 0xFFFFFFFF)
        return stamp + hmac.digest(self._secret, stamp, "sha256")[:12]

    def _fresh(self, nonce):
        if nonce is None or len(nonce) != 16:
            return False
        stamp = struct.unpack("!I", nonce[:4])[0]
        recent = 0 <= int(self._clock()) - stamp <= NONCE_S
        return recent and hmac.compare_digest(nonce, self._make(stamp))

    def take(self, data: bytes) -> Path:
        if len(data) > MAX_REPORT:
            raise Refused(f"more than {MAX_REPORT} bytes", malformed=True)
        try:
            inside, message = reports.payload(data)
            if message is None:
                raise Refused("not signed")
            # first: to try the key of every board costs much, and whoever was given no nonce shall not ask for it
            if not self._fresh(_nonce_in(inside)):
                raise Refused("without a fresh nonce")
            report = reports.read(data, self.keys())
        except reports.BadReport as error:
            raise Refused(str(error)) from None
        item = cbor.decode(inside)
        del item[_NONCE]
        name = hashlib.sha256(cbor.encode(item)).hexdigest()[:16] + SUFFIX
        folder = self.folder / report.key.thumbprint.hex()[:16]
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / name).exists():
            self._make_room(folder)
        write(folder / name, data)
        return folder / name

    @staticmethod
    def _make_room(folder):
        there = sorted(folder.glob("*" + SUFFIX), key=lambda path: path.stat().st_mtime_ns)
        for path in there[: max(0, len(there) + 1 - MAX_PER_BOARD)]:
            os.unlink(path)


def _nonce_in(report):
    """The nonce in a report that nobody has authenticated yet, None without one."""
    try:
        item = cbor.decode(report)
    except cbor.NotDeterministic:
        return None
    nonce = item.get(_NONCE) if isinstance(item, dict) else None
    return nonce if isinstance(nonce, bytes) else None


def known(folder) -> list:
    """The keys in a folder of board keys; what is none is passed over."""
    return [key for path in sorted(Path(folder).glob("*.pem")) for key in known_file(path)]


def known_file(path) -> list:
    try:
        return [keys.load(path)]
    except (Failure, OSError):
        return []


def received(folder) -> list:
    """Paths of the reports in an inbox, newest first."""
    found = list(Path(folder).glob("*/*" + SUFFIX))
    return sorted(found, key=lambda path: path.stat().st_mtime_ns, reverse=True)
