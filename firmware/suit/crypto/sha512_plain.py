# SHA-512 compression in plain Python, and the constants from their definition.
# MIT licence.
"""Engine of `sha512.py` where there is no native code; the generator of the others takes its
constants from here. FIPS 180-4, sections 4.2.3, 5.3.4, 5.3.5 and 6.4.2."""

import struct

SCRATCH = 0  # bytes of working memory that `compress` wants

_MASK = (1 << 64) - 1


def root(n, power):
    """The integer root of n, by bisection."""
    low, high = 0, 1 << 140
    while high - low > 1:
        middle = (low + high) >> 1
        if middle**power <= n:
            low = middle
        else:
            high = middle
    return low


def constants():
    """(K, IV512, IV384): the first 64 bits of the fractions of cube and square roots of primes."""
    primes = []
    n = 2
    while len(primes) < 80:
        for prime in primes:
            if n % prime == 0:
                break
        else:
            primes.append(n)
        n += 1
    k = [root(prime << 192, 3) & _MASK for prime in primes]
    roots = [root(prime << 128, 2) & _MASK for prime in primes[:16]]
    return k, roots[:8], roots[8:]


_K, _iv512, _iv384 = constants()
IV512 = struct.pack("<8Q", *_iv512)
IV384 = struct.pack("<8Q", *_iv384)


def _rotr(x, n):
    return (x >> n | x << (64 - n)) & _MASK


def compress(scratch, state, data, at):
    """Work the block of 128 bytes at data[at] into `state` (eight 64-bit words, little-endian)."""
    w = list(struct.unpack_from(">16Q", data, at))
    for t in range(16, 80):
        x = w[t - 15]
        y = w[t - 2]
        s0 = _rotr(x, 1) ^ _rotr(x, 8) ^ x >> 7
        s1 = _rotr(y, 19) ^ _rotr(y, 61) ^ y >> 6
        w.append((s1 + w[t - 7] + s0 + w[t - 16]) & _MASK)
    before = struct.unpack("<8Q", state)
    a, b, c, d, e, f, g, h = before
    for t in range(80):
        s1 = _rotr(e, 14) ^ _rotr(e, 18) ^ _rotr(e, 41)
        t1 = h + s1 + (e & f ^ ~e & g) + _K[t] + w[t]
        s0 = _rotr(a, 28) ^ _rotr(a, 34) ^ _rotr(a, 39)
        t2 = s0 + (a & b ^ a & c ^ b & c)
        h, g, f, e, d, c, b, a = g, f, e, (d + t1) & _MASK, c, b, a, (t1 + t2) & _MASK
    i = 0
    for old, new in zip(before, (a, b, c, d, e, f, g, h)):
        struct.pack_into("<Q", state, i, (old + new) & _MASK)
        i += 8
