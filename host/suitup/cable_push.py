"""One update over a cable, with no network: the board asks for bytes, line by line, and gets them from the release folder.

`firmware/suit/transports/serial.py` describes the lines. The same updater verifies the same envelope; only the carrier
differs. A transfer that was interrupted goes on where it stopped when the same version is pushed again."""

import ast
import binascii
import hashlib
import time
from urllib.parse import unquote

from suitup import numbers as n
from suitup import reasons, watch
from suitup.boards import serial
from suitup.errors import Failure
from suitup.push import Show, Verdict, read_offer
from suitup.serve.store import NotThere, ReleaseStore
from suitup.terminal import last_line, plain

_MARK = b"suit:done "
_BEGIN = """\
import sys
if '/lib' not in sys.path: sys.path.append('/lib')
import suit
"""
_UPDATE = """\
from suit.errors import SuitError
try:
 suit.update('serial:/%s', False)
 print('suit:done', (0, None))
except SuitError as e:
 print('suit:done', (e.reason, e.detail))
"""
_MAX_COUNT = 4096
_REOPEN_S = 30  # a USB port that goes away with the reset is back by then
_TRIAL_S = 90  # waited for a word about the trial, on top of the board's own time for it
_LOST_S = 20  # the same, when a word may have been lost


class _Answers:
    """Files of the release folder, by line."""

    def __init__(self, store, show):
        self._store = store
        self._show = show
        self._marks = {}

    def __call__(self, line: bytes) -> bytes | None:
        """The answer to one line of the board; None for lines that ask nothing."""
        if not line.startswith(b"suit:get "):
            return None
        try:
            _, offset, count, path = line.split(b" ", 3)
            offset, count = int(offset), min(int(count), _MAX_COUNT)
            if offset < 0 or count < 0:
                raise ValueError("negative")
            name = unquote(path.decode())
            with self._store.open(name) as item:
                data = item.read(offset, count)
                mark = self._mark(name, item)
                size = item.size
        except (ValueError, NotThere):
            return b"suit:no absent\n"
        self._show.progress(offset + len(data), size, name)
        text = binascii.b2a_base64(data, newline=False) or b"-"
        answer = b"suit:is %d %d %s %s" % (offset, size, mark, text)
        return answer + b" %08x\n" % binascii.crc32(answer)

    def _mark(self, name, item):
        mark = self._marks.get(item.etag)
        if mark is None:
            digest = hashlib.sha256(item.read(0, item.size))
            mark = self._marks[item.etag] = digest.hexdigest()[:16].encode()
        return mark


def push_by_cable(path, port, show=None) -> Verdict:
    """Push the envelope at `path` to the board at `port` and follow it; raises Failure."""
    show = show or Show()
    offer = read_offer(path)
    store = ReleaseStore(path.parent)
    with serial.connect(port) as board:
        _with_suit(board)
        before = plain(board.eval_printed("print(suit.status())"))
        if offer.digest and watch.confirmed(before, offer.digest):
            show.step("this very version is confirmed already")
            board.reset()
            return Verdict("confirmed", offer.version)
        trial = board.eval_printed("from suit.config import read\nprint(read('/suit').trial)")
        show.step(f"offering {offer.version} (sequence {offer.sequence}) over {port}")
        reason, detail = _update(board, path.name, _Answers(store, show))
        if reason:
            board.reset()
            if reason == n.R_UP_TO_DATE:
                return Verdict("confirmed", offer.version)
            what, hint = reasons.explain(reason, detail)
            return Verdict("refused", what, hint, reason=reason)
        show.step("installed and read back; the board restarts into the trial")
        board.reset()
        _listen(board, show, trial)
    return _verdict(port, offer, before, show)


def _with_suit(board):
    try:
        board.run(_BEGIN)
    except Failure as failure:
        if "no module named 'suit'" in str(failure):
            raise Failure(
                "there is no suit on this board", hint="`suitup provision` puts it there"
            ) from None
        raise


def _update(board, name, answers):
    """(reason, detail) of the update, (0, None) when it is armed."""
    out = board.converse(_UPDATE % name, answers)
    for line in out.splitlines():
        if line.startswith(_MARK):
            try:
                reason, detail = plain(ast.literal_eval(line[len(_MARK) :].decode()))
            except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
                break
            return reason, detail
    raise Failure("the update ended without a word", plain(out.decode("utf-8", "replace")[-300:]))


def _listen(board, show, trial):
    """Read the console, without touching it (a Ctrl-C would end the trial), until it tells how the trial ended, or until
    that must be over."""
    began = time.monotonic()
    tried = False
    for line in board.console(began + trial + _TRIAL_S):
        line = plain(line)
        if line is None:
            began -= _TRIAL_S - _LOST_S
            show.step("the port went away with the reset, and is back")
        elif line.startswith("suit: "):
            show.step("console: " + line[6:])
            if "on trial" in line:
                tried = True
            elif (
                "confirmed" in line
                or "recovery" in line
                or (tried and line.startswith("suit: slot"))
            ):
                return
        if time.monotonic() > began + trial + _TRIAL_S:
            return


def _verdict(port, offer, before, show):
    """Ask the board, which stops its app for a moment; it is started again."""
    end = time.monotonic() + _REOPEN_S
    while True:
        try:
            with serial.connect(port) as board:
                _with_suit(board)
                status = plain(board.eval_printed("print(suit.status())"))
                board.reset()
            break
        except Failure:
            if time.monotonic() > end:
                raise
            time.sleep(1)
    if watch.confirmed(status, offer.digest):
        return Verdict("confirmed", offer.version)
    if watch.went_back(status, before, offer.digest):
        what, hint = watch.why(status["back"])
        trace = None
        if status["back"].get("reason") == n.R_BACK_EXCEPTION and status.get("traceback"):
            trace = status["traceback"]
            what += ": " + last_line(trace)
        return Verdict("rolled back", what, hint, trace, status["back"].get("reason"))
    raise Failure(
        "the trial is not decided",
        "it has neither confirmed nor gone back in its time",
        "`suitup status` shows the state; `suitup confirm` or `suitup rollback` decide",
    )
