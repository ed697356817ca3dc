# ChaCha20/Poly1305 (RFC 8439), decryption.
# MIT licence.
"""`ChaCha(key, nonce, aad=b"")`: `decrypt(buffer)` in place, in pieces of which all but the last
are multiples of 64 bytes; `tag()` at the end gives the 16 bytes that the message's tag must equal
(`digest.same`). Nothing of the plaintext may be used before. One object, one message."""

import struct

from ..errors import SuitError
from ..numbers import R_DECRYPTION
from . import engine

_CONSTANT = b"expand 32-byte k"
# the bits of r that RFC 8439 section 2.5 clears
_CLAMP = 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF


def _answers(engine):
    # RFC 8439: a block (section 2.3.2), and a sum that wraps around the prime (A.3, vector 10)
    state = bytearray(engine.STATE)
    state[:32] = _CONSTANT + bytes(range(16))
    state[32:64] = bytes(range(16, 32)) + b"\x01\0\0\0\0\0\0\x09\0\0\0\x4a\0\0\0\0"
    out = bytearray(130)
    engine.blocks(state, out, 1, 2)
    if out[:9] != b"\0\x10\xf1\xe7\xe4\xd1\x3b\x59\x15" or out[129] or state[48] != 3:
        return False
    poly = _Poly1305(b"\x01" + bytes(7) + b"\x04" + bytes(23), engine)
    text = (
        b"\xe3\x35\x94\xd7\x50\x5e\x43\xb9" + bytes(8)
        + b"\x33\x94\xd7\x50\x5e\x43\x79\xcd\x01" + bytes(23) + b"\x01" + bytes(15)
    )  # fmt: skip
    poly.blocks(text, 0, 4)
    return poly.tag() == b"\x14" + bytes(7) + b"\x55" + bytes(7)


class _Poly1305:
    """r and the sum in limbs of 13 bits; the sum is the first 20 bytes of what the engine works on."""

    def __init__(self, key, engine):
        self._engine = engine
        self._s = int.from_bytes(bytes(key[16:32]), "little")
        r = int.from_bytes(bytes(key[:16]), "little") & _CLAMP
        self._work = bytearray(engine.POLY)
        engine.prepare(self._work, [r >> 13 * i & 0x1FFF for i in range(10)])

    def blocks(self, data, at, n):
        self._engine.poly(self._work, data, at, n)

    def tag(self):
        total = 0
        for i in range(18, -1, -2):
            total = (total << 13) + struct.unpack_from("<H", self._work, i)[0]
        total %= (1 << 130) - 5
        return (total + self._s & (1 << 128) - 1).to_bytes(16, "little")

    def wipe(self):
        for i in range(len(self._work)):
            self._work[i] = 0


class ChaCha:
    def __init__(self, key, nonce, aad=b""):
        if len(key) != 32 or len(nonce) != 12:
            raise SuitError(R_DECRYPTION, "key or nonce length")
        self._state = state = bytearray(_engine.STATE)
        state[:16] = _CONSTANT
        state[16:48] = key
        state[52:64] = nonce
        self._block = bytearray(64)
        # block 0 is the key of the tag; the text begins with block 1
        _engine.blocks(state, self._block, 0, 1)
        self._poly = _Poly1305(memoryview(self._block)[:32], _engine)
        self._aad = len(aad)
        self._total = 0  # bytes of ciphertext
        self._hash(aad)

    def _hash(self, data):
        """Poly1305 over `data`, padded with zeros to whole blocks."""
        whole = len(data) >> 4
        self._poly.blocks(data, 0, whole)
        if len(data) & 15:
            block = bytearray(16)
            block[: len(data) & 15] = memoryview(data)[whole << 4 :]
            self._poly.blocks(block, 0, 1)

    def crypt(self, data):
        whole = len(data) >> 6
        _engine.blocks(self._state, data, 0, whole)
        at = whole << 6
        left = len(data) - at
        if left:
            block = self._block
            view = memoryview(data)
            block[:left] = view[at:]
            _engine.blocks(self._state, block, 0, 1)
            view[at:] = memoryview(block)[:left]

    def decrypt(self, data):
        if self._total & 63:
            raise ValueError("after the last piece")
        self._total += len(data)
        self._hash(data)
        self.crypt(data)

    def tag(self):
        self._hash(struct.pack("<QQ", self._aad, self._total))
        return self._poly.tag()

    def wipe(self):
        self._poly.wipe()
        for buffer in (self._state, self._block):
            for i in range(len(buffer)):
                buffer[i] = 0


_engine = engine.best("chacha", _answers)
