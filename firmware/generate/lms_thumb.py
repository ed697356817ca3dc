"""Writes suit/crypto/lms_thumb.py: the chains of LM-OTS in Thumb assembly (ARMv6-M).

A chain hashes one block again and again, so SHA-256 (FIPS 180-4) stays in the assembler from step to
step: words 0 to 15 of the schedule are the block itself, only the step number and the value in them
change. Memory: 64 words of schedule, 8 of hash, step, end, constants, n.

In the rounds r4 is a and r5 is e; b, c, d, f, g, h are r8, r9, r10, r11, r12, r14. r0 walks along the
schedule, r1 along the constants. Rotations are nested: (x >>> 6) ^ (x >>> 11) ^ (x >>> 25) is
((((x >>> 14) ^ x) >>> 5) ^ x) >>> 6.
"""

from suit.crypto.sha512_plain import root

from generate.keccak_viper import literal

_FILE = '''# Made by generate/lms_thumb.py: change that file, not this one.
# MIT licence.
"""Chains of LM-OTS in Thumb assembly (engine of `lms.py`; RFC 8554, algorithm 4b)."""

import micropython

# the 64 constants of SHA-256, then its initial value
_K = {constants}

_memory = bytearray(304)


def chain(block, n, first, last):
    """Steps `first`..`last - 1` on the n-byte value at block[23]; the step number stands at block[22]."""
    if len(block) != 64 or n not in (24, 32) or first < 0 or last > 255:
        raise ValueError("chain")
    if first < last:
        _load(_memory, block, n)
        _chain(_memory, _K, first, last)
        _store(_memory, block, n)


@micropython.viper
def _load(w: ptr32, block: ptr8, n: int):
    w[75] = n
    i = 16
    while i:
        w[0] = block[0] << 24 | block[1] << 16 | block[2] << 8 | block[3]
        w = ptr32(int(w) + 4)
        block = ptr8(int(block) + 4)
        i -= 1


@micropython.viper
def _store(w: ptr32, block: ptr8, n: int):
    w = ptr32(int(w) + 256)
    block = ptr8(int(block) + 23)
    while n:
        x = w[0]
        block[0] = x >> 24
        block[1] = x >> 16
        block[2] = x >> 8
        block[3] = x
        w = ptr32(int(w) + 4)
        block = ptr8(int(block) + 4)
        n -= 4


@micropython.asm_thumb
def _chain(r0, r1, r2, r3):
{code}
'''

_ENTER = """
mov(r4, r8)
mov(r5, r9)
mov(r6, r10)
mov(r7, r11)
push({r4, r5, r6, r7})
mov(r4, r0)
add(r4, 255)
add(r4, 1)
push({r4})
str(r2, [r4, 32])
str(r3, [r4, 36])
str(r1, [r4, 40])
label(STEP)
ldr(r1, [r4, 32])
lsl(r1, r1, 8)
ldr(r2, [r0, 20])
lsr(r3, r2, 16)
lsl(r3, r3, 16)
lsl(r2, r2, 24)
lsr(r2, r2, 24)
orr(r3, r2)
orr(r3, r1)
str(r3, [r0, 20])
mov(r4, 11)
mov(r5, 7)
mov(r6, 2)
mov(r7, 17)
mov(r1, 12)
mov(r8, r1)
label(SCHEDULE)
"""

_ROUNDS = """
mov(r0, sp)
ldr(r0, [r0, 0])
ldr(r1, [r0, 40])
sub(r0, 255)
sub(r0, 1)
mov(r2, r1)
add(r2, 255)
add(r2, 1)
ldr(r4, [r2, 0])
ldr(r3, [r2, 4])
mov(r8, r3)
ldr(r3, [r2, 8])
mov(r9, r3)
ldr(r3, [r2, 12])
mov(r10, r3)
ldr(r5, [r2, 16])
ldr(r3, [r2, 20])
mov(r11, r3)
ldr(r3, [r2, 24])
mov(r12, r3)
ldr(r3, [r2, 28])
mov(r14, r3)
label(ROUNDS)
"""

_ROUND = """
mov(r2, r5)
mov(r3, 14)
ror(r2, r3)
eor(r2, r5)
mov(r3, 5)
ror(r2, r3)
eor(r2, r5)
mov(r3, 6)
ror(r2, r3)
mov(r3, r11)
mov(r6, r12)
mov(r7, r3)
eor(r7, r6)
and_(r7, r5)
eor(r7, r6)
add(r2, r2, r7)
mov(r7, r14)
add(r2, r2, r7)
ldr(r7, [r0, {at}])
add(r2, r2, r7)
ldr(r7, [r1, {at}])
add(r2, r2, r7)
mov(r14, r6)
mov(r12, r3)
mov(r11, r5)
mov(r5, r10)
add(r5, r5, r2)
mov(r3, r4)
mov(r6, 9)
ror(r3, r6)
eor(r3, r4)
mov(r6, 11)
ror(r3, r6)
eor(r3, r4)
mov(r6, 2)
ror(r3, r6)
add(r2, r2, r3)
mov(r6, r8)
mov(r7, r9)
mov(r3, r4)
orr(r3, r6)
and_(r3, r7)
mov(r10, r7)
mov(r9, r6)
mov(r8, r4)
mov(r7, r4)
and_(r7, r6)
orr(r3, r7)
add(r4, r2, r3)
"""

