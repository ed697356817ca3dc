# AES in counter mode (NIST SP 800-38A; RFC 9459 for COSE): no tag, the image digest protects.
# MIT licence.
"""`CTR(key, block, low=0)`: `block` is the first counter block, 16 bytes; its bytes from `low` on
count (0: all 128 bits, as A128CTR and A256CTR want; 12: the last 32 bits, for GCM).
`crypt(buffer)` works in place, encrypting and decrypting alike, any number of bytes at a time."""

from . import aes, engine

try:
    from micropython import const
except ImportError:

    def const(n):
        return n


_CHUNK = const(1024)  # bytes of key stream at a time; ECB in C is called once for each


def _answers(engine):
    # the counter carries, wraps within its part, and xor touches nothing else
    block = bytearray(b"\x01" * 11 + b"\xff" * 5)
    out = bytearray(48)
    engine.fill(out, block, 3, 0)
    if out[:16] != b"\x01" * 11 + b"\xff" * 5 or out[16:32] != b"\x01" * 10 + b"\x02" + bytes(5):
        return False
    if block != b"\x01" * 10 + b"\x02" + bytes(4) + b"\x02":
        return False
    block = bytearray(b"\xff" * 16)
    engine.fill(out, block, 1, 12)
    engine.xor(out, 16, b"\x0f" * 19, 1, 18)
    return block == b"\xff" * 12 + bytes(4) and out[14:40] == (
        b"\xff\xff" + b"\x0e" * 10 + b"\x0d" + b"\x0f" * 5 + b"\x0e\x0e" + b"\x01" * 6
    )


class CTR:
    def __init__(self, key, block, low=0):
        self._cipher = aes.ecb(key)
        self._block = bytearray(block)
        self._low = low
        self._stream = bytearray(_CHUNK)
        self._view = memoryview(self._stream)
        self._at = self._end = 0  # of the key stream that waits in _stream

    def _refill(self, wanted):
        """Key stream for `wanted` bytes, or as much as there is room for."""
        blocks = min(_CHUNK, wanted + 15) >> 4
        part = self._stream if blocks == _CHUNK >> 4 else self._view[: blocks << 4]
        _engine.fill(part, self._block, blocks, self._low)
        self._cipher.encrypt(part, part)
        self._at = 0
        self._end = blocks << 4

    def crypt(self, data):
        at = 0
        n = len(data)
        while at < n:
            if self._at == self._end:
                self._refill(n - at)
            take = min(n - at, self._end - self._at)
            _engine.xor(data, at, self._stream, self._at, take)
            at += take
            self._at += take

    def wipe(self):
        """Forget the key stream; the key itself is the caller's and the firmware's."""
        for i in range(_CHUNK):
            self._stream[i] = 0


_engine = engine.load("ctr", _answers, ("viper", "plain"))
