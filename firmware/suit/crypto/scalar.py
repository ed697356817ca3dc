# Scalars: recoding into digits, programs for sums of points, inverses.
# MIT licence.
"""`regular`, `wnaf`, `trace`, `ladder` (see `scalar_plain.py`) from the engine that works here, and
`inverse(a, m)`. What is secret goes through `regular` only."""

import array
from hashlib import sha256

from suit.crypto import engine


def _works(module):
    # every function once, on numbers without structure; a digest over what they wrote
    k = bytearray((i * i * 7 + 3) & 255 for i in range(32))
    order = bytearray((i * 29 + 101) & 255 for i in range(32))
    out = bytearray(257)
    both = bytearray(86)
    code = bytearray(range(256)) + bytearray(512)
    state = array.array("i", (43, 0, 0))
    module.wnaf(k, 5, out)
    both[43:] = out[:43]
    module.regular(k, order, 43, 1, 43, 6, both, bytearray(32))
    module.trace(both, 43, b"\2\0\3\3\3\6\4\12\5\5\1\2\3\4\7\3\12\4", 2, state, code, 256, 512)
    module.ladder(k, 40, 9, code, 600)
    module.lehmer(0x1F3A5C77, 0x0BADCAFE, _ratio)
    made = sha256(out)
    for part in both, code, bytes(state), bytes(_ratio):
        made.update(part)
    return made.digest()[:4] == b"\xf9\xed\x0f\x3a"


_ratio = array.array("i", (0, 0, 0, 0))
_engine = engine.load("scalar", _works, ("viper", "plain"))
regular = _engine.regular
wnaf = _engine.wnaf
trace = _engine.trace
ladder = _engine.ladder


def inverse(a, m):
    """1 / a mod m, m an odd prime below 2^256; 0 for a multiple of m. Its time depends on `a`: a
    secret is multiplied by a random factor before and the result after."""
    u, v, x, y = m, a % m, 0, 1
    shift = 227
    while v:
        # 25 to 29 leading bits of u
        top = u >> shift
        while top < 0x1000000 and shift:
            top <<= 4
            shift = max(shift - 4, 0)
        if shift and _engine.lehmer(u >> shift, v >> shift, _ratio):
            a, b, c, d = _ratio
            u, v = a * u + b * v, c * u + d * v
            x, y = a * x + b * y, c * x + d * y
        else:
            q = u // v
            u, v = v, u - q * v
            x, y = y, x - q * y
    return x % m if u == 1 else 0
