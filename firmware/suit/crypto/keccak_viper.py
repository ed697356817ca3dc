# Made by generate/keccak_viper.py: change that file, not this one.
# MIT licence.
"""Keccak-f[1600], native code (engine of `keccak.py`)."""

import micropython
from micropython import const

STATE = const(280)  # bytes of a state: 25 lanes, theta's D and C, 5 lanes each

_ROUNDS = (
    b"\x01\x00\x00\x00\x00\x00\x00\x00\x82\x80\x00\x00\x00\x00\x00\x00"
    b"\x8a\x80\x00\x00\x00\x00\x00\x80\x00\x80\x00\x80\x00\x00\x00\x80"
    b"\x8b\x80\x00\x00\x00\x00\x00\x00\x01\x00\x00\x80\x00\x00\x00\x00"
    b"\x81\x80\x00\x80\x00\x00\x00\x80\x09\x80\x00\x00\x00\x00\x00\x80"
    b"\x8a\x00\x00\x00\x00\x00\x00\x00\x88\x00\x00\x00\x00\x00\x00\x00"
    b"\x09\x80\x00\x80\x00\x00\x00\x00\x0a\x00\x00\x80\x00\x00\x00\x00"
    b"\x8b\x80\x00\x80\x00\x00\x00\x00\x8b\x00\x00\x00\x00\x00\x00\x80"
    b"\x89\x80\x00\x00\x00\x00\x00\x80\x03\x80\x00\x00\x00\x00\x00\x80"
    b"\x02\x80\x00\x00\x00\x00\x00\x80\x80\x00\x00\x00\x00\x00\x00\x80"
    b"\x0a\x80\x00\x00\x00\x00\x00\x00\x0a\x00\x00\x80\x00\x00\x00\x80"
    b"\x81\x80\x00\x80\x00\x00\x00\x80\x80\x80\x00\x00\x00\x00\x00\x80"
    b"\x01\x00\x00\x80\x00\x00\x00\x00\x08\x80\x00\x80\x00\x00\x00\x80"
)


def absorb(state, at, data, start, n):
    """state[at:at+n] ^= data[start:start+n]"""
    if n < 0 or at < 0 or start < 0 or at + n > len(state) or start + n > len(data):
        raise ValueError("absorb")
    _xor(state, data, at, start, n)


@micropython.viper
def _xor(s: ptr8, d: ptr8, at: int, start: int, n: int):
    s = ptr8(int(s) + at)
    d = ptr8(int(d) + start)
    while n:
        s[0] = s[0] ^ d[0]
        s = ptr8(int(s) + 1)
        d = ptr8(int(d) + 1)
        n -= 1


def permute(state):
    if len(state) < STATE:
        raise ValueError("state")
    _permute(state, 0, _ROUNDS)


