# GHASH, native code: a comb over 16 multiples of H.
# MIT licence.
"""Engine of `gcm.py` (SP 800-38D, section 6). An element is four words; bit 31 of word 0 is the
coefficient of x^0, so that multiplying by x is a shift right through the words.

y * H is summed without reduction in the eight words of `d`: digit r (four bits) of word k of y adds
H * digit shifted by k words, which is an offset, and by r digits. All four words take their digit r,
from the last to the first, and between two digits the sum moves by four bits: 32 table entries and
7 shifts for a block. The upper four words then fold back, x^128 being x^7 + x^2 + x + 1."""

import micropython
from micropython import const

TABLE = const(304)  # bytes: n * H for the 16 values of four bits, 16 bytes each; y; the sum


def prepare(table, h):
    if len(table) < TABLE or len(h) != 16:
        raise ValueError("prepare")
    _prepare(table, h)


@micropython.viper
def _prepare(t: ptr32, h: ptr8):
    base = int(t)
    t = ptr32(base + 128)
    i = 0
    while i < 4:
        t[i] = h[0] << 24 | h[1] << 16 | h[2] << 8 | h[3]
        h = ptr8(int(h) + 4)
        i += 1
    # entries 8, 4, 2, 1: H, H * x, H * x^2, H * x^3
    fold = 0xE1
    n = 8
    while n > 1:
        a = uint(t[0])
        b = uint(t[1])
        c = uint(t[2])
        d = uint(t[3])
        n >>= 1
        t = ptr32(base + (n << 4))
        t[0] = int(a >> 1) ^ (0 - (int(d) & 1) & fold) << 24
        t[1] = b >> 1 | a << 31
        t[2] = c >> 1 | b << 31
        t[3] = d >> 1 | c << 31
    t = ptr32(base)
    i = 0
    while i < 4:
        t[i] = 0
        i += 1
    n = 2
    while n < 16:
        t = ptr32(base + (n << 4))
        i = 1
        while i < n:
            p = ptr32(base + (i << 4))
            q = ptr32(base + ((n + i) << 4))
            q[0] = t[0] ^ p[0]
            q[1] = t[1] ^ p[1]
            q[2] = t[2] ^ p[2]
            q[3] = t[3] ^ p[3]
            i += 1
        n <<= 1


def ghash(table, data, at, blocks):
    """y = (y ^ block) * H for each of `blocks` blocks from data[at] on."""
    if at < 0 or blocks < 0 or at + (blocks << 4) > len(data) or len(table) < TABLE:
        raise ValueError("ghash")
    _ghash(table, table, data, at, blocks)


# d and p come first because the first two locals live in registers
@micropython.viper
def _ghash(d: ptr32, p: ptr32, data: ptr8, at: int, blocks: int):
    base = int(d)
    y = ptr8(base + 256)
    sum = base + 272
    data = ptr8(int(data) + at)
    while blocks:
        i = 0
        while i < 16:
            y[i] = y[i] ^ data[i]
            i += 1
        d = ptr32(sum)
        i = 0
        while i < 8:
            d[i] = 0
            i += 1
        digit = 7
        while True:
            # digit r is the high or the low half of byte r / 2 of each word
            z = ptr8(int(y) + (digit >> 1))
            shift = (digit & 1 ^ 1) << 2
            i = 4
            while i:
                p = ptr32(base + ((z[0] >> shift & 15) << 4))
                d[0] = d[0] ^ p[0]
                d[1] = d[1] ^ p[1]
                d[2] = d[2] ^ p[2]
                d[3] = d[3] ^ p[3]
                d = ptr32(int(d) + 4)
                z = ptr8(int(z) + 4)
                i -= 1
            d = ptr32(sum)
            if digit == 0:
                break
            digit -= 1
            # the sum moves by four bits: from word 7, into which word 6 comes, to word 0
            d = ptr32(sum + 28)
            i = 7
            while i:
                p = ptr32(int(d) - 4)
                d[0] = p[0] << 28 | int(uint(d[0]) >> 4)
                d = p
                i -= 1
            d[0] = uint(d[0]) >> 4
        # word i + 4 folds into word i, and what leaves it on the right into word i + 1
        i = 3
        while i >= 0:
            d = ptr32(sum + (i << 2))
            u = uint(d[4])
            d[0] = d[0] ^ int(u ^ u >> 1 ^ u >> 2 ^ u >> 7)
            d[1] = d[1] ^ int(u << 31 ^ u << 30 ^ u << 25)
            i -= 1
        i = 0
        while i < 4:
            u = uint(d[i])
            y[0] = u >> 24
            y[1] = u >> 16
            y[2] = u >> 8
            y[3] = u
            y = ptr8(int(y) + 4)
            i += 1
        y = ptr8(int(y) - 16)
        data = ptr8(int(data) + 16)
        blocks -= 1
