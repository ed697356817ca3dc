"""What is fuzzed: `TARGETS[name](data)` feeds hostile bytes to one parser of the device. It returns when the answer is an
orderly one, a `SuitError` or a success that the workstation's independent code confirms, and raises otherwise.

    cbor        strict cursor and generic decoder; what it reads cbor2 reads too, and writes again as the same bytes
    trust       a trust store
    cose        one authentication block
    envelope    authentication of a whole envelope; success only where the workstation verifies it too
    processor   structure-aware: the bytes steer edits of a signed envelope, which is then signed again, so that every
                mutation reaches the processor; the verdict is the workstation's
    romfs       an app image: listed, opened and read
    coap        a CoAP message
    http        an HTTP response, with its chunks
    config      /suit/config.cbor
    decrypt     SUIT_Encryption_Info, then a ciphertext; what is opened cryptography opens too
    lms         HSS-LMS public key and signature
    mldsa       ML-DSA-44 signature under one key
    keywrap     a wrapped key
"""

import hashlib
import hmac
import socket
from pathlib import Path

import cbor2
from suit import errors, numbers
from suit.cbor import Cursor, value
from suit.region import MemoryRegion
from suit.trust import TrustStore

SECRET = b"k" * 32
TRUST = cbor2.dumps([{1: 4, 3: 5, -1: SECRET}])
VENDOR, CLASS = bytes(range(16)), bytes(range(16, 32))


class Disagreement(AssertionError):
    """Device and workstation came to different verdicts, or a limit was passed."""


def finish(gen, limit=200_000):
    """Drive a generator that never really waits; it must end."""
    for _ in range(limit):
        try:
            next(gen)
        except StopIteration as done:
            return done.value
    raise Disagreement(f"still running after {limit} slices")


def _orderly(call, *args):
    """The value of a call, None when it refused as it may."""
    try:
        return call(*args)
    except errors.SuitError:
        return None


def cbor(data):
    def whole():
        c = Cursor(data)
        c.skip()
        c.end()
        return True

    if _orderly(whole):
        if any(0xC0 <= byte <= 0xDB for byte in data):
            return  # cbor2 looks into dates and numbers behind tags, the cursor does not
        item = cbor2.loads(data)
        try:
            again = cbor2.dumps(item, canonical=True)
        except (TypeError, ValueError, OverflowError):
            return  # simple values and tags of cbor2's own
        plain = not any(type(x).__module__ not in ("builtins", "cbor2") for x in _leaves(item))
        if any(key in (0, 1) for x in _leaves(item) if isinstance(x, dict) for key in x):
            # to Python false is 0 and true is 1: of two such keys one is left
            plain = plain and not any(byte in (0xF4, 0xF5) for byte in data)
        if plain and len(again) != len(data):
            raise Disagreement("not the shortest form")
    _orderly(value, data)


def _leaves(item):
    yield item
    if isinstance(item, dict):
        for k, v in item.items():
            yield from _leaves(k)
            yield from _leaves(v)
    elif isinstance(item, (list, tuple)):
        for v in item:
            yield from _leaves(v)
    elif isinstance(item, cbor2.CBORTag):
        yield from _leaves(item.value)


def trust(data):
    store = _orderly(TrustStore, data)
    if store:
        for key in store.keys:
            for alg in (-7, -9, -19, -46, -48, 5):
                key.serves(alg)
            _orderly(lambda key=key: key.kid)


def cose(data):
    from suit.cose import verify

    key = _orderly(verify, MemoryRegion(data), b"payload", TrustStore(TRUST))
    if key is not None:
        raise Disagreement("a tag nobody could have made was accepted")


def envelope(data):
    from suit.envelope import authenticate

    opened = _orderly(lambda: finish(authenticate(MemoryRegion(data), TrustStore(TRUST))))
    if opened is not None:
        host = _host(data, {})
        if host.word not in ("ok",) and host.key is None:
            raise Disagreement(f"device authenticated, workstation: {host.word} {host.why}")


def _host(data, payloads):
    from suit.optional import optional
    from suitup.keys import Key
    from suitup.manifest.verify import Device, verify

    management = optional("management") is not None
    key = Key({1: 4, 3: 5, -1: SECRET})
    return verify(
        data,
        Device(
            keys=[key],
            vendor_id=VENDOR,
            class_ids=(CLASS,),
            payloads=payloads,
            management=management,
        ),
    )


# -- structure-aware: edits of a manifest, signed again --------------------------------------------------------


class Choices:
    """Bytes of the fuzzer as decisions; zeros when they are used up."""

    def __init__(self, data):
        self._data, self._at = data, 0

    def byte(self, below=256):
        at = self._at
        self._at += 1
        return self._data[at] % below if at < len(self._data) else 0

    def left(self):
        return self._at < len(self._data)

    def pick(self, items):
        return items[self.byte(len(items))]


def det(item):
    return cbor2.dumps(item, canonical=True)


