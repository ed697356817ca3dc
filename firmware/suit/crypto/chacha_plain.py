# The ChaCha20 block and the Poly1305 sum in plain Python.
# MIT licence.
"""Engine of `chacha.py` where there is no native code (RFC 8439, sections 2.3 and 2.5)."""

import struct

STATE = 64  # bytes: the state of section 2.3
POLY = 40  # bytes: ten limbs of 13 bits of the sum, ten of r

_MASK = 0xFFFFFFFF
_PRIME = (1 << 130) - 5

# the quarter rounds of a double round: columns, then diagonals
ROUNDS = (
    (0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
    (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14),
)  # fmt: skip


def _turn(x, n):
    return (x << n | x >> (32 - n)) & _MASK


def blocks(state, data, at, n):
    """data[at:at+64*n] ^= the key stream of `state`, whose counter moves on."""
    if at < 0 or at + 64 * n > len(data):
        raise ValueError("blocks")
    for _ in range(n):
        start = struct.unpack_from("<16I", state, 0)
        x = list(start)
        for _ in range(10):
            for a, b, c, d in ROUNDS:
                x[a] = x[a] + x[b] & _MASK
                x[d] = _turn(x[d] ^ x[a], 16)
                x[c] = x[c] + x[d] & _MASK
                x[b] = _turn(x[b] ^ x[c], 12)
                x[a] = x[a] + x[b] & _MASK
                x[d] = _turn(x[d] ^ x[a], 8)
                x[c] = x[c] + x[d] & _MASK
                x[b] = _turn(x[b] ^ x[c], 7)
        for i in range(16):
            word = struct.unpack_from("<I", data, at)[0]
            struct.pack_into("<I", data, at, word ^ (x[i] + start[i] & _MASK))
            at += 4
        struct.pack_into("<I", state, 48, start[12] + 1 & _MASK)


def _value(work, at):
    total = 0
    for i in range(at + 18, at - 1, -2):
        total = (total << 13) + struct.unpack_from("<H", work, i)[0]
    return total


def prepare(work, r):
    for i in range(10):
        struct.pack_into("<H", work, 20 + 2 * i, r[i])


def poly(work, data, at, n):
    """sum = (sum + block) * r mod 2^130 - 5 for each of `n` blocks of 16 bytes from data[at] on."""
    if at < 0 or at + 16 * n > len(data):
        raise ValueError("poly")
    total = _value(work, 0)
    factor = _value(work, 20)
    view = memoryview(data)
    for _ in range(n):
        total += int.from_bytes(bytes(view[at : at + 16]), "little") | 1 << 128
        total = total * factor % _PRIME
        at += 16
    for i in range(10):
        struct.pack_into("<H", work, 2 * i, total >> 13 * i & 0x1FFF)
