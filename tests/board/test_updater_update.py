"""A board takes another updater by a signed update: the app comes with it or goes back with it, and one that does not start
costs nothing."""

import dataclasses
import shutil

import pytest
from bench import APP, Bench
from suitup import author, paths
from suitup.boards.provision import Flash, Settings, provision
from suitup.release import Release

ROLES = 1 | 8
NEWER = "print('the newer updater starts')\n"
BROKEN = "print('the newer updater starts')\nimport not_there\n"
HANGS = "print('the newer updater starts')\nwhile True:\n    pass\n"


@pytest.fixture
def bench(make_board, tmp_path):
    return Bench(make_board(), tmp_path / "project", {"1.0.0": APP}, trial=20, roles=ROLES)


def with_updater(bench, version, line, monkeypatch, tmp_path):
    """Publish `version` with an updater whose launcher begins with `line`, onto the board's flash."""
    firmware = tmp_path / ("firmware-" + version)
    shutil.copytree(
        paths.firmware(), firmware, ignore=shutil.ignore_patterns("generate", "__pycache__")
    )
    launcher = firmware / "suit" / "launcher.py"
    launcher.write_text(launcher.read_text() + line)
    (bench.folder / "app" / "main.py").write_text(APP.replace("VERSION", version))
    project = dataclasses.replace(bench.project, version=version)
    release = Release(project.release)
    with monkeypatch.context() as patch:
        patch.setattr(paths, "firmware", lambda: firmware)
        made = author.draft(project, release, with_updater=True)
    author.sign(made.envelope, author.load_signers(project))
    path = author.publish(project, release, made)
    bench.envelopes[version] = path
    bench.board.write_files(
        {f"/in/{name}": (release.path / name).read_bytes() for name in [path.name, *made.payloads]}
    )
    return made


def offer(bench, version):
    bench.update(version, reset=False)
    at = len(bench.board.log)
    bench.board.reset()
    return at


def updater_of(board):
    return (
        board.exec("import suit; print(suit.status().get('updater'), suit.__file__)")
        .decode()
        .split()
    )


def test_another_updater_runs_from_its_slot_and_stays_until_a_cable_brings_one(
    bench, monkeypatch, tmp_path
):
    made = with_updater(bench, "4.0.0", NEWER, monkeypatch, tmp_path)
    board = bench.board.start()
    board.wait_for("app 1.0.0 confirmed")
    at = offer(bench, "4.0.0")
    at = board.wait_for("the newer updater starts", since=at)
    at = board.wait_for("app 4.0.0 confirmed", since=at)
    assert updater_of(board)[0] == "b"
    at = len(board.log)
    board.power_cut()
    board.wait_for("the newer updater starts", since=at)
    board.wait_for("app 4.0.0 confirmed", since=at)
    # at the console, too, and for tools that reset softly
    told = board.exec("import suit.slots; print(suit.__file__)", soft_reset=True)
    assert told.startswith(b"/updater_b/suit/__init__")
    # an app without one keeps it
    board.reset()
    with_plain(bench, "5.0.0")
    board.start()
    board.wait_for("app 4.0.0 confirmed", since=len(board.log) - 1)
    at = offer(bench, "5.0.0")
    board.wait_for("the newer updater starts", since=at)
    board.wait_for("app 5.0.0 confirmed", since=at)
    assert updater_of(board)[0] == "a"
    board.stop()
    # provisioning with what is in /lib already changes nothing; with something else, that is what runs
    settings = Settings(bench.project, [(bench.key, ROLES)], options={"trial": 20})
    provision(Flash(board), settings)
    assert "/suit/a/updater.ok" in board.list_files("/suit")
    board.write_files({"/lib/suit/recovery.mpy": b"M\x06\x00\x1f older"})
    provision(Flash(board), settings)
    assert not [path for path in board.list_files("/suit") if path.endswith("updater.ok")]
    at = len(board.log)
    board.start()
    board.wait_for("app 5.0.0 confirmed", since=at)
    assert "the newer updater starts" not in board.log[at:]
    assert updater_of(board) == ["None", "/lib/suit/__init__.mpy"]
    assert len(made.payloads) == 3


def with_plain(bench, version):
    """Publish `version` without an updater onto the board's flash."""
    bench.board.stop()
    (bench.folder / "app" / "main.py").write_text(APP.replace("VERSION", version))
    from suitup import desk

    path = desk.make(bench.project, version)
    bench.envelopes[version] = path
    release = Release(bench.project.release)
    bench.board.write_files(
        {f"/in/{f.name}": f.read_bytes() for f in release.path.iterdir() if f.is_file()}
    )


@pytest.mark.parametrize("line, starts", [(BROKEN, 1), (HANGS, 5)])
def test_an_updater_that_does_not_start_goes_back_with_its_app(
    bench, monkeypatch, tmp_path, line, starts
):
    with_updater(bench, "4.0.0", line, monkeypatch, tmp_path)
    source = (paths.firmware() / "suit_start.py").read_text()
    impatient = source.replace("_WATCH_MS = 8000", "_WATCH_MS = 700")
    assert impatient != source
    bench.board.write_files({"/lib/suit_start.py": impatient.encode()})
    board = bench.board.start()
    board.wait_for("app 1.0.0 confirmed")
    at = offer(bench, "4.0.0")
    board.wait_for("suit: slot b does not verify: 58", since=at)
    board.wait_for("app 1.0.0 confirmed", since=at)
    assert board.log[at:].count("the newer updater starts") == starts
    assert "app 4.0.0" not in board.log
    assert b"68 58" in board.exec(
        "import suit; b = suit.status()['back']; print(b['reason'], b['detail'])"
    )
