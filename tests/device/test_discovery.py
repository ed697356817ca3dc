"""Boards that are found without their address: device code on real sockets, asked by the host's own code; mDNS names."""

import asyncio
import contextlib
import socket
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner
from suitup.boards import device, discovery
from suitup.cli.status import command
from suitup.errors import Failure

HERE = Path(__file__).parent
HERE_ONLY = ["127.0.0.1"]


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def board(micropython, folder, port):
    stop = folder / f"stop-{port}"
    command = [micropython, HERE / "found.py", HERE.parents[1] / "firmware", str(port), stop]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout.readline() == "listening\n"
            yield discovery.Board("127.0.0.1", port)
        finally:
            stop.touch()
            assert process.wait(10) == 0


def everyone(seconds=2.0):
    return asyncio.run(discovery.everyone(seconds, HERE_ONLY))


def test_every_board_answers_a_question_to_all_from_its_own_port(micropython, tmp_path):
    ports = sorted({free_port(), free_port(), 5683})  # that of the group is one like any other
    with contextlib.ExitStack() as stack:
        boards = [stack.enter_context(board(micropython, tmp_path, port)) for port in ports]
        assert [found for found in everyone(4.0) if found in boards] == boards
    # the boards of other tests may be there too
    assert not [found for found in everyone(0.9) if found in boards]


def test_whoever_else_answers_is_no_board():
    token = b"123456"
    said = discovery.question(token, 7)
    assert len(said) < 128, "longer than a board reads"
    import aiocoap

    def answer(**changes):
        fields = {"code": aiocoap.CONTENT, "payload": b'</suit/status>;rt="suit.status",<', **changes}
        message = aiocoap.Message(code=fields["code"], payload=fields["payload"])
        message.mtype, message.mid, message.token = aiocoap.NON, 9, fields.get("token", token)
        return message.encode()

    assert discovery.is_board(answer(), token)
    for wrong in (
        answer(token=b"654321"), answer(payload=b"</light>"), answer(code=aiocoap.NOT_FOUND), b"", b"\xff" * 20, said,
    ):  # fmt: skip
        assert not discovery.is_board(wrong, token)


def test_all_names_the_boards_and_nothing_else_may(monkeypatch):
    def run(*arguments):
        return CliRunner().invoke(command, arguments, standalone_mode=False)

    async def nobody():
        return []

    monkeypatch.setattr(discovery, "everyone", nobody)
    assert "no board answers" in str(run("--all").exception)
    assert run("--all", "--host", "127.0.0.1").exception.code == 2
    asked = []

    async def one():
        return [discovery.Board("127.0.0.1", 5683), discovery.Board("127.0.0.2", 7000)]

    class Known:
        def __init__(self, host, port):
            asked.append((host, port))

        async def __aenter__(self):
            return self

        async def __aexit__(self, *_):
            pass

        async def status(self):
            return {"name": asked[0][0]}

    monkeypatch.setattr(discovery, "everyone", one)
    monkeypatch.setattr(device, "Device", Known)
    told = run("--all", "--json")
    assert told.return_value == 0 and sorted(asked) == [("127.0.0.1", 5683), ("127.0.0.2", 7000)]
    assert '"127.0.0.2:7000"' in told.output


def test_a_local_name_is_looked_up_by_mdns_and_one_that_nobody_has_is_told(monkeypatch):
    pytest.importorskip("zeroconf")
    from zeroconf import ServiceInfo
    from zeroconf.asyncio import AsyncZeroconf

    async def ask():
        async with AsyncZeroconf(interfaces=HERE_ONLY) as responder:
            info = ServiceInfo(
                "_coap._udp.local.", "x._coap._udp.local.", port=5683, server="suitup-kitchen.local.",
                addresses=[socket.inet_aton("127.0.0.9")],
            )  # fmt: skip
            await responder.async_register_service(info)
            return await discovery.resolve("suitup-kitchen.local", HERE_ONLY)

    assert asyncio.run(ask()) == "127.0.0.9"
    monkeypatch.setattr(discovery, "_MDNS_MS", 300)
    with pytest.raises(Failure, match="no address"):
        asyncio.run(discovery.resolve("suitup-nobody.local", HERE_ONLY))
