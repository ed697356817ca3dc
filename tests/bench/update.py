"""What an update costs: `python tests/bench/update.py [--sizes KIB,KIB] [--skip-heap]`.

On a virtual board (real MicroPython, littlefs on modelled NOR flash, nothing else running), over loopback:

* the least free heap with which an ESP256-signed update completes, found by filling the heap until that much is left in
  one piece and halving the interval; the code is loaded already. The Unix port has 64-bit words, so a board needs about half.
  Once for an app alone, on a virtual board, whose engine for P-256 is the slowest and hungriest; once for an app with two
  dependencies signed on their own (composite.py), with the engines that boards have;
* the time of an update (spool, authenticate, fetch, write, read back, arm) against the time of fetching the same bytes with the
  same transport into nowhere."""

import argparse
import secrets
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "host"), str(HERE.parents[1] / "host")]

from composite import attempt, prepare  # noqa: E402
from serving import serving  # noqa: E402
from suitup import desk, keys, project  # noqa: E402
from suitup.boards import micropython  # noqa: E402
from suitup.boards.provision import Flash, provision  # noqa: E402
from suitup.boards.virtual import VirtualBoard  # noqa: E402
from suitup.errors import Failure  # noqa: E402
from suitup.numbers import R_BUDGET  # noqa: E402

MOST = 40_960  # bytes of free heap to begin with
TOML = 'name = "bench"\nversion = "1.0.0"\nvendor = "example.com"\napp = "app"\nkey = "key.pem"\nrelease = "release"\n'

# prints the milliseconds, or the refusal; the place of `free` bytes is kept whole until it is wanted
_UPDATE = """
import sys, gc, time
if '/lib' not in sys.path: sys.path.append('/lib')
import suit
from suit.errors import SuitError
_MOST = %d
if '_place' not in globals():
 gc.collect()
 _place = bytearray(_MOST)
def _update(url, free=None):
 global _place
 if free is not None:
  _place = None
 held = None # a chain: a list would need a piece of its own to grow
 gc.collect()
 try:
  if free is not None:
   kept = bytearray(free)
   size = 16384
   while size > 8:
    try:
     while True:
      held = (held, bytearray(size))
    except MemoryError:
     size >>= 1
   kept = None
   gc.collect()
  start = time.ticks_ms()
  suit.update(url, False)
  return time.ticks_diff(time.ticks_ms(), start)
 except SuitError as e:
  return (e.reason, e.detail)
 except MemoryError:
  return (-1, 'memory')
 finally:
  held = None
  gc.collect()
def _fetch(url):
 from suit import transports
 from suit.wait import run
 view = memoryview(bytearray(1024))
 def whole():
  stream = transports.open(url)
  n = 1
  try:
   yield from stream.start(0, None)
   while n:
    n = yield from stream.readinto(view)
  finally:
   stream.close()
 start = time.ticks_ms()
 run(whole())
 return time.ticks_diff(time.ticks_ms(), start)
""" % MOST


class Bench:
    """A provisioned board without an app, stopped at its console; releases of any size."""

    def __init__(self, folder: Path):
        (folder / "app").mkdir()
        (folder / "app" / "main.py").write_text("print('bench')\n")
        (folder / "suitup.toml").write_text(TOML)
        keys.save(keys.generate("ESP256", development=True), folder / "key.pem")
        self.folder = folder
        self.project = project.load(folder)
        self.board = VirtualBoard(folder / "board").create("esp32")
        provision(Flash(self.board), desk.board_settings(self.project, self.board))
        self._number = 0

    def release(self, size) -> str:
        """A new release whose app image has about `size` bytes that no other has; its file name."""
        self._number += 1
        data = self.folder / "app" / "data.bin"
        data.write_bytes(secrets.token_bytes(max(size - 400, 1)))
        return desk.make(replace(self.project, compiled=False), f"{self._number}.0.0").name

    def ask(self, code, fresh=False, timeout=90):
        """The value of an expression on the board; `fresh`: after a soft reset."""
        return eval(self.board.exec(f"{_UPDATE}\nprint(repr({code}))", soft_reset=fresh, timeout=timeout).splitlines()[-1])


def least_heap(bench, server, release, most=MOST):
    """Bytes of free heap with which an update to `release()` completes; the next step below does not."""

    # a new content each time, or nothing would be fetched
    def completes(free):
        warm = bench.ask(f"_update({server.url('coap', release())!r})", fresh=True)  # loads the code
        if not isinstance(warm, int):
            raise Failure(f"an update ended with {warm}")
        try:
            answer = bench.ask(f"_update({server.url('coap', release())!r}, {free})", timeout=30)
        except Failure:
            # so little that every datagram is lost: in the end it would say so
            bench.board.stop()
            bench.board.start()
            return False
        if not isinstance(answer, int) and answer[0] not in (-1, R_BUDGET):
            raise Failure(f"an update with {free} bytes of free heap ended with {answer}")
        return isinstance(answer, int)

    if not completes(most):
        raise Failure(f"not even with {most} bytes of free heap in one piece does an update complete")
    low, high = 0, most
    while high - low > 512:
        middle = (low + high) // 2
        low, high = (low, middle) if completes(middle) else (middle, high)
    return high


def least_with_dependencies():
    """The same for an app with two dependencies (composite.py), with the engines that boards have."""
    low, high = 0, MOST
    with tempfile.TemporaryDirectory() as folder:
        prepare(Path(folder))
        while high - low > 512:
            middle = (low + high) // 2
            enough = attempt(micropython.find(), folder, middle) == "ok"
            low, high = (low, middle) if enough else (middle, high)
    return high


def times(bench, server, kib):
    """[(transport, milliseconds to fetch, milliseconds to update)]."""
    found = []
    for transport in ("coap", "http"):
        name = bench.release(kib * 1024)
        image = max(server.store.names(), key=lambda each: bench_size(server, each, name))
        fetch = bench.ask(f"_fetch({server.url(transport, image)!r})")
        update = bench.ask(f"_update({server.url(transport, name)!r})")
        if not isinstance(update, int):
            raise Failure(f"the update of {kib} KiB over {transport} was refused: {update}")
        found.append((transport, fetch, update))
    return found


def bench_size(server, file, envelope):
    """Size of a payload that is new with this envelope, by time of publication."""
    path = server.store.folder / file
    return (path.stat().st_mtime_ns if file.endswith(".img") else 0, path.stat().st_size)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", default="64,256,1024", help="KiB of the images [64,256,1024]")
    parser.add_argument("--skip-heap", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        bench.release(100)
        bench.board.start()
        try:
            with serving(bench.project.release) as (server, _):
                bench.ask(f"_update({server.url('coap')!r})")  # loads the code
                bench.ask(f"_update({server.url('http', bench.release(1000))!r})")
                if not options.skip_heap:
                    heap = least_heap(bench, server, lambda: bench.release(20_000))
                    print(f"free heap that an update over CoAP needs: {heap} bytes here, where words are double")
                    heap = least_with_dependencies()
                    print(f"the same with two dependencies, from a file, with native code: {heap} bytes")
                print("image        transport   fetched alone   updated     ratio")
                for kib in map(int, options.sizes.split(",")):
                    for transport, fetch, update in times(bench, server, kib):
                        print(
                            f"  {kib:5} KiB  {transport:9} {fetch:10} ms {update:10} ms   {update / max(fetch, 1):8.2f} x"
                        )
        finally:
            bench.board.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
