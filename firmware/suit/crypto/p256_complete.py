# P-256 with plain big integers: no exceptional case, no speed.
# MIT licence.
"""`multiply_add(u1, u2, x, y) -> (x, y) or None`: u1 G + u2 (x, y), every case of the group law
included (equal points, opposite points, infinity). The field VM stops where its formulas do not
hold (a crafted signature can arrange that); this decides then. The engines are compared
with it, too. Public data only: variable time."""

P = 2**256 - 2**224 + 2**192 + 2**96 - 1
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
GX = 0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296
GY = 0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5


def inverse(a, m):
    """1 / a mod m by Euclid; m prime, a not a multiple of it (0 gives 0)."""
    u, v, x, y = m, a % m, 0, 1
    while v:
        q = u // v
        u, v = v, u - q * v
        x, y = y, x - q * y
    return x % m if u == 1 else 0


def on_curve(x, y):
    """y^2 = x^3 - 3x + b with both coordinates canonical; infinity has none."""
    return 0 <= x < P and 0 <= y < P and (y * y - (x * x - 3) * x - B) % P == 0


def double(X, Y, Z):
    """Jacobian; infinity is Z = 0."""
    D = Z * Z % P
    M = 3 * (X - D) * (X + D) % P
    V = Y * Y % P
    S = 4 * X * V % P
    X3 = (M * M - 2 * S) % P
    return X3, (M * (S - X3) - 8 * V * V) % P, 2 * Y * Z % P


def add(X, Y, Z, x, y):
    """Jacobian + affine."""
    if not Z:
        return x, y, 1
    ZZ = Z * Z % P
    H = (x * ZZ - X) % P
    R = (y * ZZ * Z - Y) % P
    if not H:
        return double(X, Y, Z) if not R else (1, 1, 0)
    HH = H * H % P
    V = X * HH % P
    J = H * HH % P
    X3 = (R * R - J - 2 * V) % P
    return X3, (R * (V - X3) - Y * J) % P, Z * H % P


def affine(X, Y, Z):
    if not Z:
        return None
    i = inverse(Z, P)
    return X * i * i % P, Y * i * i * i % P


def multiply_add(u1, u2, x, y):
    both = affine(*add(x, y, 1, GX, GY))  # one addition where both scalars have a bit
    R = (1, 1, 0)
    for i in range(255, -1, -1):
        R = double(*R)
        a = u1 >> i & 1
        b = u2 >> i & 1
        if a and b:
            if both:
                R = add(R[0], R[1], R[2], both[0], both[1])
        elif a:
            R = add(R[0], R[1], R[2], GX, GY)
        elif b:
            R = add(R[0], R[1], R[2], x, y)
    return affine(*R)
