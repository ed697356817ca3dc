# Made by generate/p256_plain.py from the formulas in generate/_p256.py: change those files.
# MIT licence.
"""P-256 with big integers (engine of `p256.py`). Each function is a subprogram of the library."""

from suit.crypto.field_plain import Machine as _Machine

P = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffff
_UNSCALE = 0xfffffffe00000003fffffffd0000000200000001fffffffe0000000300000000


def double(r, n):
    prime = P
    Z = r[2]
    X = r[0]
    W = r[1]
    while n:
        n -= 1
        D = Z * Z % prime
        A = X - D
        D = X + D
        A = A * D % prime
        M = 3 * A
        V = W * W % prime
        A = V * X % prime
        Z = W * Z % prime
        V = V * V
        X = M * M
        X = X - A
        X = (X - A) % prime
        A = A - X
        A = A * M
        A = A + A
        W = (A - V) % prime
    r[0] = X
    r[1] = W
    r[2] = Z


def mix(r, n):
    prime = P
    Z = r[2]
    x = r[9]
    w = r[10]
    X = r[0]
    W = r[1]
    while n:
        n -= 1
        D = Z * Z % prime
        H = x * D
        D = Z * D % prime
        R = w * D % prime
        H = (H - X) % prime
        R = R - W
        if not H:
            return True
        A = H + H
        Z = Z * A % prime
        A = A * A % prime
        H = H * A % prime
        A = A * X % prime
        X = R * R
        X = X - H
        X = X - A
        X = (X - A) % prime
        A = A - X
        A = A * R
        H = H * W
        A = A - H
        W = (A + A) % prime
    r[0] = X
    r[1] = W
    r[2] = Z


def full(r, n):
    prime = P
    Z = r[2]
    x = r[9]
    w = r[10]
    X = r[0]
    zz = r[12]
    W = r[1]
    zzz = r[13]
    z = r[11]
    while n:
        n -= 1
        D = Z * Z % prime
        H = x * D
        D = Z * D % prime
        R = w * D % prime
        X = X * zz % prime
        W = W * zzz % prime
        Z = Z * z % prime
        H = (H - X) % prime
        R = R - W
        if not H:
            return True
        A = H + H
        Z = Z * A % prime
        A = A * A % prime
        H = H * A % prime
        A = A * X % prime
        X = R * R
        X = X - H
        X = X - A
        X = (X - A) % prime
        A = A - X
        A = A * R
        H = H * W
        A = A - H
        W = (A + A) % prime
    r[0] = X
    r[1] = W
    r[2] = Z


def compare(r, n):
    prime = P
    Z = r[2]
    x = r[9]
    X = r[0]
    D = Z * Z % prime
    H = x * D
    H = (H - X) % prime
    r[4] = H


_PROGRAMS = {0: double, 18: mix, 40: full, 65: compare}


def Machine(registers, code):
    return _Machine(P, 0, _UNSCALE, _PROGRAMS, registers, code)
