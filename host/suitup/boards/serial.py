"""A board at the end of a cable: its raw REPL through mpremote's SerialTransport.

    with connect("a0") as board:            # mpremote's spellings: auto, a0, u1, c3, id:..., port:..., /dev/..., socket://
        print(board.machine, board.free)
        board.write("/suit/config.cbor", data)
        board.reset()

Opening interrupts the running app (Ctrl-C), which is how a cable works; `reset()` starts it again. What goes
wrong is a Failure; an exception on the board is a Failure with its last line as `why` and the whole text in
`.traceback`."""

import ast
import binascii
import contextlib
import io
import re
import time

from suitup.errors import Failure
from suitup.terminal import last_line, plain

_ALIAS = re.compile(r"([auc])(\d+)\Z")
_DEVICES = {"a": "/dev/ttyACM", "u": "/dev/ttyUSB", "c": "COM"}
_CHUNK = (
    1536  # bytes of a file per command: 2 KiB of base64, which the smallest board has room for
)
_AT_ONCE = 24  # files hashed by one command

# prints one tuple; mpy is 0 where the interpreter loads no .mpy files
_WHO = """\
import sys, os, gc
gc.collect()
print((sys.platform, os.uname().machine if hasattr(os, 'uname') else sys.platform,
 getattr(sys.implementation, '_mpy', 0), '.'.join(str(x) for x in sys.implementation[1][:3]), gc.mem_free()))
"""

# SHA-256 of files: {path: hex or None}
_HASHES = """\
import hashlib, binascii
def _h(p, b=bytearray(512)):
 try:
  f = open(p, 'rb')
 except OSError:
  return None
 d = hashlib.sha256()
 m = memoryview(b)
 while True:
  n = f.readinto(b)
  if not n: break
  d.update(m[:n])
 f.close()
 return binascii.hexlify(d.digest()).decode()
"""

_WRITER = """\
import os
from binascii import a2b_base64 as _b
def _open(p):
 at = p.find('/', 1)
 while at > 0:
  try:
   os.mkdir(p[:at])
  except OSError as e:
   if e.args[0] != 17: raise
  at = p.find('/', at + 1)
 return open(p, 'wb')
def _ren(p):
 try:
  os.rename(p + '.new', p)
 except OSError:
  os.remove(p)
  os.rename(p + '.new', p)
"""


def device(port: str) -> str:
    """The device a spelling of mpremote's means; raises Failure when `auto` or `id:` finds none."""
    import serial.tools.list_ports

    alias = _ALIAS.match(port)
    if alias:
        return _DEVICES[alias[1]] + alias[2]
    if port.startswith("port:"):
        return port[5:]
    if port == "auto":
        for found in sorted(serial.tools.list_ports.comports()):
            if found.vid is not None and found.pid is not None:
                return found.device
        raise Failure(
            "no board found on USB", hint="plug one in, or name its port: --port a0, u0, /dev/..."
        )
    if port.startswith("id:"):
        for found in serial.tools.list_ports.comports():
            if found.serial_number == port[3:]:
                return found.device
        raise Failure(
            f"no board with serial number {port[3:]}", hint="`mpremote connect list` shows them"
        )
    return port


