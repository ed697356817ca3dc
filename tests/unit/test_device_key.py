"""The board's own key: made once, kept, never handed out; reports and decryption find it."""

import os

from harness import raises
from storage import folder
from suit import device_key, reporting, runtime
from suit.board import Board
from suit.cbor import encode, value
from suit.config import Config
from suit.crypto import p256_secret
from suit.errors import SuitError
from suit.numbers import CRV_P256, KTY_EC2, KTY_SYMMETRIC, R_CBOR_PARSE, R_STRUCTURE
from suit.trust import Key

HOST = bytes(range(32))


def stored(root):
    with open(root + "/device.cbor", "rb") as file:
        return file.read()


def put(root, data):
    with open(root + "/device.cbor", "wb") as file:
        file.write(data)


def test_a_board_without_a_key_makes_one_and_tells_its_public_part_only():
    root = folder()
    public, made = device_key.own(HOST, root)
    assert made is True
    (kept,) = value(memoryview(stored(root)))
    private = kept.pop(-4)
    assert value(memoryview(public)) == kept
    assert (kept[1], kept[-1]) == (KTY_EC2, CRV_P256)
    assert p256_secret.public(private) == (kept[-2], kept[-3])
    assert bytes(private) not in public
    assert sorted(os.listdir(root)) == ["device.cbor"]


def test_a_key_that_is_there_is_kept():
    root = folder()
    one, _ = device_key.own(HOST, root)
    before = stored(root)
    assert device_key.own(bytes(32), root) == (one, False)
    assert stored(root) == before


def test_the_hosts_bytes_alone_do_not_decide_it():
    one = device_key.own(HOST, folder())[0]
    assert device_key.own(HOST, folder())[0] != one
    raises(ValueError, device_key.own, HOST[:31], folder())


def test_other_keys_of_the_board_stay_in_front_of_it():
    root = folder()
    shared = {1: KTY_SYMMETRIC, 3: -3, -1: b"k" * 16}
    put(root, encode([shared]))
    public, made = device_key.own(HOST, root)
    keys = value(memoryview(stored(root)))
    assert made and len(keys) == 2 and keys[0] == shared
    assert keys[1][-2] == Key(public).x


def test_a_file_that_is_damaged_is_reported_and_not_replaced():
    root = folder()
    device_key.own(HOST, root)
    good = stored(root)
    for bad, reason in (
        (good[:-1], R_CBOR_PARSE),
        (good + b"\0", R_CBOR_PARSE),
        (good[:-1] + bytes((good[-1] ^ 1,)), R_STRUCTURE),  # y is the last value
    ):
        put(root, bad)
        raises(SuitError, device_key.own, HOST, root, reason=reason)
        assert stored(root) == bad


def test_a_file_that_cannot_be_replaced_stays():
    root = folder()
    put(root, b"\x80")
    asked = []

    class Full:
        def rename(self, old, new):
            asked.append(new)
            raise OSError(self.number, "")

        def remove(self, path):
            asked.append("remove")

    saved, device_key.os = device_key.os, Full()
    try:
        for number, wanted in ((28, 1), (17, 3)):  # ENOSPC; EEXIST, as a FAT says
            del asked[:]
            device_key.os.number = number
            raises(OSError, device_key.own, HOST, root)
            assert len(asked) == wanted, asked
    finally:
        device_key.os = saved
    assert stored(root) == b"\x80"


def test_reports_and_payloads_find_the_key_where_it_is_kept():
    root = folder()
    public, _ = device_key.own(HOST, root)
    before, runtime.root = runtime.root, root
    try:
        assert bytes(Key(public).kid) in reporting.seal(b"\xa0")
        (key,) = Board(Config({}), None, None).decryption_keys.keys
        assert key.kid == Key(public).kid and key.d is not None
    finally:
        runtime.root = before
