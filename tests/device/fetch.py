"""A device that fetches one URI: `micropython fetch.py FIRMWARE URI [OFFSET [MARK]]` (CPython does as well).
Prints one line of JSON: what arrived, or why not. Options as name=value: `buffer`, `stop`, `patience`, `idle`, `free`, `rtt`
(ms, what the Echo of a nudge would have told of the way)."""

import hashlib
import json
import sys
import time

sys.path.insert(0, sys.argv[1])

from suit import transports  # noqa: E402
from suit.errors import SuitError  # noqa: E402
from suit.wait import run  # noqa: E402

held = []


def fill(free):
    """Leave about `free` bytes of the heap."""
    import gc

    gc.collect()
    size = 65536
    while size >= 64:
        try:
            if gc.mem_free() - size < free:
                raise MemoryError
            held.append(bytearray(size))
        except MemoryError:
            size //= 2


def fetch(uri, offset, mark, options, out):
    view = memoryview(bytearray(int(options.get("buffer", 1024))))
    if "patience" in options:
        from suit.transports import coap_timing

        coap_timing.Timing.patience_ms = int(options["patience"])
    if "rtt" in options:
        from suit.transports import coap_timing

        host = transports.split(uri)[1]
        coap_timing.timing(host).hint(int(options["rtt"]) * 1000)
    if "idle" in options:
        from suit.transports.http import HTTPStream

        HTTPStream.timeout_ms = int(options["idle"])
        HTTPStream.pause_ms = 50
    stream = transports.open(uri)
    if "free" in options:
        fill(int(options["free"]))
    digest = hashlib.sha256()
    try:
        yield from stream.start(offset, mark)
        out["offset"], out["mark"], out["total"] = stream.offset, stream.mark, stream.total
        out["bytes"] = 0
        while True:
            n = yield from stream.readinto(view)
            if not n:
                break
            digest.update(view[:n])
            out["bytes"] += n
            if out["bytes"] >= int(options.get("stop", 1 << 30)):
                break
        out["total"] = stream.total
    finally:
        stream.close()
        out["sha256"] = "".join("%02x" % c for c in digest.digest())


def main(args):
    options = dict(arg.split("=", 1) for arg in args if "=" in arg and "://" not in arg)
    plain = [arg for arg in args if "://" in arg or "=" not in arg]
    out = {}
    start = time.time()
    try:
        offset = int(plain[1]) if len(plain) > 1 else 0
        run(fetch(plain[0], offset, plain[2] if len(plain) > 2 else None, options, out))
    except SuitError as error:
        out["reason"], out["detail"] = error.reason, error.detail
    out["seconds"] = time.time() - start
    print(json.dumps(out))


main(sys.argv[2:])
