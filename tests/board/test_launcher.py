"""What a board does with a version: trial, confirm, every way of going back, recovery. On the virtual
board, from the signed envelope on."""

import json

import pytest
from bench import APP, WAITS, Bench

RAISES_AT_IMPORT = 'print("app VERSION starts")\nimport not_there\n'
RAISES = 'print("app VERSION starts")\n\ndef main():\n    raise ValueError("self-test")\n'
ENDS = 'print("app VERSION starts")\n'
EXITS = 'print("app VERSION starts")\nimport sys\nsys.exit()\n'
HANGS = 'print("app VERSION starts")\nwhile True:\n    pass\n'
CRASHES = 'import suit\nsuit.confirm()\nprint("app VERSION starts")\n1 / 0\n'


def status(board):
    """`suit.status()` at the console, bytes as hex."""
    text = board.exec(
        "import suit, json\n"
        "def plain(x):\n"
        "    if isinstance(x, dict): return {k: plain(v) for k, v in x.items()}\n"
        "    if isinstance(x, list): return [plain(v) for v in x]\n"
        "    return x.hex() if isinstance(x, bytes) else x\n"
        "print(json.dumps(plain(suit.status())))\n"
    )
    return json.loads(text.splitlines()[-1])


def offer(bench, version):
    """Install `version` at the console and reset into its trial; -> position in the log before it."""
    bench.update(version, reset=False)
    at = len(bench.board.log)
    bench.board.reset()
    return at


def test_a_factory_install_boots_and_a_good_update_is_confirmed(make):
    bench = make({"1.0.0": APP, "2.0.0": APP})
    board = bench.board
    board.wait_for("app 1.0.0 confirmed settings of 1")
    assert "suit: slot a, sequence 1\n" in board.log and "DEVELOPMENT KEY" in board.log
    at = offer(bench, "2.0.0")
    board.wait_for("suit: slot b, sequence 2, on trial, 2 tries left", since=at)
    board.wait_for("app 2.0.0 confirmed settings of 2", since=at)
    told = status(board)
    assert (told["running"], told["active"], told["trial"]) == ("b", "b", None)
    assert told["floor"] == 2 and told["slots"]["b"]["state"] == "ok" and told["dev"] is True
    assert told["slots"]["b"]["digest"] == bench.digest("2.0.0").hex()
    at = len(board.log)
    board.reset()
    board.wait_for("suit: slot b, sequence 2\n", since=at)


@pytest.mark.parametrize(
    "source, reason, trace",
    [
        (RAISES, 64, "ValueError: self-test"),
        (RAISES_AT_IMPORT, 64, "ImportError"),
        (HANGS, 65, None),
        (WAITS, 65, None),
        (ENDS, 69, None),
        (EXITS, 69, None),
    ],
    ids=["raises", "raises-at-import", "hangs", "never-confirms", "ends", "exits"],
)
def test_a_version_that_fails_on_trial_is_gone_back_from_and_known_bad(
    make, source, reason, trace
):
    bench = make({"1.0.0": APP, "2.0.0": source}, trial=2, wdt=1500)
    board = bench.board
    board.wait_for("app 1.0.0 confirmed")
    at = offer(bench, "2.0.0")
    at = board.wait_for("app 2.0.0 starts", since=at)
    board.wait_for("app 1.0.0 confirmed", since=at)
    told = status(board)
    assert told["back"]["reason"] == reason and told["running"] == "a"
    assert bench.digest("2.0.0").hex().startswith(told["back"]["digest"])
    assert told["slots"]["b"]["state"] == "bad" and told["floor"] == 1
    if trace:
        assert trace in told["traceback"]
    out = board.exec(
        "import suit\nfrom suit.errors import SuitError\n"
        "try: suit.update(%r)\nexcept SuitError as e: print('reason', e.reason)"
        % bench.name("2.0.0")
    )
    assert b"reason 45" in out


def test_power_cuts_use_up_the_tries(make):
    bench = make({"1.0.0": APP, "2.0.0": WAITS}, trial=60, tries=2)
    board = bench.board
    board.wait_for("app 1.0.0 confirmed")
    at = offer(bench, "2.0.0")
    at = board.wait_for("on trial, 1 tries left", since=at)
    board.power_cut()
    at = board.wait_for("on trial, 0 tries left", since=at)
    board.power_cut()
    board.wait_for("app 1.0.0 confirmed", since=at)
    assert status(board)["back"]["reason"] == 66


