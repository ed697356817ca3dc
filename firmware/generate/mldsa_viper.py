"""Writes suit/crypto/mldsa_viper.py: polynomials of ML-DSA in viper.

Only low 32-bit products exist, so y * w mod q goes by an estimate of the quotient. With
w' = (w + (w >> 10)) >> 7, which is w * 2^16 / q less at most 1.1, the estimate
e = ((y >> 8) * w') >> 8 is too small by less than 403 for y < 2^23 + 2^18, so that the remainder
y * w - e * q is below 2^32: its low 32 bits are all of it. `fold` brings it under 1.4 q, because
2^23 = 8191 mod q. Sums are let grow between folds; each bound stands where it matters. Values in
memory are never negative.
"""

from suit.crypto.mldsa_plain import zetas

from generate.keccak_viper import bytes_literal

_FILE = '''# Made by generate/mldsa_viper.py: change that file, not this one.
# MIT licence.
"""Polynomials of ML-DSA, native code (engine of `mldsa.py`). Words in memory are below 2^28, congruent
to the coefficients modulo q = 8380417."""

import micropython

_ZETAS = {zetas}


# p and y are the hot ones, and the first two locals live in registers: so `at` comes second, as y.
# Lengths are not looked at here: every buffer is made, or measured, by `mldsa.py`
@micropython.viper
def ntt(p: ptr32, y: int):
    """`y`: the byte at which the polynomial begins."""
    q = 8380417
    low = 0x7FFFFF
    zetas = ptr8(_ZETAS)
    begin = int(p) + y
    end = begin + 1024
    step = 512
    while step >= 4:
        start = begin
        while start != end:
            zetas = ptr8(int(zetas) + 3)
            w = zetas[0] | zetas[1] << 8 | zetas[2] << 16
            v = (w + (w >> 10)) >> 7
            n = step
            p = ptr32(start)
            start += step
            h = ptr32(start)
            start += step
            while n:
                # sums grow by 2 q in each of eight levels: below 17 q before the fold
                y = h[0]
{fold_y}
{product}
                w0 = p[0]
                h[0] = w0 - y + 16760834
                p[0] = w0 + y
                p = ptr32(int(p) + 4)
                h = ptr32(int(h) + 4)
                n -= 4
        step >>= 1
    # 2^23 + 17 * 8191 is enough for everybody who multiplies next
    p = ptr32(begin)
    n = 256
    while n:
        y = p[0]
        p[0] = (y & low) + (y >> 23) * 8191
        p = ptr32(int(p) + 4)
        n -= 1


@micropython.viper
def invert(p: ptr32, y: int):
    """The inverse NTT of the polynomial at byte `y`; coefficients in 0..q - 1."""
    q = 8380417
    low = 0x7FFFFF
    zetas = ptr8(_ZETAS)
    begin = int(p) + y
    end = begin + 1024
    # sums of products: below 10 q before, 2^23 + 2^17 after
    p = ptr32(begin)
    n = 256
    while n:
        y = p[0]
        p[0] = (y & low) + (y >> 23) * 8191
        p = ptr32(int(p) + 4)
        n -= 1
    zetas = ptr8(int(zetas) + 768)
    step = 4
    while step <= 512:
        start = begin
        while start != end:
            zetas = ptr8(int(zetas) - 3)
            w = q - (zetas[0] | zetas[1] << 8 | zetas[2] << 16)
            v = (w + (w >> 10)) >> 7
            n = step
            p = ptr32(start)
            start += step
            h = ptr32(start)
            start += step
            while n:
                # both are below 1.4 q, so the difference plus 2 q is positive
                y = p[0]
                w0 = y - h[0] + 16760834
                y = y + h[0]
                p[0] = (y & low) + (y >> 23) * 8191
                y = w0
{fold_y}
{product}
                h[0] = y
                p = ptr32(int(p) + 4)
                h = ptr32(int(h) + 4)
                n -= 4
        step <<= 1
    # by 1 / 256, and all the way into 0..q - 1
    w = 8347681
    v = (w + (w >> 10)) >> 7
    p = ptr32(begin)
    n = 256
    while n:
        y = p[0]
{fold_y_2}
{product_2}
        if y >= q:
            y -= q
        p[0] = y
        p = ptr32(int(p) + 4)
        n -= 1


@micropython.viper
def multiply(p: ptr32, y: int, b: ptr32):
    """The polynomial at byte `y` = -(itself * b), word by word."""
    p = ptr32(int(p) + y)
    q = 8380417
    low = 0x7FFFFF
    n = 256
    while n:
        w = b[0]
        w = (w & low) + (w >> 23) * 8191
        if w >= q:
            w -= q
        v = (w + (w >> 10)) >> 7
        y = p[0]
{fold_y_2}
{product_2}
        p[0] = 16760834 - y
        p = ptr32(int(p) + 4)
        b = ptr32(int(b) + 4)
        n -= 1


@micropython.viper
def sample(p: ptr32, y: int, z: ptr32, b: ptr8, n: int) -> int:
    """Coefficients n.. of a polynomial of A from 168 bytes of SHAKE128; p += A * z, at byte `y`.
    Returns how many there are then (algorithm 14, CoeffFromThreeBytes)."""
    q = 8380417
    low = 0x7FFFFF
    p = ptr32(int(p) + (n << 2))
    z = ptr32(int(z) + y + (n << 2))
    i = 56
    while i:
        if n == 256:
            break
        w = b[0] | b[1] << 8 | (b[2] & 0x7F) << 16
        b = ptr8(int(b) + 3)
        i -= 1
        if w < q:
            v = (w + (w >> 10)) >> 7
            y = z[0]
{product_3}
            p[0] = p[0] + y
            p = ptr32(int(p) + 4)
            z = ptr32(int(z) + 4)
            n += 1
    return n


{rest}'''

