"""Where the fuzzers start: cases of the vectors, and a few items of their own for each target."""

import hmac
import json
from pathlib import Path

import cbor2
from cryptography.hazmat.primitives import keywrap

VECTORS = Path(__file__).resolve().parents[1] / "vectors"


def _files(*patterns, limit=40):
    found = [path.read_bytes() for pattern in patterns for path in sorted(VECTORS.glob(pattern))]
    return [data for data in found if len(data) < 5000][:limit]


def _romfs():
    from suitup.images import romfs

    return [
        romfs.write({"main.py": b"print(1)", "lib/x.py": b"x = 1"})[3:],
        romfs.write({"a": b""})[3:],
    ]


def _mac(payload):
    protected = cbor2.dumps({1: 5})
    tag = hmac.digest(b"k" * 32, cbor2.dumps(["MAC0", protected, b"", payload]), "sha256")
    return cbor2.dumps(cbor2.CBORTag(17, [protected, {4: b"kid"}, None, tag]))


def _encrypted():
    """Length, SUIT_Encryption_Info, ciphertext: the examples of the draft."""
    folder = VECTORS / "firmware-encryption"
    found = []
    for path in sorted(folder.glob("*.info.cbor")):
        info = path.read_bytes()
        payload = path.with_name(path.name.replace(".info.cbor", ".payload.bin")).read_bytes()
        found.append(len(info).to_bytes(2, "big") + info + payload)
    return found


def _signed_by_hashes():
    found = []
    for path in sorted((VECTORS / "lms").glob("*.pub.bin")):
        public = path.read_bytes()
        signature = path.with_name(path.name.replace(".pub.", ".sig.")).read_bytes()
        found.append(bytes([len(public)]) + public + signature)
    return found


def _lattice():
    answers = json.loads((VECTORS / "mldsa" / "mldsa44-kat.json").read_text())
    return [bytes.fromhex(one["sm"])[:2420] for one in answers[:3]]


def seeds(target):
    """A list of inputs, small ones first."""
    from targets import TRUST, build

    found = {
        "cbor": lambda: (
            _files("suit-manifest/*.suit", limit=10)
            + [
                cbor2.dumps(x)
                for x in (
                    0,
                    -1,
                    [1, [2, [3]]],
                    {1: b"x", "a": "é"},
                    cbor2.CBORTag(107, {}),
                    True,
                    None,
                )
            ]
        ),
        "trust": lambda: [
            TRUST,
            cbor2.dumps([{1: 2, -1: 1, -2: b"x" * 32, -3: b"y" * 32, 3: -9, 2: b"id"}]),
            cbor2.dumps(
                [{1: 1, -1: 6, -2: b"x" * 32}, {1: 5, -1: b"p" * 60}, {1: 7, 3: -48, -1: b"q"}]
            ),
        ],
        "cose": lambda: [_mac(b"other")] + _files("cose/*.cbor"),
        "envelope": lambda: (
            [build(b""), build(bytes(range(200)))] + _files("suit-manifest/*.suit")
        ),
        "processor": lambda: [bytes(range(n, n + 120)) for n in range(0, 130, 13)] + [b"\0" * 50],
        "romfs": _romfs,
        "coap": lambda: [
            bytes.fromhex("62450001abcd422202c0ff0061"),
            bytes.fromhex("40010001b3666f6f"),
        ],
        "http": lambda: [
            b'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nETag: "a"\r\n\r\nhello',
            b"HTTP/1.1 206 x\r\nContent-Range: bytes 1-2/5\r\nContent-Length: 2\r\n\r\nhe",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n0\r\nT: 1\r\n\r\n",
        ],
        "config": lambda: [
            cbor2.dumps({"name": "x", "vendor": bytes(16), "class": [bytes(16)], "poll": 1})
        ],
        "decrypt": _encrypted,
        "lms": _signed_by_hashes,
        "mldsa": _lattice,
        "keywrap": lambda: [keywrap.aes_key_wrap(b"a" * 16, bytes(n)) for n in (16, 24, 32)],
    }[target]()
    return sorted(found, key=len)