_EXPAND = """
ldr(r1, [r0, {a}])
mov(r2, r1)
ror(r2, r4)
eor(r2, r1)
ror(r2, r5)
lsr(r1, r1, 3)
eor(r2, r1)
ldr(r1, [r0, {b}])
mov(r3, r1)
ror(r3, r6)
eor(r3, r1)
ror(r3, r7)
lsr(r1, r1, 10)
eor(r3, r1)
add(r2, r2, r3)
ldr(r1, [r0, {c}])
add(r2, r2, r1)
ldr(r1, [r0, {d}])
add(r2, r2, r1)
str(r2, [r0, {to}])
"""

_NEXT = """
mov(r1, r0)
sub(r1, 255)
sub(r1, 1)
ldr(r2, [r0, 0])
lsr(r3, r2, 24)
ldr(r4, [r1, 20])
lsr(r4, r4, 8)
lsl(r4, r4, 8)
orr(r4, r3)
str(r4, [r1, 20])
"""

_LEAVE = """
mov(r4, r0)
mov(r0, r1)
ldr(r2, [r4, 32])
add(r2, 1)
str(r2, [r4, 32])
ldr(r3, [r4, 36])
cmp(r2, r3)
beq(DONE)
b(STEP)
label(DONE)
pop({r4})
pop({r4, r5, r6, r7})
mov(r8, r4)
mov(r9, r5)
mov(r10, r6)
mov(r11, r7)
"""


def _lines(text):
    return text.strip().split("\n")


def _constants():
    """The first 32 bits of the fractions of the cube and square roots of primes (4.2.2, 5.3.3)."""
    primes = [n for n in range(2, 312) if all(n % p for p in range(2, int(n**0.5) + 1))]
    k = [root(prime << 96, 3) & 0xFFFFFFFF for prime in primes]
    return k + [root(prime << 64, 2) & 0xFFFFFFFF for prime in primes[:8]]


def _move_value(o):
    """The hash into the block: the value begins with the last byte of word 5."""
    for i in range(5):
        o("ldr(r3, [r0, %d])" % (4 * i + 4))
        code = ["lsl(r2, r2, 8)", "lsr(r4, r3, 24)", "orr(r2, r4)"]
        for line in code:
            o(line)
        o("str(r2, [r1, %d])" % (24 + 4 * i))
        o("mov(r2, r3)")
    # six words of value end here, with the padding's first bit behind them; eight go on
    code = ["ldr(r3, [r0, 44])", "mov(r4, 128)", "cmp(r3, 24)", "beq(SHORT)"]
    for i in (5, 6):
        code += ["ldr(r3, [r0, %d])" % (4 * i + 4), "lsl(r2, r2, 8)", "lsr(r5, r3, 24)"]
        code += ["orr(r2, r5)", "str(r2, [r1, %d])" % (24 + 4 * i), "mov(r2, r3)"]
    code += ["lsl(r2, r2, 8)", "orr(r2, r4)", "str(r2, [r1, 52])", "b(MOVED)", "label(SHORT)"]
    code += ["lsl(r2, r2, 8)", "orr(r2, r4)", "str(r2, [r1, 44])", "label(MOVED)"]
    for line in code:
        o(line)


def text():
    code = _lines(_ENTER)
    # four words at a time: word t from t - 15, t - 2, t - 16 and t - 7
    for i in range(4):
        words = dict(a=1 + i, b=14 + i, c=i, d=9 + i, to=16 + i)
        code += _lines(_EXPAND.format(**{name: 4 * words[name] for name in words}))
    code += ["add(r0, 16)", "mov(r1, r8)", "sub(r1, 1)", "mov(r8, r1)", "cmp(r1, 0)"]
    code += ["bne(SCHEDULE)"]
    code += _lines(_ROUNDS)
    for i in range(2):
        code += _lines(_ROUND.format(at=4 * i))
    code += ["add(r0, 8)", "add(r1, 8)", "mov(r2, sp)", "ldr(r2, [r2, 0])", "cmp(r0, r2)"]
    code += ["bne(ROUNDS)"]
    # r0 stands at the hash, r1 at the initial value
    for i, register in enumerate(("r4", "r8", "r9", "r10", "r5", "r11", "r12", "r14")):
        code.append("ldr(r2, [r1, %d])" % (4 * i))
        if register not in ("r4", "r5"):
            code.append("mov(r3, %s)" % register)
            register = "r3"
        code += ["add(r2, r2, %s)" % register, "str(r2, [r0, %d])" % (4 * i)]
    code += _lines(_NEXT)
    _move_value(code.append)
    code += _lines(_LEAVE)
    return _FILE.format(
        constants=literal(_constants(), 32), code="\n".join("    " + line for line in code)
    )
