"""Writes suit/crypto/mldsa_thumb.py: polynomials of ML-DSA in Thumb assembly (ARMv6-M).

The arithmetic, and the bounds it rests on, are those of `mldsa_viper.py`: y in r2, times w in r5,
with its quotient factor in r6 and q in r7; r3 and r4 are free. r0 and r1 walk along two polynomials,
or the two halves of a block of one.
"""

from generate.mldsa_viper import REST, table

_FILE = '''# Made by generate/mldsa_thumb.py: change that file, not this one.
# MIT licence.
"""Polynomials of ML-DSA in Thumb assembly (engine of `mldsa.py`). Words in memory are below 2^28,
congruent to the coefficients modulo q = 8380417. Lengths are not looked at here: every buffer is
made, or measured, by `mldsa.py`."""

import micropython

_ZETAS = {zetas}


def ntt(a, at):
    _ntt(a, at, _ZETAS)


@micropython.asm_thumb
def _ntt(r0, r1, r2):
{ntt}


def invert(a, at):
    """The inverse NTT of the polynomial at byte `at`; coefficients in 0..q - 1."""
    _invert(a, at, _ZETAS)


@micropython.asm_thumb
def _invert(r0, r1, r2):
{invert}


# multiply(a, at, b): the polynomial at byte `at` of a = -(itself * b), word by word
@micropython.asm_thumb
def multiply(r0, r1, r2):
{multiply}


def sample(acc, at, z, block, n):
    """Coefficients n.. of a polynomial of A from 168 bytes of SHAKE128; acc += A * z, at byte `at`.
    Returns how many there are then (algorithm 14, CoeffFromThreeBytes)."""
    return _sample(acc, z, block, at | n << 16)


@micropython.asm_thumb
def _sample(r0, r1, r2, r3):
{sample}


{rest}'''

_SAVE = """
mov(r4, r8)
mov(r5, r9)
mov(r6, r10)
mov(r7, r11)
push({r4, r5, r6, r7})
"""

_RESTORE = """
pop({r4, r5, r6, r7})
mov(r8, r4)
mov(r9, r5)
mov(r10, r6)
mov(r11, r7)
"""

_Q = """
mov(r7, 255)
lsl(r7, r7, 2)
add(r7, 3)
lsl(r7, r7, 13)
add(r7, 1)
"""

# y, below 2^32, to (y mod 2^23) + 8191 * (y >> 23)
_FOLD = """
lsr(r3, r2, 23)
lsl(r2, r2, 9)
lsr(r2, r2, 9)
lsl(r4, r3, 13)
sub(r4, r4, r3)
add(r2, r2, r4)
"""

_PRODUCT = """
lsr(r3, r2, 8)
mul(r3, r6)
lsr(r3, r3, 8)
mul(r3, r7)
mul(r2, r5)
sub(r2, r2, r3)
""" + _FOLD

# the quotient factor of w: (w + (w >> 10)) >> 7
_FACTOR = """
lsr(r6, r5, 10)
add(r6, r6, r5)
lsr(r6, r6, 7)
"""

# the whole polynomial folded: r0 stands at its begin, r9 keeps its end
_FOLD_ALL = """
label({label})
ldr(r2, [r0, 0])
{fold}
str(r2, [r0, 0])
add(r0, 4)
mov(r3, r9)
cmp(r0, r3)
bne({label})
"""

_BOUNDS = """
add(r0, r0, r1)
mov(r14, r0)
mov(r1, r0)
add(r1, 255)
add(r1, 255)
add(r1, 255)
add(r1, 255)
add(r1, 4)
mov(r9, r1)
"""

_ZETA = """
ldrb(r5, [r2, 0])
ldrb(r3, [r2, 1])
lsl(r3, r3, 8)
orr(r5, r3)
ldrb(r3, [r2, 2])
lsl(r3, r3, 16)
orr(r5, r3)
"""


def _lines(*texts):
    return [line for text in texts for line in text.strip().split("\n") if line]


def _indent(code):
    return "\n".join("    " + line for line in code)


def _ntt():
    code = _lines(_SAVE, "mov(r8, r2)", _BOUNDS, _Q)
    code += ["mov(r3, 128)", "lsl(r3, r3, 2)", "mov(r10, r3)"]
    code += ["label(LEVEL)", "mov(r0, r14)", "label(BLOCK)"]
    code += ["mov(r2, r8)", "add(r2, 3)", "mov(r8, r2)"]
    code += _lines(_ZETA, _FACTOR)
    code += ["mov(r1, r10)", "add(r1, r1, r0)", "mov(r12, r1)"]
    code += ["label(BUTTERFLY)", "ldr(r2, [r1, 0])"]
    code += _lines(_FOLD, _PRODUCT)
    code += ["ldr(r3, [r0, 0])", "add(r4, r3, r2)", "str(r4, [r0, 0])"]
    code += ["sub(r3, r3, r2)", "lsl(r4, r7, 1)", "add(r3, r3, r4)", "str(r3, [r1, 0])"]
    code += ["add(r0, 4)", "add(r1, 4)", "mov(r3, r12)", "cmp(r0, r3)", "bne(BUTTERFLY)"]
    code += ["mov(r0, r1)", "mov(r3, r9)", "cmp(r0, r3)", "bne(BLOCK)"]
    code += ["mov(r3, r10)", "lsr(r3, r3, 1)", "mov(r10, r3)", "cmp(r3, 2)", "bne(LEVEL)"]
    code += ["mov(r0, r14)"]
    code += _lines(_FOLD_ALL.format(label="LAST", fold=_FOLD.strip()), _RESTORE)
    return _indent(code)


