"""The process behind a virtual board: it is the power supply, the reset logic, the watchdog and the cable.

    python -m suitup.boards.supervisor DIR      (VirtualBoard.start does this, detached)

It runs one MicroPython at a time on the board's flash file, serves its console on a TCP port (every client sees
everything; what any of them types goes to the board) and takes commands on another (one line each: `reset`, `cut`, `stop`,
`status`; the first line it sends is the board's id). What happens is appended to DIR/board.log: the console as it is,
and lines starting `[board]`.

A watchdog that is not fed, a power cut and a reset are all SIGKILL; what differs is the reset cause afterwards and whether
what was typed ahead is lost."""

import contextlib
import ctypes
import fcntl
import json
import os
import re
import selectors
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from suitup import paths
from suitup.boards import micropython

PWRON, HARD, WDT, SOFT = 1, 2, 3, 5  # reset causes, boards/virtual/shim_machine.py
_CAUSES = {PWRON: "power on", HARD: "reset", WDT: "watchdog", SOFT: "soft reset"}
# what the shims and the interpreter hold themselves, so that the heap left is the real board's
SHIM_HEAP = 40_800
_BACKLOG = 1 << 20  # bytes a console client may lag behind before it is dropped
_LOG_MAX = 8 << 20
_BARE_NEWLINE = re.compile(rb"(?<!\r)\n")
_PR_SET_PDEATHSIG = 1


