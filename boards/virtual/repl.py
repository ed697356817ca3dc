# The REPL of a board: friendly, raw and raw-paste, on stdin and stdout.
# MIT licence.
"""What MicroPython does in C on a board (shared/runtime/pyexec.c), so that mpremote, its library and a person at a
terminal find here what they find on a serial port. `run(names, raw)` returns True (raw) or False (friendly) when a soft
reset was asked for in that mode. Ctrl-C arrives as KeyboardInterrupt, wherever we are."""

import io
import sys

import shim_machine
import shim_select as select

_in = None  # the console again, as a file that does not wait
_out = sys.stdout.buffer
_poll = select.poll()
_poll.register(sys.stdin, select.POLLIN)
_ahead = b""  # read and not yet looked at
_at = 0
_WINDOW = 512  # bytes of source the host may send ahead in raw-paste mode

BANNER = b"\r\n%s; suitup virtual board\r\nType \"help()\" for more information.\r\n" % (
    b"MicroPython " + sys.version.split("MicroPython ")[-1].encode()
)


def setup(fd):
    """Called once by board.py with a descriptor of the console that does not block."""
    global _in
    _in = open(fd, "rb")


def read():
    """One byte from the console, 3 for Ctrl-C."""
    global _ahead, _at
    try:
        while _at == len(_ahead):
            _poll.poll()
            data = _in.read(_WINDOW)
            if data is not None:
                if not data:  # the supervisor is gone
                    raise EOFError
                _ahead = data
                _at = 0
    except KeyboardInterrupt:
        return 3
    _at += 1
    return _ahead[_at - 1]


def torn():
    """True when a Ctrl-C hit the interpreter inside its garbage collector, which no board's can: builds of the Unix port that
    raise in the signal handler leave their heap locked then."""
    try:
        bytearray(64)
        return False
    except MemoryError:
        return True


def print_exception(error):
    """A traceback without the frames that no board has."""
    if isinstance(error, KeyboardInterrupt) and torn():
        shim_machine.end_torn()
    text = io.StringIO()
    sys.print_exception(error, text)
    for line in text.getvalue().split("\n")[:-1]:
        if "/repl.py\"" not in line and "/board.py\"" not in line:
            sys.stdout.write(line + "\n")


def execute(source, names, mode="exec"):
    """Compile and run; the exception that ended it, or None. SystemExit passes."""
    try:
        exec(compile(source, "<stdin>", mode), names)
    except SystemExit:
        raise
    except BaseException as error:
        return error


def _finish(error):
    """End of output, the traceback, end of errors: what a raw REPL answers after a program."""
    _out.write(b"\x04")
    if error:
        print_exception(error)
    _out.write(b"\x04")


def _raw_run(source, names):
    """SystemExit passes, after the answer is complete."""
    try:
        error = execute(source, names)
    except SystemExit:
        _finish(None)
        raise
    _finish(error)


def _paste(names):
    """Raw-paste: the host streams source within a window and ends it with Ctrl-D."""
    _out.write(b"R\x01%c%c\x01" % (_WINDOW & 255, _WINDOW >> 8))
    source = bytearray()
    while True:
        byte = read()
        if byte == 3:
            _out.write(b"\x04")
            _finish(KeyboardInterrupt())
            return
        if byte == 4:
            break
        source.append(byte)
        if len(source) % _WINDOW == 0:
            _out.write(b"\x01")
    _out.write(b"\x04")
    _raw_run(bytes(source), names)


def raw(names):
    """Until Ctrl-B (returns False) or a soft reset (True)."""
    banner = True
    while True:
        if banner:
            _out.write(b"raw REPL; CTRL-B to exit\r\n")
            banner = False
        _out.write(b">")
        line = bytearray()
        while True:
            byte = read()
            if byte == 1:
                break
            if byte == 2:
                _out.write(b"\r\n")
                return False
            if byte == 3:
                line = bytearray()
            elif byte == 4:
                break
            else:
                line.append(byte)
        if byte == 1:
            if len(line) == 2 and line[0] == 5:
                if line[1] == 65:  # "A"
                    _paste(names)
                else:
                    _out.write(b"R\x00")
            else:
                banner = True
            continue
        _out.write(b"OK")
        if not line:
            _out.write(b"\r\n")
            return True
        _raw_run(bytes(line), names)


