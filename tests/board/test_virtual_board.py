"""The virtual board behaves like a board: flash, boot order, reset, watchdog, timers, Ctrl-C, power."""

import os
import time

import pytest
from suitup.boards.virtual import VirtualBoard
from suitup.errors import Failure


def test_files_survive_stop_and_start(board):
    board.write_files({"/data/deep/file": b"\x00\xffkept"})
    board.start()
    assert board.exec("print(open('/data/deep/file','rb').read())").strip() == b"b'\\x00\\xffkept'"
    board.exec("with open('/new','w') as f: f.write('there')")
    board.stop()
    assert board.read_file("/new") == b"there"
    board.start()
    assert board.exec("print(open('/new').read())").strip() == b"there"


def test_boot_runs_boot_py_then_main_py_then_the_repl(board):
    board.write_files({
        "/boot.py": b"import sys\nprint('boot', sys.path)\nx = 1\n",
        "/main.py": b"print('main', x, __name__)\n",
    })
    board.start()
    at = board.wait_for("boot ['', '.frozen', '/lib']")
    at = board.wait_for("main 1 __main__", since=at)
    board.wait_for(">>> ", since=at)


def test_main_py_is_skipped_when_boot_py_raises(board):
    board.write_files({"/boot.py": b"1/0\n", "/main.py": b"print('main')\n"})
    board.start()
    board.wait_for(">>> ")
    assert "ZeroDivisionError" in board.log
    assert "main\n" not in board.log


def test_system_exit_in_main_py_is_a_soft_reset(board):
    board.write_files({"/main.py": (
        b"import machine, sys\nprint('cause', machine.reset_cause())\n"
        b"if machine.reset_cause() != 5: sys.exit()\n"
    )})
    board.start()
    at = board.wait_for("cause 1")
    at = board.wait_for("MPY: soft reboot", since=at)
    board.wait_for("cause 5", since=at)


def test_reset_really_ends_the_interpreter(board):
    board.write_files({"/main.py": (
        b"import machine\nprint('cause', machine.reset_cause(), 'x' in globals())\nx = 1\n"
        b"try:\n    if machine.reset_cause() == 1: machine.reset()\n"
        b"finally:\n    print('never after a reset', machine.reset_cause())\n"
    )})
    board.start()
    board.wait_for("cause 2 False")
    board.wait_for("never after a reset 2")
    assert "never after a reset 1" not in board.log
    at = len(board.log)
    board.reset()
    board.wait_for("cause 2", since=at)


def test_a_starved_watchdog_bites_and_says_so(board):
    board.write_files({"/main.py": (
        b"import machine\nprint('cause', machine.reset_cause())\n"
        b"if machine.reset_cause() == 1:\n    machine.WDT(timeout=400)\n    while True: pass\n"
    )})
    board.start()
    board.wait_for("cause 3", timeout=10)


def test_a_fed_watchdog_does_not_bite_and_a_huge_timeout_disarms_it(board):
    board.write_files({"/main.py": (
        b"import machine, time\nw = machine.WDT(timeout=1500)\n"
        b"for i in range(50):\n    time.sleep_ms(50)\n    w.feed()\n"
        b"machine.WDT(timeout=10**9)\ntime.sleep(2)\nprint('alive', machine.reset_cause())\n"
    )})
    board.start()
    board.wait_for("alive 1", timeout=10)


def test_the_watchdog_survives_a_soft_reset(board):
    board.write_files({"/main.py": (
        b"import machine, sys\nprint('cause', machine.reset_cause())\n"
        b"if machine.reset_cause() == 1:\n    machine.WDT(timeout=1000)\n    sys.exit()\n"
    )})
    board.start()
    at = board.wait_for("cause 5")
    board.wait_for("cause 3", timeout=10, since=at)


@pytest.mark.parametrize("wait", [
    "while True: pass",
    "time.sleep(30)",
    "select.poll().poll(30000)",
    "asyncio.run(asyncio.sleep(30))",
])
def test_timers_run_while_the_main_program(board, wait):
    board.write_files({"/main.py": (
        b"import machine, time, select, asyncio\nn = 0\n"
        b"def tick(t):\n    global n\n    n += 1\n    if n == 5: print('ticked')\n"
        b"machine.Timer(-1, period=20, callback=tick)\n" + wait.encode()
    )})
    board.start()
    board.wait_for("ticked", timeout=5)


def test_a_timer_fires_once_or_until_it_is_stopped(board):
    board.start()
    out = board.exec(
        "import machine, time\nn=[0,0]\n"
        "def a(t): n[0]+=1\n"
        "def b(t):\n  n[1]+=1\n  if n[1]==3: t.deinit()\n"
        "machine.Timer(mode=machine.Timer.ONE_SHOT, period=10, callback=a)\n"
        "machine.Timer().init(freq=100, callback=b)\n"
        "time.sleep_ms(300)\nprint(n)"
    )
    assert out.strip() == b"[1, 3]"


@pytest.mark.parametrize("busy", ["while True: pass", "time.sleep(60)", "asyncio.run(app())"])
def test_ctrl_c_stops_the_app_and_leaves_the_repl(board, busy):
    board.write_files({"/main.py": (
        b"import time, asyncio\nasync def app():\n  while True: await asyncio.sleep_ms(5)\nprint('running')\n"
        + busy.encode()
    )})
    board.start()
    board.wait_for("running")
    for _ in range(3):
        assert board.exec("print('repl')").strip() == b"repl"
    assert "KeyboardInterrupt" in board.log


