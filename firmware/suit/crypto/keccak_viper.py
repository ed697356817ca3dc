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

# for each move: bytes to the lane, bytes to its D, turn modulo 32, whether the halves are swapped
_MOVES = (
    b"\x50\x00\x01\x00\x38\x10\x03\x00\x58\x08\x06\x00\x88\x10\x0a\x00"
    b"\x90\x18\x0f\x00\x18\x18\x15\x00\x28\x00\x1c\x00\x80\x08\x04\x01"
    b"\x40\x18\x0d\x01\xa8\x08\x17\x01\xc0\x20\x02\x00\x20\x20\x0e\x00"
    b"\x78\x00\x1b\x00\xb8\x18\x09\x01\x98\x20\x18\x01\x68\x18\x08\x00"
    b"\x60\x10\x19\x00\x10\x10\x0b\x01\xa0\x00\x1e\x01\x70\x20\x12\x00"
    b"\xb0\x10\x07\x01\x48\x20\x1d\x01\x30\x08\x14\x00\x08\x08\x0c\x01"
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
    d = ptr32(base + 200)
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
        d[0] = int(u << 1 | v >> 31) ^ c[8]
        d[1] = int(v << 1 | u >> 31) ^ c[9]
        u = uint(c[4])
        v = uint(c[5])
        d[2] = int(u << 1 | v >> 31) ^ c[0]
        d[3] = int(v << 1 | u >> 31) ^ c[1]
        u = uint(c[6])
        v = uint(c[7])
        d[4] = int(u << 1 | v >> 31) ^ c[2]
        d[5] = int(v << 1 | u >> 31) ^ c[3]
        u = uint(c[8])
        v = uint(c[9])
        d[6] = int(u << 1 | v >> 31) ^ c[4]
        d[7] = int(v << 1 | u >> 31) ^ c[5]
        u = uint(c[0])
        v = uint(c[1])
        d[8] = int(u << 1 | v >> 31) ^ c[6]
        d[9] = int(v << 1 | u >> 31) ^ c[7]
        # rho and pi, with theta's D: each lane moves to the place of the next
        u = uint(a[2] ^ d[2])
        v = uint(a[3] ^ d[3])
        a[0] = a[0] ^ d[0]
        a[1] = a[1] ^ d[1]
        m = ptr8(_MOVES)
        i = 24
        while i:
            a = ptr32(base + m[0])
            h = ptr32(int(d) + m[1])
            s = uint(a[0] ^ h[0])
            t = uint(a[1] ^ h[1])
            x = m[2]
            y = 32 - x
            if m[3]:
                a[1] = u << x | v >> y
                a[0] = v << x | u >> y
            else:
                a[0] = u << x | v >> y
                a[1] = v << x | u >> y
            u = s
            v = t
            m = ptr8(int(m) + 4)
            i -= 1
        a = ptr32(base)
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
