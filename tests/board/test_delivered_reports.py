"""A board brings its report to `suitup serve`, after a reset too, and `suitup report` shows what failed."""

import dataclasses
import sys
import time
from pathlib import Path

from click.testing import CliRunner

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/host"))

from serving import serving  # noqa: E402
from suitup import desk, keys, project  # noqa: E402
from suitup.boards.provision import Flash, provision  # noqa: E402
from suitup.cli.report import command as report  # noqa: E402
from suitup.serve.inbox import Inbox, received  # noqa: E402

TOML = "\n".join(
    f'{name} = "{value}"'
    for name, value in (
        ("name", "told"), ("version", "1.0.0"), ("vendor", "example.com"), ("class", "%s"), ("app", "app"), ("key", "key.pem"),
        ("release", "release"),
    )
)  # fmt: skip
MAIN = """
import asyncio, suit
async def main():
    suit.confirm()
    print("app runs")
    await suit.listen()
"""
UPDATE = """
import sys
if '/lib' not in sys.path: sys.path.append('/lib')
import suit
from suit.errors import SuitError
try: suit.update(%r, False)
except SuitError as e: print(e.reason)
"""


def test_a_refused_update_is_reported_when_somebody_takes_reports_and_the_run_is_shown(board, tmp_path):
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "main.py").write_text(MAIN)
    (tmp_path / "suitup.toml").write_text(TOML % "told")
    keys.save(keys.generate("ESP256", development=True), tmp_path / "key.pem")
    known = tmp_path / "keys/boards"
    ours = dataclasses.replace(project.load(tmp_path), compiled=False)
    first = desk.make(ours, "1.0.0")
    (tmp_path / "suitup.toml").write_text(TOML % "another")
    another = dataclasses.replace(project.load(tmp_path), compiled=False)
    theirs_class = another.class_id()
    theirs = desk.make(another, "2.0.0")
    # nobody serves there yet
    with serving(ours.release) as (server, _):
        port = server.coap_port
    settings = desk.board_settings(ours, board, first, reports=f"coap://127.0.0.1:{port}/reports")
    provision(Flash(board), dataclasses.replace(settings, own_keys=known))

    board.start()
    with serving(ours.release, coap_port=None) as (server, _):
        assert board.exec(UPDATE % server.url("http", theirs.name)).split() == [b"10"]
    inbox = Inbox(Path(ours.release) / ".reports", known)
    with serving(ours.release, coap_port=port, inbox=inbox) as (server, log):
        board.reset()  # which the report outlasts
        end = time.monotonic() + 30
        while not received(inbox.folder) and time.monotonic() < end:
            time.sleep(0.1)
        time.sleep(2)  # the board hears that it has arrived, and lets go of it
    board.stop()
    (path,) = received(inbox.folder)
    kept = [each for each in board.list_files("/suit") if each.startswith("/suit/reports/")]
    assert kept == [], log

    where = ["--release", ours.release, "--board-keys", known]
    listed = CliRunner().invoke(report, [str(each) for each in where])
    assert listed.exit_code == 0, listed.output
    assert "told-2.0.0" in listed.output and "condition failed" in listed.output
    shown = CliRunner().invoke(report, [str(each) for each in (path, *where)])
    assert shown.exit_code == 0, shown.output
    assert 'class-identifier on ["app"]' in shown.output, shown.output
    for word, kind in (("expected", theirs_class), ("measured", ours.class_id())):
        assert f"{word} class-identifier {kind.hex()}" in shown.output, shown.output
    assert "NOT SIGNED" not in shown.output and "nonce" in shown.output
