"""Writes suit/crypto/sha512_viper.py: SHA-512 compression in viper.

A 64-bit word is two 32-bit halves in memory, low half first. Logic works on halves; sums work on
16-bit quarters read from memory, so that no carry is lost and nothing depends on the width of
viper's int. Results go to memory before they are shifted right or added: the store cuts what
64-bit machines keep above bit 31.

    python -m generate sha512_viper     (in firmware/)
"""

import struct

from suit.crypto.sha512_plain import constants


def _rotations(counts, shift=0):
    """The xor of rotations right (and a shift right) of the word (l, h), as two expressions."""
    halves = []
    for this, other in (("l", "h"), ("h", "l")):
        terms = []
        for n in counts:
            a, b = (this, other) if n < 32 else (other, this)
            terms.append("%s >> %d ^ %s << %d" % (a, n % 32, b, 32 - n % 32))
        if shift:
            terms.append("%s >> %d" % (this, shift))
            if this == "l":
                terms.append("h << %d" % (32 - shift))
        halves.append(" ^ ".join(terms))
    return tuple(halves)


def _sum(target, *terms):
    """Statements: the word `target` = sum of words. A word is (pointer to 16-bit quarters, index
    of its first)."""
    lines = []
    for quarter in range(4):
        parts = ["%s[%d]" % (pointer, at + quarter) for pointer, at in terms]
        if quarter:
            parts.append("(v >> 16)")
        lines.append("v = " + " + ".join(parts))
        lines.append("%s[%d] = v" % (target[0], target[1] + quarter))
    return lines


_ROUND = """
l = uint(p[8])
h = uint(p[9])
t[0] = {s1[0]}
t[1] = {s1[1]}
t[2] = p[12] ^ p[8] & (p[10] ^ p[12])
t[3] = p[13] ^ p[9] & (p[11] ^ p[13])
q = ptr16(int(p))
w = ptr16(wp)
{t1}
{e}
l = uint(p[0])
h = uint(p[1])
t[0] = {s0[0]}
t[1] = {s0[1]}
t[2] = p[0] & p[2] ^ p[4] & (p[0] ^ p[2])
t[3] = p[1] & p[3] ^ p[5] & (p[1] ^ p[3])
p = ptr32(int(p) - 8)
q = ptr16(int(p))
{a}
wp += 8
k = ptr16(int(k) + 8)
i -= 1
"""

_SCHEDULE = """
l = uint(p[2])
h = uint(p[3])
t[0] = {s0[0]}
t[1] = {s0[1]}
l = uint(p[28])
h = uint(p[29])
t[2] = {s1[0]}
t[3] = {s1[1]}
q = ptr16(int(p))
{w}
p = ptr32(int(p) + 8)
i -= 1
"""

_FILE = '''# Made by generate/sha512_viper.py: change that file, not this one.
# MIT licence.
"""SHA-512 compression, native code (engine of `sha512.py`)."""

import micropython
from micropython import const

SCRATCH = const(472)  # 32 words of the schedule, 24 of the sliding window, 3 temporary

IV512 = {iv512}
IV384 = {iv384}
_K = {k}


def compress(scratch, state, data, at):
    """Work the block of 128 bytes at data[at] into `state` (eight 64-bit words, little-endian)."""
    if at < 0 or at + 128 > len(data) or len(scratch) < SCRATCH or len(state) != 64:
        raise ValueError("block")
    _compress(scratch, scratch, state, data, _K, at)


# p and q come first because the first two locals live in registers
@micropython.viper
def _compress(p: ptr32, q: ptr16, state: ptr32, block: ptr8, k: ptr16, at: int):
    base = int(p)
    block = ptr8(int(block) + at)
    window = base + 256
    t = ptr32(base + 448)
    tq = ptr16(base + 448)
    i = 16
    while i:
        p[1] = block[0] << 24 | block[1] << 16 | block[2] << 8 | block[3]
        p[0] = block[4] << 24 | block[5] << 16 | block[6] << 8 | block[7]
        block = ptr8(int(block) + 8)
        p = ptr32(int(p) + 8)
        i -= 1
    # a..h are words of a window that slides down by one word in each round
    p = ptr32(window + 128)
    i = 16
    while i:
        i -= 1
        p[i] = state[i]
    groups = 5
    while True:
        wp = base
        i = 16
        while i:
{round}
        i = 16
        while i:
            i -= 1
            p[i + 32] = p[i]
        groups -= 1
        if groups == 0:
            break
        # words 16..31 of the schedule from words 0..15, then back to the front
        p = ptr32(base)
        i = 16
        while i:
{schedule}
        p = ptr32(base)
        i = 32
        while i:
            i -= 1
            p[i] = p[i + 32]
        p = ptr32(window + 128)
    p = ptr32(window)
    q = ptr16(int(p))
    w = ptr16(int(state))
    i = 8
    while i:
{add}
        q = ptr16(int(q) + 8)
        w = ptr16(int(w) + 8)
        i -= 1
'''


def _indent(lines, depth):
    return "\n".join("    " * depth + line for line in lines if line)


def _block(template, depth, **lists):
    for name, value in lists.items():
        if isinstance(value, list):
            lists[name] = "\n".join(value)
    return _indent(template.format(**lists).split("\n"), depth)


def _bytes(words):
    """A bytes literal in lines of 16 bytes."""
    raw = struct.pack("<%dQ" % len(words), *words)
    rows = [raw[i : i + 16] for i in range(0, len(raw), 16)]
    lines = ['    b"%s"' % "".join("\\x%02x" % b for b in row) for row in rows]
    return "(\n" + "\n".join(lines) + "\n)"


def text():
    k, iv512, iv384 = constants()
    # quarters: word n of the window is q[4 * n], K is k[0], the schedule's word w[0],
    # temporaries tq[0], tq[4], tq[8]
    t1 = ("tq", 8)
    return _FILE.format(
        k=_bytes(k),
        iv512=_bytes(iv512),
        iv384=_bytes(iv384),
        round=_block(
            _ROUND,
            3,
            s1=_rotations((14, 18, 41)),
            s0=_rotations((28, 34, 39)),
            t1=_sum(t1, ("q", 28), ("tq", 0), ("tq", 4), ("k", 0), ("w", 0)),
            e=_sum(("q", 12), ("q", 12), t1),
            a=_sum(("q", 0), t1, ("tq", 0), ("tq", 4)),
        ),
        schedule=_block(
            _SCHEDULE,
            3,
            s0=_rotations((1, 8), 7),
            s1=_rotations((19, 61), 6),
            w=_sum(("q", 64), ("q", 0), ("q", 36), ("tq", 0), ("tq", 4)),
        ),
        add=_indent(_sum(("w", 0), ("w", 0), ("q", 0)), 2),
    )