_COMMANDS = (1, 2, 3, 5, 6, 12, 14, 15, 18, 20, 21, 22, 23, 24, 31, 32, 0, 4, 7, 13, 25, 99, -1)
_SIZES = (0, 1, 7, 8, 2**16, 2**31, 2**32, 2**63, 2**64 - 1)


def _argument(c, number, depth):
    if number in (15, 32) and depth < 12:
        if number == 32:
            return det(_sequence(c, depth + 1))
        count = c.byte(10)
        return [det(_sequence(c, depth + 1)) for _ in range(count)] + ([None] if c.byte(2) else [])
    if number == 12:
        kind = c.byte(4)
        return (c.byte(4), True, [c.byte(4) for _ in range(c.byte(20))], c.pick(_SIZES))[kind]
    if number == 20:
        out = {}
        for _ in range(1 + c.byte(4)):
            label = c.pick((1, 2, 3, 5, 12, 13, 14, 18, 21, 22, 23, 24, 25, 99, -1))
            out[label] = _parameter(c, label)
        return out
    return c.pick((0, 2, 15, 16, None, -1, b"", True)) if c.byte(8) == 7 else 15


def _parameter(c, label):
    if c.byte(16) == 15:
        return c.pick((None, -1, b"", "", [], {}, True, 2**64 - 1))
    content = bytes([c.byte()]) * c.byte(40)
    return {
        1: VENDOR, 2: c.pick((CLASS, VENDOR)), 24: CLASS, 5: c.byte(3), 12: bool(c.byte(2)), 13: bool(c.byte(2)),
        14: c.pick((len(content), 40, *_SIZES)), 18: content, 21: c.pick(("#a", "#b", "x:", "", "u" * 513)),
        22: c.byte(4), 23: content, 25: content, 3: det([c.pick((-16, -44, 99)), hashlib.sha256(content).digest()]),
    }.get(label, 1)  # fmt: skip


def _sequence(c, depth=0):
    out = []
    for _ in range(c.byte(6) + (0 if depth else 1)):
        if not c.left():
            break
        number = c.pick(_COMMANDS)
        out += [number, _argument(c, number, depth)]
    if c.byte(32) == 31:
        out.append(1)
    return out


def build(data):
    """An envelope whose manifest is what `data` decides, authenticated with SECRET; and its integrated payloads."""
    c = Choices(data)
    components = [[bytes([65 + i])] for i in range(1 + c.byte(4))]
    common = {2: components}
    if c.byte(4):
        common[4] = det([12, True] + _sequence(c) if c.byte(2) else _sequence(c))
    manifest = {1: 1, 2: c.pick((0, 1, *_SIZES)), 3: det(common)}
    for member in (7, 8, 9, 16, 20):
        if c.byte(2):
            manifest[member] = det(_sequence(c))
    payloads = {"#a": b"a" * c.byte(40), "#b": b"b" * c.byte(40)}
    encoded = det(manifest)
    if c.byte(8) == 7 and encoded:
        at = c.byte() * 256 + c.byte()
        raw = bytearray(encoded)
        raw[at % len(raw)] ^= 1 << c.byte(8)
        encoded = bytes(raw)
    digest = det([-16, hashlib.sha256(cbor2.dumps(encoded)).digest()])
    protected = det({1: 5})
    tag = hmac.digest(SECRET, det(["MAC0", protected, b"", digest]), "sha256")
    block = cbor2.dumps(cbor2.CBORTag(17, [protected, {}, None, tag]))
    members = {2: cbor2.dumps([digest, block]), 3: encoded, **payloads}
    return cbor2.dumps(cbor2.CBORTag(107, members), canonical=True)


def judged(data):
    """The device's verdict on an envelope: (result word, {component: bytes}, [invoked])."""
    import judge
    from suit.envelope import authenticate
    from suit.processor import Processor

    board = judge.Board(
        {"environment": {"vendor_id": VENDOR.hex(), "class_id": CLASS.hex()}, "payloads": {}}
    )
    words = judge._FIRST
    try:
        opened = finish(authenticate(MemoryRegion(data), TrustStore(TRUST)))
        words = judge._THEN
        machine = board.machine = Processor(opened, board)
        finish(machine.update())
        finish(machine.invocation())
        word = "ok"
    except errors.SuitError as error:
        word = words.get(error.reason) or (
            "parse-fail" if words is judge._FIRST else "operation-failed"
        )
    return word, board


def processor(data):
    built = build(data)
    if len(built) > numbers.MAX_MANIFEST * 2:
        return
    word, board = judged(built)
    host = _host(built, {})
    if (word == "ok") != host.accepted:
        raise Disagreement(f"device: {word}; workstation: {host.word} ({host.why})")


