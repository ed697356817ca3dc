# HSS/LMS hash-based signatures (RFC 8554, RFC 8778), SHA-256 and SHA-256/192.
# MIT licence.
"""`verify(key, message, signature)`: `key.pub` is a raw HSS public key, `signature` a region,
read once from its first byte to its last through 256 bytes of RAM; up to eight levels. Raises
SuitError: R_ALG_UNSUPPORTED for a key of another hash, else R_UNAUTHORISED with what is wrong.

Type codes are those of RFC 8554 and of NIST SP 800-208 (n = 24). A signature of several levels
holds, before each key but the first, the signature over it: level after level is verified in one
pass."""

import struct
from hashlib import sha256

from ..errors import SuitError
from ..numbers import R_ALG_UNSUPPORTED, R_UNAUTHORISED
from . import engine

try:
    from micropython import const
except ImportError:

    def const(n):
        return n


_MAX_LEVELS = const(8)
_PREFIX = const(23)  # bytes of I, q, i and j before the value of a chain

# domain separators (section 3.1.3 and 5.3)
_D_PBLK = b"\x80\x80"
_D_MESG = b"\x81\x81"
_D_LEAF = b"\x82\x82"
_D_INTR = b"\x83\x83"


def _answers(engine):
    # two steps from a value of zeros, of either length
    for n in (24, 32):
        block = _chain_block(n)
        engine.chain(block, n, 3, 5)
        value = sha256(bytes(22) + b"\x03" + bytes(n)).digest()[:n]
        if block[23 : 23 + n] != sha256(bytes(22) + b"\x04" + value).digest()[:n]:
            return False
    return True


def _refuse(why):
    raise SuitError(R_UNAUTHORISED, "lms: " + why)


def _u32(buf, at):
    return struct.unpack_from(">I", buf, at)[0]


def _height(code):
    """(n, H) of an LMS type code."""
    if 5 <= code <= 9:
        return 32, 5 * (code - 4)
    if 10 <= code <= 14:
        return 24, 5 * (code - 9)
    raise SuitError(R_ALG_UNSUPPORTED, "lms: type %d" % code)


def _width(code):
    """(n, w, p, ls) of an LM-OTS type code; p and ls by Appendix B."""
    if not 1 <= code <= 8:
        raise SuitError(R_ALG_UNSUPPORTED, "lms: one-time type %d" % code)
    n = 32 if code <= 4 else 24
    w = 1 << ((code - 1) & 3)
    u = 8 * n // w
    bits = 0
    top = u * ((1 << w) - 1)
    while top >> bits:
        bits += 1
    v = (bits + w - 1) // w
    return n, w, u + v, 16 - v * w


def _chain_block(n):
    """The one block that a chain hashes again and again, SHA-256 padding in place."""
    block = bytearray(64)
    block[_PREFIX + n] = 0x80
    struct.pack_into(">H", block, 62, (_PREFIX + n) * 8)
    return block


class _Stream:
    """A region from its first byte on, through a small buffer; the caller has checked the
    length."""

    def __init__(self, region):
        self._region = region
        self._next = 0  # of the region
        self._buffer = memoryview(bytearray(256))
        self._at = 256  # of the buffer

    def into(self, out):
        filled = 0
        while filled < len(out):
            if self._at == 256:
                want = min(256, self._region.size - self._next)
                self._at = 256 - want
                part = self._buffer[256 - want :]
                if want == 0 or self._region.read_at(self._next, part) != want:
                    _refuse("truncated")
                self._next += want
            take = min(256 - self._at, len(out) - filled)
            out[filled : filled + take] = self._buffer[self._at : self._at + take]
            self._at += take
            filled += take

    def u32(self):
        word = bytearray(4)
        self.into(word)
        return _u32(word, 0)


def _digits(q, n, w, p, ls):
    """The p digits of w bits of the hash in q[:n] and of its checksum, which goes to q[n:]."""
    digits = bytearray(p)
    top = (1 << w) - 1
    total = 0
    u = 8 * n // w
    for i in range(p):
        if i == u:
            struct.pack_into(">H", q, n, total << ls & 0xFFFF)
        at = i * w
        digits[i] = digit = q[at >> 3] >> (8 - w - (at & 7)) & top
        total += top - digit
    return digits