# not worth assembly: once for each coefficient of a signature and of a key
REST = '''@micropython.viper
def unpack(b: ptr8, bits: int, shift: int, p: ptr32, at: int, n: int):
    """n numbers of `bits` bits from `b`, each shifted left, into words at byte `at`."""
    p = ptr32(int(p) + at)
    mask = (1 << bits) - 1
    x = 0
    have = 0
    while n:
        while have < bits:
            x |= b[0] << have
            b = ptr8(int(b) + 1)
            have += 8
        p[0] = (x & mask) << shift
        p = ptr32(int(p) + 4)
        x >>= bits
        have -= bits
        n -= 1


@micropython.viper
def center(p: ptr32, at: int, n: int, gamma1: int, bound: int) -> int:
    """Words v to gamma1 - v mod q; 0 when one of them is not below `bound` in size."""
    good = 1
    p = ptr32(int(p) + at)
    while n:
        v = gamma1 - p[0]
        if v >= bound or v + bound <= 0:
            good = 0
        if v < 0:
            v += 8380417
        p[0] = v
        p = ptr32(int(p) + 4)
        n -= 1
    return good


@micropython.viper
def use_hint(
    p: ptr32, hint: ptr8, first: int, end: int, out: ptr8, alpha: int, m: int, bits: int,
    multiplier: int, shift: int,
):
    """UseHint of all coefficients with the positions hint[first:end], packed (algorithms 36, 40)."""
    x = 0
    half = 1 << (shift - 1)
    have = 0
    i = 0
    while i < 256:
        low = p[i]
        high = (((low + 127) >> 7) * multiplier + half) >> shift
        if high == m:
            high = 0
        low = low - high * alpha
        if low > 4190208:
            low -= 8380417
        if first < end:
            if hint[first] == i:
                first += 1
                if low > 0:
                    high += 1
                    if high == m:
                        high = 0
                else:
                    if high == 0:
                        high = m
                    high -= 1
        x |= high << have
        have += bits
        while have >= 8:
            out[0] = x
            out = ptr8(int(out) + 1)
            x >>= 8
            have -= 8
        i += 1
'''

# y, below 2^28, to less than 2^23 + 2^18
_FOLD = "y = (y & low) + (y >> 23) * 8191"

# y * w mod q, below 1.4 q, with v = w'
_PRODUCT = (
    "t = int(uint((y >> 8) * v) >> 8) * q",
    "u = uint(y * w - t)",
    "y = (int(u) & low) + int(u >> 23 & 511) * 8191",
)


def _indent(lines, depth):
    return "\n".join("    " * depth + line for line in lines)


def table():
    return bytes_literal(b"".join(z.to_bytes(3, "little") for z in zetas()))


def text():
    return _FILE.format(
        zetas=table(),
        fold_y=_indent([_FOLD], 4),
        fold_y_2=_indent([_FOLD], 2),
        product=_indent(_PRODUCT, 4),
        product_2=_indent(_PRODUCT, 2),
        product_3=_indent(_PRODUCT, 3),
        rest=REST,
    )
