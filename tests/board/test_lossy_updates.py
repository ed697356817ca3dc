"""Whole updates on a virtual board over a bad network: the envelope, its signature, 64 KiB of image
into the slot, read back, armed."""

import ast
import hashlib
import sys
import time
from pathlib import Path

import pytest
from bench import APP, Bench
from suit.numbers import R_NETWORK
from suitup.errors import Failure

TESTS = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS / "device"), str(TESTS / "host")]
from lossy import TCPRelay, UDPRelay, content  # noqa: E402
from serving import serving  # noqa: E402

IMAGES = {f"{n}.0.0": content(64 * 1024, n) for n in range(2, 8)}


@pytest.fixture
def bench(make_board, tmp_path):
    bench = Bench(make_board(), tmp_path / "bench", {"1.0.0": APP} | IMAGES)
    bench.board.start()
    with serving(Path(bench.project.release), echo="never") as (server, log):
        bench.server, bench.log = server, log
        yield bench


def update(bench, version, port, scheme="coap"):
    """Offer `version` at `port`, without the reset; -> seconds until it is armed."""
    url = f"{scheme}://127.0.0.1:{port}/{bench.envelopes[version].name}"
    start = time.monotonic()
    bench.board.exec(f"import suit; suit.update({url!r}, False)")
    took = time.monotonic() - start
    status = bench.board.exec("print(suit.status()['update']['state'])")
    assert status.strip() == b"armed"
    return took


def test_an_update_with_a_tenth_lost_sends_no_more_than_half_as_much_again(bench):
    sent, took = {0: 0, 0.1: 0}, {0: 0, 0.1: 0}
    for version, loss in (("2.0.0", 0), ("3.0.0", 0), ("4.0.0", 0.1), ("5.0.0", 0.1)):
        with UDPRelay(bench.server.coap_port, loss=loss, seed=7) as relay:
            took[loss] += update(bench, version, relay.port)
            sent[loss] += relay.bytes
    print(f"two updates with a tenth lost: {took[0.1]:.1f} s, without: {took[0]:.1f} s")
    assert sent[0.1] <= 1.5 * sent[0], sent


def test_an_update_goes_on_after_silences_and_cuts(bench):
    with UDPRelay(bench.server.coap_port, silent=(0.1, 3), duplicate=0.1, reorder=0.1) as relay:
        update(bench, "2.0.0", relay.port)
        assert relay.lost
    with TCPRelay(bench.server.http_port, cut=20000, cuts=3) as relay:
        update(bench, "3.0.0", relay.port, "http")
        assert relay.connections > 3


def test_an_update_through_damaged_datagrams_is_right_or_refused(bench):
    """What UDP's checksum would have found is left to the digests here."""
    with UDPRelay(bench.server.coap_port, corrupt=0.02, seed=5) as relay:
        try:
            update(bench, "2.0.0", relay.port)
        except Failure:
            told = bench.board.exec("print(suit.status()['update']['state'])").strip()
            assert told in (b"refused", b"failed")
    with UDPRelay(bench.server.coap_port) as relay:
        update(bench, "2.0.0", relay.port)
    image = bench.board.exec(
        "import hashlib\nh = hashlib.sha256()\nwith open('/suit/b/app.img', 'rb') as f:\n"
        " while b := f.read(512): h.update(b)\nprint(h.digest())"
    )
    assert ast.literal_eval(image.decode().strip()) == hashlib.sha256(IMAGES["2.0.0"]).digest()


def test_an_update_that_fails_says_why_and_is_continued_later(bench):
    with UDPRelay(bench.server.coap_port, silent=(0.3, 1e9), delay=0.002) as relay:
        bench.board.exec(
            "from suit.transports import coap_timing; coap_timing.Timing.patience_ms = 1500"
        )
        with pytest.raises(Failure):
            update(bench, "2.0.0", relay.port)
        told = bench.board.exec("u = suit.status()['update']; print(u['state'], u['reason'])")
        assert told.strip() == b"failed %d" % R_NETWORK
    with UDPRelay(bench.server.coap_port) as relay:
        update(bench, "2.0.0", relay.port)
        # most of it was there: nothing but the rest came the second time
        assert relay.bytes < 60000
