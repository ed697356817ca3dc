# Scalars: recoding into digits, programs for sums of points, inverses.
# MIT licence.
"""`regular`, `wnaf`, `trace`, `ladder`, `inverse` (see `scalar_plain.py`) from the engine that works
here, after `choose()`. What is secret goes through `regular` and `ladder` only."""

import array
from hashlib import sha256

from suit.crypto import engine


def start(places):
    """The state of a `trace` that has `places` before it."""
    return array.array("i", (places, 0, 0))


def _works(module):
    # every function once, on numbers without structure; a digest over what they wrote
    k = sha256(b"k").digest()
    order = sha256(b"order").digest()
    out = bytearray(257)
    both = bytearray(86)
    code = bytearray((k + order) * 12)
    state = start(43)
    module.wnaf(k, 5, out)
    both[43:] = out[:43]
    module.regular(k, order, 43, 1, 43, 6, both, bytearray(32))
    module.trace(both, 43, b"\2\0\3\3\3\6\4\12\5\5\1\2\3\4\7\3\12\4", 2, state, code, 256, 512)
    module.ladder(k, 40, 9, code, 600)
    made = sha256(out)
    for part in both, code, bytes(state):
        made.update(part)
    number = int.from_bytes(k[:16], "little")
    if number * module.inverse(number, _P) % _P != 1:
        return False
    return made.digest()[:4] == b"\xb9\xad\x43\xbe"


_P = 2**127 - 1

regular = wnaf = trace = ladder = inverse = None


def choose():
    """What a curve calls before it uses the functions."""
    global regular, wnaf, trace, ladder, inverse
    if inverse is None:
        chosen = engine.best("scalar", _works, ("viper", "plain"))
        regular = chosen.regular
        wnaf = chosen.wnaf
        trace = chosen.trace
        ladder = chosen.ladder
        inverse = chosen.inverse
