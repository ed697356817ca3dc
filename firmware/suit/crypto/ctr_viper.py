# Counter blocks and xor, native code.
# MIT licence.
"""Engine of `ctr.py`. Words are used where both addresses allow it: a word at an odd address is a
fault on Cortex-M0+."""

import micropython


def fill(out, block, blocks, low):
    """`blocks` counter blocks into `out`; `block` counts on, its bytes from `low` on wrap around."""
    if blocks < 0 or len(out) < blocks << 4 or len(block) != 16 or not 0 <= low <= 15:
        raise ValueError("fill")
    _fill(out, block, blocks, low)


@micropython.viper
def _fill(out: ptr8, block: ptr8, blocks: int, low: int):
    while blocks:
        i = 0
        while i < 16:
            out[i] = block[i]
            i += 1
        out = ptr8(int(out) + 16)
        i = 15
        while i >= low:
            block[i] = block[i] + 1
            if block[i]:
                break
            i -= 1
        blocks -= 1


def xor(data, at, stream, start, n):
    """data[at:at+n] ^= stream[start:start+n]"""
    if n < 0 or at < 0 or start < 0 or at + n > len(data) or start + n > len(stream):
        raise ValueError("xor")
    _xor(data, stream, at, start, n)


@micropython.viper
def _xor(a: ptr32, b: ptr32, at: int, start: int, n: int):
    a = ptr32(int(a) + at)
    b = ptr32(int(b) + start)
    if ((int(a) | int(b)) & 3) == 0:
        while n >= 16:
            a[0] = a[0] ^ b[0]
            a[1] = a[1] ^ b[1]
            a[2] = a[2] ^ b[2]
            a[3] = a[3] ^ b[3]
            a = ptr32(int(a) + 16)
            b = ptr32(int(b) + 16)
            n -= 16
    c = ptr8(int(a))
    d = ptr8(int(b))
    while n:
        c[0] = c[0] ^ d[0]
        c = ptr8(int(c) + 1)
        d = ptr8(int(d) + 1)
        n -= 1
