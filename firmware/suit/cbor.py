# Strict CBOR: a pull cursor over a memoryview, and a small deterministic writer (RFC 8949, 4.2.1).
# MIT licence.
"""Reading:

    c = Cursor(view)
    for _ in range(c.map()):        # head only; the items follow on the same cursor
        label = c.int()
        if label == 1: number = c.uint()
        else: c.skip()
    c.end()                         # nothing may follow

Refused everywhere: longer heads than needed, indefinite lengths, floats (SUIT has none), text that
is not UTF-8, more than MAX_NESTING containers around an item. `skip` and `raw` look at every byte;
they also refuse duplicate keys, and keys out of order unless `ordered=False` (COSE maps). A getter
moves the cursor only when it succeeds. SuitError(R_CBOR_PARSE, what, offset), or R_STRUCTURE where
the item is well-formed but of another type; offsets count from the start of the view, plus `base`.

Writing: `encode(value)` (int, bytes, str, bool, None, list, tuple, dict), `head(major, n)`."""

try:
    from micropython import const
except ImportError:

    def const(value):
        return value


from .errors import SuitError
from .numbers import MAX_NESTING, R_CBOR_PARSE, R_STRUCTURE
from .utf8 import wrong_utf8

UINT = const(0)
NINT = const(1)
BSTR = const(2)
TSTR = const(3)
ARRAY = const(4)
MAP = const(5)
TAG = const(6)
SIMPLE = const(7)
_FALSE = const(20)
_TRUE = const(21)
_NULL = const(22)


def _before(view, a, a_end, b, b_end):
    """True when view[a:a_end] sorts before view[b:b_end]."""
    while a < a_end and b < b_end:
        if view[a] != view[b]:
            return view[a] < view[b]
        a += 1
        b += 1
    return a == a_end and b < b_end


class Cursor:
    """A position in `view` (bytes-like), up to `end`; `base` is added to offsets in refusals."""

    def __init__(self, view, pos=0, end=None, base=0):
        self.view = memoryview(view)
        self.pos = pos
        self.limit = len(view) if end is None else end
        self.base = base

    def fail(self, what, pos=None, reason=R_CBOR_PARSE):
        """Refuse: `what` is wrong at `pos` (default: here)."""
        raise SuitError(reason, what, self.base + (self.pos if pos is None else pos))

    def other(self):
        self.fail("another type is expected", None, R_STRUCTURE)

    def _head(self, major):
        """Pass the head at `pos`, which must have that major type (None: any): its argument."""
        view = self.view
        pos = self.pos
        if pos >= self.limit:
            self.fail("ends too early")
        first = view[pos]
        if major is not None and first >> 5 != major:
            self.other()
        arg = first & 31
        if arg < 24:
            self.pos = pos + 1
            return arg
        if arg > 27 or first >= 0xF9:
            self.fail("float" if arg < 28 else "indefinite length" if arg == 31 else "reserved")
        n = 1 << (arg - 24)
        if pos + n >= self.limit:
            self.fail("ends too early")
        arg = view[pos + 1] if n == 1 else int.from_bytes(view[pos + 1 : pos + 1 + n], "big")
        # two bytes of simple value start at 32, an argument needs its length
        least = (32 if first == 0xF8 else 24) if n == 1 else 1 << (n << 2)
        if arg < least:
            self.fail("longer than needed")
        self.pos = pos + 1 + n
        return arg

    def length(self, major):
        """Head of a string of which only the beginning may lie in the view; the bytes after it."""
        return self._head(major)

    def _count(self, major, items):
        """Pass a head that counts pieces of `items` bytes or more; a count that cannot be true is refused."""
        start = self.pos
        n = self.view[start] - (major << 5) if start < self.limit else 24
        if 0 <= n < 24:
            self.pos = start + 1
        else:
            n = self._head(major)
        if n * items > self.limit - self.pos:
            self.pos = start
            self.fail("ends too early")
        return n

    def more(self):
        return self.pos < self.limit

    def end(self):
        if self.pos != self.limit:
            self.fail("trailing bytes")

    def peek(self):
        """Major type of the next item."""
        if self.pos < self.limit:
            return self.view[self.pos] >> 5
        self.fail("ends too early")

    def uint(self):
        return self._head(UINT)

    def int(self):
        pos = self.pos
        if pos < self.limit and self.view[pos] < 24:
            # most of them are: labels, commands, small numbers
            self.pos = pos + 1
            return self.view[pos]
        major = self.peek()
        n = self._head(NINT if major == NINT else UINT)
        return -1 - n if major == NINT else n

    def bstr(self):
        """A view of the content of a byte string."""
        n = self._count(BSTR, 1)
        self.pos += n
        return self.view[self.pos - n : self.pos]

    def inner(self):
        """A cursor inside a byte string that wraps CBOR; its offsets are those of this view."""
        n = self._count(BSTR, 1)
        self.pos += n
        return Cursor(self.view, self.pos - n, self.pos, self.base)

    def text(self):
        """A view of the content of a text string, checked to be UTF-8."""
        start = self.pos
        end = self._count(TSTR, 1) + self.pos
        wrong = wrong_utf8(self.view, self.pos, end)
        if wrong is not None:
            self.pos = start
            self.fail("not UTF-8", wrong)
        text = self.view[self.pos : end]
        self.pos = end
        return text

    def tstr(self):
        return str(self.text(), "utf-8")

    def bool(self):
        return self._simple(_FALSE, _TRUE) == _TRUE

    def null(self):
        self._simple(_NULL, _NULL)

    def _simple(self, one, other):
        start = self.pos
        n = self._head(SIMPLE)
        if n != one and n != other:
            self.pos = start
            self.other()
        return n

    def is_null(self):
        """True when the next item is null; does not move."""
        return self.more() and self.view[self.pos] == 0xF6

    def array(self):
        """Head of an array; the number of items."""
        return self._count(ARRAY, 1)

    def map(self):
        """Head of a map; the number of pairs."""
        return self._count(MAP, 2)

    def tag(self):
        start = self.pos
        n = self._head(TAG)
        if self.pos >= self.limit:
            self.pos = start
            self.fail("ends too early")
        return n

    def skip(self, ordered=True):
        """Pass one item of any kind, looking at every byte of it."""
        start = self.pos
        if start < self.limit and self.view[start] < 24:
            self.pos = start + 1
            return
        try:
            self._walk(ordered)
        except SuitError:
            self.pos = start
            raise

    def _walk(self, ordered):
        view = self.view
        limit = self.limit
        pos = self.pos
        # of the innermost container: items left, is it a map, where its last key starts (or all its keys) and ends, where
        # its item starts that is being read; and all of that of the one around
        left = 1
        pairs = False
        last = around = None
        last_end = start = depth = 0
        while True:
            at = start = pos
            first = view[at] if at < limit else 0xFF
            n = first & 31
            if n < 24:
                pos += 1
            elif n == 24 and first < 0xE0 and at + 1 < limit and view[at + 1] > 23:
                n = view[at + 1]
                pos += 2
            elif n == 25 and first < 0xE0 and at + 2 < limit and view[at + 1]:
                n = view[at + 1] << 8 | view[at + 2]
                pos += 3
            else:
                self.pos = at
                n = self._head(None)
                pos = self.pos
            if first >= 0x40 and first < 0xE0:
                major = first >> 5
                if major == TSTR:
                    self.pos = at
                    self.text()
                    pos = self.pos
                else:
                    if major >= MAP:
                        n = n << 1 if major == MAP else 1
                    if n > limit - pos:
                        self.fail("ends too early", at)
                    if major == BSTR:
                        pos += n
                    elif n:
                        if depth == MAX_NESTING:
                            self.fail("nested too deep", at)
                        depth += 1
                        around = (left, pairs, last, last_end, start, around)
                        left = n
                        pairs = major == MAP
                        last = None if ordered else set()
                        continue
            # an item is complete: perhaps the last one of its container, and that of the one around
            while True:
                left -= 1
                if left & 1 and pairs:
                    # a key: it must be new, and after the one before it
                    if not ordered:
                        key = bytes(view[start:pos])
                        if key in last:
                            self.fail("duplicate key", start)
                        last.add(key)
                    else:
                        # whose first byte decides nearly always
                        if (
                            last is not None
                            and view[last] >= view[start]
                            and not _before(view, last, last_end, start, pos)
                        ):
                            self.fail("duplicate key or keys out of order", start)
                        last = start
                        last_end = pos
                if left:
                    break
                if not depth:
                    self.pos = pos
                    return
                depth -= 1
                left, pairs, last, last_end, start, around = around

    def raw(self, ordered=True):
        """A view of the whole next item, head included, checked by `skip`."""
        start = self.pos
        self.skip(ordered)
        return self.view[start : self.pos]


