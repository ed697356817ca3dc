"""P-256: registers, formulas and tables. Coordinates are Jacobian, x = X / Z^2, y = Y / Z^3, with
W = 2Y in place of Y, which saves five additions in a doubling. a = -3.

Doubling after dbl-2001-b, additions after madd-2007-bl and add-2007-bl of the Explicit-Formulas
Database (hyperelliptic.org/EFD), written for W. They do not hold when both points have the same x
(H = 0): then `check` stops the VM."""

from suit.crypto.p256_complete import GX, GY, P, add, affine, double

from generate._formulas import Curve

SCALE = 2**256  # table entries are in Montgomery form
POINTS = 8  # odd multiples 1 .. 15 of the other point

# X W Z: the sum. D .. V: temporary. x w z zz zzz: the point added, with z^2 and z^3.
# n: -w where the sign is secret.
curve = Curve(
    "p256", P, SCALE, "X W Z D H R A M V x w z zz zzz zero one n", POINTS, 5
)

curve.subprogram("DOUBLE", "X W Z", """
    D = Z * Z
    A = X - D
    D = X + D
    A = A * D
    M = A + A
    M = M + A
    V = W * W
    A = V * X
    Z = W * Z
    V = V * V
    X = M * M
    D = A + A
    X = X - D
    A = A - X
    A = A + A
    A = A * M
    W = A - V
""")  # M = 3 (X - Z^2)(X + Z^2), A = 4XY^2, V = 16 Y^4

_TAIL = """
    A = H + H
    Z = Z * A
    A = A * A
    H = H * A
    A = A * X
    X = R * R
    D = A + A
    D = D + H
    X = X - D
    A = A - X
    A = A * R
    H = H * W
    A = A - H
    W = A + A
"""  # A = (2H)^2, H = H (2H)^2

curve.subprogram("MIX", "X W Z", """
    D = Z * Z
    H = x * D
    D = Z * D
    R = w * D
    H = H - X
    R = R - W
    check H
""" + _TAIL.strip())  # affine (x, w): H = x Z^2 - X, R = w Z^3 - W

curve.subprogram("FULL", "X W Z", """
    D = Z * Z
    H = x * D
    D = Z * D
    R = w * D
    X = X * zz
    W = W * zzz
    Z = Z * z
    H = H - X
    R = R - W
    check H
""" + _TAIL.strip())  # (x, w, z): both points over the common denominator

curve.subprogram("COMPARE", "H", """
    D = Z * Z
    H = x * D
    H = H - X
""")  # H = 0 when the affine x of the sum is x

def _load(*pairs):
    return "".join("%s = %s\n" % pair for pair in pairs)


def _affine(name, t, secret=False):
    load = _load(("x", t + "[0]"), ("w", t + "[1]"))
    if secret:  # the same operations for both signs
        plus, minus = "n = zero - w\nw = w\n", "n = zero - w\nw = n\n"
    else:
        plus, minus = "", "w = zero - w\n"
    start = "X = x + zero\nW = w + zero\nZ = one\n"
    end = "call MIX\n"
    return curve.stream(
        name, 2, load + plus + start, load + minus + start, load + plus + end, load + minus + end
    )


def _jacobian(name, secret=False):
    load = _load(*((r, "q[%d]" % i) for i, r in enumerate(("x", "w", "z", "zz", "zzz"))))
    if secret:
        plus, minus = "n = zero - w\nw = w\n", "n = zero - w\nw = n\n"
    else:
        plus, minus = "", "w = zero - w\n"
    start = "X = x + zero\nW = w + zero\nZ = z\n"
    end = "call FULL\n"
    return curve.stream(
        name, 5, load + plus + start, load + minus + start, load + plus + end, load + minus + end
    )


shapes = {
    "G": _affine("G", "g"),
    "K": _affine("K", "k"),
    "Q": _jacobian("Q"),
    "G_SECRET": _affine("GS", "g", True),
    "Q_SECRET": _jacobian("QS", True),
}


def _multiples():
    """From (x, w) in X, W: the odd multiples 1 .. 15 into the register table."""
    lines = ["Z = one", "q[0] = X", "q[1] = W"]
    lines += ["q[%d] = one" % i for i in (2, 3, 4)]
    lines += ["call DOUBLE", "x = X", "w = W", "z = Z", "zz = Z * Z", "zzz = zz * Z"]
    lines += ["X = q[0]", "W = q[1]", "Z = one"]
    for i in range(5, 5 * POINTS, 5):
        lines += ["call FULL", "q[%d] = X" % i, "q[%d] = W" % (i + 1)]
        lines += ["q[%d] = Z" % (i + 2), "q[%d] = Z * Z" % (i + 3)]
        lines += ["q[%d] = q[%d] * Z" % (i + 4, i + 3)]
    return curve.ops("\n".join(lines)) + b"\x06\0\0\0"


MULTIPLES = _multiples()

# Known answers for the self-test of an engine; table 0 holds x and w of G, then x of 6 G.
SIX = curve.ops("""
    x = g[0]
    w = g[1]
    X = x + zero
    W = w + zero
    Z = one
    call DOUBLE 2
    call MIX
    call MIX
    x = g[2]
    call COMPARE
""") + b"\x06\0\0\0"
NONE = curve.ops("""
    x = g[0]
    w = g[1]
    X = x + zero
    W = zero - w
    Z = one
    call MIX
""") + b"\x06\0\0\0"


def known():
    point = GX, GY, 1
    for _ in range(2):
        point = double(*point)
    for _ in range(2):
        point = add(*point, GX, GY)
    values = GX, 2 * GY, affine(*point)[0]
    return b"".join((value * SCALE % P).to_bytes(32, "little") for value in values)
