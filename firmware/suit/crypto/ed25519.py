# Ed25519 (RFC 8032): COSE algorithms Ed25519 and EdDSA.
# MIT licence.
"""`verify(key, message, signature)`: `key.x` 32 bytes, `signature` a region of exactly 64 bytes.
Returns `key`, or raises SuitError(R_UNAUTHORISED, what).

Strict: S below the order, key and R in canonical form, no small-order key; the equation without
the cofactor, by comparing encodings (RFC 8032 section 5.1.7, with 8 left out). The table of the
last key is kept (2 KiB); `forget()` frees it."""

from suit.crypto import ed25519_data as data
from suit.crypto import engine, scalar
from suit.crypto.sha512 import SHA512
from suit.errors import SuitError
from suit.numbers import R_UNAUTHORISED

try:
    from micropython import const
except ImportError:

    def const(value):
        return value


P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = 37095705934669439343138083508754565189542113879843219016388785533085940283555
ROOT_OF_MINUS_ONE = (
    19681161376707505956807079304988542015446066515923890162744021073123829784752
)

_PLACES = const(257)
_ROOM = const(512)  # bytes of program made at a time


class Sum:
    """S B - k A on the chosen engine, for one key A."""

    def __init__(self, module=None):
        self.code = bytearray(len(data.LIBRARY) + _ROOM)
        self.code[: len(data.LIBRARY)] = data.LIBRARY
        self.machine = (module or _engine).Machine(data.REGISTERS, self.code, 0)
        self.machine.put(data.R_ONE, 1)
        self.machine.put(data.R_D2, 2 * D % P)
        self.machine.table(0, data.BASE)
        self.key = None  # bytes of the key that the register table is made for

    def _execute(self, program):
        start = len(data.LIBRARY)
        self.code[start : start + len(program)] = program
        self.machine.run(start)

    def point(self, encoded):
        """(x, y) of 32 bytes, or None: y not below p, no such x, x = 0 with a sign (5.1.3)."""
        y = int.from_bytes(encoded, "little")
        sign = y >> 255
        y -= sign << 255
        if y >= P:
            return None
        # x = u v^3 (u v^7)^((p - 5) / 8) is a root of u / v, or times a root of -1 is
        u = (y * y - 1) % P
        v = (D * y * y + 1) % P
        v3 = v * v % P * v % P
        self.machine.put(data.R_M, u * v3 % P * v3 % P * v % P)
        self._execute(data.ROOT)
        x = u * v3 % P * self.machine.get(data.R_M) % P
        square = v * x % P * x % P
        if square != u:
            if (square + u) % P:
                return None
            x = x * ROOT_OF_MINUS_ONE % P
        if x & 1 != sign:
            x = P - x
        return (x, y) if x < P else None

    def prepare(self, encoded):
        """Make the register table for -A; False when A is no acceptable key."""
        if self.key == encoded:
            return True
        self.key = None
        point = self.point(encoded)
        if point is None:
            return False
        x, y = point
        # 8 A = 0: x or y is 0 (orders 1, 2, 4), or y of 2 A is, a multiple of x^2 + y^2 (order 8)
        if not x * y % P or not (x * x + y * y) % P:
            return False
        self.machine.put(data.R_X, P - x)
        self.machine.put(data.R_Y, y)
        self._execute(data.MULTIPLES)
        self.key = encoded
        return True

    def encoding(self, s, k):
        """S B - k A as 32 bytes."""
        digits = bytearray(2 * _PLACES)
        scalar.wnaf(s.to_bytes(32, "little"), 6, digits)
        scalar.wnaf(k.to_bytes(32, "little"), 5, memoryview(digits)[_PLACES:])
        start = len(data.LIBRARY)
        state = scalar.start(_PLACES)
        while state[0]:
            scalar.trace(digits, _PLACES, data.SHAPES, 2, state, self.code, start, _ROOM)
            self.machine.run(start)
        z = scalar.inverse(self.machine.get(data.R_Z), P)
        x = self.machine.get(data.R_X) * z % P
        y = self.machine.get(data.R_Y) * z % P
        return (y | (x & 1) << 255).to_bytes(32, "little")


_KEY = b"\xd7\x5a\x98\x01\x82\xb1\x0a\xb7\xd5\x4b\xfe\xd3\xc9\x64\x07\x3a"
_KEY += b"\x0e\xe1\x72\xf3\xda\xa6\x23\x25\xaf\x02\x1a\x68\xf7\x07\x51\x1a"


def _works(module):
    """The known-answer test: 3 B - 2 A, A the key of RFC 8032 section 7.1, test 1."""
    total = Sum(module)
    return total.prepare(_KEY) and total.encoding(3, 2)[:4] == b"\x4c\x26\x67\x7c"


def _refuse(what):
    raise SuitError(R_UNAUTHORISED, what)


def verify(key, message, signature):
    global _last
    if signature.size != 64:
        _refuse("signature length")
    both = bytearray(64)
    if signature.read_at(0, both) != 64:
        _refuse("signature length")
    r = bytes(both[:32])
    s = int.from_bytes(both[32:], "little")
    if s >= L:
        _refuse("signature range")
    encoded = bytes(key.x)
    if len(encoded) != 32:
        _refuse("key length")
    if _last is None:
        _last = Sum()
    if not _last.prepare(encoded):
        _refuse("key not on curve")
    digest = SHA512(r)
    digest.update(encoded)
    digest.update(message)
    k = int.from_bytes(digest.digest(), "little") % L
    made = _last.encoding(s, k)
    # the verdict is reached twice, once to raise and once to return: see crypto/__init__.py
    if made != r:
        _refuse("signature")
    return key if r == made else None


def forget():
    global _last
    _last = None


_last = None
scalar.choose()
_engine = engine.best("c25519", _works)
