# SHAKE128 and SHAKE256.
# MIT licence.
"""Against published outputs, hashlib where there is one, and each engine against the plain one."""

from harness import MICROPYTHON, raises
from suit.crypto import keccak, keccak_plain

EMPTY128 = "7f9c2ba4e88f827d616045507605853ed73b8093f6efbc88eb1a6eacfa66ef26"
EMPTY256 = (
    "46b9dd2b0ba88d13233b3feb743eeb243fcd52ea62b81b82b50c27646ed5762f"
    "d75dc4ddd8c0f200cb05019d67b592f6fc821c49479ab48640292eacb3b7c4be"
)
# bytes(range(200)) through SHAKE256, the last 8 of 400 bytes
LONG256 = "b2142f74dadd2b5a"


def data(n):
    return bytes((i * 11 + (i >> 8)) & 255 for i in range(n))


def xof(rate, message, n):
    shake = keccak.Shake(rate)
    shake.absorb(message)
    out = bytearray(n)
    shake.squeeze(out)
    return bytes(out)


def test_published_outputs():
    assert keccak.SHAKE128().digest().hex() == EMPTY128
    assert keccak.SHAKE256().digest().hex() == EMPTY256
    assert xof(keccak.RATE256, bytes(range(200)), 400)[-8:].hex() == LONG256


def test_the_split_of_input_and_output_does_not_matter():
    whole = xof(keccak.RATE128, data(700), 500)
    for step in (1, 7, 167, 168, 169, 336):
        shake = keccak.Shake(keccak.RATE128)
        for at in range(0, 700, step):
            shake.absorb(memoryview(data(700))[at : at + step])
        out = bytearray(500)
        view = memoryview(out)
        for at in range(0, 500, step):
            shake.squeeze(view[at : at + step])
        assert out == whole, step


def test_reset_starts_again_in_the_same_memory():
    shake = keccak.Shake(keccak.RATE128)
    shake.absorb(data(300))
    shake.squeeze(bytearray(5))
    shake.reset(keccak.RATE256)
    out = bytearray(64)
    shake.squeeze(out)
    assert out.hex() == EMPTY256


def test_blocks_can_be_read_in_place():
    shake = keccak.Shake(keccak.RATE128)
    shake.absorb(b"seed")
    shake.finish()
    first = bytes(shake.state[:168])
    shake.permute()
    assert first + bytes(shake.state[:168]) == xof(keccak.RATE128, b"seed", 336)


def test_every_length_around_the_block_agrees_with_a_reference():
    lengths = (0, 1, 135, 136, 137, 167, 168, 169, 271, 272, 273, 335, 336, 337)
    if MICROPYTHON:
        fast = keccak._engine
        for n in lengths:
            one = xof(keccak.RATE128, data(n), 200)
            keccak._engine = keccak_plain
            two = xof(keccak.RATE128, data(n), 200)
            keccak._engine = fast
            assert one == two, n
        return
    import hashlib

    for n in lengths:
        assert keccak.SHAKE128(data(n)).digest() == hashlib.shake_128(data(n)).digest(32), n
        assert keccak.SHAKE256(data(n)).digest() == hashlib.shake_256(data(n)).digest(64), n
        assert xof(keccak.RATE256, data(n), 600) == hashlib.shake_256(data(n)).digest(600), n


def test_engines_agree_on_extreme_states():
    for fill in (0, 255, 0x80, 0x7F, 1):
        a = bytearray(bytes([fill]) * keccak._engine.STATE)
        b = bytearray(a[:200])
        for _ in range(3):
            keccak._engine.permute(a)
            keccak_plain.permute(b)
        assert a[:200] == b


def test_nothing_outside_the_buffers_is_touched():
    state = bytearray(keccak._engine.STATE)
    for at, start, n in ((0, 1, 8), (0, 9, 1), (len(state), 0, 1), (len(state) - 3, 0, 4)):
        raises(Exception, keccak._engine.absorb, state, at, bytes(8), start, n)
    raises(Exception, keccak._engine.permute, bytearray(100))