def test_the_console_stops_a_trial_without_ending_it_and_confirms_it_by_cable(make):
    bench = make({"1.0.0": APP, "2.0.0": WAITS}, trial=2, wdt=1500)
    board = bench.board
    board.wait_for("app 1.0.0 confirmed")
    at = offer(bench, "2.0.0")
    board.wait_for("app 2.0.0 starts", since=at)
    # far beyond the deadline: the watchdog was disarmed by Ctrl-C
    assert b"slept" in board.exec("import time; time.sleep(5); print('slept')")
    assert status(board)["trial"] == "b"
    assert b"True" in board.exec("import suit; print(suit.confirm())")
    assert status(board)["active"] == "b"


def test_rollback_gives_up_a_trial_and_nothing_else(make):
    bench = make({"1.0.0": APP, "2.0.0": WAITS}, trial=30)
    board = bench.board
    board.wait_for("app 1.0.0 confirmed")
    refused = "import suit\ntry: suit.rollback()\nexcept Exception as e: print('no', e.reason)"
    assert b"no 51" in board.exec(refused)
    at = offer(bench, "2.0.0")
    board.wait_for("app 2.0.0 starts", since=at)
    bench.leave("import suit; suit.rollback()")
    board.wait_for("app 1.0.0 confirmed", since=at)
    assert status(board)["back"]["reason"] == 67


def test_a_confirmed_app_that_crashes_three_times_leads_to_recovery(make):
    bench = make({"1.0.0": CRASHES.replace("suit.confirm()", "pass"), "2.0.0": APP})
    board = bench.board
    board.wait_for("suit: recovery", timeout=60)
    assert board.log.count("app 1.0.0 starts") == 3
    told = status(board)
    assert told["running"] is None and "ZeroDivisionError" in told["traceback"]
    at = offer(bench, "2.0.0")
    board.wait_for("app 2.0.0 confirmed", since=at)
    assert status(board)["active"] == "b"


