"""The show of refusals is itself tested: it passes, it has what it must have, and it fails when something is accepted."""

import pytest
from suitup import keys
from suitup.demo import forged, refuse

MUST = {
    "unsigned", "wrong key", "bit flipped in the signature", "bit flipped in the manifest", "bit flipped in the payload",
    "lower sequence number", "wrong vendor", "wrong class", "truncated", "too large", "severed element swapped",
    "unknown command",
}  # fmt: skip


@pytest.fixture
def run(tmp_path, root, monkeypatch, capsys):
    monkeypatch.chdir(root)
    keys.save(keys.generate("ESP256", development=True), tmp_path / "dev.pem")

    def run():
        code = refuse.main(
            ["--key", str(tmp_path / "dev.pem"), "--folder", str(tmp_path / "refuse")]
        )
        return code, capsys.readouterr().out.splitlines()

    return run


def test_everything_bad_is_refused_and_the_board_recovers(run):
    code, lines = run()
    assert code == 0, "\n".join(lines)
    refused = {line[8:].split(": ")[0] for line in lines if line.startswith("refused ")}
    assert MUST | {"update during a trial", "an app that hangs, offered again"} <= refused
    back = [line for line in lines if line.startswith("gone back from ")]
    assert len(back) == 5
    assert any("self-test" in line and "AssertionError" in line for line in back)
    assert any("hangs" in line and "watchdog" in line for line in back)
    assert lines[-2] == "recovered with a good update: confirmed 5.0.0"


def test_a_good_update_among_them_fails_the_show(run, monkeypatch):
    def good(shop):
        draft = shop.good()
        return shop.put("good", shop.signed(draft), draft)

    monkeypatch.setattr(forged, "EVERY", (("a good one", good),))
    monkeypatch.setitem(refuse.EXPECTED, "a good one", ())
    for act in ("_during_a_trial", "_failing", "_recovery"):
        monkeypatch.setattr(refuse.Show, act, _nothing)
    code, lines = run()
    assert code == 1
    assert lines[1].startswith(
        "WRONG, not refused a good one: confirmed 2.11.0; the running version changed"
    )


def test_a_refusal_for_another_reason_fails_the_show(run, monkeypatch):
    monkeypatch.setattr(forged, "EVERY", (("wrong class", forged.wrong_key),))
    for act in ("_during_a_trial", "_failing", "_recovery"):
        monkeypatch.setattr(refuse.Show, act, _nothing)
    code, lines = run()
    assert code == 1
    assert lines[1].startswith("WRONG, not refused wrong class: no key the device trusts")


async def _nothing(self):
    """An act that is left out."""
