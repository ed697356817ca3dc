"""Hashes, ciphers and signatures: every native engine gives what the plain one gives, with words of 32
and of 64 bits and in the assembler, on extreme and on random operands, without leaving its buffers."""

import random
import struct
from pathlib import Path

import native_model
import pytest
from suit.crypto import (
    chacha,
    chacha_plain,
    ctr,
    ctr_plain,
    gcm,
    gcm_plain,
    keccak,
    keccak_plain,
    lms,
    lms_plain,
    mldsa,
    mldsa_plain,
    sha512,
    sha512_plain,
)
from suit.errors import SuitError
from suit.region import MemoryRegion

CRYPTO = Path(__file__).resolve().parents[2] / "firmware" / "suit" / "crypto"
MACHINES = ["viper32", "viper64", "thumb"]
LOADED = {}


def engine(name, machine):
    """The engine in that machine; skips where it has none."""
    kind = machine.rstrip("0123456789")
    path = CRYPTO / ("%s_%s.py" % (name, kind))
    if not path.exists():
        pytest.skip("no %s engine" % kind)
    if (name, machine) not in LOADED:
        bits = int(machine[5:] or 32) if kind == "viper" else 32
        LOADED[name, machine] = native_model._module(path, bits)
    return LOADED[name, machine]


def contents():
    """Extreme and random bytes."""
    yield from (lambda n, b=b: bytes([b]) * n for b in (0x00, 0xFF, 0x80, 0x7F, 0x01))
    for seed in range(3):
        yield lambda n, seed=seed: random.Random(seed).randbytes(n)


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("module", [sha512, keccak, ctr, gcm, chacha, lms, mldsa], ids=lambda m: m.__name__[12:])
def test_the_known_answer_comes_out(module, machine):
    assert module._answers(engine(module.__name__[12:], machine))


@pytest.mark.parametrize("machine", MACHINES)
def test_sha512(machine):
    native = engine("sha512", machine)
    for fill in contents():
        for state in (bytearray(native.IV512), bytearray(fill(64))):
            other = bytearray(state)
            native.compress(bytearray(native.SCRATCH), state, fill(131), 3)
            sha512_plain.compress(None, other, fill(131), 3)
            assert state == other


@pytest.mark.parametrize("machine", MACHINES)
def test_keccak(machine):
    native = engine("keccak", machine)
    for fill in contents():
        state = bytearray(native.STATE)
        state[:200] = other = bytearray(fill(200))
        for at, n in ((0, 7), (3, 168), (199, 1)):
            native.absorb(state, at, fill(180), 5, n)
            keccak_plain.absorb(other, at, fill(180), 5, n)
        native.permute(state)
        keccak_plain.permute(other)
        assert state[:200] == other
    if machine == "thumb":
        assert native.cycles < 31_000


@pytest.mark.parametrize("machine", MACHINES)
def test_counter_blocks(machine):
    native = engine("ctr", machine)
    for fill in contents():
        for low in (0, 12):
            a, b = bytearray(80), bytearray(80)
            p, q = bytearray(fill(16)), bytearray(fill(16))
            native.fill(a, p, 5, low)
            ctr_plain.fill(b, q, 5, low)
            assert a == b and p == q
        for at in range(5):
            for n in (0, 1, 31, 32, 33, 64):
                a, b = bytearray(fill(70)), bytearray(fill(70))
                native.xor(a, at, fill(100)[::-1], 4 - at, n)
                ctr_plain.xor(b, at, fill(100)[::-1], 4 - at, n)
                assert a == b


@pytest.mark.parametrize("machine", MACHINES)
def test_ghash(machine):
    native = engine("gcm", machine)
    for fill in contents():
        a, b = bytearray(native.TABLE), bytearray(gcm_plain.TABLE)
        native.prepare(a, fill(17)[1:])
        gcm_plain.prepare(b, fill(17)[1:])
        for at in range(3):
            native.ghash(a, fill(70), at, 4)
            gcm_plain.ghash(b, fill(70), at, 4)
            assert a[256:272] == b[256:272]
    if machine == "thumb":
        assert native.cycles < 4 * 16 * 95


