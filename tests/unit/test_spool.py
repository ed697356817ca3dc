"""An envelope on its way to flash: what its heads say is judged before the rest is taken."""

import random

from author import envelope
from harness import MICROPYTHON, finish, raises
from storage import folder, read
from suit import numbers as n
from suit import spool
from suit.cbor import encode, head
from suit.config import Config
from suit.envelope import authenticate
from suit.errors import SuitError
from suit.region import MemoryRegion
from suit.trust import TrustStore

PARTS = [([b"app"], b"image " * 300, "#app"), ([b"file", b"x"], b"setting", "#x")]


class Stream:
    """Gives `data` in pieces of `step` bytes; `told`: the size it claims to have."""

    def __init__(self, data, step=512, told=None):
        self.data, self.step, self.total = data, step, told
        self.at = 0

    def readinto(self, view):
        part = self.data[self.at : self.at + min(self.step, len(view))]
        view[: len(part)] = part
        self.at += len(part)
        yield
        return len(part)


taken = [0]  # bytes of its stream, the last time


def received(data, step=512, room=100000, told=None, vouch=None):
    path = folder() + "/spool"
    stream = Stream(data, step, told)
    try:
        finish(spool.receive(stream, path, room, vouch))
    finally:
        taken[0] = stream.at
    return read(path)


def outer(*pairs):
    """The outer map of an envelope as the pairs come: (encoded key, content)."""
    body = b"".join([key + encode(content) for key, content in pairs])
    return b"\xd8\x6b" + head(5, len(pairs)) + body


def refused(data, reason, room=100000, told=None):
    """It is refused, in pieces of any size alike."""
    for step in (1, 7, 512):
        raises(SuitError, received, data, step, room, told, reason=reason)


def test_what_is_well_formed_arrives_byte_for_byte():
    for data in (envelope(1, PARTS), envelope(1, [([b"app"], b"x", "coap://a/x")]), envelope(1, PARTS)[2:]):
        for step in (1, 3, 100, 512):
            assert received(data, step) == data
            assert received(data, step, len(data), len(data)) == data


def test_what_is_no_envelope_is_refused_at_its_first_byte():
    for data in (b"<html>" + bytes(5000), b"\x80" + bytes(5000), b"\xd2" + bytes(5000), b"\xbf", b"\xff",
                 b"\xd8\x6b\xd8\x6b\xa0", b"\xd8\x6b\x82\x01\x02", b"\xd8\x6b\xa1\x18\x18\x41\0"):  # fmt: skip
        refused(data, n.R_STRUCTURE)
        assert taken[0] <= 512


def test_declared_sizes_are_judged_before_what_they_declare_has_come():
    auth = (b"\x02", b"a" * 40)
    for pairs, reason in (
        ([(b"\x02", bytes(n.MAX_AUTHENTICATION + 1))], n.R_LIMIT),
        ([(b"\x01", bytes(n.MAX_MANIFEST + 1)), auth], n.R_LIMIT),
        ([(b"\x00", bytes(n.MAX_MANIFEST + 1)), auth], n.R_LIMIT),
        ([auth, (b"\x03", bytes(n.MAX_MANIFEST + 1))], n.R_LIMIT),
        ([auth, (b"\x03", b"m"), (b"\x62#a", bytes(100001))], n.R_TOO_LARGE),
        ([auth, (b"\x03", b"m"), (b"\x14", bytes(100001))], n.R_TOO_LARGE),
        ([auth, (b"\x03", b"m"), (b"\x79\x02\x01" + b"u" * 513, b"")], n.R_LIMIT),
    ):
        data = outer(*pairs)
        refused(data, reason)
        assert taken[0] <= 8192 + 2 * 1024
    raises(SuitError, received, b"\xd8\x6b\xa1\x02\x5b" + b"\xff" * 8, reason=n.R_LIMIT)
    raises(SuitError, received, b"\xd8\x6b\xb8\x41" + bytes(9), reason=n.R_LIMIT)


def test_nothing_but_delegation_and_signatures_comes_before_the_manifest():
    auth, manifest = (b"\x02", b"a" * 40), (b"\x03", b"m" * 40)
    payload = (b"\x62#a", bytes(4000))
    for pairs in ([payload, auth, manifest], [auth, payload, manifest], [manifest, auth], [auth, auth],
                  [(b"\x14", b"x"), auth], [(b"\x20", b"x"), auth], [auth, (b"\x04", b"x")],
                  [(b"\x01", b"x"), manifest]):  # fmt: skip
        refused(outer(*pairs), n.R_STRUCTURE)
    refused(b"\xd8\x6b\xa2\x02\x01\x03\x01", n.R_STRUCTURE)  # not even byte strings
    assert received(outer((b"\x01", b""), auth, manifest, payload))


def test_an_envelope_larger_than_the_room_or_than_its_stream_is_refused():
    data = envelope(1, PARTS)
    refused(data, n.R_TOO_LARGE, room=len(data) - 1)
    refused(data, n.R_TOO_LARGE, room=len(data) - 1, told=len(data))
    assert taken[0] == 0
    refused(data, n.R_CBOR_PARSE, told=len(data) - 1)
    refused(data + b"more", n.R_CBOR_PARSE)
    refused(data + bytes(60000), n.R_CBOR_PARSE)
    assert taken[0] <= len(data) + 512


def test_the_room_is_a_slot_and_what_surrounds_it_unless_configured():
    assert spool.room(Config({}), 500000) == 500000
    assert 100000 < spool.room(Config({"slot": 100000}), 500000) < 300000
    assert spool.room(Config({"slot": 100000}), 5000) == 5000
    assert spool.room(Config({"slot": 100000, "spool": 30000}), 500000) == 30000


def front_of(data, step):
    """What somebody is asked to vouch for, and how much had been taken by then."""
    found = []

    def vouch(region):
        buf = bytearray(region.size)
        at = 0
        while at < region.size:  # in odd pieces
            at += region.read_at(at, memoryview(buf)[at : at + 13])
        assert region.read_at(region.size, bytearray(3)) == 0
        found.append(bytes(buf))
        yield

    assert received(data, step, vouch=vouch) == data
    return found


def test_the_front_is_a_whole_envelope_without_what_nobody_vouched_for():
    from author import trust_store

    for parts in (PARTS, PARTS + [([b"file", b"%d" % i], b"f", "#%d" % i) for i in range(12)]):
        data = envelope(1, parts)
        for step in (1, 5, 512):
            (front,) = front_of(data, step)
            opened = finish(authenticate(MemoryRegion(front), TrustStore(trust_store())))
            assert opened.manifest.sequence_number == 1 and opened.integrated("#app") is None


def test_one_without_anything_behind_its_manifest_is_not_vouched_for_twice():
    assert front_of(envelope(1, [([b"app"], b"x", "coap://a/x")]), 100) == []


def test_what_nobody_vouches_for_is_not_taken():
    def vouch(region):
        yield
        raise SuitError(n.R_UNAUTHORISED)

    data = envelope(1, [([b"app"], bytes(50000), "#app")])
    for step in (1, 100, 512):
        raises(SuitError, received, data, step, 100000, None, vouch, reason=n.R_UNAUTHORISED)
        assert taken[0] <= 2 * 512


def test_random_bytes_get_orderly_answers():
    random.seed(4)
    seed = envelope(1, PARTS)
    for _ in range(60 if MICROPYTHON else 400):
        data = bytearray(seed)
        for _ in range(random.randrange(1, 5)):
            data[random.randrange(200)] = random.getrandbits(8)
        try:
            received(bytes(data), 100, 3000)
        except SuitError:
            pass
