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

    def crypt(self, data):
        at = 0
        left = len(data)
        stream = self._stream
        encrypt = self._cipher.encrypt
        if self._at == self._end:
            # whole chunks leave nothing behind: this is where the time goes
            while left >= _CHUNK:
                _fill(stream, self._block, _CHUNK >> 4, self._low)
                encrypt(stream, stream)
                _xor(data, at, stream, 0, _CHUNK)
                at += _CHUNK
                left -= _CHUNK
        while left:
            if self._at == self._end:
                # key stream for what is left, or as much as there is room for
                part = self._view[: min(left + 15 & ~15, _CHUNK)]
                _fill(part, self._block, len(part) >> 4, self._low)
                encrypt(part, part)
                self._at = 0
                self._end = len(part)
            take = min(left, self._end - self._at)
            _xor(data, at, stream, self._at, take)
            self._at += take
            at += take
            left -= take

    def wipe(self):
        """Forget the key stream; the key itself is the caller's and the firmware's."""
        for i in range(_CHUNK):
            self._stream[i] = 0


_engine = engine.best("ctr", _answers, ("viper", "plain"))
_fill = _engine.fill
_xor = _engine.xor
