"""Writes suit/crypto/chacha_thumb.py: ChaCha20 and Poly1305 in Thumb assembly (ARMv6-M).

ChaCha20: r0 points to the sixteen words of the block, a quarter round takes four of them into r1 to
r4; r5 to r7 hold the amounts to rotate by (right: 16, 20, 24, and 25 made from 24).

Poly1305: limbs of 13 bits in halfwords. Column k of sum * r, with what 2^130 = 5 brings back, is the
sum of sum[i] * s[k - i] for i = 0..9, where s[j] = r[j] and s[-j] = 5 * r[10 - j]. Ten products of 13
by 13 or 16 bits and a carry stay below 2^32: 9 * 8191 * 40955 + 8191 * 8191 + 2^20.
"""

from suit.crypto.chacha_plain import ROUNDS

_FILE = '''# Made by generate/chacha_thumb.py: change that file, not this one.
# MIT licence.
"""ChaCha20 and Poly1305 in Thumb assembly (engine of `chacha.py`)."""

import struct

import micropython
from micropython import const

STATE = const(128)  # bytes: the state of section 2.3, and the block that is made of it
POLY = const(80)  # bytes: ten limbs of 13 bits of the sum, ten of the next, nineteen of s


def blocks(state, data, at, n):
    """data[at:at+64*n] ^= the key stream of `state`, whose counter moves on."""
    if at < 0 or n < 0 or at + 64 * n > len(data) or len(state) != STATE:
        raise ValueError("blocks")
    _blocks(state, data, at, n)


@micropython.asm_thumb
def _blocks(r0, r1, r2, r3):
{blocks}


def prepare(work, r):
    for j in range(-9, 10):
        struct.pack_into("<H", work, 58 + 2 * j, r[j] if j >= 0 else 5 * r[10 + j])


def poly(work, data, at, n):
    """sum = (sum + block) * r mod 2^130 - 5 for each of `n` blocks of 16 bytes from data[at] on."""
    if at < 0 or n < 0 or at + 16 * n > len(data) or len(work) != POLY:
        raise ValueError("poly")
    _poly(work, data, at, n)


@micropython.asm_thumb
def _poly(r0, r1, r2, r3):
{poly}
'''

_ENTER = """
mov(r4, r8)
mov(r5, r9)
mov(r6, r10)
mov(r7, r11)
push({r4, r5, r6, r7})
mov(r8, r0)
add(r1, r1, r2)
mov(r9, r1)
mov(r10, r3)
b(NEXT)
label(BLOCK)
"""

_LEAVE = """
mov(r1, r10)
sub(r1, 1)
mov(r10, r1)
label(NEXT)
mov(r1, r10)
cmp(r1, 0)
beq(DONE)
b(BLOCK)
label(DONE)
pop({r4, r5, r6, r7})
mov(r8, r4)
mov(r9, r5)
mov(r10, r6)
mov(r11, r7)
"""


def _lines(text):
    return text.strip().split("\n")


def _indent(lines):
    return "\n".join("    " + line for line in lines)


def _blocks():
    code = _lines(_ENTER)
    o = code.append
    o("mov(r1, r8)")
    o("mov(r0, r8)")
    o("add(r0, 64)")
    for i in range(16):
        o("ldr(r2, [r1, %d])" % (4 * i))
        o("str(r2, [r0, %d])" % (4 * i))
    code += ["mov(r1, 10)", "mov(r11, r1)", "mov(r5, 16)", "mov(r6, 20)", "mov(r7, 24)"]
    o("label(ROUND)")
    for words in ROUNDS:
        for register, word in enumerate(words):
            o("ldr(r%d, [r0, %d])" % (1 + register, 4 * word))
        for x, y, turned, amount in (
            (1, 2, 4, "r5"), (3, 4, 2, "r6"), (1, 2, 4, "r7"), (3, 4, 2, None),
        ):  # fmt: skip
            o("add(r%d, r%d, r%d)" % (x, x, y))
            o("eor(r%d, r%d)" % (turned, x))
            if amount:
                o("ror(r%d, %s)" % (turned, amount))
            else:
                code += ["add(r7, 1)", "ror(r%d, r7)" % turned, "sub(r7, 1)"]
        for register, word in enumerate(words):
            o("str(r%d, [r0, %d])" % (1 + register, 4 * word))
    code += ["mov(r1, r11)", "sub(r1, 1)", "mov(r11, r1)", "beq(MADE)", "b(ROUND)", "label(MADE)"]
    # plus the state, into the data byte by byte, since those may lie anywhere
    code += ["mov(r1, r8)", "mov(r4, r9)", "mov(r5, 16)"]
    o("label(WORD)")
    code += ["ldr(r2, [r0, 0])", "ldr(r3, [r1, 0])", "add(r2, r2, r3)"]
    for byte in range(4):
        code += ["ldrb(r3, [r4, %d])" % byte, "eor(r3, r2)", "strb(r3, [r4, %d])" % byte]
        if byte < 3:
            o("lsr(r2, r2, 8)")
    code += ["add(r0, 4)", "add(r1, 4)", "add(r4, 4)", "sub(r5, 1)", "bne(WORD)"]
    # r1 stands behind the state: the counter is word 12
    code += ["mov(r9, r4)", "sub(r1, 16)", "ldr(r2, [r1, 0])", "add(r2, 1)", "str(r2, [r1, 0])"]
    return _indent(code + _lines(_LEAVE))


