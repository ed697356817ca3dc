"""The main job on real MicroPython: provision, push over CoAP, HTTP and the cable; confirm, refuse, go back."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from suitup.boards.virtual import VirtualBoard

ROOT = Path(__file__).resolve().parents[2]
CLASS = ("--vendor", "example.com", "--class", "thermostat")


@pytest.fixture
def desk(tmp_path):
    """A folder with a development key, and a function that runs suitup there."""

    def suitup(*arguments, code=0):
        environment = {k: v for k, v in os.environ.items() if not k.startswith("SUIT_")} | {
            "PYTHONPATH": str(ROOT / "host")
        }
        done = subprocess.run(
            [sys.executable, "-m", "suitup", *map(str, arguments)],
            cwd=tmp_path, capture_output=True, text=True, timeout=170, env=environment,
        )  # fmt: skip
        assert code in (None, done.returncode), done.stdout + done.stderr
        return done.stdout.strip().splitlines()

    suitup("keygen", "--development", "dev.pem")
    suitup.folder = tmp_path
    yield suitup
    for file in tmp_path.rglob("board.json"):
        VirtualBoard(file.parent).stop()


def app_options(number):
    return ("--app", ROOT / "examples" / "thermostat", "--key", "dev.pem", "--version", number)


def processes(folder):
    """Those that have to do with a folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if str(folder).encode() in entry.read_bytes():
                found.append(entry.parent.name)
        except OSError:
            continue
    return found


def test_push_alone_makes_signs_provisions_and_confirms_and_again_and_over_http(desk):
    app = ("--app", ROOT / "examples" / "thermostat", "--key", "dev.pem")
    lines = desk("push", "--next", *app)
    assert lines[-1] == "confirmed 2.0.0"
    text = "\n".join(lines)
    assert "provisioned with thermostat-1.0.0" in text
    assert re.search(r"coap GET \w{8}-thermostat.img done", text)
    assert "on trial" in text
    assert processes(desk.folder) == []
    assert desk("push", "--next", *app)[-1] == "confirmed 3.0.0"
    lines = desk("push", "--next", *app, "--transport", "http")
    assert lines[-1] == "confirmed 4.0.0"
    assert re.search(r"http GET \w{8}-thermostat.img 200", "\n".join(lines))
    assert processes(desk.folder) == []
    # what is signed in between is what is pushed
    desk("sign", *app_options("4.5.0"))
    signed = (desk.folder / "build/release/thermostat-4.5.0.suit").read_bytes()
    assert desk("push", "--next", *app)[-1] == "confirmed 4.5.0"
    assert (desk.folder / "build/release/thermostat-4.5.0.suit").read_bytes() == signed
    # the same once more: it runs already, and nothing has to be done
    assert desk("push", *app)[-1] == "confirmed 4.5.0"


def test_a_board_at_a_cable_is_provisioned_twice_updated_confirmed_and_rolled_back(
    desk, make_board
):
    board = make_board()
    board.start()
    desk("sign", *app_options("1.0.0"))
    release = desk.folder / "build/release"
    given = (
        "--port",
        board.console_url,
        "--app",
        ROOT / "examples" / "thermostat",
        "--trust",
        "dev.pem",
        "--trial",
        20,
    )
    where = ("--coap-port", board.coap_port, "--bind", "127.0.0.1")
    first = desk("provision", *given, *where, "--first", release / "thermostat-1.0.0.suit")
    assert any("slot a, sequence 1" in line for line in first)
    again = desk("provision", *given, *where)
    assert any("(0 written" in line for line in again), again
    device = [line for line in first if "device" in line]
    assert device == [line for line in again if "device" in line]

    desk("sign", *app_options("2.0.0"))
    lines = desk("push", "--port", board.console_url, "--release", release)
    assert lines[-1] == "confirmed 2.0.0"
    status = json.loads("\n".join(desk("status", "--json", "--port", board.console_url)))
    assert (status["running"], status["active"], status["trial"]) == ("b", "b", None)
    board.wait_for("suit: slot b", since=len(board.log) - 100)  # the app is started again

    # an app that leaves confirming to whoever has the cable
    folder = desk.folder / "undecided"
    folder.mkdir()
    (folder / "main.py").write_text("import asyncio\nimport suit\nasyncio.run(suit.listen())\n")

    def undecided(number):
        since = len(board.log)
        desk("sign", "--app", folder, "--key", "dev.pem", "--version", number, *CLASS)
        process = subprocess.Popen(
            [sys.executable, "-m", "suitup", "push", "--port", str(board.directory), "--release", str(release)],
            cwd=desk.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env=os.environ | {"PYTHONPATH": str(ROOT / "host")},
        )  # fmt: skip
        try:
            return board.wait_for("on trial", since=since)
        finally:
            process.kill()
            process.wait()

    undecided("3.0.0")
    assert desk("rollback", "--port", board.console_url)[-1].endswith("restarts into slot b")
    status = json.loads("\n".join(desk("status", "--json", "--port", board.console_url)))
    assert status["running"] == "b" and status["back"]["seq"] == 3
    undecided("4.0.0")
    assert desk("confirm", "--port", board.console_url) == ["slot a is confirmed"]
    assert desk("confirm", "--port", board.console_url) == ["nothing is on trial"]
    desk("rollback", "--port", board.console_url, code=1)


