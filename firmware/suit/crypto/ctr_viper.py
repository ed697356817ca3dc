# Counter blocks and xor, native code.
# MIT licence.
"""Engine of `ctr.py`. Words are used where both addresses allow it: a word at an odd address is a
fault on Cortex-M0+. Lengths are not looked at here: `ctr.py` cuts every piece to its buffers."""

import micropython


# both start on a word: they are whole bytearrays, or views from the first byte of one
@micropython.viper
def fill(out: ptr32, block: ptr32, blocks: int, low: int):
    """`blocks` counter blocks into `out`; `block` counts on, its bytes from `low` on wrap around."""
    count = ptr8(int(block))
    while blocks:
        out[0] = block[0]
        out[1] = block[1]
        out[2] = block[2]
        out[3] = block[3]
        out = ptr32(int(out) + 16)
        x = count[15] + 1
        count[15] = x
        if x == 256:
            i = 14
            while i >= low:
                x = count[i] + 1
                count[i] = x
                if x != 256:
                    break
                i -= 1
        blocks -= 1


@micropython.viper
def xor(a: ptr32, at: int, b: ptr32, start: int, n: int):
    """The n bytes of `a` from `at` on ^= those of `b` from `start` on."""
    a = ptr32(int(a) + at)
    b = ptr32(int(b) + start)
    if ((int(a) | int(b)) & 3) == 0:
        while n >= 32:
            a[0] = a[0] ^ b[0]
            a[1] = a[1] ^ b[1]
            a[2] = a[2] ^ b[2]
            a[3] = a[3] ^ b[3]
            a[4] = a[4] ^ b[4]
            a[5] = a[5] ^ b[5]
            a[6] = a[6] ^ b[6]
            a[7] = a[7] ^ b[7]
            a = ptr32(int(a) + 32)
            b = ptr32(int(b) + 32)
            n -= 32
    c = ptr8(int(a))
    d = ptr8(int(b))
    while n:
        c[0] = c[0] ^ d[0]
        c = ptr8(int(c) + 1)
        d = ptr8(int(d) + 1)
        n -= 1
