# SHA-512 and SHA-384.
# MIT licence.
"""Against published digests, hashlib where there is one, and each engine against the plain one."""

from harness import MICROPYTHON, raises
from suit.crypto import sha512, sha512_plain

ABC512 = (
    "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
    "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"
)
ABC384 = (
    "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
    "8086072ba1e7cc2358baeca134c825a7"
)
TWO_BLOCKS = (
    b"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
    b"hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu"
)
TWO512 = (
    "8e959b75dae313da8cf4f72814fc143f8f7779c6eb9f7fa17299aeadb6889018"
    "501d289e4900f7e4331b99dec4b5433ac7d329eeb6dd26545e96e55b874be909"
)
TWO384 = (
    "09330c33f71147e83d192fc782cd1b4753111b173b3b05d22fa08086e3b0f712"
    "fcc7c71a557e2db966c3e9fa91746039"
)
EMPTY512 = (
    "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce"
    "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e"
)


def data(n):
    return bytes((i * 7 + (i >> 8)) & 255 for i in range(n))


def test_published_digests():
    for cls in (sha512.SHA512, sha512.PlainSHA512):
        assert cls(b"abc").digest().hex() == ABC512
        assert cls(TWO_BLOCKS).digest().hex() == TWO512
        assert cls().digest().hex() == EMPTY512
    for cls in (sha512.SHA384, sha512.PlainSHA384):
        assert cls(b"abc").digest().hex() == ABC384
        assert cls(TWO_BLOCKS).digest().hex() == TWO384


def test_the_split_into_updates_does_not_matter():
    whole = data(500)
    expected = sha512.PlainSHA512(whole).digest()
    for step in (1, 3, 16, 127, 128, 129, 300):
        h = sha512.PlainSHA512()
        for at in range(0, len(whole), step):
            h.update(memoryview(whole)[at : at + step])
        assert h.digest() == expected, step


def test_every_length_around_the_block_agrees_with_hashlib():
    if MICROPYTHON:
        fast = sha512._engine
        for n in (0, 1, 111, 112, 113, 127, 128, 129, 239, 240, 255, 256, 257, 400):
            one = sha512.PlainSHA512(data(n)).digest()
            sha512._engine = sha512_plain
            two = sha512.PlainSHA512(data(n)).digest()
            sha512._engine = fast
            assert one == two, n
        return
    import hashlib

    for n in range(0, 300):
        assert sha512.PlainSHA512(data(n)).digest() == hashlib.sha512(data(n)).digest(), n
        assert sha512.PlainSHA384(data(n)).digest() == hashlib.sha384(data(n)).digest(), n


def test_engines_agree_on_words_with_all_bits_set_and_none():
    for fill in (0, 255, 0x80, 0x7F, 1):
        for at in (0, 1, 3):
            block = bytes([fill]) * 131
            a = bytearray(bytes([255 - fill]) * 64)
            b = bytearray(a)
            sha512._engine.compress(bytearray(sha512._engine.SCRATCH), a, block, at)
            sha512_plain.compress(None, b, block, at)
            assert a == b


def test_a_block_past_the_end_is_refused():
    scratch = bytearray(sha512._engine.SCRATCH)
    for at in (1, 128, 1 << 20):
        raises(Exception, sha512._engine.compress, scratch, bytearray(64), bytes(128), at)
