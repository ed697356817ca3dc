"""Writes suit/crypto/sha512_thumb.py: SHA-512 compression in Thumb assembly (ARMv6-M).

A 64-bit word is two halves, low half first; sums go by add and adc. a..h are words of a window that
slides down by one word in each round: r0 is its lower end, r6 and r7 the sum that is being made. r8
walks along the schedule, r9 along the constants, r11 counts rounds, r14 groups of sixteen; r10 keeps
the scratch, r12 the state.
"""

from suit.crypto.sha512_plain import constants

from generate.keccak_viper import literal

_FILE = '''# Made by generate/sha512_thumb.py: change that file, not this one.
# MIT licence.
"""SHA-512 compression in Thumb assembly (engine of `sha512.py`)."""

import micropython
from micropython import const

SCRATCH = const(448)  # 32 words of the schedule, 24 of the sliding window

IV512 = {iv512}
IV384 = {iv384}
_K = {k}


def compress(scratch, state, data, at):
    """Work the block of 128 bytes at data[at] into `state` (eight 64-bit words, little-endian)."""
    if at < 0 or at + 128 > len(data) or len(scratch) < SCRATCH or len(state) != 64:
        raise ValueError("block")
    _load(scratch, data, at)
    _compress(scratch, state, _K)


@micropython.viper
def _load(w: ptr32, b: ptr8, at: int):
    b = ptr8(int(b) + at)
    i = 16
    while i:
        w[1] = b[0] << 24 | b[1] << 16 | b[2] << 8 | b[3]
        w[0] = b[4] << 24 | b[5] << 16 | b[6] << 8 | b[7]
        w = ptr32(int(w) + 8)
        b = ptr8(int(b) + 8)
        i -= 1


@micropython.asm_thumb
def _compress(r0, r1, r2):
{code}
'''

_ENTER = """
mov(r4, r8)
mov(r5, r9)
mov(r6, r10)
mov(r7, r11)
push({r4, r5, r6, r7})
mov(r10, r0)
mov(r12, r1)
mov(r9, r2)
mov(r3, 5)
mov(r14, r3)
mov(r2, r10)
add(r2, 255)
add(r2, 129)
mov(r3, 16)
label(STATE)
ldr(r4, [r1, 0])
str(r4, [r2, 0])
add(r1, 4)
add(r2, 4)
sub(r3, 1)
bne(STATE)
label(GROUP)
mov(r0, r10)
mov(r8, r0)
add(r0, 255)
add(r0, 129)
mov(r1, 16)
mov(r11, r1)
label(ROUND)
"""

_CHOOSE = """
ldr(r4, [r0, 40])
ldr(r5, [r0, 48])
eor(r4, r5)
and_(r4, r2)
eor(r4, r5)
ldr(r5, [r0, 44])
ldr(r1, [r0, 52])
eor(r5, r1)
and_(r5, r3)
eor(r5, r1)
add(r6, r6, r4)
adc(r7, r5)
ldr(r4, [r0, 56])
ldr(r5, [r0, 60])
add(r6, r6, r4)
adc(r7, r5)
mov(r1, r8)
ldr(r4, [r1, 0])
ldr(r5, [r1, 4])
add(r6, r6, r4)
adc(r7, r5)
add(r1, 8)
mov(r8, r1)
mov(r1, r9)
ldr(r4, [r1, 0])
ldr(r5, [r1, 4])
add(r6, r6, r4)
adc(r7, r5)
add(r1, 8)
mov(r9, r1)
ldr(r4, [r0, 24])
ldr(r5, [r0, 28])
add(r4, r4, r6)
adc(r5, r7)
str(r4, [r0, 24])
str(r5, [r0, 28])
ldr(r2, [r0, 0])
ldr(r3, [r0, 4])
"""