def _invert():
    code = _lines(_SAVE, _BOUNDS, _Q)
    # from the end of the table backwards
    code += ["add(r2, 255)", "add(r2, 255)", "add(r2, 255)", "add(r2, 3)", "mov(r8, r2)"]
    code += _lines(_FOLD_ALL.format(label="FIRST", fold=_FOLD.strip()))
    code += ["mov(r3, 4)", "mov(r10, r3)"]
    code += ["label(LEVEL)", "mov(r0, r14)", "label(BLOCK)"]
    code += ["mov(r2, r8)", "sub(r2, 3)", "mov(r8, r2)"]
    code += _lines(_ZETA, "sub(r5, r7, r5)", _FACTOR)
    code += ["mov(r1, r10)", "add(r1, r1, r0)", "mov(r12, r1)"]
    code += ["label(BUTTERFLY)", "ldr(r2, [r0, 0])", "ldr(r3, [r1, 0])"]
    code += ["sub(r4, r2, r3)", "add(r2, r2, r3)", "lsl(r3, r7, 1)", "add(r4, r4, r3)"]
    code += ["str(r4, [r1, 0])"]
    code += _lines(_FOLD)
    code += ["str(r2, [r0, 0])", "ldr(r2, [r1, 0])"]
    code += _lines(_FOLD, _PRODUCT)
    code += ["str(r2, [r1, 0])"]
    code += ["add(r0, 4)", "add(r1, 4)", "mov(r3, r12)", "cmp(r0, r3)", "bne(BUTTERFLY)"]
    code += ["mov(r0, r1)", "mov(r3, r9)", "cmp(r0, r3)", "bne(BLOCK)"]
    code += ["mov(r3, r10)", "lsl(r3, r3, 1)", "mov(r10, r3)", "lsr(r3, r3, 10)", "cmp(r3, 0)"]
    code += ["beq(LEVEL)"]
    # by 1 / 256 = 0x7f6021, and all the way into 0..q - 1
    code += ["mov(r0, r14)", "mov(r5, 127)", "lsl(r5, r5, 8)", "add(r5, 96)", "lsl(r5, r5, 8)"]
    code += ["add(r5, 33)"]
    code += _lines(_FACTOR)
    code += ["label(SCALE)", "ldr(r2, [r0, 0])"]
    code += _lines(_FOLD, _PRODUCT)
    code += ["cmp(r2, r7)", "bcc(SMALL)", "sub(r2, r2, r7)", "label(SMALL)", "str(r2, [r0, 0])"]
    code += ["add(r0, 4)", "mov(r3, r9)", "cmp(r0, r3)", "bne(SCALE)"]
    code += _lines(_RESTORE)
    return _indent(code)


def _multiply():
    code = _lines(_SAVE, "mov(r8, r2)", _BOUNDS, _Q, "mov(r1, r8)")
    code += ["label(WORD)", "ldr(r2, [r1, 0])"]
    code += _lines(_FOLD)
    code += ["cmp(r2, r7)", "bcc(SMALL)", "sub(r2, r2, r7)", "label(SMALL)", "mov(r5, r2)"]
    code += _lines(_FACTOR)
    code += ["ldr(r2, [r0, 0])"]
    code += _lines(_FOLD, _PRODUCT)
    code += ["lsl(r3, r7, 1)", "sub(r3, r3, r2)", "str(r3, [r0, 0])"]
    code += ["add(r0, 4)", "add(r1, 4)", "mov(r3, r9)", "cmp(r0, r3)", "bne(WORD)"]
    code += _lines(_RESTORE)
    return _indent(code)


def _sample():
    code = _lines(_SAVE, "mov(r8, r2)", _Q)
    # r3 holds the place in z in its lower half, n in its upper half
    code += ["lsl(r4, r3, 16)", "lsr(r4, r4, 16)", "add(r1, r1, r4)", "lsr(r3, r3, 16)"]
    code += ["mov(r10, r3)", "lsl(r3, r3, 2)", "add(r0, r0, r3)", "add(r1, r1, r3)"]
    code += ["mov(r3, 56)", "mov(r9, r3)", "label(NEXT)"]
    code += ["mov(r3, r8)", "ldrb(r5, [r3, 0])", "ldrb(r4, [r3, 1])", "lsl(r4, r4, 8)"]
    code += ["orr(r5, r4)", "ldrb(r4, [r3, 2])", "lsl(r4, r4, 25)", "lsr(r4, r4, 9)"]
    code += ["orr(r5, r4)", "add(r3, 3)", "mov(r8, r3)", "cmp(r5, r7)", "bcs(REJECTED)"]
    code += _lines(_FACTOR)
    code += ["ldr(r2, [r1, 0])"]
    code += _lines(_PRODUCT)
    code += ["ldr(r3, [r0, 0])", "add(r3, r3, r2)", "str(r3, [r0, 0])", "add(r0, 4)", "add(r1, 4)"]
    code += ["mov(r3, r10)", "add(r3, 1)", "mov(r10, r3)", "lsr(r3, r3, 8)", "cmp(r3, 0)"]
    code += ["bne(FULL)", "label(REJECTED)"]
    code += ["mov(r3, r9)", "sub(r3, 1)", "mov(r9, r3)", "cmp(r3, 0)", "bne(NEXT)"]
    code += ["label(FULL)", "mov(r0, r10)"]
    code += _lines(_RESTORE)
    return _indent(code)


def text():
    return _FILE.format(
        zetas=table(), ntt=_ntt(), invert=_invert(), multiply=_multiply(), sample=_sample(), rest=REST
    )
