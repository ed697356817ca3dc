# Made by generate/mldsa_viper.py: change that file, not this one.
# MIT licence.
"""Polynomials of ML-DSA, native code (engine of `mldsa.py`). Words in memory are below 2^28, congruent
to the coefficients modulo q = 8380417."""

import micropython

_ZETAS = (
    b"\x01\x00\x00\x02\x5e\x49\x67\x75\x39\x69\x65\x39\x2b\x06\x4f\x73"
    b"\xdf\x53\x33\xe0\x4f\x6b\x06\x4f\xae\xb1\x76\xd5\x0d\x36\xb0\xed"
    b"\x28\xe4\x7f\x20\x83\x72\x39\x4a\x89\x70\x92\x81\x08\xc8\x3d\x6d"
    b"\x94\x72\x4c\xb4\xe0\x41\xd2\xa3\x28\x8a\x52\x66\xa7\x18\x4a\x34"
    b"\x40\x79\xee\x52\x0a\x81\x7d\x6b\x1d\x9f\x4e\x77\x28\x1a\xdf\x71"
    b"\x25\xee\x49\x16\xbd\x11\x76\xb7\x2b\x49\x97\xf6\x2a\xd5\xd8\x22"
    b"\x2a\xf7\x36\x1e\x91\x30\x3f\xd1\x29\x73\x26\x49\x5f\x68\x50\xa2"
    b"\x10\x20\xf7\x87\x38\xc3\xb2\x11\xa4\x03\x06\xed\x2b\x0e\x2c\xb7"
    b"\x10\x35\x5f\x4a\x15\x9d\x1f\xd4\x8c\x42\xf4\x77\x31\x12\xe6\x20"
    b"\x1d\x1c\x34\x73\xd8\x1a\x81\x66\x73\x3f\x55\x49\xf6\x52\x39\x4a"
    b"\x56\x62\x05\xad\x65\x1c\x9a\x43\x5f\xaa\x53\x22\xb6\x30\x38\x7f"
    b"\x08\x6d\x0e\x3b\xda\x83\x2c\x6e\x49\x1c\x2b\x0e\x33\x70\x5b\x1c"
    b"\xf1\xe3\x2e\xb9\x7e\x13\x30\xa9\x57\xef\xc6\x3a\x4c\xd5\x3f\xea"
    b"\xb2\x4e\xe1\x3e\x50\x75\xb1\x7b\xb4\x48\x26\x56\xf2\x1e\xa2\x90"
    b"\x1d\xd4\xa6\x45\x9b\xe5\x2a\x9c\x58\x52\xf5\xf1\x6e\x88\x72\x3f"
    b"\x02\x51\x17\x59\x5d\x07\xba\x87\x11\xa9\xac\x52\x9e\x3e\x77\xd8"
    b"\x96\x02\xec\x92\x25\x12\xff\x4c\xe8\x4c\x40\x82\xa5\x4a\xe6\x54"
    b"\x1e\xc1\x16\x4f\x79\x7e\x1a\x8f\x97\x03\x17\x48\x4e\x59\xb8\x31"
    b"\xcc\x84\x58\x27\x48\x1b\xd0\x63\x5b\x7a\x78\x5d\x5e\x22\x35\x7e"
    b"\x0c\x40\xd1\x09\x6c\x32\xd5\x5b\xd3\xc4\x6b\xcb\x8e\x25\x4c\x53"
    b"\x2e\x6c\x7a\x09\x20\x88\x3b\x5c\x28\x6d\xf8\xa4\x2c\xaa\x7c\x33"
    b"\xa0\xb2\x14\x36\x85\x55\x86\xf1\x28\x5d\x79\x55\x70\xf6\x4a\x86"
    b"\x4a\x23\x26\xe8\x75\x66\xde\x78\x8c\x52\x05\x59\xdf\x7a\x17\x6e"
    b"\x0f\xda\xf3\x5b\x7e\x9b\x45\x34\x8b\x62\xcb\xbe\x5d\x7b\x9e\x1a"
    b"\xd9\x06\x00\xc5\x57\x62\x3c\x4b\x57\xef\xa8\x69\x38\x98\x28\xfe"
    b"\xb5\x64\xf5\xf8\x7e\x78\x4e\x2a\x23\x0a\x12\xa8\x54\x01\xff\xb7"
    b"\x09\x87\x5e\x43\xf8\x7f\x43\xb4\xd5\x5c\x4e\xc0\x4d\xaf\x28\x47"
    b"\x5d\x73\x7f\x0d\x8d\x0c\xd5\x66\x0f\x80\x6d\x5a\x98\xab\x61\x96"
    b"\x5d\x18\x31\x7f\x43\x98\x82\x46\x60\x29\x66\x79\xd5\x4b\x06\xde"
    b"\x28\x8d\x5d\x46\xe3\xb0\x49\x34\xb4\x09\xb3\x0d\x7c\xb0\x68\x5a"
    b"\xa9\x9b\x40\xd5\xd3\x64\x2a\x76\x21\x91\x85\x65\x39\x6e\x24\x9b"
    b"\xc3\x48\x59\xc7\x7b\x59\x58\x4f\xb2\x2d\x39\x23\x09\x23\x67\xeb"
    b"\x12\xf2\x4d\x45\x1c\xc3\x30\x24\x54\x28\x2e\x23\x13\x80\xaf\x7f"
    b"\xcb\xbf\x2d\x0b\x2a\x02\x2c\x83\x7e\x7a\x58\x26\x75\x33\x6b\x76"
    b"\x5b\x09\xcc\xe1\x6b\x1e\x06\x5e\x0d\xe0\x78\x37\x8c\x62\x04\xa6"
    b"\x3d\x3c\xe5\x4a\x68\x1d\x1f\xbb\x30\x63\xb8\x61\x73\x6c\xa0\x5e"
    b"\xc7\x1a\x67\xc6\x1f\x20\xff\xa4\x5b\x72\xd7\x60\x01\xf2\x08\x24"
    b"\xe0\x6d\x6d\x0e\x08\x8e\x03\x56\x88\x56\x69\x3e\x6d\x1e\xbd\x03"
    b"\x26\xfa\x9d\x6a\x17\xc0\x07\xd4\xbf\x6d\xbd\xd0\x74\xe3\xe1\x63"
    b"\x73\x95\x51\x0d\xb6\x7a\xba\x67\x28\xd4\xec\x2d\x8c\x01\x58\xf5"
    b"\x4c\x3f\x09\x70\x0b\x23\x7e\x42\x37\xbd\x3c\x33\x33\x27\x57\x39"
    b"\x67\x5d\x4b\x1a\x26\x69\x19\x06\xf2\x1e\x4e\xc1\x11\xc8\x76\x4c"
    b"\x2f\xf4\x3c\x9a\xb1\x7f\x6c\xf6\x6a\x69\x16\x2e\xd6\x52\x33\x60"
    b"\x47\x03\x60\x52\x08\x78\x1e\x74\x16\x63\x2f\x11\x0a\x6f\xf1\xc0"
    b"\x07\x0b\x6d\x77\xf0\x1f\x0d\x24\x58\x34\xd4\x23\x02\x59\xc5\x68"
    b"\x85\x88\x5e\x32\xaa\x2f\x65\xfc\x23\x42\x69\x5e\xed\xe0\x51\xb3"
    b"\xad\x65\xe6\xa5\x2c\xfe\xe1\x79\x64\x40\x7b\xdd\xe1\x35\xac\x3a"
    b"\x43\xde\x4a\x46\x14\xfe\x1c\xce\xf1\x73\x0e\x17\x10\xd7\xb6\x74"
)


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
                y = (y & low) + (y >> 23) * 8191
                t = int(uint((y >> 8) * v) >> 8) * q
                u = uint(y * w - t)
                y = (int(u) & low) + int(u >> 23 & 511) * 8191
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
                y = (y & low) + (y >> 23) * 8191
                t = int(uint((y >> 8) * v) >> 8) * q
                u = uint(y * w - t)
                y = (int(u) & low) + int(u >> 23 & 511) * 8191
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
        y = (y & low) + (y >> 23) * 8191
        t = int(uint((y >> 8) * v) >> 8) * q
        u = uint(y * w - t)
        y = (int(u) & low) + int(u >> 23 & 511) * 8191
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
        y = (y & low) + (y >> 23) * 8191
        t = int(uint((y >> 8) * v) >> 8) * q
        u = uint(y * w - t)
        y = (int(u) & low) + int(u >> 23 & 511) * 8191
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
            t = int(uint((y >> 8) * v) >> 8) * q
            u = uint(y * w - t)
            y = (int(u) & low) + int(u >> 23 & 511) * 8191
            p[0] = p[0] + y
            p = ptr32(int(p) + 4)
            z = ptr32(int(z) + 4)
            n += 1
    return n


@micropython.viper
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