_MAJORITY = """
add(r6, r6, r4)
adc(r7, r1)
ldr(r4, [r0, 8])
ldr(r5, [r0, 16])
mov(r1, r2)
eor(r1, r4)
and_(r1, r5)
and_(r4, r2)
eor(r4, r1)
ldr(r5, [r0, 12])
ldr(r2, [r0, 20])
mov(r1, r3)
eor(r1, r5)
and_(r1, r2)
and_(r5, r3)
eor(r5, r1)
add(r6, r6, r4)
adc(r7, r5)
sub(r0, 8)
str(r6, [r0, 0])
str(r7, [r0, 4])
mov(r1, r11)
sub(r1, 1)
mov(r11, r1)
cmp(r1, 0)
beq(SIXTEEN)
b(ROUND)
label(SIXTEEN)
mov(r2, r0)
add(r2, 128)
mov(r3, 16)
label(WINDOW)
ldr(r4, [r0, 0])
str(r4, [r2, 0])
add(r0, 4)
add(r2, 4)
sub(r3, 1)
bne(WINDOW)
mov(r1, r14)
sub(r1, 1)
mov(r14, r1)
cmp(r1, 0)
beq(SUM)
mov(r0, r10)
mov(r1, 16)
mov(r11, r1)
label(SCHEDULE)
ldr(r2, [r0, 8])
ldr(r3, [r0, 12])
"""

_SECOND = """
ldr(r2, [r0, 112])
ldr(r3, [r0, 116])
"""

_EXPAND = """
add(r6, r6, r4)
adc(r7, r1)
ldr(r2, [r0, 0])
ldr(r3, [r0, 4])
add(r6, r6, r2)
adc(r7, r3)
ldr(r2, [r0, 72])
ldr(r3, [r0, 76])
add(r6, r6, r2)
adc(r7, r3)
mov(r1, r0)
add(r1, 128)
str(r6, [r1, 0])
str(r7, [r1, 4])
add(r0, 8)
mov(r1, r11)
sub(r1, 1)
mov(r11, r1)
cmp(r1, 0)
bne(SCHEDULE)
mov(r1, r10)
mov(r3, 32)
label(DOWN)
ldr(r4, [r0, 0])
str(r4, [r1, 0])
add(r0, 4)
add(r1, 4)
sub(r3, 1)
bne(DOWN)
b(GROUP)
label(SUM)
mov(r1, r12)
sub(r0, 64)
mov(r3, 8)
label(ADD)
ldr(r4, [r0, 0])
ldr(r5, [r0, 4])
ldr(r6, [r1, 0])
ldr(r7, [r1, 4])
add(r4, r4, r6)
adc(r5, r7)
str(r4, [r1, 0])
str(r5, [r1, 4])
add(r0, 8)
add(r1, 8)
sub(r3, 1)
bne(ADD)
pop({r4, r5, r6, r7})
mov(r8, r4)
mov(r9, r5)
mov(r10, r6)
mov(r11, r7)
"""


def _lines(text):
    return text.strip().split("\n")


def _rotations(low, high, counts, shift=0):
    """The xor of rotations right (and a shift right) of (r2, r3) into (low, high); uses r5."""
    code = []
    for target, this, other in ((low, "r2", "r3"), (high, "r3", "r2")):
        terms = []
        for n in counts:
            a, b = (this, other) if n < 32 else (other, this)
            terms += [("lsr", a, n % 32), ("lsl", b, 32 - n % 32)]
        if shift:
            terms.append(("lsr", this, shift))
            if this == "r2":
                terms.append(("lsl", "r3", 32 - shift))
        for i, (name, source, n) in enumerate(terms):
            code.append("%s(%s, %s, %d)" % (name, "r5" if i else target, source, n))
            if i:
                code.append("eor(%s, r5)" % target)
    return code


def text():
    k, iv512, iv384 = constants()
    code = _lines(_ENTER)
    code += ["ldr(r2, [r0, 32])", "ldr(r3, [r0, 36])"]
    code += _rotations("r6", "r7", (14, 18, 41))
    code += _lines(_CHOOSE)
    code += _rotations("r4", "r1", (28, 34, 39))
    code += _lines(_MAJORITY)
    code += _rotations("r6", "r7", (1, 8), 7)
    code += _lines(_SECOND)
    code += _rotations("r4", "r1", (19, 61), 6)
    code += _lines(_EXPAND)
    return _FILE.format(
        k=literal(k),
        iv512=literal(iv512),
        iv384=literal(iv384),
        code="\n".join("    " + line for line in code),
    )