def _die_with_parent():
    """A killed supervisor leaves no board behind (Linux)."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _nonblocking(fd):
    fcntl.fcntl(fd, fcntl.F_SETFL, fcntl.fcntl(fd, fcntl.F_GETFL) | os.O_NONBLOCK)


class Supervisor:
    """One virtual board under power. `run()` returns when it was told to stop."""

    def __init__(self, directory: Path):
        self.directory = directory
        self.settings = json.loads((directory / "board.json").read_text())
        self.selector = selectors.DefaultSelector()
        self.log = open(directory / "board.log", "ab", buffering=0)
        self.process = None
        self.clients = {}  # console socket -> bytearray still to be sent
        self.typed = bytearray()  # for the board, not yet written to it
        self.interrupt_from = None  # a Ctrl-C waits since then
        self.interrupted = 0.0  # when the last one was delivered
        self.watchdog_ms = None
        self.fed = 0.0
        self.up = False
        self.boots = 0
        self.failures = 0
        self.stopping = False
        self.last_cr = False
        self.input = os.pipe()
        os.set_inheritable(self.input[0], False)
        _nonblocking(self.input[1])
        # the same pipe once more: the REPL wants what is there, a program that reads stdin wants to wait
        self.unblocked = os.open(f"/proc/self/fd/{self.input[0]}", os.O_RDONLY | os.O_NONBLOCK)
        self.console = self._listen(self.settings.get("console_port", 0), self._accept_console)
        self.control = self._listen(self.settings.get("control_port", 0), self._accept_control)

    # -- sockets ---------------------------------------------------------------------------------------------

    def _listen(self, port, accept):
        server = socket.socket()
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            server.bind(("127.0.0.1", port))
        except OSError:  # the port it had last time is somebody else's now
            server.bind(("127.0.0.1", 0))
        server.listen(8)
        server.setblocking(False)
        self.selector.register(server, selectors.EVENT_READ, lambda mask: accept(server))
        return server

    def _accept_console(self, server):
        client, _ = server.accept()
        client.setblocking(False)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.clients[client] = bytearray()
        self.selector.register(
            client, selectors.EVENT_READ, lambda mask: self._console_ready(client, mask)
        )

    def _drop(self, client):
        self.selector.unregister(client)
        self.clients.pop(client, None)
        client.close()

    def _console_ready(self, client, mask):
        try:
            if mask & selectors.EVENT_WRITE:
                self._send(client)
            if mask & selectors.EVENT_READ and len(self.typed) < _BACKLOG:
                data = client.recv(65536)
                if not data:
                    raise ConnectionError
                self.typed += data
                self._type()
        except (BlockingIOError, InterruptedError):
            pass
        except OSError:
            if client in self.clients:
                self._drop(client)

    def _send(self, client):
        pending = self.clients[client]
        if pending:
            with contextlib.suppress(BlockingIOError):
                del pending[: client.send(pending)]
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if pending else 0)
        self.selector.modify(
            client, events, lambda mask: self._console_ready(client, mask)
        )

    def _accept_control(self, server):
        client, _ = server.accept()
        client.sendall(self.settings["uid"].encode() + b"\n")
        client.setblocking(False)
        buffer = bytearray()

        def ready(mask):
            try:
                data = client.recv(4096)
            except OSError:
                data = b""
            if not data:
                self.selector.unregister(client)
                client.close()
                return
            buffer.extend(data)
            while b"\n" in buffer:
                line, _, rest = bytes(buffer).partition(b"\n")
                buffer[:] = rest
                with contextlib.suppress(OSError):
                    client.sendall(self._command(line.decode()).encode() + b"\n")

        self.selector.register(client, selectors.EVENT_READ, ready)

    def _command(self, line):
        if line == "status":
            return json.dumps({"up": self.up, "boots": self.boots, "pid": self.process.pid})
        if line in ("reset", "cut"):
            self.restart(HARD if line == "reset" else PWRON)
            return "ok"
        if line == "stop":
            self.stopping = True
            return "ok"
        return "what?"

    # -- the console -----------------------------------------------------------------------------------------

    def say(self, text):
        """A line about the board in its log."""
        stamp = time.strftime("%H:%M:%S")
        self.log.write(f"[board] {stamp} {text}\n".encode())

    def _output(self, data):
        """From the board: newlines as a serial port sends them."""
        first_bare = data[:1] == b"\n" and self.last_cr
        self.last_cr = data[-1:] == b"\r"
        self.log.write(data.replace(b"\r\n", b"\n"))
        if first_bare:
            data = b"\n" + _BARE_NEWLINE.sub(b"\r\n", data[1:])
        else:
            data = _BARE_NEWLINE.sub(b"\r\n", data)
        for client in list(self.clients):
            pending = self.clients[client]
            pending += data
            try:
                if len(pending) > _BACKLOG:
                    raise ConnectionError
                self._send(client)
            except OSError:
                self._drop(client)

    def _type(self):
        """Hand what was typed to the board; a Ctrl-C in it becomes an interrupt, in its place."""
        while self.typed and self.up and self.interrupt_from is None:
            at = self.typed.find(3)
            if at == 0:
                # two in a row are one: the second would hit the handler of the first
                while self.typed[:1] == b"\x03":
                    del self.typed[:1]
                self.interrupt_from = time.monotonic()
                self._interrupt()
                return
            chunk = self.typed[: at if at > 0 else len(self.typed)]
            try:
                n = os.write(self.input[1], chunk)
            except BlockingIOError:
                return
            del self.typed[:n]

    def _interrupt(self):
        """SIGINT when the interpreter waits in a system call, where it cannot tear anything; a busy one gets it anyway
        after 300 ms. Some builds of the Unix port raise KeyboardInterrupt right in the handler, wherever they are."""
        now = time.monotonic()
        if now - self.interrupted < 0.05:
            return
        try:
            stat = Path(f"/proc/{self.process.pid}/stat").read_text()
            waiting = stat.rsplit(")", 1)[1].split()[0] == "S"
        except OSError:
            waiting = True
        if waiting or now - self.interrupt_from > 0.3:
            self.process.send_signal(signal.SIGINT)
            self.interrupted = now
            self.interrupt_from = None

    # -- the board -------------------------------------------------------------------------------------------

    def power_on(self, cause, raw=False, files=True):
        settings = self.settings
        read, write = os.pipe()
        output, output_end = os.pipe()
        shims = paths.boards() / "virtual"
        argument = {
            "flash": str(self.directory / "flash.bin"),
            "wear": str(self.directory / "wear.bin"),
            "blocks": settings["blocks"],
            "page": settings["page"],
            "esp32": settings["geometry"].startswith("esp32"),
            "firmware": settings.get("firmware", 0),
            "uid": settings["uid"],
            "rom": settings.get("rom", False),
            "endurance": settings.get("endurance", 0),
            "cut": self._cut_ahead(),
            "control": write,
            "input": self.unblocked,
            "cause": cause,
            "raw": raw,
            "files": files,  # run boot.py and main.py
        }
        self.boots += 1
        self.up = False
        self.interrupt_from = None
        self.say(f"{_CAUSES[cause]}, boot {self.boots}")
        self.process = subprocess.Popen(
            [micropython.find(), "-X", f"heapsize={settings['heap'] * 2 + SHIM_HEAP}",
             str(shims / "board.py")],
            # not as an argument: the Unix port takes none longer than 255 bytes
            env=os.environ | {"VIRTUAL_BOARD": json.dumps(argument)},
            stdin=self.input[0], stdout=output_end, stderr=output_end, pass_fds=[write, self.unblocked],
            cwd=self.directory, preexec_fn=_die_with_parent,
        )
        os.close(write)
        os.close(output_end)
        self.pipes = (output, read)
        self.requests = b""
        for fd, ready in ((output, self._output_ready), (read, self._request_ready)):
            _nonblocking(fd)
            self.selector.register(fd, selectors.EVENT_READ, ready)

    def _cut_ahead(self):
        """A power cut that was asked for at some flash operation of the next boot; once."""
        path = self.directory / "cut.json"
        try:
            cut = json.loads(path.read_text())
            path.unlink()
            return cut
        except FileNotFoundError:
            return None

    def power_off(self):
        """End the interpreter as a power cut ends it, and show what it had printed."""
        if not self.process:
            return
        self.process.kill()
        self.process.wait()
        self._drain()
        for fd in self.pipes:
            self.selector.unregister(fd)
            os.close(fd)
        self.process = None
        self.up = False

    def restart(self, cause, raw=False, files=True):
        self.power_off()
        if cause != SOFT:
            # a reset forgets what was typed ahead and stops the watchdog
            self.watchdog_ms = None
            self.typed.clear()
            with contextlib.suppress(BlockingIOError):
                while os.read(self.unblocked, 65536):
                    pass
        self.power_on(cause, raw, files)

    def _drain(self):
        with contextlib.suppress(BlockingIOError):
            while data := os.read(self.pipes[0], 65536):
                self._output(data)

    def _output_ready(self, mask):
        try:
            data = os.read(self.pipes[0], 65536)
        except BlockingIOError:
            return
        if data:
            self._output(data)
            return
        # it ended by itself, which no board does: a crash of the interpreter
        code = self.process.wait()
        self.say(f"the interpreter ended with {code}")
        self.failures += 1
        time.sleep(min(0.2 * self.failures, 5))
        self.restart(HARD)

    def _request_ready(self, mask):
        try:
            self.requests += os.read(self.pipes[1], 65536)
        except BlockingIOError:
            return
        while b"\n" in self.requests:
            line, _, self.requests = self.requests.partition(b"\n")
            word, _, value = line.decode().partition(" ")
            if word == "feed":
                self.fed = time.monotonic()
            elif word == "wdt":
                self.watchdog_ms = int(value)
                self.fed = time.monotonic()
            elif word == "up":
                self.up = True
                self.failures = 0
                self._type()
            elif word == "say":
                self.say(value)
            elif word == "torn":
                # Ctrl-C tore the interpreter's heap, which cannot happen on a board: to the REPL with a new one
                self.say("a Ctrl-C hit the garbage collector; the variables are gone")
                self.restart(SOFT, files=False)
                return
            elif word in ("reset", "cut", "soft"):
                self._drain()
                if word == "cut":
                    self.say("power cut inside the flash operation that was asked for")
                self.restart(
                    {"reset": HARD, "cut": PWRON, "soft": SOFT}[word], word == "soft" and value == "raw"
                )
                return

    def _watch(self):
        """Bite when the watchdog starves; what is already in the channel counts as fed."""
        if self.watchdog_ms is None:
            return
        if (time.monotonic() - self.fed) * 1000 > self.watchdog_ms:
            boots = self.boots
            self._request_ready(0)
            if boots == self.boots and (time.monotonic() - self.fed) * 1000 > self.watchdog_ms:
                self.say(f"the watchdog was not fed for {self.watchdog_ms} ms")
                self.restart(WDT)

    def _tick(self):
        """How long select may sleep, in seconds."""
        if self.interrupt_from is not None:
            return 0.005
        if self.typed:
            return 0.02
        if self.watchdog_ms is not None:
            left = self.watchdog_ms / 1000 - (time.monotonic() - self.fed)
            return max(0.01, min(1.0, left))
        return 1.0

    def run(self):
        """Power on, and serve until told to stop or until the board's folder is gone."""
        self.power_on(PWRON)
        while not self.stopping:
            for key, mask in self.selector.select(self._tick()):
                # an earlier handler may have closed what this event was about
                current = self.selector.get_map().get(key.fd)
                if current and current.data == key.data:
                    key.data(mask)
            if self.interrupt_from is not None:
                self._interrupt()
            if self.typed:
                self._type()
            self._watch()
            if not (self.directory / "board.json").exists():
                break
            if self.log.tell() > _LOG_MAX:
                self.log.truncate(0)
        self.power_off()
        self.say("power off")


def main(directory):
    board = Supervisor(Path(directory))

    def stop(number, frame):
        board.stopping = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    settings = {
        "pid": os.getpid(),
        "console_port": board.console.getsockname()[1],
        "control_port": board.control.getsockname()[1],
    }
    # the one who started us reads this line: the ports are served from here on
    print(json.dumps(settings), flush=True)
    try:
        board.run()
    finally:
        board.power_off()


if __name__ == "__main__":
    main(sys.argv[1])
