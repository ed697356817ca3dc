# Made by generate/c25519_plain.py from the formulas in generate/_c25519.py: change those files.
# MIT licence.
"""Curve25519 with big integers (engine of `ed25519.py` and `x25519.py`). Each function is a
subprogram of the library."""

from suit.crypto.field_plain import Machine as _Machine

P = 0x7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed


def double(r, n):
    prime = P
    X = r[0]
    Y = r[1]
    Z = r[2]
    while n:
        n -= 1
        A = X * X % prime
        B = Y * Y % prime
        C = Z * Z % prime
        E = X + Y
        H = A + B
        E = E * E
        E = (H - E) % prime
        G = A - B
        F = C + C
        F = F + G
        X = E * F % prime
        Y = G * H % prime
        Z = F * G % prime
    r[0] = X
    r[1] = Y
    r[2] = Z
    r[3] = E
    r[4] = H


def add(r, n):
    prime = P
    E = r[3]
    H = r[4]
    Y = r[1]
    X = r[0]
    m = r[10]
    p = r[11]
    t = r[13]
    Z = r[2]
    z = r[12]
    while n:
        n -= 1
        C = E * H % prime
        A = Y - X
        B = Y + X
        A = A * m
        B = B * p
        C = C * t % prime
        F = Z * z % prime
        E = (B - A) % prime
        G = F + C
        F = F - C
        H = (B + A) % prime
        X = E * F % prime
        Y = G * H % prime
        Z = F * G % prime
    r[0] = X
    r[1] = Y
    r[2] = Z
    r[3] = E
    r[4] = H


def mix(r, n):
    prime = P
    E = r[3]
    H = r[4]
    Y = r[1]
    X = r[0]
    m = r[10]
    p = r[11]
    t = r[13]
    Z = r[2]
    while n:
        n -= 1
        C = E * H % prime
        A = Y - X
        B = Y + X
        A = A * m
        B = B * p
        C = C * t % prime
        F = Z + Z
        E = (B - A) % prime
        G = F + C
        F = F - C
        H = (B + A) % prime
        X = E * F % prime
        Y = G * H % prime
        Z = F * G % prime
    r[0] = X
    r[1] = Y
    r[2] = Z
    r[3] = E
    r[4] = H


def square(r, n):
    prime = P
    A = r[7]
    while n:
        n -= 1
        A = A * A % prime
    r[7] = A


def step0(r, n):
    prime = P
    a = r[0]
    b = r[1]
    c = r[2]
    d = r[3]
    u = r[4]
    k = r[10]
    while n:
        n -= 1
        A = a + b
        B = a - b
        C = c + d
        D = c - d
        D = D * A % prime
        C = C * B % prime
        A = A * A % prime
        B = B * B % prime
        c = D + C
        c = c * c % prime
        d = D - C
        d = d * d % prime
        d = d * u % prime
        a = A * B % prime
        E = A - B
        B = E * k % prime
        B = B + A
        b = E * B % prime
    r[0] = a
    r[1] = b
    r[2] = c
    r[3] = d


def step1(r, n):
    prime = P
    c = r[2]
    d = r[3]
    a = r[0]
    b = r[1]
    u = r[4]
    k = r[10]
    while n:
        n -= 1
        A = c + d
        B = c - d
        C = a + b
        D = a - b
        D = D * A % prime
        C = C * B % prime
        A = A * A % prime
        B = B * B % prime
        a = D + C
        a = a * a % prime
        b = D - C
        b = b * b % prime
        b = b * u % prime
        c = A * B % prime
        E = A - B
        B = E * k % prime
        B = B + A
        d = E * B % prime
    r[0] = a
    r[1] = b
    r[2] = c
    r[3] = d


_PROGRAMS = (
    {0: double, 14: add, 29: mix, 44: square},
    {0: step0, 19: step1},
)


def Machine(registers, code, library):
    """`library` is 0 for Ed25519, 1 for X25519."""
    return _Machine(P, 1, 1, _PROGRAMS[library], registers, code)
