# AES-GCM (NIST SP 800-38D), decryption.
# MIT licence.
"""`GCM(key, iv, aad=b"")`: `decrypt(buffer)` in place, in pieces of which all but the last are
multiples of 16 bytes; `tag()` at the end gives the 16 bytes that the message's tag must equal
(`digest.same`). Nothing of the plaintext may be used before. One object, one message."""

import struct

from ..errors import SuitError
from ..numbers import R_DECRYPTION
from . import engine
from .ctr import CTR


def _answers(engine):
    # GHASH of test case 2 of the GCM submission: one block of ciphertext and the lengths
    table = bytearray(engine.TABLE)
    engine.prepare(table, b"\x66\xe9\x4b\xd4\xef\x8a\x2c\x3b\x88\x4c\xfa\x59\xca\x34\x2b\x2e")
    text = b"\x03\x88\xda\xce\x60\xb6\xa3\x92\xf3\x28\xc2\xb9\x71\xb2\xfe\x78"
    engine.ghash(table, b"x" + text + bytes(15) + b"\x80", 1, 2)
    return table[256:272] == b"\xf3\x8c\xbb\x1a\xd6\x92\x23\xdc\xc3\x45\x7a\xe5\xb6\xb0\xf8\x85"


class GCM(CTR):
    def __init__(self, key, iv, aad=b""):
        CTR.__init__(self, key, bytes(16), 12)
        if not iv:
            raise SuitError(R_DECRYPTION, "empty nonce")
        h = bytearray(16)
        self._cipher.encrypt(h, h)
        self._table = bytearray(_engine.TABLE)
        _engine.prepare(self._table, h)
        self._y = memoryview(self._table)[256:272]  # the running GHASH
        if len(iv) == 12:
            self._block[:12] = iv
            self._block[15] = 1
        else:
            self._hash(iv)
            self._lengths(0, len(iv))
            self._block[:] = self._y
            self._y[:] = bytes(16)
        # E(J0), which closes the tag, is the first block of the key stream
        self._last = bytearray(16)
        self.crypt(self._last)
        self._aad = len(aad)
        self._total = 0  # bytes of ciphertext
        self._hash(aad)

    def _hash(self, data):
        """GHASH over `data`, padded with zeros to whole blocks."""
        whole = len(data) >> 4
        _engine.ghash(self._table, data, 0, whole)
        if len(data) & 15:
            block = bytearray(16)
            block[: len(data) & 15] = memoryview(data)[whole << 4 :]
            _engine.ghash(self._table, block, 0, 1)

    def _lengths(self, first, second):
        self._hash(struct.pack(">QQ", first * 8, second * 8))

    def decrypt(self, data):
        if self._total & 15:
            raise ValueError("after the last piece")
        self._total += len(data)
        self._hash(data)
        self.crypt(data)

    def tag(self):
        self._lengths(self._aad, self._total)
        for i in range(16):
            self._last[i] ^= self._y[i]
        return bytes(self._last)

    def wipe(self):
        CTR.wipe(self)
        for buffer in (self._table, self._last):
            for i in range(len(buffer)):
                buffer[i] = 0


_engine = engine.best("gcm", _answers)
