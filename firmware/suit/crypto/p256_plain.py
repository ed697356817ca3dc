# Made by generate/p256_plain.py from the formulas in generate/_p256.py: change those files.
# MIT licence.
"""P-256 with big integers (engine of `p256.py`). Each function is a subprogram of the library."""

from suit.crypto.field_plain import Machine as _Machine

P = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffff
_UNSCALE = 0xfffffffe00000003fffffffd0000000200000001fffffffe0000000300000000


def double(r, n):
    p = P
    Z = r[2]
    X = r[0]
    W = r[1]
    while n:
        n -= 1
        D = Z * Z % p
        A = X - D
        D = X + D
        A = A * D % p
        M = A + A
        M = M + A
        V = W * W % p
        A = V * X % p
        Z = W * Z % p
        V = V * V
        X = M * M
        X = X - A
        X = (X - A) % p
        A = A - X
        A = A * M
        A = A + A
        W = (A - V) % p
    r[0] = X
    r[1] = W
    r[2] = Z


def mix(r, n):
    p = P
    Z = r[2]
    x = r[9]
    w = r[10]
    X = r[0]
    W = r[1]
    D = Z * Z % p
    H = x * D
    D = Z * D % p
    R = w * D
    H = (H - X) % p
    R = (R - W) % p
    if not H:
        return True
    r[4] = H
    r[5] = R


def full(r, n):
    p = P
    Z = r[2]
    x = r[9]
    w = r[10]
    X = r[0]
    zz = r[12]
    W = r[1]
    zzz = r[13]
    z = r[11]
    D = Z * Z % p
    H = x * D
    D = Z * D % p
    R = w * D
    X = X * zz % p
    W = W * zzz % p
    Z = Z * z % p
    H = (H - X) % p
    R = (R - W) % p
    if not H:
        return True
    r[0] = X
    r[1] = W
    r[2] = Z
    r[4] = H
    r[5] = R


def tail(r, n):
    p = P
    H = r[4]
    Z = r[2]
    X = r[0]
    R = r[5]
    W = r[1]
    A = H + H
    Z = Z * A % p
    A = A * A % p
    H = H * A % p
    A = A * X % p
    X = R * R
    X = X - H
    X = X - A
    X = (X - A) % p
    A = A - X
    A = A * R
    H = H * W
    A = A - H
    W = (A + A) % p
    r[0] = X
    r[1] = W
    r[2] = Z


def compare(r, n):
    p = P
    Z = r[2]
    x = r[9]
    X = r[0]
    D = Z * Z % p
    H = x * D
    H = (H - X) % p
    r[4] = H


_PROGRAMS = {0: double, 18: mix, 26: full, 37: tail, 52: compare}


def Machine(registers, code):
    return _Machine(P, 0, _UNSCALE, _PROGRAMS, registers, code)