def romfs(data):
    from suit.romvfs import RomVfs

    try:
        volume = RomVfs(MemoryRegion(b"\xd2\xcd\x31" + data))
        todo, seen = ["/"], 0
        while todo and seen < 200:
            folder = todo.pop()
            for entry in volume.ilistdir(folder):
                seen += 1
                path = folder.rstrip("/") + "/" + entry[0]
                if entry[1] & 0x4000:
                    todo.append(path)
                else:
                    with volume.open(path, "rb") as file:
                        if len(file.read()) > len(data):
                            raise Disagreement("more bytes than there are")
    except OSError:
        pass


def coap(data):
    from suit.transports.coap_message import Message

    buffer = bytearray(data)
    message = Message(buffer)

    def walk():
        message.parse(0, len(buffer))
        last = 0
        while message.next():
            if not 0 <= message.at <= message.end <= len(buffer) or message.number < last:
                raise Disagreement("an option outside the message, or out of order")
            last = message.number
            _orderly(message.uint)
        if message.payload > len(buffer):
            raise Disagreement("payload outside the message")

    _orderly(walk)


def http(data):
    from suit.transports.http_response import Response

    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(data[:60_000])
        theirs.shutdown(socket.SHUT_WR)
        ours.setblocking(False)
        response = Response(bytearray(256))
        response.begin(ours, 50)

        def read():
            finish(response.head())
            view, total = memoryview(bytearray(512)), 0
            while True:
                n = finish(response.body(view))
                if not n:
                    break
                total += n
                if total > len(data):
                    raise Disagreement("more body than bytes")

        try:
            _orderly(read)
        except OSError:
            pass


def config(data):
    import tempfile
    from pathlib import Path

    from suit.config import read

    with tempfile.TemporaryDirectory(
        dir="/dev/shm" if Path("/dev/shm").is_dir() else None
    ) as folder:
        Path(folder, "config.cbor").write_bytes(data)
        _orderly(read, folder)


class _Strict(MemoryRegion):
    """A region nobody may read beyond."""

    def read_at(self, offset, buf):
        if offset < 0 or offset + len(buf) > self.size:
            raise Disagreement("read outside a signature")
        return super().read_at(offset, buf)


KEK = b"a" * 16
TEXT = b"This is a real firmware image."
P256_KEY = Path(__file__).resolve().parents[1] / "vectors" / "keys" / "kid-2-ecdh-p256.cose_key.cbor"


def decrypt(data):
    """The first two bytes say how long the information is; the rest is ciphertext."""
    from suit.decrypt import open as opened
    from suitup import cose as host
    from suitup import keys as host_keys

    length = int.from_bytes(data[:2], "big")
    info, ciphertext = data[2 : 2 + length], data[2 + length :]
    secrets = [cbor2.dumps({1: 4, 2: b"kid-1", -1: KEK}), P256_KEY.read_bytes()]
    keys = TrustStore(cbor2.dumps([cbor2.loads(one) for one in secrets]))
    found = _orderly(opened, info, MemoryRegion(ciphertext), keys)
    if found is None:
        return
    mine = [host_keys.Key(cbor2.loads(one)) for one in secrets]
    try:
        wanted = host.decrypt(info, ciphertext, mine)
    except host.CoseError:
        # the workstation reads fewer forms; what has a tag can only be what somebody made
        wanted = found if b"\x39\xff" in info else TEXT
    if found != wanted:
        raise Disagreement("another plaintext than the workstation's")


class _Public:
    def __init__(self, pub, alg=None):
        self.pub = memoryview(pub)
        self.alg = alg


def lms(data):
    """The first byte says how long the key is. For any signature whoever may choose the key can find one that fits, and
    the fuzzer does: what is accepted another implementation has to accept as well."""
    import pyhsslms
    from suit.crypto.lms import verify

    length = data[0] if data else 0
    public, signature = data[1 : 1 + length], data[1 + length :]
    message = b"nobody signed this"
    if _orderly(verify, _Public(public), message, _Strict(signature)) is not None:
        if not pyhsslms.HssPublicKey.deserialize(public).verify(message, signature):
            raise Disagreement("a signature nobody made was accepted")


def mldsa(data):
    """A signature, and changes to a key whose polynomials are the bytes' too."""
    from suit.crypto.mldsa import verify

    if len(data) == 2420:
        # the norm and the hints are judged first: most inputs end there
        key = _Public((data * 2)[:1312], -48)
    else:
        key = _Public(bytes(1312), -48)
    if _orderly(verify, key, b"nobody signed this", _Strict(data)) is not None:
        raise Disagreement("a signature nobody made was accepted")


def keywrap(data):
    from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap
    from suit.crypto.keywrap import unwrap

    found = _orderly(unwrap, KEK, data)
    try:
        wanted = aes_key_unwrap(KEK, data)
    except (InvalidUnwrap, ValueError):
        wanted = None
    if found != wanted:
        raise Disagreement("another key than cryptography's")


TARGETS = {
    f.__name__: f
    for f in (
        cbor, trust, cose, envelope, processor, romfs, coap, http, config,
        decrypt, lms, mldsa, keywrap,
    )
}
