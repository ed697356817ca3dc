"""A board without hardware: real MicroPython on a NOR flash file, with a power switch.

    board = VirtualBoard("build/board")
    board.create("rp2040")
    board.write_files({"/main.py": b"print('hello')"})      # only while it is off
    board.start()                                           # a background process that outlives this one
    ... mpremote connect board.console_url ...
    board.power_cut(); board.reset(); board.stop()

DIR/board.json holds what the board is and, while it is on, the ports of its supervisor; DIR/flash.bin is the flash (what
survives), DIR/wear.bin its erase counts, DIR/board.log the console and what happened to the board. Whatever goes wrong
is a Failure."""

import ast
import contextlib
import json
import os
import random
import secrets
import signal
import socket
import subprocess
import sys
import time
import tomllib
from pathlib import Path

from suitup import paths
from suitup.boards import micropython
from suitup.errors import Failure
from suitup.images import esp32

_BLOCK = 4096  # bytes per erase block
_RUNNING = ("pid", "console_port", "control_port")


def geometries() -> dict:
    """Name -> what boards/virtual/geometry.toml says about it."""
    with open(paths.boards() / "virtual" / "geometry.toml", "rb") as file:
        return tomllib.load(file)


def _free_udp_port() -> int:
    """A port nobody has now. Chosen below the range the system hands out by itself, so that it stays free."""
    for _ in range(200):
        port = random.randint(20000, 32000)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            with contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", port))
                return port
    raise Failure("no free UDP port", "200 ports of 127.0.0.1 were tried")


