# AES-CTR, AES-GCM and ChaCha20/Poly1305.
# MIT licence.
"""Published vectors, pieces of every size, and each engine against the plain one."""

import json

from harness import MICROPYTHON, raises
from suit.crypto import aes, chacha, chacha_plain, ctr, ctr_plain, gcm, gcm_plain
from suit.crypto.digest import same
from suit.errors import SuitError
from suit.numbers import R_ALG_UNSUPPORTED, R_DECRYPTION

VECTORS = __file__.rsplit("/", 2)[0] + "/vectors/"


def groups(name):
    with open(VECTORS + "wycheproof/" + name + "_test.json") as f:
        return json.load(f)["testGroups"]


def data(n):
    return bytes((i * 37 + (i >> 8)) & 255 for i in range(n))


def opened(cls, key, iv, aad, text, tag):
    """The plaintext, or None when the tag is wrong or a length is refused."""
    buf = bytearray(text)
    try:
        one = cls(key, iv, aad)
    except SuitError as error:
        assert error.reason == R_DECRYPTION
        return None
    one.decrypt(buf)
    return buf if same(one.tag(), tag) else None


def wycheproof(name, cls, key_sizes):
    judged = 0
    for group in groups(name):
        if group["keySize"] not in key_sizes:
            continue
        for test in group["tests"]:
            item = [bytes.fromhex(test[part]) for part in ("key", "iv", "aad", "ct", "tag", "msg")]
            plain = opened(cls, *item[:5])
            if test["result"] == "valid":
                assert plain == item[5], test["tcId"]
            else:
                assert plain is None, test["tcId"]
            judged += 1
    return judged


def test_aes_gcm_gives_every_verdict_of_wycheproof():
    assert wycheproof("aes_gcm", gcm.GCM, (128, 256)) > 100


def test_chacha20_poly1305_gives_every_verdict_of_wycheproof():
    assert wycheproof("chacha20_poly1305", chacha.ChaCha, (256,)) > 200


def test_aes_ctr_encrypts_as_sp_800_38a_says():
    key = bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c")
    long_key = bytes.fromhex("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4")
    block = bytes.fromhex("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff")
    text = bytes.fromhex(
        "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
        "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710"
    )
    for k, expected in (
        (
            key,
            "874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff"
            "5ae4df3edbd5d35e5b4f09020db03eab1e031dda2fbe03d1792170a0f3009cee",
        ),
        (
            long_key,
            "601ec313775789a5b7a7f504bbf3d228f443e3ca4d62b59aca84e990cacaf5c5"
            "2b0930daa23de94ce87017ba2d84988ddfc9c58db67aada613c2dd08457941a6",
        ),
    ):
        buf = bytearray(text)
        ctr.CTR(k, block).crypt(buf)
        assert buf.hex() == expected


def test_the_counter_of_ctr_carries_through_all_128_bits_and_that_of_gcm_does_not():
    key = data(16)
    for low in (0, 12):
        # the second block must be the one that the counter reaches by carrying, or by wrapping
        first = bytes(12) + b"\xff\xff\xff\xff"
        after = bytes(16) if low else bytes(11) + b"\x01" + bytes(4)
        two = bytearray(32)
        ctr.CTR(key, first, low).crypt(two)
        one = bytearray(16)
        ctr.CTR(key, after, low).crypt(one)
        assert two[16:] == one
    two = bytearray(32)
    ctr.CTR(key, b"\xff" * 16).crypt(two)
    one = bytearray(16)
    ctr.CTR(key, bytes(16)).crypt(one)
    assert two[16:] == one


def test_ctr_takes_pieces_of_any_size():
    whole = bytearray(data(2000))
    ctr.CTR(data(32), data(16)).crypt(whole)
    for step in (1, 7, 16, 511, 512, 513, 1999):
        cipher = ctr.CTR(data(32), data(16))
        buf = bytearray(data(2000))
        view = memoryview(buf)
        for at in range(0, 2000, step):
            cipher.crypt(view[at : at + step])
        assert buf == whole, step


def test_an_aead_takes_whole_blocks_and_then_a_rest():
    for cls, key, unit in ((gcm.GCM, data(16), 16), (chacha.ChaCha, data(32), 64)):
        for n in (0, 1, unit - 1, unit, unit + 1, 5 * unit, 1000):
            whole = bytearray(data(n))
            one = cls(key, data(12), b"aad")
            one.decrypt(whole)
            tag = one.tag()
            for step in (unit, 3 * unit):
                buf = bytearray(data(n))
                view = memoryview(buf)
                two = cls(key, data(12), b"aad")
                for at in range(0, n, step):
                    two.decrypt(view[at : at + step])
                assert buf == whole and two.tag() == tag, (n, step)
        # nothing can follow a piece that is not whole
        one = cls(key, data(12))
        one.decrypt(bytearray(5))
        raises(ValueError, one.decrypt, bytearray(unit))