class SerialBoard:
    """A board in its raw REPL. Made by `connect`."""

    def __init__(self, transport, name):
        self.transport = transport
        self._prepared = set()
        self.name = name
        who = self.eval_printed(_WHO)
        self.platform, self.machine, self.mpy, self.version, self.free = who

    def run(self, code: str, timeout=30, shown=None) -> bytes:
        """Execute `code` and return what it printed. `timeout`: seconds without a sign of life; `shown(bytes)` gets
        the output as it comes, and nothing is returned then."""
        from mpremote.transport import TransportError

        try:
            out, error = self.transport.exec_raw(code, timeout, shown)
        except (TransportError, OSError) as lost:
            raise self._lost(lost) from None
        if error:
            raise self._exception(error)
        return out

    def _lost(self, why):
        hint = "was it unplugged or reset? connect again"
        return Failure(f"the board at {self.name} stopped answering", str(why), hint)

    @staticmethod
    def _exception(error):
        text = plain(error.decode("utf-8", "replace").strip())
        failure = Failure("the board raised an exception", last_line(text) or None)
        failure.traceback = text
        return failure

    def converse(self, code: str, answer, timeout=60) -> bytes:
        """Execute `code` while it talks: `answer(line)` gets each line it prints and returns the bytes to send, or None.
        Returns what it printed besides what was answered. `timeout`: seconds without a line."""
        from mpremote.transport import TransportError

        wire = self.transport.serial
        out = []
        try:
            self.transport.exec_raw_no_follow(code)
            line = b""
            heard = time.monotonic()
            while True:
                got = wire.read(wire.inWaiting() or 1)
                if got:
                    heard = time.monotonic()
                elif time.monotonic() - heard > timeout:
                    raise TransportError(f"nothing for {timeout} s")
                # end of the program's output: its errors follow
                before, ended, after = got.partition(b"\x04")
                line += before
                while b"\n" in line:
                    one, line = line.split(b"\n", 1)
                    reply = answer(one.rstrip(b"\r"))
                    if reply is None:
                        out.append(one + b"\n")
                    else:
                        wire.write(reply)
                if ended:
                    break
            out.append(line)
            if not after.endswith(b"\x04"):
                after += self.transport.read_until(1, b"\x04", timeout=10)
        except (TransportError, OSError) as lost:
            raise self._lost(lost) from None
        if after != b"\x04":
            raise self._exception(after[:-1])
        return b"".join(out)

    def console(self, end):
        """Lines of the console as they come, until the monotonic time `end`, without touching the board; "" twice a second
        while there are none; None when the port has gone away with a reset (USB of the chip itself) and has come back:
        what was printed in between is lost."""
        wire = self.transport.serial
        line = b""
        quiet = 0
        while time.monotonic() < end:
            try:
                got = wire.read(wire.inWaiting()) if wire.inWaiting() else b""
            except (OSError, TypeError):  # pyserial reads from a closed descriptor
                wire = self._reopened(end)
                if wire is None:
                    return
                line = b""
                yield None
                continue
            if not got:
                time.sleep(0.05)
                quiet += 1
                if quiet % 10 == 0:
                    yield ""  # the caller may have an opinion
                continue
            quiet = 0
            line += got
            while b"\n" in line:
                one, line = line.split(b"\n", 1)
                yield one.strip().decode("utf-8", "replace")

    def _reopened(self, end):
        from mpremote.transport import TransportError
        from mpremote.transport_serial import SerialTransport

        with contextlib.suppress(OSError, TypeError):
            self.transport.close()
        while time.monotonic() < end:
            try:
                self.transport = SerialTransport(device(self.name))
                return self.transport.serial
            except (TransportError, OSError, Failure):
                time.sleep(0.2)
        return None

    def eval_printed(self, code: str, timeout=30):
        """Execute `code`, which prints one Python literal last, on one line, and return its value."""
        text = self.run(code, timeout).decode("utf-8", "replace").strip()
        try:
            return ast.literal_eval(last_line(text))
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            raise Failure(
                f"the board at {self.name} printed what was not asked for", plain(text[:200])
            ) from None

    def _prepare(self, code):
        if code not in self._prepared:
            self.run(code)
            self._prepared.add(code)

    def hashes(self, paths) -> dict:
        """{path: SHA-256 in hex, or None where there is no such file}."""
        self._prepare(_HASHES)
        found = {}
        paths = list(paths)
        for at in range(0, len(paths), _AT_ONCE):
            part = paths[at : at + _AT_ONCE]
            hashes = self.eval_printed(f"print([_h(p) for p in {part!r}])")
            found.update(zip(part, hashes))
        return found

    def read(self, path: str) -> bytes | None:
        """A whole file; None when there is none."""
        text = self.run(
            "import binascii\n"
            "try:\n f = open(%r, 'rb')\n"
            " while True:\n  b = f.read(384)\n  if not b: break\n  print(binascii.b2a_base64(b).decode(), end='')\n"
            " f.close()\n"
            "except OSError:\n print('none')\n" % path
        )
        if text.strip() == b"none":
            return None
        return b"".join(binascii.a2b_base64(line) for line in text.split())

    def write(self, path: str, data: bytes):
        """Write a file; folders are made. A file that is being replaced is replaced when the last byte is there."""
        self._prepare(_WRITER)
        # littlefs keeps the old content until close(); other filesystems need the rename
        commands = [f"_f = _open({path + '.new'!r})"]
        for at in range(0, len(data), _CHUNK):
            text = binascii.b2a_base64(data[at : at + _CHUNK], newline=False).decode()
            commands.append(f"_n = _f.write(_b('{text}'))")
            if len(commands) > 1 and at + _CHUNK < len(data):
                self.run("\n".join(commands))
                commands = []
        commands.append(f"_f.close()\n_ren({path!r})")
        self.run("\n".join(commands))

    def remove(self, path: str):
        """Remove a file, or a folder with all that is in it; nothing when there is none."""
        self._prepare(_REMOVER)
        self.run(f"_rm({path!r})")

    def listing(self, path: str) -> list:
        """Every file below a folder, as whole paths; empty when there is none."""
        self._prepare(_LISTER)
        return self.eval_printed(f"print(_ls({path!r}))")

    def leave(self, code: str):
        """Execute `code` that ends in a reset: nothing can be heard of it, and the connection is of no use afterwards."""
        from mpremote.transport import TransportError

        with contextlib.suppress(TransportError, OSError):
            self.transport.exec_raw_no_follow(code)
        # its prompt is of the boot before
        self.transport.in_raw_repl = False

    def reset(self):
        """Restart the board; the connection is of no use afterwards."""
        self.leave("import machine\nmachine.reset()")


