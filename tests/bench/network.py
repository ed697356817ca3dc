"""What a bad network costs: `python tests/bench/network.py [--size KIB] [--delay MS] [--runs N]`.

The device's CoAP client in MicroPython fetches over a relay that loses datagrams both ways; bytes
are CoAP messages in both directions, retransmissions included, against the size of the content;
times are against the median without loss. The way is known from the Echo of the nudge, as in a push.
The last CoAP line is a board that nobody nudged, in its first contact since it was started: when the
very first datagram is lost it has to wait 1 to 1.5 s (RFC 8961 section 4 (1): no less than 1 s while
nothing is known of the path), which only a longer transfer makes up for. For HTTP the connection is
cut instead."""

import argparse
import os
import shutil
import statistics
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "device"))
from lossy import CoAPServer, HTTPServer, TCPRelay, UDPRelay, content, fetch, sha256  # noqa: E402

LOSSES = (0, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3)
CUTS = (0, 1, 2, 4)


def micropython():
    beside = Path(sys.executable).parent / "micropython"
    named = os.environ.get("MICROPYTHON")
    return named or (str(beside) if beside.exists() else shutil.which("micropython"))


def coap(data, loss, delay, seed, nudged=True):
    """(seconds or None, bytes sent, datagrams lost)"""
    known = {"rtt": round(2000 * delay) + 1} if nudged else {}
    with CoAPServer(data) as server, UDPRelay(server.port, loss, delay=delay, seed=seed) as relay:
        got = fetch(micropython(), f"coap://127.0.0.1:{relay.port}/file", timeout=600, **known)
        done = got.get("sha256") == sha256(data) and "reason" not in got
        return got["seconds"] if done else None, relay.bytes, relay.lost


def http(data, cuts, delay):
    with HTTPServer(data) as server:
        relay = TCPRelay(server.port, len(data) // (cuts + 1) if cuts else None, cuts, delay=delay)
        with relay:
            got = fetch(micropython(), f"http://127.0.0.1:{relay.port}/file", timeout=600)
        done = got.get("sha256") == sha256(data) and "reason" not in got
        return got["seconds"] if done else None, relay.bytes, relay.connections


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--size", type=int, default=64, metavar="KIB")
    parser.add_argument("--delay", type=float, default=5, metavar="MS", help="each way")
    parser.add_argument("--runs", type=int, default=5, metavar="N")
    options = parser.parse_args()
    data = content(options.size * 1024)
    delay = options.delay / 1000
    print(f"{options.size} KiB, {2 * options.delay:g} ms there and back, {options.runs} runs each")
    print(
        f"{'CoAP loss':>13} {'median s':>9} {'worst s':>8} {'x median':>9} {'x worst':>8}"
        f" {'x bytes':>8} {'done':>7}"
    )
    ideal = None
    for loss, nudged in [(loss, True) for loss in LOSSES] + [(0.1, False)]:
        runs = [coap(data, loss, delay, seed, nudged) for seed in range(options.runs)]
        times = [seconds for seconds, _, _ in runs if seconds is not None]
        middle = statistics.median(times) if times else float("nan")
        worst = max(times, default=float("nan"))
        ideal = ideal or middle
        sent = statistics.mean(count for _, count, _ in runs) / len(data)
        name = f"{loss:.0%}" if nudged else f"first, {loss:.0%}"
        print(
            f"{name:>13} {middle:>9.2f} {worst:>8.2f} {middle / ideal:>9.2f} {worst / ideal:>8.2f}"
            f" {sent:>8.2f} {len(times):>4}/{len(runs)}",
            flush=True,
        )
    print(f"{'HTTP cuts':>9} {'seconds':>9} {'x time':>16} {'x bytes':>8}")
    ideal = None
    for cuts in CUTS:
        seconds, sent, _ = http(data, cuts, 0)
        ideal = ideal or seconds
        print(f"{cuts:>9} {seconds:>9.2f} {seconds / ideal:>16.2f} {sent / len(data):>8.2f}")


main()
