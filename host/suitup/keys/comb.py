"""The table that lets a device verify with a known P-256 key in half the time (`firmware/suit/crypto/p256_table.py`
says how it is used); made here with affine formulas, which shares no code with the device."""

P = 2**256 - 2**224 + 2**192 + 2**96 - 1
STEP, TEETH = 43, 6


def _add(a, b):
    (x1, y1), (x2, y2) = a, b
    if x1 != x2:
        slope = (y2 - y1) * pow(x2 - x1, -1, P)
    else:
        slope = (3 * x1 * x1 - 3) * pow(2 * y1, -1, P)
    x = (slope * slope - x1 - x2) % P
    return x, (slope * (x1 - x) - y1) % P


def comb(x: int, y: int) -> bytes:
    """Entry i: 2^215 Q plus or minus 2^(43 j) Q for j < 5, plus where bit j of i is set; x and 2y, each 32 bytes,
    little-endian, times 2^256 mod p."""
    powers = [(x, y)]
    for _ in range(TEETH - 1):
        point = powers[-1]
        for _ in range(STEP):
            point = _add(point, point)
        powers.append(point)
    out = b""
    for index in range(1 << TEETH - 1):
        point = powers[-1]
        for j, (px, py) in enumerate(powers[:-1]):
            point = _add(point, (px, py if index >> j & 1 else -py))
        for value in (point[0], 2 * point[1]):
            out += ((value << 256) % P).to_bytes(32, "little")
    return out
