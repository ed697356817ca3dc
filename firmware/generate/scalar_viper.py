"""Writes suit/crypto/scalar_viper.py: the functions of scalar_plain.py with viper's types, and
Euclid's algorithm on limbs, which plain Python does faster with big integers.

    python -m generate scalar_viper     (in firmware/)
"""

import ast
from pathlib import Path

PLAIN = Path(__file__).resolve().parent.parent / "suit" / "crypto" / "scalar_plain.py"

TYPES = {
    "k": "ptr8", "n": "ptr8", "out": "ptr8", "scratch": "ptr8",
    "digits": "ptr8", "shape": "ptr8", "code": "ptr8", "state": "ptr32",
}  # the others are int
EXCEPTIONS = {("trace", "n"): "int"}

NOT_NATIVE = ("lehmer", "inverse")

EUCLID = '''

@micropython.viper
def euclid(w: ptr16) -> int:
    # u, v, x, y of 16 limbs of 16 bits: u > v, u = +-x a, v = -+y a (mod m). Replaces them by later
    # ones of Euclid's sequence, 13 bits a round (Lehmer; Knuth, volume 2, 4.5.2, algorithm L), till
    # u is below 2^32 or a quotient is too large. Returns the number of divisions made.
    h = 15
    total = 0
    while True:
        while h > 1 and w[h] == 0:
            h -= 1
        if h < 2:
            return total
        # 26 leading bits of u, and the bits of v in the same places
        s = 0
        t = w[h]
        while t < 32768:
            t <<= 1
            s += 1
        q = 0
        k = h
        while k < 32:
            p = q
            q = w[k] << (10 + s)
            if s < 6:
                q |= w[k - 1] >> (6 - s)
            else:
                q |= w[k - 1] << (s - 6) | w[k - 2] >> (22 - s)
            k += 16
        a = 1
        b = 0
        c = 0
        d = 1
        n = 0
        while (q + c) and (q + d):
            k = (p + a) // (q + c)
            if k != (p + b) // (q + d) or k > 8191:
                break
            s = a - k * c
            t = b - k * d
            if s > 8191 or s < -8191 or t > 8191 or t < -8191:
                break
            a = c
            c = s
            b = d
            d = t
            t = p - k * q
            p = q
            q = t
            n += 1
        if n == 0:
            return total
        total += n
        k = 0
        while k < 64:
            s = 0
            t = 0
            while True:
                s += a * w[k] + b * w[k + 16]
                t += c * w[k] + d * w[k + 16]
                w[k] = s & 65535
                w[k + 16] = t & 65535
                s >>= 16
                t >>= 16
                k += 1
                if k & 15 == 0:
                    break
            k += 16
            # x and y have opposite signs, so that their sizes add up
            if n & 1:
                a = 0 - a
                d = 0 - d
            else:
                b = 0 - b
                c = 0 - c


def inverse(a, m):
    u, v, x, y = m, a % m, 0, 1
    divisions = 0
    w = bytearray(128)
    while True:
        at = 0
        for number in (u, v, x, y):
            w[at : at + 32] = number.to_bytes(32, "little")
            at += 32
        divisions += euclid(w)
        u, v, x, y = [int.from_bytes(w[at : at + 32], "little") for at in (0, 32, 64, 96)]
        if u >> 32 == 0 or v == 0:
            break
        q = u // v
        u, v = v, u - q * v
        x, y = y, x + q * y
        divisions += 1
    a, b, c, d = 1, 0, 0, 1
    while v:
        q = u // v
        u, v = v, u - q * v
        a, c = c, a + q * c
        b, d = d, b + q * d
        divisions += 1
    w[:] = bytes(128)
    x = a * x + b * y
    if u != 1:
        return 0
    return x if divisions & 1 else m - x
'''

HEAD = '''# Made by generate/scalar_viper.py from scalar_plain.py: change those files, not this one.
# MIT licence.
"""Scalars to digits, digits to field-VM programs; native code. `scalar_plain.py` explains."""

import micropython
'''


def text():
    tree = ast.parse(PLAIN.read_text())
    parts = [HEAD]
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef) or node.name in NOT_NATIVE:
            continue
        node.body = node.body[1:]  # the docstring
        source = ast.unparse(node).split("\n")
        types = (
            "%s: %s" % (a.arg, EXCEPTIONS.get((node.name, a.arg), TYPES.get(a.arg, "int")))
            for a in node.args.args
        )
        head = "def %s(%s)%s:" % (
            node.name, ", ".join(types),
            " -> int" if any(isinstance(n, ast.Return) for n in ast.walk(node)) else "",
        )
        parts.append("\n\n@micropython.viper\n%s\n%s\n" % (head, "\n".join(source[1:])))
    return "".join(parts) + EUCLID
