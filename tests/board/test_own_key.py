"""A board makes its own key when it is provisioned, keeps it, and uses it: for encrypted updates and its reports."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from suitup import cbor, keys
from suitup import numbers as n

ROOT = Path(__file__).resolve().parents[2]
APP = ("--app", ROOT / "examples" / "thermostat", "--key", "dev.pem", "--version")
D = -4


@pytest.fixture
def suitup(tmp_path):
    """A function that runs suitup in a folder with a development key; everything it prints is kept in `.said`."""

    def run(*arguments, code=0):
        environment = {k: v for k, v in os.environ.items() if not k.startswith("SUIT_")}
        done = subprocess.run(
            [sys.executable, "-m", "suitup", *map(str, arguments)],
            cwd=tmp_path, capture_output=True, text=True, timeout=170,
            env=environment | {"PYTHONPATH": str(ROOT / "host")},
        )  # fmt: skip
        assert done.returncode == code, done.stdout + done.stderr
        run.said += done.stdout + done.stderr
        return done.stdout.strip().splitlines()

    run.said = ""
    run("keygen", "--development", "dev.pem")
    return run


def private_part(board):
    (key,) = cbor.decode(board.read_file("/suit/device.cbor"), sort=False)
    return key[D]


def test_the_key_is_made_on_the_board_and_kept_and_opens_an_update_and_signs_its_report(
    suitup, board, tmp_path
):
    suitup("sign", *APP, "1.0.0")
    release = tmp_path / "build/release"
    given = ("--port", board.directory, *APP[:2], "--trust", "dev.pem", "--trial", 20)
    first = suitup("provision", *given, "--first", release / "thermostat-1.0.0.suit")
    (file,) = (tmp_path / "keys/boards").iterdir()
    public = keys.load(file)
    assert public.crv == n.CRV_P256 and not public.private
    assert any(line == f"own key   {public.kid}" for line in first)
    assert any("made now" in line for line in first)
    private = private_part(board)

    # again while it is off, again through its console
    for _ in range(2):
        again = suitup("provision", *given)
        assert any(line == f"own key   {public.kid}" for line in again)
        assert any("kept" in line for line in again) and not any("made now" in t for t in again)
        board.start()
    board.stop()
    assert private_part(board) == private
    board.start()

    suitup("sign", *APP, "2.0.0", "--encrypt-to", file.relative_to(tmp_path))
    clear = suitup("inspect", release / "thermostat-2.0.0.suit")
    assert any("encryption" in line.lower() for line in clear)
    assert suitup("push", "--port", board.directory)[-1] == "confirmed 2.0.0"
    host = f"127.0.0.1:{board.coap_port}"
    told = "\n".join(suitup("report", "--host", host, "--key", file.relative_to(tmp_path)))
    assert public.kid[:16] in told

    # encrypted to another board it is refused
    stranger = tmp_path / "stranger.pem"
    keys.save(keys.generate("ECDH-P256"), stranger)
    suitup("sign", *APP, "3.0.0", "--encrypt-to", "stranger.pub.pem")
    assert suitup("push", "--port", board.directory, code=1)[-1].startswith("refused: ")
    suitup("report", "--host", host, "--key", "stranger.pub.pem", code=1)

    board.stop()
    for form in (private.hex(), repr(private)[2:-1]):
        assert form not in suitup.said
    for path in tmp_path.rglob("*"):
        if path.is_file() and path != board.flash:
            data = path.read_bytes()
            assert private not in data and private.hex().encode() not in data, path


def test_a_board_at_a_cable_makes_its_key_there(suitup, board, tmp_path):
    board.start()
    given = ("--port", board.console_url, *APP[:2], "--trust", "dev.pem")
    where = ("--coap-port", board.coap_port, "--bind", "127.0.0.1")
    said = suitup("provision", *given, *where)
    board.stop()
    (file,) = (tmp_path / "keys/boards").iterdir()
    private = private_part(board)
    assert any(f"own key   {keys.load(file).kid}" == line for line in said)
    assert any("made now" in line for line in said)
    assert private.hex() not in suitup.said and private not in board.log.encode()
    assert keys.load(file).params[-2] == cbor.decode(
        board.read_file("/suit/device.cbor"), sort=False
    )[0][-2]


def test_a_damaged_key_file_is_said_and_left_alone(suitup, board):
    given = ("--port", board.directory, *APP[:2], "--trust", "dev.pem")
    board.write_files({"/suit/device.cbor": b"\x81\xa1"})
    suitup("provision", *given, code=1)
    assert "no key of its own" in suitup.said and "/suit/device.cbor" in suitup.said
    assert board.read_file("/suit/device.cbor") == b"\x81\xa1"
