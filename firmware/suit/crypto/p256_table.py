# The comb table of a P-256 point: made once per trust anchor, halves the time of a verification.
# MIT licence.
"""`comb(x, y) -> 2048 bytes`. Entry i is 2^215 P + the sum over j < 5 of 2^(43 j) P, with + where bit
j of i is set and - where not: its x and 2y, 32 bytes each, little-endian, times 2^256 mod p. Whoever
can change the table can make any signature hold: it is protected like the trust anchor itself.
Takes about a second on an RP2040. Public data only."""

try:
    from micropython import const
except ImportError:

    def const(value):
        return value


from suit.crypto.p256_complete import P, add, affine, double

STEP = const(43)  # bits between the teeth
TEETH = const(6)  # bits of a digit; 43 * 6 = 258


def comb(x, y):
    powers = [(x, y)]
    for _ in range(TEETH - 1):
        point = (x, y, 1)
        for _ in range(STEP):
            point = double(*point)
        x, y = affine(*point)
        powers.append((x, y))
    out = bytearray(64 << (TEETH - 1))
    for index in range(1 << (TEETH - 1)):
        point = (x, y, 1)
        for j in range(TEETH - 1):
            px, py = powers[j]
            point = add(point[0], point[1], point[2], px, py if index >> j & 1 else P - py)
        px, py = affine(*point)
        at = index * 64
        out[at : at + 32] = ((px << 256) % P).to_bytes(32, "little")
        out[at + 32 : at + 64] = ((py << 257) % P).to_bytes(32, "little")
    return bytes(out)
