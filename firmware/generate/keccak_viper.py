"""Writes suit/crypto/keccak_viper.py: Keccak-f[1600] in viper.

Lane i stands in words 2i (low half) and 2i + 1 (high half), which is its byte order. Theta's sums D
are kept behind the state and join each lane when rho and pi move it, which is a loop over a table:
where the lane goes, and how far it turns. A turn by 32 or more swaps the halves; none is by 0 or 32.
Straight code for the 24 moves would be a third faster and twice as long; where speed matters most,
on the smallest boards, it is `keccak_thumb.py`.
"""

from suit.crypto.keccak_plain import constants

_FILE = '''# Made by generate/keccak_viper.py: change that file, not this one.
# MIT licence.
"""Keccak-f[1600], native code (engine of `keccak.py`)."""

import micropython
from micropython import const

STATE = const(280)  # bytes of a state: 25 lanes, theta's D and C, 5 lanes each

_ROUNDS = {rounds}

# for each move: bytes to the lane, bytes to its D, turn modulo 32, whether the halves are swapped
_MOVES = {moves}


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
{parity}
            a = ptr32(int(a) + 4)
            c = ptr32(int(c) + 4)
            i -= 1
        a = ptr32(base)
        c = ptr32(int(c) - 8)
        # D[x] = C[x - 1] ^ (C[x + 1] rotated by 1)
{theta}
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
'''


def _indent(lines, depth):
    return "\n".join("    " * depth + line for line in lines)


def literal(words, bits=64):
    return bytes_literal(b"".join(w.to_bytes(bits // 8, "little") for w in words))


def bytes_literal(raw):
    rows = [raw[i : i + 16] for i in range(0, len(raw), 16)]
    lines = ['    b"%s"' % "".join("\\x%02x" % b for b in row) for row in rows]
    return "(\n" + "\n".join(lines) + "\n)"


def text():
    rounds, moves = constants()
    parity = []
    for x in range(5):
        lanes = [x + 5 * y for y in range(5)]
        # `a` alone, because the pass for high halves runs with it one word further on
        parity.append("c[%d] = %s" % (2 * x, " ^ ".join("a[%d]" % (2 * i) for i in lanes)))
    theta = []
    for x in range(5):
        before, after = (x + 4) % 5, (x + 1) % 5
        theta += [
            "u = uint(c[%d])" % (2 * after),
            "v = uint(c[%d])" % (2 * after + 1),
            "d[%d] = int(u << 1 | v >> 31) ^ c[%d]" % (2 * x, 2 * before),
            "d[%d] = int(v << 1 | u >> 31) ^ c[%d]" % (2 * x + 1, 2 * before + 1),
        ]
    table = bytearray()
    for i in range(24):
        to = moves[(i + 1) % 24][0]
        rotation = moves[i][1]
        table += bytes((8 * to, 8 * (to % 5), rotation % 32, rotation >= 32))
    return _FILE.format(
        rounds=literal(rounds),
        parity=_indent(parity, 3),
        theta=_indent(theta, 2),
        moves=bytes_literal(bytes(table)),
    )
