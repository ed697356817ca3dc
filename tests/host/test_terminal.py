"""What comes from elsewhere and is shown to people has nothing in it that a terminal would obey."""

import asyncio
from types import SimpleNamespace

from suitup import cbor
from suitup.boards.device import Device
from suitup.manifest import describe

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
        components=[], dependencies={}, shared=None, sequences={}, text=None,
    )  # fmt: skip
    text = SimpleNamespace(languages={EVIL: {}, "en": {}})
    envelope = SimpleNamespace(
        manifest=manifest, tagged=True, blocks=[], digest=SimpleNamespace(value=b"d"),
        digest_matches=lambda: True, manifest_bytes=b"", payloads={}, text=lambda: text,
    )  # fmt: skip
    shown = describe.tree(envelope)
    assert "text, en" in shown and all(c.isprintable() or c == "\n" for c in shown)
