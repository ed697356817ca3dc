# Made by generate/chacha_viper.py: change that file, not this one.
# MIT licence.
"""The ChaCha20 block and the Poly1305 sum, native code (engine of `chacha.py`)."""

import struct

import micropython
from micropython import const

STATE = const(128)  # bytes: the state of section 2.3, and the block that is made of it
POLY = const(120)  # bytes: ten limbs of 13 bits of the sum, ten of r, twenty columns of a product

# the words of the eight quarter rounds, as bytes from the first
_ROUNDS = (
    b"\x00\x10\x20\x30\x04\x14\x24\x34\x08\x18\x28\x38\x0c\x1c\x2c\x3c"
    b"\x00\x14\x28\x3c\x04\x18\x2c\x30\x08\x1c\x20\x34\x0c\x10\x24\x38"
)


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
                x = uint(a[0])
                x = x + b[0]
                a[0] = x
                x = uint(a[0])
                x = x ^ d[0]
                d[0] = x << 16 | x >> 16
                x = uint(c[0])
                x = x + d[0]
                c[0] = x
                x = uint(c[0])
                x = x ^ b[0]
                b[0] = x << 12 | x >> 20
                x = uint(a[0])
                x = x + b[0]
                a[0] = x
                x = uint(a[0])
                x = x ^ d[0]
                d[0] = x << 8 | x >> 24
                x = uint(c[0])
                x = x + d[0]
                c[0] = x
                x = uint(c[0])
                x = x ^ b[0]
                b[0] = x << 7 | x >> 25
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
            t[0] = r[0] * x + t[0]
            t[1] = r[1] * x + t[1]
            t[2] = r[2] * x + t[2]
            t[3] = r[3] * x + t[3]
            t[4] = r[4] * x + t[4]
            t[5] = r[5] * x + t[5]
            t[6] = r[6] * x + t[6]
            t[7] = r[7] * x + t[7]
            t[8] = r[8] * x + t[8]
            t[9] = r[9] * x + t[9]
            t = ptr32(int(t) + 4)
            h = ptr16(int(h) + 2)
            i -= 1
        # 2^130 = 5: columns 10..19, with their carries, come back five times
        t = ptr32(columns)
        h = ptr16(limbs)
        x = 0
        x = (x >> 13) + t[10]
        t[0] = (x & 8191) * 5 + t[0]
        x = (x >> 13) + t[11]
        t[1] = (x & 8191) * 5 + t[1]
        x = (x >> 13) + t[12]
        t[2] = (x & 8191) * 5 + t[2]
        x = (x >> 13) + t[13]
        t[3] = (x & 8191) * 5 + t[3]
        x = (x >> 13) + t[14]
        t[4] = (x & 8191) * 5 + t[4]
        x = (x >> 13) + t[15]
        t[5] = (x & 8191) * 5 + t[5]
        x = (x >> 13) + t[16]
        t[6] = (x & 8191) * 5 + t[6]
        x = (x >> 13) + t[17]
        t[7] = (x & 8191) * 5 + t[7]
        x = (x >> 13) + t[18]
        t[8] = (x & 8191) * 5 + t[8]
        x = (x >> 13) + t[19]
        t[9] = (x & 8191) * 5 + t[9]
        x = t[0]
        h[0] = x & 8191
        x = (x >> 13) + t[1]
        h[1] = x & 8191
        x = (x >> 13) + t[2]
        h[2] = x & 8191
        x = (x >> 13) + t[3]
        h[3] = x & 8191
        x = (x >> 13) + t[4]
        h[4] = x & 8191
        x = (x >> 13) + t[5]
        h[5] = x & 8191
        x = (x >> 13) + t[6]
        h[6] = x & 8191
        x = (x >> 13) + t[7]
        h[7] = x & 8191
        x = (x >> 13) + t[8]
        h[8] = x & 8191
        x = (x >> 13) + t[9]
        h[9] = x & 8191
        x = (x >> 13) * 5 + h[0]
        h[0] = x & 8191
        x = (x >> 13) + h[1]
        h[1] = x & 8191
        h[2] = h[2] + (x >> 13)
        n -= 1