def _one_time_key(stream, code, prefix, message):
    """The LM-OTS public key that the signature next in `stream` gives for `message` (algorithm
    4b)."""
    n, w, p, ls = _width(code)
    if stream.u32() != code:
        _refuse("one-time type")
    block = _chain_block(n)
    view = memoryview(block)
    value = view[_PREFIX : _PREFIX + n]
    stream.into(value)  # C
    h = sha256(prefix)
    h.update(_D_MESG)
    h.update(value)
    h.update(message)
    q = bytearray(n + 2)
    q[:n] = h.digest()[:n]
    digits = _digits(q, n, w, p, ls)
    block[:20] = prefix
    key = sha256(prefix)
    key.update(_D_PBLK)
    chain = _engine.chain
    top = (1 << w) - 1
    for i in range(p):
        block[20] = i >> 8
        block[21] = i & 0xFF
        stream.into(value)
        chain(block, n, digits[i], top)
        key.update(value)
    return key.digest()[:n]


def _verify_level(stream, public, message):
    """One LMS signature over `message` by the LMS key `public` (algorithms 6 and 6a)."""
    lms_type = _u32(public, 0)
    n, height = _height(lms_type)
    prefix = bytearray(20)  # I and q
    prefix[:16] = public[8:24]
    leaf = stream.u32()
    if leaf >> height:
        _refuse("leaf number")
    struct.pack_into(">I", prefix, 16, leaf)
    node = _one_time_key(stream, _u32(public, 4), prefix, message)
    if stream.u32() != lms_type:
        _refuse("type")
    number = leaf + (1 << height)
    struct.pack_into(">I", prefix, 16, number)
    h = sha256(prefix)
    h.update(_D_LEAF)
    h.update(node)
    node = h.digest()[:n]
    sibling = bytearray(n)
    while number > 1:
        stream.into(sibling)
        struct.pack_into(">I", prefix, 16, number >> 1)
        h = sha256(prefix)
        h.update(_D_INTR)
        h.update(sibling if number & 1 else node)
        h.update(node if number & 1 else sibling)
        node = h.digest()[:n]
        number >>= 1
    if node != bytes(public[24:]):
        _refuse("signature")
    return bytes(public[24:]) == node


def _key_size(public):
    """Bytes of the LMS public key `public` begins with; both its types are known and of one
    hash."""
    n = _height(_u32(public, 0))[0]
    if _width(_u32(public, 4))[0] != n:
        raise SuitError(R_ALG_UNSUPPORTED, "lms: two hashes")
    return 24 + n


def _signature_size(public):
    n, height = _height(_u32(public, 0))
    return 12 + n + n * _width(_u32(public, 4))[2] + n * height


def _key_at(signature, at):
    """The LMS public key that stands at `at`, ahead of the stream."""
    head = bytearray(8)
    if at + 8 > signature.size or signature.read_at(at, head) != 8:
        _refuse("truncated")
    try:
        public = bytearray(_key_size(head))
    except SuitError:
        _refuse("type of a lower level")
    if at + len(public) > signature.size or signature.read_at(at, public) != len(public):
        _refuse("truncated")
    return public


def verify(key, message, signature):
    """`key`, when `signature` (a region) is one of `key.pub` over `message`; else SuitError."""
    public = memoryview(key.pub)
    if len(public) < 28 or not 1 <= _u32(public, 0) <= _MAX_LEVELS:
        _refuse("public key")
    levels = _u32(public, 0)
    public = public[4:]
    if len(public) != _key_size(public):
        _refuse("public key length")
    stream = _Stream(signature)
    if signature.size < 4 or stream.u32() != levels - 1:
        _refuse("levels")
    end = 4
    for _ in range(levels - 1):
        # a level signs the key of the next one, which comes after the signature
        end += _signature_size(public)
        below = _key_at(signature, end)
        end += len(below)
        if not _verify_level(stream, public, below):
            return None
        stream.into(bytearray(len(below)))
        public = memoryview(below)
    if end + _signature_size(public) != signature.size:
        _refuse("length")
    # the verdict is reached twice, once to raise and once to return: see crypto/__init__.py
    return key if _verify_level(stream, public, message) else None


_engine = engine.best("lms", _answers, ("thumb", "plain"))
