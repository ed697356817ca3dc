# SHA-512 and SHA-384 (FIPS 180-4): padding and streaming; the compression function is an engine.
# MIT licence.
"""`SHA512(data=b"")` and `SHA384(data=b"")` with `update(buffer)` and `digest() -> bytes`, like
hashlib's sha256 of MicroPython: after `digest` the object is used up. CPython's hashlib serves
where there is one (`PlainSHA512` and `PlainSHA384` are always this code)."""

from . import engine


def _answers(engine):
    # SHA-512("abc"), the last eight bytes
    state = bytearray(engine.IV512)
    block = bytearray(128)
    block[:4] = b"abc\x80"
    block[127] = 24
    engine.compress(bytearray(engine.SCRATCH), state, block, 0)
    return state[56:] == b"\x9f\xa4\x4c\xa5\x4f\xc9\x9a\x2a"


class _SHA2:
    def __init__(self, data, iv, size):
        self._state = bytearray(iv)  # eight 64-bit words, little-endian
        self._scratch = bytearray(_engine.SCRATCH)
        self._block = bytearray(128)
        self._view = memoryview(self._block)
        self._fill = 0  # bytes waiting in _block
        self._total = 0  # bytes so far
        self._size = size
        if data:
            self.update(data)

    def update(self, data):
        view = memoryview(data)
        n = len(view)
        self._total += n
        at = 0
        while at < n:
            if self._fill == 0 and n - at >= 128:
                _engine.compress(self._scratch, self._state, view, at)
                at += 128
                continue
            take = min(128 - self._fill, n - at)
            self._view[self._fill : self._fill + take] = view[at : at + take]
            self._fill += take
            at += take
            if self._fill == 128:
                self._flush()

    def _flush(self):
        _engine.compress(self._scratch, self._state, self._block, 0)
        self._fill = 0

    def digest(self):
        block = self._block
        block[self._fill] = 0x80
        for i in range(self._fill + 1, 128):
            block[i] = 0
        if self._fill >= 112:  # no room left for the 16 bytes of the length
            self._flush()
            for i in range(128):
                block[i] = 0
        block[112:] = (self._total * 8).to_bytes(16, "big")
        self._flush()
        state = self._state
        for word in range(0, 64, 8):
            for i in range(4):
                state[word + i], state[word + 7 - i] = state[word + 7 - i], state[word + i]
        return bytes(memoryview(state)[: self._size])


class PlainSHA512(_SHA2):
    def __init__(self, data=b""):
        _SHA2.__init__(self, data, _engine.IV512, 64)


class PlainSHA384(_SHA2):
    def __init__(self, data=b""):
        _SHA2.__init__(self, data, _engine.IV384, 48)


_engine = engine.best("sha512", _answers)

try:
    from hashlib import sha384 as SHA384
    from hashlib import sha512 as SHA512
except ImportError:
    SHA384 = PlainSHA384
    SHA512 = PlainSHA512