def test_every_bit_of_text_tag_and_associated_data_counts():
    for cls, key in ((gcm.GCM, data(16)), (chacha.ChaCha, data(32))):
        text = bytearray(data(70))
        one = cls(key, data(12), b"associated")
        one.decrypt(text)
        tag = one.tag()
        cipher = data(70)
        assert opened(cls, key, data(12), b"associated", cipher, tag) == text
        for i in range(0, 70, 9):
            wrong = bytearray(cipher)
            wrong[i] ^= 1 << i % 8
            assert opened(cls, key, data(12), b"associated", wrong, tag) is None
        for i in range(16):
            wrong = bytearray(tag)
            wrong[i] ^= 1 << i % 8
            assert opened(cls, key, data(12), b"associated", cipher, wrong) is None
        assert opened(cls, key, data(12), b"associatee", cipher, tag) is None
        assert opened(cls, key, data(12), b"associated", cipher, tag[:15]) is None
        assert opened(cls, key, data(12), b"associated", cipher, tag + b"\0") is None


def test_keys_and_nonces_of_other_lengths_are_refused():
    for n in (0, 1, 15, 17, 31, 33, 64):
        raises(SuitError, aes.ecb, bytes(n), reason=R_DECRYPTION)
        raises(SuitError, chacha.ChaCha, bytes(n), bytes(12), reason=R_DECRYPTION)
    for n in (0, 8, 11, 13, 24):
        raises(SuitError, chacha.ChaCha, bytes(32), bytes(n), reason=R_DECRYPTION)
    raises(SuitError, gcm.GCM, bytes(16), b"", reason=R_DECRYPTION)


def test_aes_192_is_unsupported_where_the_firmware_has_none():
    if MICROPYTHON:
        raises(SuitError, aes.ecb, bytes(24), reason=R_ALG_UNSUPPORTED)
    else:
        aes.ecb(bytes(24))


def test_engines_agree():
    table = bytearray(gcm._engine.TABLE)
    other = bytearray(gcm_plain.TABLE)
    for h in (b"\xff" * 16, bytes(15) + b"\x01", b"\x80" + bytes(15), data(16)):
        gcm._engine.prepare(table, h)
        gcm_plain.prepare(other, h)
        for fill in (b"\xff", b"\x80", b"\x01", b"\x00"):
            table[256:272] = other[256:272] = fill * 16
            gcm._engine.ghash(table, b"x" + data(48), 1, 3)
            gcm_plain.ghash(other, data(48), 0, 3)
            assert table[256:272] == other[256:272]
    for fill in (b"\xff", b"\x80", b"\x7f", b"\x00"):
        a, b = bytearray(data(200)), bytearray(data(200))
        s, t = bytearray(chacha._engine.STATE), bytearray(fill * 64)
        s[:64] = t
        chacha._engine.blocks(s, a, 1, 3)
        chacha_plain.blocks(t, b, 1, 3)
        assert a == b and s[:64] == t
        r = [0x1FFF] * 9 + [0x7F]
        p, q = bytearray(chacha._engine.POLY), bytearray(chacha_plain.POLY)
        chacha._engine.prepare(p, r)
        chacha_plain.prepare(q, r)
        p[:20] = q[:20] = b"\xff\x1f" * 10
        for at in (0, 1, 2, 3):
            chacha._engine.poly(p, fill * 70, at, 4)
            chacha_plain.poly(q, fill * 70, at, 4)
            prime = (1 << 130) - 5
            assert chacha_plain._value(p, 0) % prime == chacha_plain._value(q, 0)
    for start in (0, 1, 2, 3, 4):
        for n in (0, 1, 15, 16, 17, 64):
            a, b = bytearray(data(80)), bytearray(data(80))
            ctr._engine.xor(a, start, data(100), 4 - start, n)
            ctr_plain.xor(b, start, data(100), 4 - start, n)
            assert a == b


def test_nothing_outside_the_buffers_is_touched():
    table = bytearray(gcm._engine.TABLE)
    work = bytearray(chacha._engine.POLY)
    state = bytearray(chacha._engine.STATE)
    for at, n in ((0, 3), (1, 2), (33, 1), (32, 1)):
        raises(ValueError, gcm._engine.ghash, table, bytes(32), at, n)
        raises(ValueError, chacha._engine.poly, work, bytes(32), at, n)
    for at, n in ((-1, 1), (1, 1), (64, 1), (0, 2)):
        raises(ValueError, chacha._engine.blocks, state, bytearray(64), at, n)
