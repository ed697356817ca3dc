# Polynomials of ML-DSA in plain Python.
# MIT licence.
"""Engine of `mldsa.py` where there is no native code (FIPS 204, sections 7.3 to 7.6). A polynomial is
256 little-endian words of 32 bits at byte `at` of a bytearray."""

import struct

_Q = 8380417


def zetas():
    """1753^brv(i) mod q for i = 0..255 (Appendix B)."""
    found = []
    for i in range(256):
        reverse = 0
        for bit in range(8):
            reverse |= (i >> bit & 1) << (7 - bit)
        found.append(pow(1753, reverse, _Q))
    return found


_ZETAS = zetas()


def _load(buf, at):
    return list(struct.unpack_from("<256I", buf, at))


def _store(buf, at, values):
    struct.pack_into("<256I", buf, at, *values)


def ntt(a, at):
    x = _load(a, at)
    n = 0
    step = 128
    while step:
        for start in range(0, 256, 2 * step):
            n += 1
            zeta = _ZETAS[n]
            for i in range(start, start + step):
                t = zeta * x[i + step] % _Q
                x[i + step] = (x[i] - t) % _Q
                x[i] = (x[i] + t) % _Q
        step >>= 1
    _store(a, at, x)


def invert(a, at):
    """The inverse NTT; coefficients in 0..q - 1."""
    x = _load(a, at)
    n = 256
    step = 1
    while step < 256:
        for start in range(0, 256, 2 * step):
            n -= 1
            zeta = _Q - _ZETAS[n]
            for i in range(start, start + step):
                t = x[i]
                x[i] = (t + x[i + step]) % _Q
                x[i + step] = zeta * (t - x[i + step]) % _Q
        step <<= 1
    _store(a, at, [8347681 * v % _Q for v in x])  # 1 / 256


def multiply(a, at, b):
    """The polynomial in `a` = -(itself * b), word by word."""
    _store(a, at, [-u * v % _Q for u, v in zip(_load(a, at), _load(b, 0))])


def sample(acc, at, z, block, n):
    """Coefficients n.. of a polynomial of A from 168 bytes of SHAKE128; acc += A * z[at:]. Returns
    how many there are then (algorithm 14, CoeffFromThreeBytes)."""
    for i in range(0, 168, 3):
        if n == 256:
            break
        value = block[i] | block[i + 1] << 8 | (block[i + 2] & 0x7F) << 16
        if value < _Q:
            other = struct.unpack_from("<I", z, at + 4 * n)[0]
            old = struct.unpack_from("<I", acc, 4 * n)[0]
            struct.pack_into("<I", acc, 4 * n, (old + value * other) % _Q)
            n += 1
    return n


def unpack(data, bits, shift, out, at, n):
    """n numbers of `bits` bits from `data`, each shifted left, into words at out[at]."""
    value = int.from_bytes(bytes(data), "little")
    for i in range(n):
        struct.pack_into("<I", out, at + 4 * i, (value >> bits * i & (1 << bits) - 1) << shift)


def center(a, at, n, gamma1, bound):
    """Words v to gamma1 - v mod q; False when one of them is not below `bound` in size."""
    good = True
    for i in range(at, at + 4 * n, 4):
        v = gamma1 - struct.unpack_from("<I", a, i)[0]
        if not -bound < v < bound:
            good = False
        struct.pack_into("<I", a, i, v % _Q)
    return good


def use_hint(a, hint, first, end, out, alpha, m, bits, multiplier, shift):
    """UseHint of all coefficients with the positions hint[first:end], packed (algorithms 36, 40)."""
    if len(out) != 32 * bits:
        raise ValueError("hint")
    packed = 0
    for i, value in enumerate(_load(a, 0)):
        high = ((value + 127 >> 7) * multiplier + (1 << shift - 1) >> shift) % m
        low = value - high * alpha
        if low > _Q >> 1:
            low -= _Q
        if first < end and hint[first] == i:
            first += 1
            high = (high + 1 if low > 0 else high - 1) % m
        packed |= high << bits * i
    out[:] = packed.to_bytes(32 * bits, "little")