def test_with_both_slots_damaged_the_board_comes_up_in_recovery_and_takes_an_update(make):
    bench = make({"1.0.0": APP, "2.0.0": APP, "3.0.0": APP})
    board = bench.board
    board.wait_for("app 1.0.0 confirmed")
    at = offer(bench, "2.0.0")
    board.wait_for("app 2.0.0 confirmed", since=at)
    board.stop()
    for slot in "ab":
        data = bytearray(board.read_file(f"/suit/{slot}/app.img"))
        data[len(data) // 2] ^= 1
        board.write_files({f"/suit/{slot}/app.img": bytes(data)})
    at = len(board.log)
    board.start()
    board.wait_for("suit: recovery", since=at)
    assert "app 2.0.0" not in board.log[at:] and "app 1.0.0" not in board.log[at:]
    told = status(board)
    assert told["recovery"]["reason"] == 53 and told["active"] == "b"
    at = offer(bench, "3.0.0")
    board.wait_for("app 3.0.0 confirmed settings of 3", since=at)


def test_a_damaged_active_slot_does_not_fall_back_below_the_floor(make):
    bench = make({"1.0.0": APP, "2.0.0": APP})
    board = bench.board
    board.wait_for("app 1.0.0 confirmed")
    at = offer(bench, "2.0.0")
    board.wait_for("app 2.0.0 confirmed", since=at)
    board.stop()
    board.write_files({"/suit/b/files/settings.txt": b"settings of X"})
    at = len(board.log)
    board.start()
    board.wait_for("suit: recovery", since=at)
    at = offer(bench, "2.0.0")  # the very version, repaired into the other slot
    board.wait_for("suit: slot a, sequence 2, on trial", since=at)
    board.wait_for("app 2.0.0 confirmed settings of 2", since=at)


def test_a_first_version_comes_through_recovery(make):
    bench = make({"1.0.0": APP}, first=None)
    board = bench.board
    board.wait_for("suit: recovery")
    at = offer(bench, "1.0.0")
    board.wait_for("suit: slot a, sequence 1, on trial", since=at)
    board.wait_for("app 1.0.0 confirmed settings of 1", since=at)


def test_a_lost_record_is_rebuilt_from_what_the_slots_prove(make):
    bench = make({"1.0.0": APP, "2.0.0": APP})
    board = bench.board
    board.wait_for("app 1.0.0 confirmed")
    at = offer(bench, "2.0.0")
    board.wait_for("app 2.0.0 confirmed", since=at)
    board.stop()
    board.write_files({"/suit/state.0": b"", "/suit/state.1": b"\xff" * 256})
    at = len(board.log)
    board.start()
    board.wait_for("app 2.0.0 confirmed", since=at)
    told = status(board)
    assert told["active"] == "b" and told["floor"] == 2


def test_no_stray_file_takes_the_place_of_signed_code(make):
    bench = make({"1.0.0": "import helper\n" + APP, "2.0.0": APP}, first=None)
    board = bench.board
    board.stop()
    # the app has no module `helper`; neither the root nor /lib may supply one
    board.write_files({"/lib/helper.py": b"print('stray')", "/helper.py": b"print('stray')"})
    board.write_files({"/asyncio.py": b"print('stray')", "/lib/main.py": b"print('stray')"})
    # nor what comes before the launcher
    for name in ("suit_start", "hashlib", "binascii", "struct"):
        board.write_files({"/%s.py" % name: b"print('stray')"})
    board.start()
    board.wait_for("suit: recovery")
    at = offer(bench, "1.0.0")
    board.wait_for("ImportError", since=at)
    board.wait_for("suit: recovery", since=at)
    assert "stray" not in board.log


def test_an_image_is_mounted_alike_by_the_native_romfs(make_board, tmp_path):
    bench = Bench(make_board(rom=True), tmp_path / "project", {"1.0.0": APP})
    bench.board.start()
    bench.board.wait_for("app 1.0.0 confirmed settings of 1")
    assert b"VfsRom" in bench.board.exec("import vfs; print(vfs.VfsRom)")


def test_a_missing_trust_store_boots_nothing_and_destroys_nothing(make):
    bench = make({"1.0.0": APP})
    board = bench.board
    board.wait_for("app 1.0.0 confirmed")
    board.stop()
    trust = board.read_file("/suit/trust.cbor")
    for files in ({}, {"/suit/state.0": b"", "/suit/state.1": b""}):  # the record is lost as well
        board.remove("/suit/trust.cbor")
        board.write_files(files)
        at = len(board.log)
        board.start()
        board.wait_for("suit: recovery", since=at)
        assert "app 1.0.0" not in board.log[at:]
        board.stop()
        board.write_files({"/suit/trust.cbor": trust})
        at = len(board.log)
        board.start()
        board.wait_for("app 1.0.0 confirmed", since=at)
        board.stop()


def test_a_signed_image_that_is_no_romfs_is_known_bad(make):
    bench = make({"1.0.0": APP, "2.0.0": b"not an image" * 100})
    board = bench.board
    board.wait_for("app 1.0.0 confirmed")
    at = offer(bench, "2.0.0")
    board.wait_for("app 1.0.0 confirmed", since=at)
    told = status(board)
    assert (told["back"]["reason"], told["back"]["detail"]) == (68, 11)
    assert "is no ROMFS" in board.log
    out = board.exec("import suit\ntry: suit.update(%r)\nexcept Exception as e: print(e)"
                     % bench.name("2.0.0"))
    assert b"(45," in out


UPDATES_ITSELF = """
import asyncio, suit
suit.confirm()
print("app VERSION confirmed")
ticks = 0

async def tick():
    global ticks
    while True:
        ticks += 1
        await asyncio.sleep_ms(5)

async def main():
    asyncio.create_task(tick())
    await asyncio.sleep_ms(50)
    before = ticks
    await suit.update_async("/in/NEXT", False)
    print("armed, ticks", ticks - before, suit.status()["update"]["state"])
    await asyncio.sleep(100)
"""


def test_an_asyncio_app_keeps_running_while_it_updates_itself(make_board, tmp_path):
    source = UPDATES_ITSELF.replace("NEXT", "bench-2.0.0.suit")
    bench = Bench(make_board(), tmp_path / "project", {"1.0.0": source, "2.0.0": APP})
    board = bench.board
    board.start()
    at = board.wait_for("armed, ticks ")
    board.wait_for("armed\n", since=at)
    assert int(board.log[at:].split()[0]) >= 3
    board.reset()
    board.wait_for("app 2.0.0 confirmed", since=at)


def test_recovery_looks_at_the_servers_by_itself(make_board, tmp_path):
    server = Server(tmp_path)
    options = {"servers": [server.url + "/"], "poll": 1}
    bench = Bench(make_board(), tmp_path / "project", {"1.0.0": APP}, first=None, **options)
    server.serve(bench.project.release)
    try:
        bench.board.start()
        at = bench.board.wait_for("suit: recovery")
        bench.board.wait_for("app 1.0.0 confirmed settings of 1", since=at)
    finally:
        server.close()


class Server:
    """Serves a folder over HTTP."""

    def __init__(self, folder):
        import http.server
        import threading

        class Handler(http.server.SimpleHTTPRequestHandler):
            def __init__(handler, *args):  # noqa: N805
                super().__init__(*args, directory=str(self.folder))

            def log_message(self, *args):
                pass

        self.folder = folder
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = "http://127.0.0.1:%d" % self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever)

    def serve(self, folder):
        self.folder = folder
        self._thread.start()

    def close(self):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
