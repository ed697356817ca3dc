"""Writes suit/crypto/p256_plain.py: the formulas of P-256 as Python functions on big integers, and the odd
multiples of G.

    python -m generate p256_plain     (in firmware/)
"""

from suit.crypto.p256_complete import GX, GY, add, affine, double

from generate._formulas import LOAD, literal, python
from generate._p256 import POINTS, SCALE, curve

WIDTH = 8  # of the signed digits that G has where the other point has no table


def odd_multiples():
    """x and w = 2y of G, 3 G .. (2^(WIDTH - 1) - 1) G."""
    point, out = (GX, GY, 1), b""
    twice = affine(*double(*point))
    for _ in range(1 << (WIDTH - 2)):
        x, y = affine(*point)
        out += x.to_bytes(32, "little") + (2 * y % curve.prime).to_bytes(32, "little")
        point = add(*point, *twice)
    return out


def text():
    return '''# Made by generate/p256_plain.py from the formulas in generate/_p256.py: change those files.
# MIT licence.
"""P-256 with big integers (engine of `p256.py`). Each function is a subprogram of the library. The machine can do
three things more than others, because bytecode writes a program as slowly as it does what is in it:

    multiples(x, w)                         the odd multiples of a point into the register table
    add_up(digits, places, shape, streams)  what `scalar.trace` writes a program for
    both(one, two, x, w)                    one G + two (x, w): scalars of 32 bytes, public ones

Each is 1 or True when the formulas did not hold on the way."""

from suit.crypto import scalar
from suit.crypto.field_plain import Machine as _Machine

P = {prime:#x}
_UNSCALE = {unscale:#x}


{functions}


_PROGRAMS = {{{programs}}}


class Machine(_Machine):
    def __init__(self, registers, code):
        super().__init__(P, 0, _UNSCALE, _PROGRAMS, registers, code)

    def multiples(self, x, w):
        """1, 3 .. {last} times (x, w), all with z = 1: then MIX adds them, no FULL is needed.

        Twice the point is added again and again, kept over the same z as the newest multiple (co-Z addition: Meloni,
        New point addition formulae for ECC applications, 2007); one inversion in the end."""
        prime = P
        table = self._registers
        V = w * w % prime
        X = V * x % prime
        W = V * V % prime  # (X, W) is (x, w) over z = w, (A, B) twice the point
        M = 3 * (x - 1) * (x + 1) % prime
        A = (M * M - X - X) % prime
        B = ((X - A) * M * 2 - W) % prime
        z = w
        steps = [w]
        table[{q}] = x
        table[{q} + 1] = w
        for i in range({q} + 5, {end}, 5):
            H = X - A
            R = W - B
            H = H + H
            z = z * H % prime
            steps.append(H)
            H = H * H % prime
            A = A * H % prime
            H = X * H % prime
            X = (R * R - A - H) % prime
            B = (H - A) * B
            B = (B + B) % prime
            W = ((A - X) * R * 2 - B) % prime
            table[i] = X
            table[i + 1] = W
        z = scalar.inverse(z, prime)
        for i in range({end} - 5, {q}, -5):
            H = z * z % prime
            table[i] = table[i] * H % prime
            table[i + 1] = z * H % prime * table[i + 1] % prime
            z = steps.pop() * z % prime
        for i in range({q} + 2, {end}, 5):
            table[i] = table[i + 1] = table[i + 2] = 1
        return not z

    def add_up(self, digits, places, shape, streams):
        code = self.code
        sources = []
        for s in range(streams):
            at = shape[s * 9 + 1] << 2  # the first operation says where the points are
            sources.append(self._tables[code[at + 3]] if code[at] == {load} else None)
        return self._sum(digits, places, sources, _UNSCALE)

    def both(self, one, two, x, w):
        if self.multiples(x, w):
            return 1
        digits = bytearray(2 * 257)
        scalar.wnaf(one, {width}, digits)
        scalar.wnaf(two, 5, memoryview(digits)[257:])
        return self._sum(digits, 257, (_ODD, None), 0)

    def _sum(self, digits, places, sources, scale):
        # as `scalar.trace` has it; a source is a table, of elements times 1 / scale, or None for the registers
        prime = P
        r = self._registers
        started = doublings = 0
        i = places
        while i:
            i -= 1
            doublings += 1
            j = i
            for table in sources:
                d = digits[j]
                j += places
                if d:
                    d -= 1
                    if table is None:
                        at = {q} + (d >> 1) * 5
                        x = r[at]
                        w = r[at + 1]
                    else:
                        at = (d >> 1) << 6
                        x = int.from_bytes(table[at : at + 32], "little")
                        w = int.from_bytes(table[at + 32 : at + 64], "little")
                        if scale:
                            x = x * scale % prime
                            w = w * scale % prime
                    w = (w, prime - w)[d & 1]
                    if started:
                        if doublings:
                            double(r, doublings)
                        r[{x}] = x
                        r[{w}] = w
                        if mix(r, 1):
                            return 1
                    else:
                        r[0] = x
                        r[1] = w
                        r[2] = started = 1
                    doublings = 0
        if started and doublings:
            double(r, doublings)
        return 0


_ODD = {odd}
'''.format(
        prime=curve.prime,
        unscale=pow(SCALE, -1, curve.prime),
        functions=python(curve, leave_out=("FULL",)),
        # `multiples` leaves only points with z = 1 to add
        programs=", ".join(
            "%d: %s" % (curve.entries[name][0], "mix" if name == "FULL" else name.lower())
            for name in curve.functions
        ),
        q=curve.q,
        x=curve.register("x"),
        w=curve.register("w"),
        load=LOAD,
        width=WIDTH,
        odd=literal(odd_multiples(), width=32),
        end=curve.registers,
        last=2 * POINTS - 1,
    )