def test_a_stranger_is_refused_and_a_broken_app_goes_back_over_network_and_cable(desk):
    app = ("--app", ROOT / "examples" / "thermostat", "--key", "dev.pem")
    desk("push", "--next", *app)
    desk("keygen", "other.pem")
    desk(
        "sign",
        "--app",
        ROOT / "examples" / "thermostat",
        "--key",
        "other.pem",
        "--version",
        "3.0.0",
    )
    assert desk("push", *app, code=1)[-1].startswith("refused: no key the device trusts")
    folder = desk.folder / "broken"
    folder.mkdir()
    (folder / "main.py").write_text("raise ValueError('broken')\n")
    desk("sign", "--app", folder, "--key", "dev.pem", "--version", "4.0.0", *CLASS)
    lines = desk("push", *app, code=1)
    assert (
        lines[-1]
        == "rolled back: the app ended with an exception before it confirmed: ValueError: broken"
    )
    assert processes(desk.folder) == []
    board = VirtualBoard(desk.folder / "build/board").start()
    cable = ("push", "--release", "build/release", "--port", board.console_url)
    assert desk(*cable, code=1)[-1].startswith(
        "refused: the device went back from this very version"
    )
    (folder / "main.py").write_text("print('over')\n")
    desk("sign", "--app", folder, "--key", "dev.pem", "--version", "5.0.0", *CLASS)
    assert desk(*cable, code=1)[-1] == "rolled back: the app returned before it confirmed"
    # and by its address, as on a network
    desk("sign", *app_options("6.0.0"))
    address = f"127.0.0.1:{board.coap_port}"
    assert desk("push", "--host", address)[-1] == "confirmed 6.0.0"
    assert any("6.0.0, confirmed" in line for line in desk("status", "--host", address))


def test_a_board_that_cannot_be_reached_hears_of_a_release_and_installs_it(desk):
    """Behind NAT: it observes latest.suit on its server; nobody nudges it."""
    from suitup.boards.provision import Flash, provision
    from suitup.desk import board_settings
    from suitup.project import load

    folder = desk.folder / "app"
    folder.mkdir()
    (folder / "main.py").write_text(
        "import asyncio, suit\nsuit.confirm()\n"
        "async def main():\n    await asyncio.gather(suit.listen(), suit.poll())\nasyncio.run(main())\n"
    )
    given = ("--app", folder, "--key", "dev.pem", *CLASS)
    desk("sign", *given, "--version", "1.0.0")
    server = subprocess.Popen(
        [sys.executable, "-m", "suitup", "serve", "build/release", "--bind", "127.0.0.1", "--coap", "0", "--http", "0"],
        cwd=desk.folder, stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": str(ROOT / "host")},
    )  # fmt: skip
    try:
        server.stdout.readline()
        url = server.stdout.readline().strip()
        assert url.startswith("coap://127.0.0.1:") and url.endswith("/latest.suit")
        app = load(
            folder, vendor="example.com", class_name="thermostat", keys=[desk.folder / "dev.pem"]
        )
        board = VirtualBoard(desk.folder / "board").create()
        first = desk.folder / "build/release/app-1.0.0.suit"
        provision(Flash(board), board_settings(app, board, first, servers=[url], poll=3600))
        board.start()
        board.wait_for("suit: slot a")
        seen = [server.stdout.readline() for _ in range(4)]
        assert any("latest.suit" in line for line in seen), seen
        desk("sign", *given, "--version", "2.0.0")
        board.wait_for("suit: slot b confirmed", timeout=30)
    finally:
        server.terminate()
        rest = server.communicate(timeout=10)[0]
    assert server.returncode == 0 and rest.endswith("stopped\n")
    assert "told of a new latest.suit" in rest