def test_soft_reset_from_the_raw_repl_runs_boot_py_only(board):
    board.write_files({"/boot.py": b"print('booted')\n", "/main.py": b"print('main')\n"})
    board.start()
    at = board.wait_for("main\n")
    assert board.exec("print(machine.reset_cause() if 'machine' in globals() else 0)", soft_reset=True).strip() == b"0"
    assert "booted" in board.log[at:]
    assert "main\n" not in board.log[at:]


def test_an_exception_over_the_cable_is_a_failure_with_its_traceback(board):
    board.start()
    with pytest.raises(Failure, match="ZeroDivisionError"):
        board.exec("def f():\n  1/0\nf()")
    assert "boards/virtual" not in board.log


def test_a_power_cut_inside_a_write_loses_only_that_write(board):
    board.write_files({
        "/a": b"old" * 100,
        "/main.py": (
            b"import os, machine\n"
            b"if 'done' not in os.listdir():\n"
            b"    f = open('/a.new', 'wb'); f.write(b'new' * 2000); f.close(); os.rename('/a.new', '/a')\n"
            b"    open('/done', 'w').close()\nprint('done', machine.reset_cause())\n"
        ),
    })
    board.cut_at(9, 1, 0.5)
    board.start()
    board.wait_for("power cut inside the flash operation")
    board.wait_for("done 1")
    board.stop()
    assert board.read_file("/a") == b"new" * 2000


def test_power_cuts_at_any_moment_leave_a_board_that_boots(board):
    board.write_files({"/main.py": (
        b"import os\nprint('counting')\n"
        b"try: n = int(open('/n').read())\nexcept OSError: n = 0\n"
        b"while True:\n    n += 1\n    f = open('/n.new', 'w'); f.write(str(n)); f.close(); os.rename('/n.new', '/n')\n"
    )})
    board.start()
    at = 0
    for _ in range(8):
        at = board.wait_for("counting", since=at)
        time.sleep(0.05)
        board.power_cut()
    at = board.wait_for("counting", since=at)
    board.stop()
    assert int(board.read_file("/n")) > 8
    assert "Traceback" not in board.log


def test_what_stock_boards_lack_is_not_there(board, make_board):
    board.start()
    out = board.exec(
        "import vfs, machine, os\nprint(hasattr(vfs, 'VfsRom'), hasattr(vfs, 'VfsPosix'), hasattr(machine, 'mem_backup'))"
    )
    assert out.strip() == b"False False False"
    with_rom = make_board("rom", rom=True).start()
    assert with_rom.exec("import vfs; print(hasattr(vfs, 'VfsRom'))").strip() == b"True"


def test_the_heap_is_a_picos_in_64_bit(board):
    board.start()
    free = int(board.exec("import gc; gc.collect(); print(gc.mem_free())"))
    pico = 2 * 233712
    assert 0.97 * pico < free < 1.03 * pico


def test_an_esp32_geometry_works_and_has_a_mac(make_board):
    board = make_board(geometry="esp32")
    board.start()
    out = board.exec("import machine, os; print(len(machine.unique_id()), os.statvfs('/')[0] * os.statvfs('/')[2])")
    assert out.split() == [b"6", b"2097152"]


def test_damaged_flash_is_reformatted_on_rp2_and_reported_on_esp32(make_board):
    for geometry in ("rp2040", "esp32"):
        board = make_board(geometry, geometry=geometry)
        board.write_files({"/main.py": b"print('main')\n"})
        image = bytearray(board.flash.read_bytes())
        image[: 2 * 4096] = bytes(2 * 4096)
        board.flash.write_bytes(image)
        board.start()
        board.wait_for(">>> " if geometry == "rp2040" else "filesystem appears to be corrupted")
        assert "main\n" not in board.log


def test_sockets_reach_the_host(board):
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        board.write_files({"/main.py": (
            b"import socket\ns = socket.socket()\n"
            b"s.connect(socket.getaddrinfo('127.0.0.1', %d)[0][-1])\ns.send(b'hello')\n" % port
        )})
        board.start()
        client, _ = server.accept()
        with client:
            assert client.recv(5) == b"hello"


def test_nothing_is_left_running_after_stop(board):
    board.start()
    status = board.status()
    pids = [status["pid"], board.settings["pid"]]
    board.stop()
    assert not board.running
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    with pytest.raises(Failure, match="is off"):
        board.reset()


def test_another_process_sees_and_stops_the_same_board(board):
    board.start()
    other = VirtualBoard(board.directory)
    assert other.running
    assert other.start().status()["boots"] == 1
    other.stop()
    assert not board.running


def test_a_killed_supervisor_takes_its_board_with_it(board):
    board.start()
    pid = board.status()["pid"]
    os.kill(board.settings["pid"], 9)
    board._child.wait()
    for _ in range(100):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            break
        time.sleep(0.02)
    else:
        raise AssertionError("the interpreter outlived its supervisor")
    assert not board.running
    board.start()
    assert board.exec("print(1)").strip() == b"1"


def test_wear_is_counted_across_power_cycles(board):
    board.write_files({"/x": b"1"})
    before = sum((board.directory / "wear.bin").read_bytes()[::4])
    board.start()
    board.exec("for i in range(300):\n  f = open('/x', 'w'); f.write(str(i)); f.close()")
    board.stop()
    assert sum((board.directory / "wear.bin").read_bytes()[::4]) > before
