"""What comes from elsewhere and is shown to people has nothing in it that a terminal would obey."""

import asyncio
import contextlib
from types import SimpleNamespace

import pytest
from suitup import cable_push, cbor, push
from suitup.boards.device import Device
from suitup.boards.serial import SerialBoard
from suitup.cli import status as status_verb
from suitup.errors import Failure
from suitup.manifest import describe
from suitup.terminal import last_line, plain

EVIL = "a\x1b]0;owned\x07\x9b31m\r\u202eb"


class Answering(Device):
    """A board that says what it likes."""

    def __init__(self, said):
        super().__init__("192.0.2.1")
        self._aiocoap = SimpleNamespace(GET=1)
        self._said = said

    async def _ask(self, *args, **options):
        code = SimpleNamespace(is_successful=lambda: True)
        return SimpleNamespace(code=code, payload=self._said)


def test_a_status_cannot_steer_the_terminal_it_is_shown_on():
    said = {"name": EVIL, "update": {"detail": [EVIL]}, EVIL: b"\x1b", "traceback": "one\n\ttwo"}
    status = asyncio.run(Answering(cbor.encode(said)).status())
    assert status["name"] == "a?]0;owned??31m??b" == status["update"]["detail"][0]
    assert status["traceback"] == "one\n\ttwo" and b"\x1b" in status.values()
    assert all("\x1b" not in key for key in status)


def test_nor_can_the_language_of_a_manifests_text():
    manifest = SimpleNamespace(
        sequence_number=1, version=1, set_version=None, reference_uri=None, component_id=None,
        components=[], dependencies={}, shared=None, sequences={}, text=None, coswid=None, other={},
    )  # fmt: skip
    text = SimpleNamespace(languages={EVIL: {}, "en": {}})
    envelope = SimpleNamespace(
        manifest=manifest, tagged=True, blocks=[], digest=SimpleNamespace(value=b"d"),
        digest_matches=lambda: True, manifest_bytes=b"", payloads={}, text=lambda: text,
        delegation=None, member=lambda number: None,
    )  # fmt: skip
    shown = describe.tree(envelope)
    assert "text, en" in shown and all(c.isprintable() or c == "\n" for c in shown)


def test_nor_can_tags_pointers_events_or_audiences_of_a_manifest():
    from suitup import coswid, mud
    from suitup import numbers as n
    from suitup.manifest import Command, Digest, Manifest, Sequence, seal

    values = {n.P_WAIT_INFO: cbor.encode({2: EVIL, 3: [EVIL]}), n.P_COMPONENT_METADATA: cbor.encode({8: EVIL})}
    made = Manifest(1, [(b"app",)], Sequence([Command(n.C_OVERRIDE_PARAMETERS, values)]))
    made.coswid = coswid.write(coswid.Software(EVIL, EVIL, EVIL, EVIL))
    made.other[n.M_MUD] = mud.Pointer(EVIL, Digest(b"k" * 32)).encode()
    envelope = seal(made)
    claims = {8: {1: {1: 4, 3: n.ALG_HMAC256, -1: b"k" * 32}}, 3: EVIL}
    token = cbor.CBORTag(n.TAG_SIGN1, [b"", {}, cbor.encode(claims), b""])
    envelope.delegation = cbor.encode([[cbor.encode(token)]])
    shown = describe.tree(envelope)
    assert "delegated to HMAC-256 key" in shown and "coswid: tag-id" in shown and "mud: url" in shown
    assert all(c.isprintable() or c == "\n" for c in shown)


class AtACable(SerialBoard):
    """A board at a cable that prints what it likes."""

    def __init__(self, printed):
        self.name, self._printed, self.lines = "a0", printed, ()

    def run(self, code, timeout=30):
        return self._printed

    def converse(self, code, answers):
        return self._printed

    def console(self, end):
        return self.lines


def test_nor_can_a_status_over_a_cable(monkeypatch):
    board = AtACable(repr({"name": EVIL, "slots": (EVIL, b"\x1b")}).encode())
    monkeypatch.setattr(status_verb, "cable", lambda port: contextlib.nullcontext(board))
    status, stopped = status_verb._ask(None, "a0")
    assert stopped and status == {"name": plain(EVIL), "slots": (plain(EVIL), b"\x1b")}


def test_nor_can_what_a_board_at_a_cable_prints_during_an_update():
    said = []
    show = SimpleNamespace(step=said.append)
    board = AtACable(b"suit:done " + repr((34, EVIL)).encode())
    assert cable_push._update(board, "x", None) == (34, plain(EVIL))
    board.lines = [None, "suit: " + EVIL, "suit: slot a confirmed"]
    cable_push._listen(board, show, 1)
    assert any("owned" in line for line in said) and "\x1b" not in "".join(said)
    for printed in (b"", b"\x1b[2J", b"suit:done " + b"(" * 5000, b"suit:done 3", b"suit:done (1, 2, 3)", b"suit:done \xff"):
        with pytest.raises(Failure) as failure:
            cable_push._update(AtACable(printed), "x", None)
        assert "\x1b" not in str(failure.value)


def test_a_board_that_prints_nothing_or_nonsense_is_an_error_and_not_a_crash():
    for printed in (b"", b"\n\n", b"\x1b[2Jno", b"[" * 100000, b"import os"):
        with pytest.raises(Failure) as failure:
            AtACable(printed).eval_printed("print(1)")
        assert "\x1b" not in str(failure.value)
    for error in (b"", b"\r\n", b"Traceback\n  \x1b]0;x\x07Error: no"):
        failure = SerialBoard._exception(error)
        assert "\x1b" not in str(failure) + failure.traceback


def test_an_empty_traceback_of_a_version_that_went_back_has_no_last_line():
    assert last_line("") == last_line(" \n\n") == "" and last_line("a\nb\n") == "b"
    digest = bytes(32)
    slots = {"a": {"digest": b"1" * 32}}
    status = {"running": "a", "active": "a", "trial": None, "slots": slots, "traceback": " \n",
              "back": {"reason": 64, "digest": digest[:8]}}  # fmt: skip
    offer = push.Offer("x", digest, 1, "1", 1)
    verdict = push._Follower(None, offer, {}, push.Show())._judge(status)
    assert verdict.word == "rolled back"
