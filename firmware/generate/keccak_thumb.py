"""Writes suit/crypto/keccak_thumb.py: Keccak-f[1600] in Thumb assembly (ARMv6-M).

Memory and order of work are those of `keccak_viper.py`: lane i in words 2i and 2i + 1, theta's D in
words 50 to 59 behind the state, C in words 60 to 69. r0 reaches words 0 to 31, r1 (29 words further
on) the others up to 59. r10 keeps the state, r8 the round constants, r11 counts the rounds.
"""

from suit.crypto.keccak_plain import constants

from generate.keccak_viper import literal

_FILE = '''# Made by generate/keccak_thumb.py: change that file, not this one.
# MIT licence.
"""Keccak-f[1600] in Thumb assembly (engine of `keccak.py`)."""

import micropython
from micropython import const

STATE = const(280)  # bytes of a state: 25 lanes, theta's D and C, 5 lanes each

_ROUNDS = {rounds}


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
    _permute(state, _ROUNDS)


@micropython.asm_thumb
def _permute(r0, r1):
{code}
'''


def _at(word):
    return "[r0, %d]" % (4 * word) if word < 32 else "[r1, %d]" % (4 * (word - 29))


_ENTER = """
mov(r4, r8)
mov(r5, r9)
mov(r6, r10)
mov(r7, r11)
push({r4, r5, r6, r7})
mov(r10, r0)
mov(r8, r1)
mov(r3, 24)
mov(r11, r3)
label(ROUND)
mov(r0, r10)
mov(r1, r0)
add(r1, 116)
mov(r2, r0)
add(r2, 240)
"""

_LEAVE = """
mov(r2, r8)
mov(r0, r10)
ldr(r3, [r2, 0])
ldr(r4, [r0, 0])
eor(r3, r4)
str(r3, [r0, 0])
ldr(r3, [r2, 4])
ldr(r4, [r0, 4])
eor(r3, r4)
str(r3, [r0, 4])
add(r2, 8)
mov(r8, r2)
mov(r3, r11)
sub(r3, 1)
mov(r11, r3)
beq(DONE)
b(ROUND)
label(DONE)
pop({r4, r5, r6, r7})
mov(r8, r4)
mov(r9, r5)
mov(r10, r6)
mov(r11, r7)
"""


def _parity(o):
    """C[x] = the xor of column x, both halves."""
    for x in range(5):
        for half in (0, 1):
            words = [2 * (x + 5 * y) + half for y in range(5)]
            o("ldr(r3, %s)" % _at(words[0]))
            for word in words[1:]:
                o("ldr(r4, %s)" % _at(word))
                o("eor(r3, r4)")
            o("str(r3, [r2, %d])" % (4 * (2 * x + half)))


def _theta(o):
    """D[x] = C[x - 1] ^ (C[x + 1] rotated by 1)."""
    for x in range(5):
        before, after = 8 * ((x + 4) % 5), 8 * ((x + 1) % 5)
        o("ldr(r3, [r2, %d])" % after)
        o("ldr(r4, [r2, %d])" % (after + 4))
        for half, (this, other) in enumerate((("r3", "r4"), ("r4", "r3"))):
            o("lsl(r5, %s, 1)" % this)
            o("lsr(r6, %s, 31)" % other)
            o("orr(r5, r6)")
            o("ldr(r6, [r2, %d])" % (before + 4 * half))
            o("eor(r5, r6)")
            o("str(r5, %s)" % _at(50 + 2 * x + half))


def _take(o, lane, low, high):
    """The lane with theta's D, into two registers."""
    for half, register in enumerate((low, high)):
        o("ldr(%s, %s)" % (register, _at(2 * lane + half)))
        o("ldr(r6, %s)" % _at(50 + 2 * (lane % 5) + half))
        o("eor(%s, r6)" % register)


def _rho_pi(o, moves):
    """Each lane, rotated, to the place of the next, which is taken up before."""
    _take(o, 0, "r2", "r3")
    o("str(r2, %s)" % _at(0))
    o("str(r3, %s)" % _at(1))
    held, free = ("r2", "r3"), ("r4", "r5")
    _take(o, 1, *held)
    for i in range(24):
        to = moves[(i + 1) % 24][0]
        rotation = moves[i][1]
        if i < 23:
            _take(o, to, *free)
        low, high = held if rotation < 32 else held[::-1]
        n = rotation % 32
        for half, (this, other) in enumerate(((low, high), (high, low))):
            o("lsl(r6, %s, %d)" % (this, n))
            o("lsr(r7, %s, %d)" % (other, 32 - n))
            o("orr(r6, r7)")
            o("str(r6, %s)" % _at(2 * to + half))
        held, free = free, held


def _chi(o):
    """a[x] ^= ~a[x + 1] & a[x + 2] in each of five rows, both halves; r2 walks along the rows."""
    o("mov(r2, r10)")
    o("mov(r1, 5)")
    o("label(CHI)")
    for half in (0, 4):
        for x in range(5):
            o("ldr(r%d, [r2, %d])" % (3 + x, 8 * x + half))
        for x in range(5):
            o("mov(r0, r%d)" % (3 + (x + 2) % 5))
            o("bic(r0, r%d)" % (3 + (x + 1) % 5))
            o("eor(r0, r%d)" % (3 + x))
            o("str(r0, [r2, %d])" % (8 * x + half))
    o("add(r2, 40)")
    o("sub(r1, 1)")
    o("bne(CHI)")


def text():
    rounds, moves = constants()
    lines = _ENTER.strip().split("\n")
    _parity(lines.append)
    _theta(lines.append)
    _rho_pi(lines.append, moves)
    _chi(lines.append)
    lines += _LEAVE.strip().split("\n")
    return _FILE.format(
        rounds=literal(rounds), code="\n".join("    " + line for line in lines)
    )