def _incomplete(source):
    """Does a person want to go on typing? The rules of py/repl.c, in short."""
    last = source.rsplit("\n", 1)[-1]
    depth = 0
    quote = None
    i = 0
    while i < len(source):
        c = source[i]
        if quote:
            if c == "\\":
                i += 1
            elif source[i : i + len(quote)] == quote:
                i += len(quote) - 1
                quote = None
        elif c in "'\"":
            quote = c * 3 if source[i : i + 3] == c * 3 else c
            i += len(quote) - 1
        elif c == "#":
            while i < len(source) and source[i] != "\n":
                i += 1
        elif c in "([{":
            depth += 1
        elif c in ")]}":
            depth -= 1
        i += 1
    if depth > 0 or (quote and len(quote) == 3) or source.endswith("\\"):
        return True
    first = source.split(" ")[0].split(":")[0].strip()
    block = first in ("if", "for", "while", "def", "class", "with", "try", "async") or source[:1] == "@"
    return block and last.strip() != ""


def _line(prompt):
    """One edited line as text, or the control byte that ended it as int."""
    _out.write(prompt)
    line = bytearray()
    while True:
        byte = read()
        if byte in (1, 2, 3, 5) or (byte == 4 and not line):
            return byte
        if byte in (10, 13):
            _out.write(b"\r\n")
            try:
                return line.decode()
            except UnicodeError:
                return ""
        if byte in (8, 127):
            if line:
                line = line[:-1]
                _out.write(b"\b \b")
        elif byte == 27:
            # arrow keys and the like: swallow the sequence
            if read() == 91:
                while not 64 <= read() <= 126:
                    pass
        elif byte == 9:
            line.extend(b"    ")
            _out.write(b"    ")
        elif byte >= 32:
            line.append(byte)
            _out.write(bytes((byte,)))


def _paste_mode():
    """Ctrl-E: lines until Ctrl-D; None on Ctrl-C."""
    _out.write(b"\r\npaste mode; Ctrl-C to cancel, Ctrl-D to finish\r\n=== ")
    source = bytearray()
    while True:
        byte = read()
        if byte == 3:
            _out.write(b"\r\n")
            return None
        if byte == 4:
            _out.write(b"\r\n")
            return bytes(source)
        if byte == 13:
            byte = 10
        source.append(byte)
        _out.write(b"\r\n=== " if byte == 10 else bytes((byte,)))


def friendly(names):
    """Until Ctrl-A (returns False) or a soft reset (True)."""
    _out.write(BANNER)
    source = ""
    while True:
        line = _line(b"... " if source else b">>> ")
        if line == 1:
            return False
        if line == 2:
            _out.write(b"\r\n" + BANNER)
        elif line == 3:
            _out.write(b"\r\n")
        elif line == 4:
            _out.write(b"\r\n")
            return True
        elif line == 5:
            pasted = _paste_mode()
            error = execute(pasted, names) if pasted else None
            if error:
                print_exception(error)
        if isinstance(line, int):
            source = ""
            continue
        source = source + "\n" + line if source else line
        if _incomplete(source):
            continue
        if source.strip():
            error = execute(source, names, "single")
            if error:
                print_exception(error)
        source = ""


def run(names, in_raw):
    """The REPL for ever; True or False (raw or friendly) when a soft reset was asked for."""
    while True:
        try:
            if in_raw:
                if raw(names):
                    return True
            elif friendly(names):
                return False
            in_raw = not in_raw
        except KeyboardInterrupt:
            # between two reads: the same as in one
            if not in_raw:
                _out.write(b"\r\n")
        except SystemExit:
            return in_raw