@pytest.mark.parametrize("machine", MACHINES)
def test_chacha_and_poly1305(machine):
    native = engine("chacha", machine)
    prime = (1 << 130) - 5
    for fill in contents():
        s, t = bytearray(native.STATE), bytearray(fill(64))
        s[:64] = t
        a, b = bytearray(fill(130)), bytearray(fill(130))
        native.blocks(s, a, 1, 2)
        chacha_plain.blocks(t, b, 1, 2)
        assert a == b and s[:64] == t
        if machine == "thumb":
            assert native.cycles < 2 * 64 * 55
        # r as clamping leaves it
        value = int.from_bytes(fill(16), "little") & chacha._CLAMP
        p, q = bytearray(native.POLY), bytearray(chacha_plain.POLY)
        for work, module in ((p, native), (q, chacha_plain)):
            module.prepare(work, [value >> 13 * i & 0x1FFF for i in range(10)])
        for limbs in (b"\xff\x1f" * 10, bytes(20), struct.pack("<10H", *range(8000, 8010))):
            p[:20] = q[:20] = limbs
            for at in range(4):
                native.poly(p, fill(67), at, 4)
                chacha_plain.poly(q, fill(67), at, 4)
                assert chacha_plain._value(p, 0) % prime == chacha_plain._value(q, 0)
        if machine == "thumb":
            assert native.cycles < 4 * 16 * 70


@pytest.mark.parametrize("machine", MACHINES)
def test_chains(machine):
    native = engine("lms", machine)
    for fill in contents():
        for n in (24, 32):
            for first, last in ((0, 1), (0, 3), (2, 2), (250, 255), (3, 1)):
                block = bytearray(lms._chain_block(n))
                block[: 23 + n] = fill(23 + n)
                block[22] = 0
                other = bytearray(block)
                native.chain(block, n, first, last)
                lms_plain.chain(other, n, first, last)
                assert block[23 : 23 + n] == other[23 : 23 + n]
                assert block[:22] == other[:22] and block[23 + n :] == other[23 + n :]
    native.chain(lms._chain_block(32), 32, 0, 10)
    assert native.cycles < 10 * 5100


Q = mldsa_plain._Q


def poly(values):
    return bytearray(struct.pack("<256I", *values))


def values_of(buf):
    return [v % Q for v in struct.unpack("<256I", buf)]


def polynomials():
    yield [Q - 1] * 256
    yield [0] * 256
    yield [Q - 1, 0] * 128
    yield [1 << 22] * 256
    rng = random.Random(44)
    yield [rng.randrange(Q) for _ in range(256)]


@pytest.mark.parametrize("machine", MACHINES)
def test_polynomials(machine):
    native = engine("mldsa", machine)
    worst = b"\x00\xe0\x7f" * 56  # q - 1 each
    for start in polynomials():
        a, b = poly(start), poly(start)
        native.ntt(a, 0)
        mldsa_plain.ntt(b, 0)
        assert values_of(a) == values_of(b)
        assert max(struct.unpack("<256I", a)) < 2**23 + 2**18
        z, other_z = bytearray(a), bytearray(b)
        native.multiply(a, 0, z)
        mldsa_plain.multiply(b, 0, other_z)
        # as many sums as the largest set has
        for block in (worst, worst, worst, random.Random(1).randbytes(168), worst):
            n = m = 0
            while n < 256:
                n = native.sample(a, 0, z, block, n)
                m = mldsa_plain.sample(b, 0, other_z, block, m)
                assert n == m
        assert max(struct.unpack("<256I", a)) < 2**28
        native.invert(a, 0)
        mldsa_plain.invert(b, 0)
        assert a == b
        hint = bytes(range(0, 240, 3))
        for alpha, m, bits, multiplier, shift in ((190464, 44, 6, 11275, 24), (523776, 16, 4, 1025, 22)):
            x, y = bytearray(32 * bits), bytearray(32 * bits)
            for values in (a, poly(start)):
                native.use_hint(values, hint, 0, 80, x, alpha, m, bits, multiplier, shift)
                mldsa_plain.use_hint(values, hint, 0, 80, y, alpha, m, bits, multiplier, shift)
                assert x == y


