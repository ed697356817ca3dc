"""Writes suit/crypto/gcm_thumb.py: GHASH in Thumb assembly (ARMv6-M).

The element stays in r4 to r7, bit 31 of r4 being the coefficient of x^0. For each half byte of
y ^ block, from the last to the first, it is multiplied by x^4 - a shift by four through the words, of
which x^128 = x^7 + x^2 + x + 1 brings the bits that leave back into the first - and the multiple of H
is added. r8 keeps the table, r9 the byte, r10 the way from y to the data, r11 counts the blocks, r12
keeps y.
"""

_FILE = '''# Made by generate/gcm_thumb.py: change that file, not this one.
# MIT licence.
"""GHASH in Thumb assembly (engine of `gcm.py`)."""

import micropython
from micropython import const

TABLE = const(272)  # bytes: n * H for the 16 values of four bits, 16 bytes each; y


# prepare(table, h)
@micropython.asm_thumb
def prepare(r0, r1):
{prepare}


def ghash(table, data, at, blocks):
    """y = (y ^ block) * H for each of `blocks` blocks from data[at] on."""
    if at < 0 or blocks < 0 or at + (blocks << 4) > len(data) or len(table) < TABLE:
        raise ValueError("ghash")
    _ghash(table, data, at, blocks)


@micropython.asm_thumb
def _ghash(r0, r1, r2, r3):
{code}
'''

_ENTER = """
mov(r4, r8)
mov(r5, r9)
mov(r6, r10)
mov(r7, r11)
push({r4, r5, r6, r7})
mov(r8, r0)
add(r0, 255)
add(r0, 1)
mov(r12, r0)
add(r1, r1, r2)
sub(r1, r1, r0)
mov(r10, r1)
mov(r11, r3)
b(NEXT)
label(BLOCK)
mov(r0, r12)
add(r0, 16)
mov(r4, 0)
mov(r5, 0)
mov(r6, 0)
mov(r7, 0)
label(BYTE)
sub(r0, 1)
ldrb(r1, [r0, 0])
mov(r2, r10)
add(r2, r2, r0)
ldrb(r2, [r2, 0])
eor(r1, r2)
mov(r9, r1)
"""

_LOW_HALF = """
lsl(r3, r1, 28)
lsr(r3, r3, 24)
"""

_HIGH_HALF = """
mov(r3, r9)
lsr(r3, r3, 4)
lsl(r3, r3, 4)
"""

_STEP = """
mov(r2, r8)
add(r3, r3, r2)
lsl(r1, r7, 28)
lsr(r7, r7, 4)
lsl(r2, r6, 28)
orr(r7, r2)
lsr(r6, r6, 4)
lsl(r2, r5, 28)
orr(r6, r2)
lsr(r5, r5, 4)
lsl(r2, r4, 28)
orr(r5, r2)
lsr(r4, r4, 4)
eor(r4, r1)
lsr(r2, r1, 1)
eor(r4, r2)
lsr(r2, r1, 2)
eor(r4, r2)
lsr(r2, r1, 7)
eor(r4, r2)
ldr(r2, [r3, 0])
eor(r4, r2)
ldr(r2, [r3, 4])
eor(r5, r2)
ldr(r2, [r3, 8])
eor(r6, r2)
ldr(r2, [r3, 12])
eor(r7, r2)
"""

_LEAVE = """
mov(r1, r12)
cmp(r0, r1)
bne(BYTE)
{store}
mov(r1, r10)
add(r1, 16)
mov(r10, r1)
mov(r1, r11)
sub(r1, 1)
mov(r11, r1)
label(NEXT)
mov(r1, r11)
cmp(r1, 0)
beq(DONE)
b(BLOCK)
label(DONE)
pop({{r4, r5, r6, r7}})
mov(r8, r4)
mov(r9, r5)
mov(r10, r6)
mov(r11, r7)
"""


# H, H * x, H * x^2, H * x^3 are entries 8, 4, 2, 1; the others are sums of an entry with one bit and
# of one before it. r1 counts the bytes from the table to the entry with one bit, r3 those to the other
_ENTRIES = """
mov(r1, 128)
label(POWER)
add(r2, r0, r1)
str(r4, [r2, 0])
str(r5, [r2, 4])
str(r6, [r2, 8])
str(r7, [r2, 12])
lsl(r3, r7, 31)
lsr(r7, r7, 1)
lsl(r2, r6, 31)
orr(r7, r2)
lsr(r6, r6, 1)
lsl(r2, r5, 31)
orr(r6, r2)
lsr(r5, r5, 1)
lsl(r2, r4, 31)
orr(r5, r2)
lsr(r4, r4, 1)
cmp(r3, 0)
beq(NO_FOLD)
mov(r2, 0xE1)
lsl(r2, r2, 24)
eor(r4, r2)
label(NO_FOLD)
lsr(r1, r1, 1)
cmp(r1, 8)
bne(POWER)
mov(r2, 0)
str(r2, [r0, 0])
str(r2, [r0, 4])
str(r2, [r0, 8])
str(r2, [r0, 12])
mov(r1, 32)
label(BIT)
mov(r3, 16)
label(SUM)
add(r4, r0, r1)
add(r5, r0, r3)
add(r6, r4, r3)
{sums}
add(r3, 16)
cmp(r3, r1)
bne(SUM)
lsl(r1, r1, 1)
lsr(r2, r1, 8)
cmp(r2, 0)
beq(BIT)
"""


def _lines(text):
    return text.strip().split("\n")


def text():
    store = []
    for word in range(4):
        for byte in range(4):
            shift = 24 - 8 * byte
            if shift:
                store.append("lsr(r1, r%d, %d)" % (4 + word, shift))
            source = "r1" if shift else "r%d" % (4 + word)
            store.append("strb(%s, [r0, %d])" % (source, 4 * word + byte))
    lines = _lines(_ENTER) + _lines(_LOW_HALF) + _lines(_STEP) + _lines(_HIGH_HALF) + _lines(_STEP)
    lines += _lines(_LEAVE.format(store="\n".join(store)))
    sums = []
    for at in range(0, 16, 4):
        sums += ["ldr(r2, [r4, %d])" % at, "ldr(r7, [r5, %d])" % at, "eor(r2, r7)"]
        sums.append("str(r2, [r6, %d])" % at)
    prepare = []
    for word in range(4):
        prepare.append("ldrb(r%d, [r1, %d])" % (4 + word, 4 * word))
        for byte in (1, 2, 3):
            prepare.append("lsl(r%d, r%d, 8)" % (4 + word, 4 + word))
            prepare.append("ldrb(r2, [r1, %d])" % (4 * word + byte))
            prepare.append("orr(r%d, r2)" % (4 + word))
    prepare += _lines(_ENTRIES.format(sums="\n".join(sums)))
    return _FILE.format(
        prepare="\n".join("    " + line for line in prepare),
        code="\n".join("    " + line for line in lines),
    )
