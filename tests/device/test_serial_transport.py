"""A file over the console of a real MicroPython process; this test is the workstation."""

import binascii
import hashlib
import json
import subprocess
from pathlib import Path
from urllib.parse import unquote

FETCH = Path(__file__).parent / "fetch.py"
FIRMWARE = Path(__file__).resolve().parents[2] / "firmware"


def serve(process, files):
    """Answer as suit/transports/serial.py describes; -> the last line the board printed."""
    last = b""
    for line in process.stdout:
        if not line.startswith(b"suit:get "):
            last = line
            continue
        _, offset, count, path = line.strip().split(b" ", 3)
        content = files.get(unquote(path.decode()))
        if content is None:
            answer = b"suit:no absent"
        else:
            offset = int(offset)
            part = binascii.b2a_base64(content[offset : offset + int(count)], newline=False)
            mark = hashlib.sha256(content).hexdigest()[:16]
            answer = b"suit:is %d %d %s %s" % (offset, len(content), mark.encode(), part or b"-")
            answer += b" %08x" % binascii.crc32(answer)
        process.stdin.write(answer + b"\n")
        process.stdin.flush()
    return json.loads(last)


def run(micropython, files, *args):
    with subprocess.Popen(
        [micropython, str(FETCH), str(FIRMWARE), *args],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as process:  # fmt: skip
        return serve(process, files)


def test_a_file_comes_over_the_console(micropython):
    content = bytes(range(256)) * 200
    files = {"a b.suit": content}
    got = run(micropython, files, "serial:/a%20b.suit")
    assert got["sha256"] == hashlib.sha256(content).hexdigest()
    assert got["total"] == len(content)
    rest = run(micropython, files, "serial:/a%20b.suit", "1000", got["mark"])
    assert rest["offset"] == 1000
    assert rest["sha256"] == hashlib.sha256(content[1000:]).hexdigest()
    assert run(micropython, files, "serial:/other")["detail"] == "absent"