def _limb(o, i):
    """Bits 13 i .. 13 i + 12 of the block in r4 to r7 (and bit 128), into r1; uses r2."""
    first, shift = divmod(13 * i, 32)
    o("lsr(r1, r%d, %d)" % (4 + first, shift) if shift else "mov(r1, r4)")
    if i == 9:
        code = ["mov(r2, 1)", "lsl(r2, r2, 11)", "orr(r1, r2)"]
    else:
        code = []
        if shift > 19:
            code += ["lsl(r2, r%d, %d)" % (5 + first, 32 - shift), "orr(r1, r2)"]
        code += ["lsl(r1, r1, 19)", "lsr(r1, r1, 19)"]
    for line in code:
        o(line)


def _poly():
    code = _lines(_ENTER)
    o = code.append
    o("mov(r0, r9)")
    for word in range(4):
        o("ldrb(r%d, [r0, %d])" % (4 + word, 4 * word))
        for byte in (1, 2, 3):
            o("ldrb(r1, [r0, %d])" % (4 * word + byte))
            o("lsl(r1, r1, %d)" % (8 * byte))
            o("orr(r%d, r1)" % (4 + word))
    code += ["add(r0, 16)", "mov(r9, r0)", "mov(r0, r8)", "mov(r3, 0)"]
    # the block is added, with carries, so that limbs have 13 bits again
    for i in range(10):
        _limb(o, i)
        o("ldrh(r2, [r0, %d])" % (2 * i))
        code += ["add(r1, r1, r2)", "add(r1, r1, r3)", "lsr(r3, r1, 13)"]
        code += ["lsl(r1, r1, 19)", "lsr(r1, r1, 19)"]
        o("strh(r1, [r0, %d])" % (2 * i))
    code += ["lsl(r1, r3, 2)", "add(r1, r1, r3)"]
    code += ["ldrh(r2, [r0, 0])", "add(r1, r1, r2)", "strh(r1, [r0, 0])"]
    # the product: r1 moves along s, r7 along the next sum, r3 carries from column to column
    code += ["mov(r1, r0)", "add(r1, 40)", "mov(r7, r0)", "add(r7, 20)", "mov(r3, 0)", "mov(r6, 10)"]
    o("label(COLUMN)")
    for m in range(10):
        o("ldrh(r4, [r1, %d])" % (2 * m))
        o("ldrh(r5, [r0, %d])" % (2 * (9 - m)))
        code += ["mul(r4, r5)", "add(r3, r3, r4)"]
    code += ["lsl(r4, r3, 19)", "lsr(r4, r4, 19)", "strh(r4, [r7, 0])", "lsr(r3, r3, 13)"]
    code += ["add(r7, 2)", "add(r1, 2)", "sub(r6, 1)", "bne(COLUMN)"]
    # what the last column carries comes back five times
    code += ["lsl(r4, r3, 2)", "add(r3, r3, r4)", "ldrh(r4, [r0, 20])", "add(r3, r3, r4)"]
    code += ["lsl(r4, r3, 19)", "lsr(r4, r4, 19)", "strh(r4, [r0, 0])", "lsr(r3, r3, 13)"]
    code += ["ldrh(r4, [r0, 22])", "add(r4, r4, r3)", "strh(r4, [r0, 2])"]
    for i in range(4, 20, 4):
        code += ["ldr(r4, [r0, %d])" % (20 + i), "str(r4, [r0, %d])" % i]
    return _indent(code + _lines(_LEAVE))


def text():
    return _FILE.format(blocks=_blocks(), poly=_poly())
