"""Firmware and app in one update, on a virtual board with two firmware partitions, otadata and a bootloader that goes back
(boards/virtual/shim_esp32.py): the real port/esp32.py runs over the model."""

import asyncio
import dataclasses
import json

import pytest
from bench import APP, Bench
from suitup import author, reasons
from suitup import numbers as n
from suitup.boards.device import Device, Silent
from suitup.images import esp32
from suitup.release import Release

WAITS = 'print("app VERSION starts")\nimport time\nwhile True:\n    time.sleep_ms(50)\n'


@pytest.fixture
def bench(make_board, tmp_path):
    board = make_board(geometry="esp32_ota")
    return Bench(
        board, tmp_path / "project", {"1.0.0": APP}, trial=20, roles=n.ROLE_APP | n.ROLE_FIRMWARE
    )


def publish(bench, version, source, text, tmp_path):
    """App and firmware as one update, on the board's flash."""
    (bench.folder / "app" / "main.py").write_text(source.replace("VERSION", version))
    image = tmp_path / f"{version}.app-bin"
    image.write_bytes(esp32.stand_in(text))
    project = dataclasses.replace(bench.project, version=version)
    release = Release(project.release)
    made = author.draft(project, release, firmware=image)
    author.sign(made.envelope, author.load_signers(project))
    bench.envelopes[version] = path = author.publish(project, release, made)
    names = [path.name, *made.payloads]
    bench.board.write_files({f"/in/{name}": (release.path / name).read_bytes() for name in names})


def offer(bench, version):
    bench.update(version, reset=False)
    at = len(bench.board.log)
    bench.board.reset()
    return at


def told(board):
    code = (
        "import suit, json\ns = suit.status()\n"
        "b = s.get('back') or {}\n"
        "print(json.dumps([s['running'], s['firmware'], b.get('reason'), b.get('detail')]))"
    )
    return json.loads(board.exec(code).splitlines()[-1])


def test_firmware_and_app_come_together_and_stay_once_confirmed(bench, tmp_path):
    publish(bench, "2.0.0", APP, "firmware two", tmp_path)
    board = bench.board.start()
    board.wait_for("app 1.0.0 confirmed")
    assert told(board)[:2] == ["a", "ota_0"]
    at = offer(bench, "2.0.0")
    at = board.wait_for("boot: firmware in ota_1", since=at)
    at = board.wait_for("app 2.0.0 confirmed", since=at)
    assert told(board)[:2] == ["b", "ota_1"]
    # confirmed: the bootloader has nothing to go back from any more
    for cut in (board.reset, board.power_cut):
        at = len(board.log)
        cut()
        at = board.wait_for("boot: firmware in ota_1", since=at)
        board.wait_for("app 2.0.0 confirmed", since=at)
    assert told(board) == ["b", "ota_1", None, None]


@pytest.mark.parametrize("source, text", [(APP, "crashes before Python"), (WAITS, "firmware two")])
def test_when_the_bootloader_goes_back_so_does_the_app_and_says_why(bench, tmp_path, source, text):
    publish(bench, "2.0.0", source, text, tmp_path)
    board = bench.board.start()
    board.wait_for("app 1.0.0 confirmed")
    at = offer(bench, "2.0.0")
    at = board.wait_for("boot: firmware in ota_1", since=at)
    if source == WAITS:
        at = board.wait_for("app 2.0.0 starts", since=at)
        board.reset()  # before it has confirmed
    at = board.wait_for("boot: firmware in ota_0", since=at)
    board.wait_for("app 1.0.0 confirmed", since=at)
    running, firmware, reason, detail = told(board)
    assert (running, firmware, reason, detail) == ("a", "ota_0", n.R_BACK_FIRMWARE, 1)
    assert "bootloader went back" in reasons.explain(reason, detail)[0]
    if source == APP:
        assert "app 2.0.0" not in board.log
    # it is known bad
    with pytest.raises(Exception, match=f"SuitError: \\({n.R_KNOWN_BAD}|\\b{n.R_KNOWN_BAD}\\b"):
        bench.update("2.0.0")


def test_firmware_for_another_chip_is_refused_before_anything_is_written(bench, tmp_path):
    (bench.folder / "app" / "main.py").write_text(APP.replace("VERSION", "2.0.0"))
    publish(bench, "2.0.0", APP, "firmware two", tmp_path)
    other = esp32.stand_in("firmware two", chip_id=9)
    payload = next(
        p for p in Release(bench.project.release).path.iterdir() if p.name.endswith(".app-bin")
    )
    assert len(other) == len(payload.read_bytes())
    bench.board.write_files({f"/in/{payload.name}": other})
    board = bench.board.start()
    board.wait_for("app 1.0.0 confirmed")
    before = board.flash.read_bytes()[240 * 4096 :]
    with pytest.raises(Exception, match=f"\\b{n.R_IMAGE}\\b"):
        bench.update("2.0.0")
    assert board.flash.read_bytes()[240 * 4096 :] == before


def test_in_recovery_it_answers_over_the_network(bench):
    board = bench.board
    data = bytearray(board.read_file("/suit/a/app.img"))
    data[len(data) // 2] ^= 1
    board.write_files({"/suit/a/app.img": bytes(data)})
    board.start().wait_for("suit: recovery")

    async def ask():
        async with Device("127.0.0.1", board.coap_port) as device:
            for _ in range(100):
                try:
                    return await device.status(timeout=20)
                except Silent:
                    await asyncio.sleep(0.2)  # it says that it is in recovery before it listens

    found = asyncio.run(ask())
    assert found["running"] is None and found["firmware"] == "ota_0"
    assert "no network" not in board.log