@pytest.mark.parametrize("machine", MACHINES)
def test_unpacking(machine):
    native = engine("mldsa", machine)
    for fill in contents():
        for bits, shift in ((10, 13), (18, 0), (20, 0)):
            a, b = bytearray(1024), bytearray(1024)
            native.unpack(fill(8 * bits), bits, shift, a, 256, 64)
            mldsa_plain.unpack(fill(8 * bits), bits, shift, b, 256, 64)
            assert a == b
            if not shift:
                gamma1 = 1 << bits - 1
                for bound in (gamma1 - 78, gamma1 - 196, 5):
                    p, q = bytearray(a), bytearray(b)
                    good = native.center(p, 256, 64, gamma1, bound)
                    assert bool(good) == mldsa_plain.center(q, 256, 64, gamma1, bound)
                    assert p == q


def test_the_model_tells_words_of_32_from_words_of_64_bits_and_sees_stray_accesses(tmp_path):
    file = tmp_path / "x_viper.py"
    file.write_text(
        "import micropython\n"
        "@micropython.viper\n"
        "def sign(p: ptr32) -> int:\n"
        "    if p[0] < 0:\n"
        "        return 1\n"
        "    return 0\n"
        "@micropython.viper\n"
        "def beyond(p: ptr8, i: int) -> int:\n"
        "    return p[i]\n"
        "@micropython.viper\n"
        "def odd(p: ptr8) -> int:\n"
        "    q = ptr32(int(p) + 1)\n"
        "    return q[0]\n"
    )
    narrow, wide = native_model.viper(file, 32), native_model.viper(file, 64)
    assert narrow.sign(b"\xff" * 4) == 1 and wide.sign(b"\xff" * 4) == 0
    assert narrow.beyond(b"abc", 2) == ord("c")
    for index in (-1, 3):
        with pytest.raises(native_model.Stray):
            narrow.beyond(b"abc", index)
    with pytest.raises(native_model.Stray):
        narrow.odd(b"abcdefgh")


def test_gcm_and_chacha_decrypt_in_the_assembler():
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305

    rng = random.Random(5)
    for module, cls, other, size in (
        (gcm, gcm.GCM, AESGCM, 16), (chacha, chacha.ChaCha, ChaCha20Poly1305, 32),
    ):
        before = module._engine
        module._engine = engine(module.__name__[12:], "thumb")
        try:
            for n in (0, 1, 64, 200):
                key, nonce, aad, text = (rng.randbytes(k) for k in (size, 12, 20, n))
                sealed = other(key).encrypt(nonce, text, aad)
                buf = bytearray(sealed[:-16])
                one = cls(key, nonce, aad)
                one.decrypt(buf)
                assert buf == text and one.tag() == sealed[-16:]
        finally:
            module._engine = before


@pytest.mark.slow
@pytest.mark.parametrize("machine", MACHINES[:2])
def test_a_whole_ml_dsa_signature_verifies(machine):
    from cryptography.hazmat.primitives.asymmetric import mldsa as reference

    private = reference.MLDSA44PrivateKey.generate()
    signature = private.sign(b"message")

    class Key:
        pub = private.public_key().public_bytes_raw()
        alg = -48

    before = mldsa._engine
    mldsa._engine = engine("mldsa", machine)
    try:
        assert mldsa.verify(Key, b"message", MemoryRegion(signature)) is Key
        with pytest.raises(SuitError):
            mldsa.verify(Key, b"massage", MemoryRegion(signature))
    finally:
        mldsa._engine = before
