# ECDSA with P-256 and SHA-256: ES256 and ESP256.
# MIT licence.
"""`verify(key, message, signature)`: `key.x`, `key.y` 32 bytes each, `signature` a region of
exactly 64 bytes (r, s; RFC 9053 section 2.1). Returns `key`, or raises SuitError(R_UNAUTHORISED,
what): signature length, r or s out of range, key not on the curve, or it does not hold.

`make_table(key) -> bytes` once, at provisioning; with it as `key.table` a verification takes half
the time. It is to be protected like the key: whoever can change it can make any signature hold.

`shared(private, x, y) -> bytearray`: ECDH, see `p256_secret.py`.

Verification is u1 G + u2 Q in one program for the field VM: G by a comb, Q by a comb when there is
a table and by signed digits of width 5 when there is none (FIPS 186-5 section 6.4.2)."""

from hashlib import sha256

from suit.crypto import engine, scalar
from suit.crypto import p256_data as data
from suit.errors import SuitError
from suit.numbers import R_UNAUTHORISED

try:
    from micropython import const
except ImportError:

    def const(value):
        return value


P = 2**256 - 2**224 + 2**192 + 2**96 - 1
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
ORDER = N.to_bytes(32, "little")

COLUMNS = const(43)  # of a comb, 43 * 6 = 258 bits
TEETH = const(6)
_PLACES = const(257)  # of a scalar in signed digits
_ROOM = const(512)  # bytes of program made at a time


class Sum:
    """A sum of multiples of points, on the chosen engine."""

    def __init__(self, module=None, registers=data.REGISTERS):
        self.code = bytearray(len(data.LIBRARY) + _ROOM)
        self.code[: len(data.LIBRARY)] = data.LIBRARY
        self.machine = (module or _engine).Machine(registers, self.code)
        self.machine.put(data.R_ONE, 1)

    def multiples(self, x, y):
        """Fill the register table with the odd multiples of (x, y); 1 when that failed."""
        own = getattr(self.machine, "multiples", None)
        if own:
            return own(x, y * 2 % P)
        self.machine.put(data.R_X, x)
        self.machine.put(data.R_W, y * 2 % P)
        return self.execute(data.MULTIPLES)

    def execute(self, program):
        start = len(data.LIBRARY)
        self.code[start : start + len(program)] = program
        return self.machine.run(start)

    def add_up(self, digits, places, shape, streams):
        """See `scalar_plain.trace`. 1 when the formulas did not hold on the way."""
        own = getattr(self.machine, "add_up", None)
        if own:
            return own(digits, places, shape, streams)
        start = len(data.LIBRARY)
        state = scalar.start(places)
        while state[0]:
            scalar.trace(digits, places, shape, streams, state, self.code, start, _ROOM)
            if self.machine.run(start):
                return 1
        return 0

    def has_x(self, x):
        """Whether the affine x of the sum is `x`. Coordinates of zeros, which only a fault leaves behind, would be
        equal to anything."""
        self.machine.put(data.R_PX, x)
        self.machine.put(data.R_H, 1)  # and so would a comparison that never ran
        self.machine.run(data.COMPARE * 4)
        return self.machine.get(data.R_H) == 0 and self.machine.get(data.R_Z) != 0

    def has(self, r):
        """Whether the affine x of the sum, modulo the order, is `r`: x is r or r + N."""
        return self.has_x(r) or (r + N < P and self.has_x(r + N))


class _Affine:
    """The sum as a point (x, y), or None for infinity."""

    def __init__(self, point):
        self.point = point

    def has(self, r):
        return self.point is not None and self.point[0] % N == r


def _works(module):
    """The known-answer test: 4 G + G + G is 6 G, and G - G stops."""
    total = Sum(module)
    machine = total.machine
    machine.table(0, data.KNOWN)
    if total.execute(data.SIX) or machine.get(data.R_H):
        return False
    machine.put(data.R_PX, 1)
    machine.run(data.COMPARE * 4)
    return machine.get(data.R_H) and total.execute(data.NONE)


def uncompressed(x, y):
    """(x, y) as integers, checked to be a point of the curve; raises SuitError(R_UNAUTHORISED)."""
    if len(x) == 32 and len(y) == 32:
        x = int.from_bytes(x, "big")
        y = int.from_bytes(y, "big")
        if x < P and y < P and (y * y - (x * x - 3) * x - B) % P == 0:
            return x, y
    raise SuitError(R_UNAUTHORISED, "key not on curve")


def verify(key, message, signature):
    if signature.size != 64:
        raise SuitError(R_UNAUTHORISED, "signature length")
    both = bytearray(64)
    if signature.read_at(0, both) != 64:
        raise SuitError(R_UNAUTHORISED, "signature length")
    r = int.from_bytes(both[:32], "big")
    s = int.from_bytes(both[32:], "big")
    if not (0 < r < N and 0 < s < N):
        raise SuitError(R_UNAUTHORISED, "signature range")
    x, y = uncompressed(key.x, key.y)
    w = scalar.inverse(s, N)
    u1 = int.from_bytes(sha256(message).digest(), "big") * w % N
    u2 = r * w % N
    total = _total(u1, u2, x, y, getattr(key, "table", None))
    # the verdict is reached twice, once to raise and once to return: see crypto/__init__.py
    if not total.has(r):
        raise SuitError(R_UNAUTHORISED, "signature")
    return key if total.has(r) else None


def _total(u1, u2, x, y, table):
    """u1 G + u2 Q, as something that `has(r)`."""
    known = table and len(table) == len(data.BASE)
    total = Sum(None, data.NAMED if known else data.REGISTERS)
    machine = total.machine
    machine.table(0, data.BASE)
    one = u1.to_bytes(32, "little")
    two = u2.to_bytes(32, "little")
    scratch = bytearray(32)
    if known:
        machine.table(1, table)
        digits = bytearray(2 * COLUMNS)
        places = COLUMNS
        shape = data.SHAPE_G + data.SHAPE_K
        second = memoryview(digits)[COLUMNS:]
        scalar.regular(two, ORDER, COLUMNS, 1, COLUMNS, TEETH, second, scratch)
        stopped = 0
    else:
        own = getattr(machine, "both", None)
        if own:
            return total if not own(one, two, x, y * 2 % P) else _complete(u1, u2, x, y)
        digits = bytearray(2 * _PLACES)
        places = _PLACES
        shape = data.SHAPE_G + data.SHAPE_Q
        scalar.wnaf(two, 5, memoryview(digits)[_PLACES:])
        stopped = total.multiples(x, y)
    scalar.regular(one, ORDER, COLUMNS, 1, COLUMNS, TEETH, digits, scratch)
    if stopped or total.add_up(digits, places, shape, 2):
        return _complete(u1, u2, x, y)
    return total


def _complete(u1, u2, x, y):
    # two equal or opposite points met: rare, or arranged
    from suit.crypto.p256_complete import multiply_add

    return _Affine(multiply_add(u1, u2, x, y))


def make_table(key):
    from suit.crypto.p256_table import comb

    return comb(*uncompressed(key.x, key.y))


def shared(private, x, y):
    from suit.crypto.p256_secret import shared

    return shared(private, x, y)


scalar.choose()
_engine = engine.best("p256", _works)
