# GHASH in plain Python: big integers and 16 multiples of H.
# MIT licence.
"""Engine of `gcm.py` where there is no native code (SP 800-38D, section 6). An element is an
integer whose highest bit is the coefficient of x^0."""

TABLE = 272  # bytes: n * H for the 16 values of four bits, 16 bytes each; then y

# what the four bits that leave at the low end put back at the high end: x^128 = x^7 + x^2 + x + 1
_FOLD = []
for _n in range(16):
    for _ in range(4):
        _n = _n >> 1 ^ (0xE1 << 8 if _n & 1 else 0)
    _FOLD.append(_n << 112)


def _entry(table, n):
    return int.from_bytes(bytes(memoryview(table)[16 * n : 16 * n + 16]), "big")


def prepare(table, h):
    value = int.from_bytes(bytes(h), "big")
    for bit in (8, 4, 2, 1):
        table[16 * bit : 16 * bit + 16] = value.to_bytes(16, "big")
        value = value >> 1 ^ (0xE1 << 120 if value & 1 else 0)
    table[:16] = bytes(16)
    for n in range(3, 16):
        high = 8 if n & 8 else 4 if n & 4 else 2
        if n != high:
            mixed = _entry(table, high) ^ _entry(table, n ^ high)
            table[16 * n : 16 * n + 16] = mixed.to_bytes(16, "big")


def ghash(table, data, at, blocks):
    """y = (y ^ block) * H for each of `blocks` blocks from data[at] on."""
    rows = [_entry(table, n) for n in range(16)]
    if at < 0 or at + 16 * blocks > len(data):
        raise ValueError("ghash")
    x = _entry(table, 16)
    for _ in range(blocks):
        x ^= int.from_bytes(bytes(memoryview(data)[at : at + 16]), "big")
        z = 0
        for shift in range(0, 128, 4):
            z = z >> 4 ^ _FOLD[z & 15] ^ rows[x >> shift & 15]
        x = z
        at += 16
    table[256:] = x.to_bytes(16, "big")
