"""Curve25519: registers and formulas of Ed25519 (RFC 8032) and X25519 (RFC 7748), p = 2^255 - 19.

Ed25519 is -x^2 + y^2 = 1 + d x^2 y^2 in extended coordinates x = X / Z, y = Y / Z; X Y = Z T with
T = E H, which the addition computes when it needs it. Formulas dbl-2008-hwcd and
add-2008-hwcd-3 of the Explicit-Formulas Database; they hold for all points, so nothing is checked.
The point added is in the form (y - x, y + x, 2z, 2dt); affine: without 2z."""

from generate._formulas import Curve

P = 2**255 - 19
D = -121665 * pow(121666, -1, P) % P
WIDTH = 6  # signed digits for the base point: odd multiples 1 .. 31
POINTS = 8  # of the other point: 1 .. 15

edwards = Curve("ed25519", P, 1, "X Y Z E H F G A B C m p z t zero one d2", POINTS, 4)

edwards.subprogram("DOUBLE", "X Y Z E H", """
    A = X * X
    B = Y * Y
    C = Z * Z
    E = X + Y
    H = A + B
    E = E * E
    E = H - E
    G = A - B
    F = C + C
    F = F + G
    X = E * F
    Y = G * H
    Z = F * G
""")  # all of E, F, G, H have the opposite sign of the publication's, which cancels

edwards.subprogram("ADD", "X Y Z E H", """
    C = E * H
    A = Y - X
    B = Y + X
    A = A * m
    B = B * p
    C = C * t
    F = Z * z
    E = B - A
    G = F + C
    F = F - C
    H = B + A
    X = E * F
    Y = G * H
    Z = F * G
""")

edwards.subprogram("MIX", "X Y Z E H", """
    C = E * H
    A = Y - X
    B = Y + X
    A = A * m
    B = B * p
    C = C * t
    F = Z + Z
    E = B - A
    G = F + C
    F = F - C
    H = B + A
    X = E * F
    Y = G * H
    Z = F * G
""")

edwards.subprogram("SQUARE", "A", """
    A = A * A
""")


_IDENTITY = "X = zero\nY = one\nZ = one\nE = zero\nH = zero\n"


def _stream(name, stride, load, end):
    """`load` names m, p, ... ; the negative of a point has m and p changed, and -t."""
    plus = "".join("%s = %s\n" % pair for pair in load) + end
    turned = [(dict(m="p", p="m").get(r, r), source) for r, source in load]
    minus = "".join("%s = %s\n" % pair for pair in turned) + "t = zero - t\n" + end
    return edwards.stream(
        name, stride, _IDENTITY + plus, _IDENTITY + minus, plus, minus
    )


shapes = {
    "G": _stream("G", 3, (("m", "g[0]"), ("p", "g[1]"), ("t", "g[2]")), "call MIX"),
    "Q": _stream(
        "Q", 4, (("m", "q[0]"), ("p", "q[1]"), ("z", "q[2]"), ("t", "q[3]")), "call ADD"
    ),
}


def _form(at):
    """The sum in the form in which points are added, from register table entry `at` on."""
    m, p, z, t = ("q[%d]" % (at + i) for i in range(4)) if at is not None else "mpzt"
    return ["%s = Y - X" % m, "%s = Y + X" % p, "%s = Z + Z" % z, "C = E * H", "%s = C * d2" % t]


RETURN = b"\x06\0\0\0"


def multiples():
    """From an affine point in X, Y: the odd multiples 1 .. 15 into the register table."""
    lines = ["Z = one", "E = X", "H = Y"] + _form(0)  # T = X Y
    # the point waits in the last entry, which is filled at the end
    last = 4 * (POINTS - 1)
    lines += ["q[%d] = X" % last, "q[%d] = Y" % (last + 1)]
    lines += ["call DOUBLE"] + _form(None)
    lines += ["X = q[%d]" % last, "Y = q[%d]" % (last + 1), "Z = one", "E = X", "H = Y"]
    for i in range(4, 4 * POINTS, 4):
        lines += ["call ADD"] + _form(i)
    return edwards.ops("\n".join(lines)) + RETURN


def root():
    """m = m^((p - 5) / 8), the core of a square root (RFC 8032 section 5.1.3): 2^252 - 3."""

    def squares(count, target, factor):
        return ["call SQUARE %d" % count, "%s = A * %s" % (target, factor)]

    lines = ["A = m * m", "p = A", "call SQUARE 2", "z = A * m", "t = z * p"]  # m^9, m^11
    lines += ["A = t"] + squares(1, "z", "z")  # 2^5 - 1
    lines += ["A = z"] + squares(5, "z", "z")  # 2^10 - 1
    lines += ["A = z"] + squares(10, "t", "z")  # 2^20 - 1
    lines += ["A = t"] + squares(20, "t", "t")  # 2^40 - 1
    lines += ["A = t"] + squares(10, "z", "z")  # 2^50 - 1
    lines += ["A = z"] + squares(50, "t", "z")  # 2^100 - 1
    lines += ["A = t"] + squares(100, "t", "t")  # 2^200 - 1
    lines += ["A = t"] + squares(50, "z", "z")  # 2^250 - 1
    lines += ["A = z"] + squares(2, "m", "m")  # 2^252 - 3
    return edwards.ops("\n".join(lines)) + RETURN


def base():
    """Odd multiples 1 .. 31 of the base point, affine: y - x, y + x, 2 d x y; 32 bytes each."""

    def add(a, b):
        (x1, y1), (x2, y2) = a, b
        k = D * x1 * x2 * y1 * y2
        return (
            (x1 * y2 + x2 * y1) * pow(1 + k, -1, P) % P,
            (y1 * y2 + x1 * x2) * pow(1 - k, -1, P) % P,
        )

    y = 4 * pow(5, -1, P) % P
    u = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(u, (P + 3) // 8, P)
    if (x * x - u) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    if x & 1:
        x = P - x
    point = x, y
    twice = add(point, point)
    out = bytearray()
    for _ in range(1 << WIDTH - 2):
        x, y = point
        for value in (y - x, y + x, 2 * D * x * y):
            out += (value % P).to_bytes(32, "little")
        point = add(point, twice)
    return bytes(out)


# X25519: the Montgomery ladder, x only. a b and c d: (X : Z) of the two points, u: of their
# difference.
montgomery = Curve("x25519", P, 1, "a b c d u A B C D E k", 0, 0)

_LADDER = """
    A = {a} + {b}
    B = {a} - {b}
    C = {c} + {d}
    D = {c} - {d}
    D = D * A
    C = C * B
    A = A * A
    B = B * B
    {c} = D + C
    {c} = {c} * {c}
    {d} = D - C
    {d} = {d} * {d}
    {d} = {d} * u
    {a} = A * B
    E = A - B
    B = E * k
    B = B + A
    {b} = E * B
"""  # k = 121665

montgomery.subprogram("STEP0", "a b c d", _LADDER.format(a="a", b="b", c="c", d="d"))
montgomery.subprogram("STEP1", "a b c d", _LADDER.format(a="c", b="d", c="a", d="b"))