def _value(c):
    major = c.peek()
    if major <= NINT:
        return c.int()
    if major == BSTR:
        return bytes(c.bstr())
    if major == TSTR:
        return c.tstr()
    if major == ARRAY:
        return [_value(c) for _ in range(c.array())]
    if major == MAP:
        pairs = {}
        for _ in range(c.map()):
            if c.peek() in (ARRAY, MAP):
                c.other()
            key = _value(c)
            pairs[key] = _value(c)
        return pairs
    if major != SIMPLE:
        c.other()
    if not c.is_null():
        return c.bool()
    c.null()


def value(data, ordered=True):
    """One whole item of trusted data (config, state) as Python objects, but no keys of several items."""
    c = Cursor(data)
    c.skip(ordered)
    c.end()
    c.pos = 0
    return _value(c)


def head(major, n):
    """The shortest head of that major type with argument `n`."""
    if n < 24:
        return bytes((major << 5 | n,))
    size = 1
    while n >> (size << 3):
        size <<= 1
    if size > 8:
        raise ValueError("over 64 bits")
    size_code = 23 + (size if size < 4 else 3 if size == 4 else 4)
    return bytes((major << 5 | size_code,)) + n.to_bytes(size, "big")


def encode(obj):
    """Deterministic encoding (RFC 8949, 4.2.1). Raises TypeError for what it does not know."""
    if obj is None:
        return b"\xf6"
    if obj is True or obj is False:
        return b"\xf5" if obj else b"\xf4"
    if isinstance(obj, int):
        return head(NINT, -1 - obj) if obj < 0 else head(UINT, obj)
    if isinstance(obj, str):
        obj = obj.encode()
        return head(TSTR, len(obj)) + obj
    if isinstance(obj, (bytes, bytearray, memoryview)):
        return head(BSTR, len(obj)) + bytes(obj)
    if isinstance(obj, (list, tuple)):
        return head(ARRAY, len(obj)) + b"".join([encode(item) for item in obj])
    if isinstance(obj, dict):
        pairs = sorted([(encode(key), encode(item)) for key, item in obj.items()])
        return head(MAP, len(pairs)) + b"".join([key + item for key, item in pairs])
    raise TypeError("no CBOR for this")
