"""Writes suit/crypto/chacha_viper.py: the ChaCha20 block and the Poly1305 sum in viper.

ChaCha20 works on 16 words in memory: the store cuts what 64-bit machines keep above bit 31, which
must be gone before a shift right. A quarter round finds its four words through a table: straight code
for all eight would be a quarter faster and three times as long. Poly1305 works in ten limbs of 13 bits, of which the sum's may
grow to 14: a column of products stays below 10 * 2^13 * 2^14 < 2^31, because the factor 5 of the
reduction comes after the carries.
"""

from suit.crypto.chacha_plain import ROUNDS

from generate.keccak_viper import bytes_literal as literal

_FILE = '''# Made by generate/chacha_viper.py: change that file, not this one.
# MIT licence.
"""The ChaCha20 block and the Poly1305 sum, native code (engine of `chacha.py`)."""

import struct

import micropython
from micropython import const

STATE = const(128)  # bytes: the state of section 2.3, and the block that is made of it
POLY = const(120)  # bytes: ten limbs of 13 bits of the sum, ten of r, twenty columns of a product

# the words of the eight quarter rounds, as bytes from the first
_ROUNDS = {table}


def blocks(state, data, at, n):
    """data[at:at+64*n] ^= the key stream of `state`, whose counter moves on."""
    if at < 0 or n < 0 or at + 64 * n > len(data) or len(state) != STATE:
        raise ValueError("blocks")
    _blocks(state, 0, data, at, n)


# s and x come first because the first two locals live in registers
@micropython.viper
def _blocks(s: ptr32, x: uint, data: ptr8, at: int, count: int):
    state = ptr32(int(s))
    base = int(s) + 64
    s = ptr32(base)
    data = ptr8(int(data) + at)
    while count:
        i = 16
        while i:
            i -= 1
            s[i] = state[i]
        n = 10
        while n:
            m = ptr8(_ROUNDS)
            i = 8
            while i:
                a = ptr32(base + m[0])
                b = ptr32(base + m[1])
                c = ptr32(base + m[2])
                d = ptr32(base + m[3])
{rounds}
                m = ptr8(int(m) + 4)
                i -= 1
            n -= 1
        i = 0
        while i < 16:
            s[i] = s[i] + state[i]
            x = uint(s[i])
            data[0] = data[0] ^ int(x)
            data[1] = data[1] ^ int(x >> 8)
            data[2] = data[2] ^ int(x >> 16)
            data[3] = data[3] ^ int(x >> 24)
            data = ptr8(int(data) + 4)
            i += 1
        state[12] = state[12] + 1
        count -= 1


def prepare(work, r):
    for i in range(10):
        struct.pack_into("<H", work, 20 + 2 * i, r[i])


def poly(work, data, at, n):
    """sum = (sum + block) * r mod 2^130 - 5 for each of `n` blocks of 16 bytes from data[at] on."""
    if at < 0 or n < 0 or at + 16 * n > len(data) or len(work) != POLY:
        raise ValueError("poly")
    _poly(work, 0, data, at, n)


@micropython.viper
def _poly(t: ptr32, x: int, m: ptr8, at: int, n: int):
    limbs = int(t)
    r = ptr16(limbs + 20)
    columns = limbs + 40
    m = ptr8(int(m) + at)
    while n:
        # add the block: 16 bytes are nine limbs and eleven bits, to which bit 128 comes
        h = ptr16(limbs)
        x = 0
        b = 0
        i = 16
        while i:
            x |= m[0] << b
            m = ptr8(int(m) + 1)
            b += 8
            if b >= 13:
                h[0] = h[0] + (x & 8191)
                h = ptr16(int(h) + 2)
                x >>= 13
                b -= 13
            i -= 1
        h[0] = h[0] + x + 2048
        t = ptr32(columns)
        i = 20
        while i:
            t[0] = 0
            t = ptr32(int(t) + 4)
            i -= 1
        t = ptr32(columns)
        h = ptr16(limbs)
        i = 10
        while i:
            x = h[0]
{products}
            t = ptr32(int(t) + 4)
            h = ptr16(int(h) + 2)
            i -= 1
        # 2^130 = 5: columns 10..19, with their carries, come back five times
        t = ptr32(columns)
        h = ptr16(limbs)
        x = 0
{fold}
{carry}
        x = (x >> 13) * 5 + h[0]
        h[0] = x & 8191
        x = (x >> 13) + h[1]
        h[1] = x & 8191
        h[2] = h[2] + (x >> 13)
        n -= 1
'''


def _indent(lines, depth):
    return "\n".join("    " * depth + line for line in lines)


def text():
    rounds = []
    for target, other, turned, n in (
        ("a", "b", "d", 16), ("c", "d", "b", 12), ("a", "b", "d", 8), ("c", "d", "b", 7),
    ):  # fmt: skip
        rounds += [
            # x on the left of each operation stays in its register
            "x = uint(%s[0])" % target,
            "x = x + %s[0]" % other,
            "%s[0] = x" % target,
            "x = uint(%s[0])" % target,
            "x = x ^ %s[0]" % turned,
            "%s[0] = x << %d | x >> %d" % (turned, n, 32 - n),
        ]
    table = bytes(4 * word for words in ROUNDS for word in words)
    fold = []
    carry = ["x = t[0]", "h[0] = x & 8191"]
    for k in range(10):
        # column 19 is the carry of column 18 alone, and that is small: clamping leaves 7 bits of r[9]
        fold.append("x = (x >> 13) + t[%d]" % (10 + k))
        fold.append("t[%d] = (x & 8191) * 5 + t[%d]" % (k, k))
        if k:
            carry.append("x = (x >> 13) + t[%d]" % k)
            carry.append("h[%d] = x & 8191" % k)
    return _FILE.format(
        table=literal(table),
        rounds=_indent(rounds, 4),
        products=_indent(["t[%d] = r[%d] * x + t[%d]" % (k, k, k) for k in range(10)], 3),
        fold=_indent(fold, 2),
        carry=_indent(carry, 2),
    )