# a and x come first because the first two locals live in registers
@micropython.viper
def _permute(a: ptr32, x: int, rounds: ptr32):
    base = int(a)
    h = ptr32(base + 128)
    c = ptr32(base + 240)
    n = 24
    while n:
        n -= 1
        # theta: C[x] = column parity, in the 5 x 2 words behind D; one pass for low halves, one
        # for high halves
        i = 2
        while i:
            c[0] = a[0] ^ a[10] ^ a[20] ^ a[30] ^ a[40]
            c[2] = a[2] ^ a[12] ^ a[22] ^ a[32] ^ a[42]
            c[4] = a[4] ^ a[14] ^ a[24] ^ a[34] ^ a[44]
            c[6] = a[6] ^ a[16] ^ a[26] ^ a[36] ^ a[46]
            c[8] = a[8] ^ a[18] ^ a[28] ^ a[38] ^ a[48]
            a = ptr32(int(a) + 4)
            c = ptr32(int(c) + 4)
            i -= 1
        a = ptr32(base)
        c = ptr32(int(c) - 8)
        # D[x] = C[x - 1] ^ (C[x + 1] rotated by 1)
        u = uint(c[2])
        v = uint(c[3])
        h[18] = int(u << 1 | v >> 31) ^ c[8]
        h[19] = int(v << 1 | u >> 31) ^ c[9]
        u = uint(c[4])
        v = uint(c[5])
        h[20] = int(u << 1 | v >> 31) ^ c[0]
        h[21] = int(v << 1 | u >> 31) ^ c[1]
        u = uint(c[6])
        v = uint(c[7])
        h[22] = int(u << 1 | v >> 31) ^ c[2]
        h[23] = int(v << 1 | u >> 31) ^ c[3]
        u = uint(c[8])
        v = uint(c[9])
        h[24] = int(u << 1 | v >> 31) ^ c[4]
        h[25] = int(v << 1 | u >> 31) ^ c[5]
        u = uint(c[0])
        v = uint(c[1])
        h[26] = int(u << 1 | v >> 31) ^ c[6]
        h[27] = int(v << 1 | u >> 31) ^ c[7]
        # rho and pi, with theta's D: each lane moves to the place of the next
        u = uint(a[2] ^ h[20])
        v = uint(a[3] ^ h[21])
        a[0] = a[0] ^ h[18]
        a[1] = a[1] ^ h[19]
        s = uint(a[20] ^ h[18])
        t = uint(a[21] ^ h[19])
        a[20] = u << 1 | v >> 31
        a[21] = v << 1 | u >> 31
        u = uint(a[14] ^ h[22])
        v = uint(a[15] ^ h[23])
        a[14] = s << 3 | t >> 29
        a[15] = t << 3 | s >> 29
        s = uint(a[22] ^ h[20])
        t = uint(a[23] ^ h[21])
        a[22] = u << 6 | v >> 26
        a[23] = v << 6 | u >> 26
        u = uint(h[2] ^ h[22])
        v = uint(h[3] ^ h[23])
        h[2] = s << 10 | t >> 22
        h[3] = t << 10 | s >> 22
        s = uint(h[4] ^ h[24])
        t = uint(h[5] ^ h[25])
        h[4] = u << 15 | v >> 17
        h[5] = v << 15 | u >> 17
        u = uint(a[6] ^ h[24])
        v = uint(a[7] ^ h[25])
        a[6] = s << 21 | t >> 11
        a[7] = t << 21 | s >> 11
        s = uint(a[10] ^ h[18])
        t = uint(a[11] ^ h[19])
        a[10] = u << 28 | v >> 4
        a[11] = v << 28 | u >> 4
        u = uint(h[0] ^ h[20])
        v = uint(h[1] ^ h[21])
        h[0] = t << 4 | s >> 28
        h[1] = s << 4 | t >> 28
        s = uint(a[16] ^ h[24])
        t = uint(a[17] ^ h[25])
        a[16] = v << 13 | u >> 19
        a[17] = u << 13 | v >> 19
        u = uint(h[10] ^ h[20])
        v = uint(h[11] ^ h[21])
        h[10] = t << 23 | s >> 9
        h[11] = s << 23 | t >> 9
        s = uint(h[16] ^ h[26])
        t = uint(h[17] ^ h[27])
        h[16] = u << 2 | v >> 30
        h[17] = v << 2 | u >> 30
        u = uint(a[8] ^ h[26])
        v = uint(a[9] ^ h[27])
        a[8] = s << 14 | t >> 18
        a[9] = t << 14 | s >> 18
        s = uint(a[30] ^ h[18])
        t = uint(a[31] ^ h[19])
        a[30] = u << 27 | v >> 5
        a[31] = v << 27 | u >> 5
        u = uint(h[14] ^ h[24])
        v = uint(h[15] ^ h[25])
        h[14] = t << 9 | s >> 23
        h[15] = s << 9 | t >> 23
        s = uint(h[6] ^ h[26])
        t = uint(h[7] ^ h[27])
        h[6] = v << 24 | u >> 8
        h[7] = u << 24 | v >> 8
        u = uint(a[26] ^ h[24])
        v = uint(a[27] ^ h[25])
        a[26] = s << 8 | t >> 24
        a[27] = t << 8 | s >> 24
        s = uint(a[24] ^ h[22])
        t = uint(a[25] ^ h[23])
        a[24] = u << 25 | v >> 7
        a[25] = v << 25 | u >> 7
        u = uint(a[4] ^ h[22])
        v = uint(a[5] ^ h[23])
        a[4] = t << 11 | s >> 21
        a[5] = s << 11 | t >> 21
        s = uint(h[8] ^ h[18])
        t = uint(h[9] ^ h[19])
        h[8] = v << 30 | u >> 2
        h[9] = u << 30 | v >> 2
        u = uint(a[28] ^ h[26])
        v = uint(a[29] ^ h[27])
        a[28] = s << 18 | t >> 14
        a[29] = t << 18 | s >> 14
        s = uint(h[12] ^ h[22])
        t = uint(h[13] ^ h[23])
        h[12] = v << 7 | u >> 25
        h[13] = u << 7 | v >> 25
        u = uint(a[18] ^ h[26])
        v = uint(a[19] ^ h[27])
        a[18] = t << 29 | s >> 3
        a[19] = s << 29 | t >> 3
        s = uint(a[12] ^ h[20])
        t = uint(a[13] ^ h[21])
        a[12] = u << 20 | v >> 12
        a[13] = v << 20 | u >> 12
        a[2] = t << 12 | s >> 20
        a[3] = s << 12 | t >> 20
        # chi, on ten half rows
        i = 10
        while i:
            x = a[0]
            y = a[2]
            a[0] = a[4] & (-1 - y) ^ x
            a[2] = a[6] & (-1 - a[4]) ^ y
            a[4] = a[8] & (-1 - a[6]) ^ a[4]
            a[6] = x & (-1 - a[8]) ^ a[6]
            a[8] = y & (-1 - x) ^ a[8]
            i -= 1
            a = ptr32(int(a) + 4 + (i & 1 ^ 1) * 32)
        # iota
        a = ptr32(base)
        a[0] = a[0] ^ rounds[0]
        a[1] = a[1] ^ rounds[1]
        rounds = ptr32(int(rounds) + 8)