class VirtualBoard:
    """One board in one directory; any number of them, and of VirtualBoard objects for one directory, may exist."""

    def __init__(self, directory):
        self.directory = Path(directory).resolve()

    # -- what it is ------------------------------------------------------------------------------------------

    @property
    def _file(self):
        return self.directory / "board.json"

    @property
    def settings(self) -> dict:
        """The content of board.json."""
        try:
            return json.loads(self._file.read_text())
        except FileNotFoundError:
            raise Failure(
                f"no virtual board in {self.directory}", hint=f"suitup board create {self.directory}"
            ) from None

    def _save(self, settings):
        new = self.directory / "board.json.new"
        new.write_text(json.dumps(settings, indent=1) + "\n")
        new.replace(self._file)

    @property
    def exists(self) -> bool:
        return self._file.exists()

    def create(self, geometry="rp2040", *, coap_port=None, rom=False, endurance=0, **overrides):
        """Make a board with blank flash. `rom`: keep vfs.VfsRom, which the boards lack; `endurance`: erases a block bears
        (0: any number); `coap_port`: UDP port its configuration should name (default: a free one)."""
        known = geometries()
        if geometry not in known:
            raise Failure(f"no geometry {geometry}", "there are " + ", ".join(known), code=2)
        if self.exists and self.running:
            raise Failure(f"the board in {self.directory} is on", hint="suitup board stop")
        self.directory.mkdir(parents=True, exist_ok=True)
        settings = dict(known[geometry])
        settings |= {
            "geometry": geometry,
            "uid": secrets.token_hex(settings.pop("unique_id_bytes")),
            "coap_port": coap_port or _free_udp_port(),
            "rom": rom,
            "endurance": endurance,
            **overrides,
        }
        blocks = settings["blocks"]
        if settings.get("firmware"):
            blocks += 2 + 2 * settings["firmware"]
        (self.directory / "flash.bin").write_bytes(b"\xff" * (blocks * _BLOCK))
        (self.directory / "wear.bin").write_bytes(bytes(4 * blocks))
        (self.directory / "board.log").write_bytes(b"")
        self._save(settings)
        if settings.get("firmware"):
            self.write_firmware(esp32.stand_in("from the factory"))
        return self

    @property
    def coap_port(self) -> int:
        """The UDP port that provisioning writes into the board's configuration."""
        return self.settings["coap_port"]

    @property
    def console_port(self) -> int:
        """TCP port of 127.0.0.1 with the board's console, while it is on."""
        return self._running_settings()["console_port"]

    @property
    def console_url(self) -> str:
        """What mpremote takes as a device."""
        return f"socket://127.0.0.1:{self.console_port}"

    @property
    def flash(self) -> Path:
        """The flash image."""
        return self.directory / "flash.bin"

    @property
    def log(self) -> str:
        """Everything the console showed and the supervisor noted, since `create`."""
        with contextlib.suppress(FileNotFoundError):
            return (self.directory / "board.log").read_text(errors="replace")
        return ""

    # -- power -----------------------------------------------------------------------------------------------

    def _running_settings(self):
        settings = self.settings
        if "pid" not in settings:
            raise Failure(
                f"the board in {self.directory} is off", hint=f"suitup board start {self.directory}"
            )
        return settings

    def _command(self, line, timeout=10) -> str:
        """One command to the supervisor; raises Failure when there is none (any more)."""
        settings = self._running_settings()
        try:
            with socket.create_connection(("127.0.0.1", settings["control_port"]), timeout) as link:
                file = link.makefile("rw")
                if file.readline().strip() == settings["uid"]:
                    file.write(line + "\n")
                    file.flush()
                    answer = file.readline().strip()
                    if answer:
                        return answer
        except OSError:
            pass
        raise Failure(f"the board in {self.directory} is off", "its supervisor does not answer")

    def status(self) -> dict | None:
        """{"up", "boots", "pid"} while it is on; None when it is off."""
        try:
            return json.loads(self._command("status"))
        except Failure:
            return None

    @property
    def running(self) -> bool:
        return self.status() is not None

    def start(self, timeout=20):
        """Power on; returns when the board has mounted its filesystem. Nothing happens when it is on already."""
        if self.running:
            return self
        settings = self.settings
        log = open(self.directory / "supervisor.log", "ab")
        environment = os.environ | {
            # the package we come from, whether it is installed or not
            "PYTHONPATH": os.pathsep.join(
                [str(Path(__file__).resolve().parents[2]), os.environ.get("PYTHONPATH", "")]
            ).rstrip(os.pathsep),
        }
        with log:
            process = subprocess.Popen(
                [sys.executable, "-m", "suitup.boards.supervisor", str(self.directory)],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log,
                start_new_session=True, env=environment, cwd=self.directory,
            )
        with process.stdout:
            line = process.stdout.readline()
        if not line:
            process.wait()
            raise Failure(
                "the virtual board did not start", f"see {self.directory / 'supervisor.log'}"
            )
        self._save(settings | json.loads(line))
        self._child = process  # so that a stop by this object leaves no zombie
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            status = self.status()
            if status is None:
                break
            if status["up"]:
                return self
            time.sleep(0.02)
        self.stop()
        raise Failure("the virtual board did not come up", f"see {self.directory / 'board.log'}")

    def stop(self):
        """Power off. Nothing of the board is left running; the flash stays."""
        settings = self.settings
        pid = settings.get("pid")
        if pid is None:
            return
        try:
            self._command("stop")
            self._gone(pid, 5)
        except Failure:
            pass  # it was gone already, or it is stuck
        if self._alive(pid):
            os.kill(pid, signal.SIGKILL)
            self._gone(pid, 5)
        self._save({k: v for k, v in settings.items() if k not in _RUNNING})

    def _alive(self, pid):
        """Is the process still this board's supervisor?"""
        try:
            return str(self.directory).encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            return False

    def _gone(self, pid, timeout):
        child = getattr(self, "_child", None)
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            if child is not None and child.pid == pid:
                child.poll()
            if not self._alive(pid):
                return
            time.sleep(0.01)

    def reset(self):
        """Press the reset button."""
        self._command("reset")

    def power_cut(self):
        """Power off and on, with no warning."""
        self._command("cut")

    def cut_at(self, operation, kind=0, fraction=0.5):
        """Lose power once at that flash operation of the next boot (boards/virtual/nor.py: kinds and fraction)."""
        (self.directory / "cut.json").write_text(json.dumps([operation, kind, fraction]))

    def wait_for(self, text, timeout=30, since=0) -> int:
        """Wait until the log shows `text` after position `since`; returns the position behind it. Failure on a timeout."""
        end = time.monotonic() + timeout
        while True:
            log = self.log
            at = log.find(text, since)
            if at >= 0:
                return at + len(text)
            if time.monotonic() > end:
                raise Failure(f"the board did not say {text!r} within {timeout} s", log[since:][-2000:])
            time.sleep(0.02)

    # -- over the cable ----------------------------------------------------------------------------------------

    def exec(self, code, *, soft_reset=False, timeout=10) -> bytes:
        """Interrupt what runs, execute `code` in the raw REPL and return what it printed. Failure with the traceback
        when it raises, or after `timeout` seconds of silence. The board is left at its friendly REPL."""
        from mpremote.transport import TransportError, TransportExecError
        from mpremote.transport_serial import SerialTransport

        transport = SerialTransport(self.console_url)
        try:
            transport.enter_raw_repl(soft_reset=soft_reset)
            printed, failure = transport.exec_raw(code, timeout=timeout)
            if failure:
                raise TransportExecError(printed, failure.decode())
            return printed
        except TransportExecError as error:
            raise Failure("the board raised an exception", str(error.error_output).strip()) from None
        except TransportError as error:
            raise Failure("the board's console did not answer", str(error)) from None
        finally:
            with contextlib.suppress(TransportError, OSError):
                transport.exit_raw_repl()
            transport.close()

    # -- files while it is off ---------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _files(self):
        if self.running:
            raise Failure(f"the board in {self.directory} is on", hint="suitup board stop, or use its console")
        settings = self.settings
        folder = paths.boards() / "virtual"
        argument = {
            "flash": str(self.flash),
            "wear": str(self.directory / "wear.bin"),
            "blocks": settings["blocks"],
            "page": settings["page"],
        }
        process = subprocess.Popen(
            [micropython.find(), "-X", "heapsize=16m", str(folder / "image.py")],
            env=os.environ | {"VIRTUAL_BOARD": json.dumps(argument)},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=self.directory,
        )

        def ask(request, data=b""):
            process.stdin.write(json.dumps(request).encode() + b"\n" + data)
            process.stdin.flush()
            line = process.stdout.readline()
            if not line.startswith(b"{"):
                rest = line + process.stdout.read()
                raise Failure("the flash image could not be used", rest.decode(errors="replace"))
            answer = json.loads(line)
            if "error" in answer:
                path = request.get("put") or request.get("get") or ""
                raise Failure(f"{path} on the flash image", answer["error"])
            return process.stdout.read(answer["size"]) if "size" in answer else answer

        try:
            yield ask
        finally:
            process.stdin.close()
            process.stdout.close()
            process.wait()

    def write_files(self, files: dict):
        """Put files (absolute path -> bytes) on the board; folders are made. The board must be off."""
        with self._files() as ask:
            for path, data in files.items():
                ask({"put": path, "size": len(data)}, bytes(data))

    def read_file(self, path) -> bytes:
        """A file of the board. It must be off; Failure when there is none."""
        with self._files() as ask:
            return ask({"get": path})

    def read_files(self, paths) -> dict:
        """Path -> bytes of several files at once. The board must be off; Failure when one is missing."""
        with self._files() as ask:
            return {path: ask({"get": path}) for path in paths}

    def write_firmware(self, image: bytes):
        """What a cable does: `image` in the first firmware partition, otadata empty. The board must be off."""
        settings = self.settings
        if len(image) > settings.get("firmware", 0) * _BLOCK:
            raise Failure(f"the firmware image is {len(image)} bytes", "the partition of this board is smaller")
        with open(self.flash, "r+b") as file:
            file.seek(settings["blocks"] * _BLOCK)
            file.write(b"\xff" * (2 * _BLOCK) + image)

    def list_files(self, path="/") -> dict:
        """Path -> size in bytes of every file below `path`. The board must be off."""
        with self._files() as ask:
            return ask({"list": path})["files"]

    def remove(self, path):
        """Remove a file or a folder with what is in it; absence is fine. The board must be off."""
        with self._files() as ask:
            ask({"remove": path})

    def evaluate(self, code, expression):
        """Execute `code` in a MicroPython that has the board's flash mounted, without booting the board, and return the
        value of `expression` (a literal) then. The board must be off; Failure when it raises."""
        with self._files() as ask:
            return ast.literal_eval(ask({"run": code, "show": expression})["shown"])

    def free(self) -> int:
        """Free bytes of the filesystem. The board must be off."""
        with self._files() as ask:
            return ask({"free": 0})["free"]