_REMOVER = """\
import os
def _rm(p):
 try:
  for e in os.ilistdir(p):
   if e[1] & 0x4000: _rm(p + '/' + e[0])
   else: os.remove(p + '/' + e[0])
  os.rmdir(p)
 except OSError as e:
  try:
   os.remove(p)
  except OSError:
   pass
"""

_LISTER = """\
import os
def _ls(p):
 out = []
 try:
  for e in os.ilistdir(p):
   if e[1] & 0x4000: out += _ls(p + '/' + e[0])
   else: out.append(p + '/' + e[0])
 except OSError:
  pass
 return out
"""


@contextlib.contextmanager
def connect(port: str):
    """A SerialBoard on `port`, in its raw REPL; left at the friendly one, and closed. Raises Failure."""
    from mpremote.transport import TransportError
    from mpremote.transport_serial import SerialTransport

    path = device(port)
    try:
        transport = SerialTransport(path)
    except (TransportError, OSError) as error:
        raise Failure(
            f"cannot open {path}",
            str(error),
            "is it plugged in, and not open in another program? `mpremote connect list` shows what there is",
        ) from None
    board = None
    try:
        try:
            # it prints what it did not expect before it raises
            with contextlib.redirect_stdout(io.StringIO()):
                transport.enter_raw_repl(soft_reset=False)
        except TransportError as error:
            raise Failure(
                f"no MicroPython answers on {path}",
                str(error),
                "press its reset button; a board without MicroPython needs `suitup flash` first",
            ) from None
        board = SerialBoard(transport, port)
        yield board
    finally:
        transport = board.transport if board else transport
        if transport.in_raw_repl:
            with contextlib.suppress(TransportError, OSError):
                transport.exit_raw_repl()
        with contextlib.suppress(OSError, TypeError):
            transport.close()
