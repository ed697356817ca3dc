"""Signing with P-256: the published signatures, and keys made on the board."""

from hashlib import sha256

from curves import engines
from harness import raises
from suit.crypto import p256, p256_secret, p256_sign
from suit.errors import SuitError
from suit.numbers import R_UNAUTHORISED
from suit.region import MemoryRegion

# RFC 6979, A.2.5
PRIVATE = bytes.fromhex("c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721")
PUBLIC = (
    bytes.fromhex("60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"),
    bytes.fromhex("7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299"),
)
SAMPLE = bytes.fromhex(
    "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
    "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"
)
TEST = bytes.fromhex(
    "f1abb023518351cd71d881567b1ea663ed3efcf6c5132b354f28d3b0b7d38367"
    "019f4113742a2b14bd25926b49c649155f267e60d3814b4c0cc84250e46f0083"
)


class Key:
    table = None


def test_the_signatures_of_rfc_6979_come_out_on_every_engine():
    for kind in engines(p256, "p256"):
        assert p256_secret.public(PRIVATE) == PUBLIC, kind
        assert p256_sign.sign(PRIVATE, b"sample") == SAMPLE, kind
        assert p256_sign.sign(PRIVATE, b"test") == TEST, kind
        assert p256_sign.sign_digest(PRIVATE, sha256(b"test").digest()) == TEST, kind


def test_what_is_signed_verifies():
    for i in range(6):
        private = sha256(bytes((i,))).digest()
        key = Key()
        key.x, key.y = p256_secret.public(private)
        message = b"report %d" % i
        signature = p256_sign.sign(private, message)
        assert p256.verify(key, message, MemoryRegion(signature)) is key
        raises(SuitError, p256.verify, key, message + b".", MemoryRegion(signature))


def test_no_signature_with_a_private_key_outside_its_range():
    for value in (0, p256.N, 2**256 - 1):
        raises(SuitError, p256_sign.sign, value.to_bytes(32, "big"), b"m", reason=R_UNAUTHORISED)
    raises(SuitError, p256_sign.sign, PRIVATE[1:], b"m", reason=R_UNAUTHORISED)
    raises(ValueError, p256_sign.sign_digest, PRIVATE, b"short")


def test_a_generated_key_is_the_board_s_and_the_host_s():
    host = bytes(range(32))
    first = p256_sign.generate(host)
    second = p256_sign.generate(host)
    assert first != second and len(first) == len(second) == 32
    p256_secret.public(first)
    raises(ValueError, p256_sign.generate, host[1:])
    before = p256_sign.urandom
    p256_sign.urandom = lambda n: b"\x07" * n
    try:
        same = p256_sign.generate(host)
        assert same == p256_sign.generate(host)
        assert same != p256_sign.generate(bytes(32))
    finally:
        p256_sign.urandom = before
