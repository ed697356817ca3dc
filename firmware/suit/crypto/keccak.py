# SHAKE128 and SHAKE256 (FIPS 202): the sponge; the permutation is an engine.
# MIT licence.
"""As digests of COSE (RFC 9054): `SHAKE128(data=b"")` gives 32 bytes, `SHAKE256(data=b"")` 64,
with `update(buffer)` and `digest()`. As extendable output:

    xof = Shake(RATE128)      # or RATE256: bytes per permutation
    xof.absorb(buffer)        # any number of times
    xof.squeeze(buffer)       # fills it; any number of times, no absorbing after it
    xof.reset(RATE256)        # and again, in the same memory

`xof.state` begins with the 25 lanes in their byte order; `finish()` and `permute()` give whole
blocks of output there, for who reads them in place."""

from . import engine

RATE128 = 168
RATE256 = 136
_ZEROS = bytes(200)


def _answers(engine):
    # SHAKE128 of nothing, the first eight bytes
    state = bytearray(engine.STATE)
    engine.absorb(state, 0, b"\x1f", 0, 1)
    engine.absorb(state, 167, b"\x80", 0, 1)
    engine.permute(state)
    return state[:8] == b"\x7f\x9c\x2b\xa4\xe8\x8f\x82\x7d"


class Shake:
    def __init__(self, rate):
        self.state = bytearray(_engine.STATE)
        self._view = memoryview(self.state)
        self._rate = rate
        self._at = 0  # bytes of the block that are absorbed, or squeezed
        self._squeezing = False

    def reset(self, rate):
        self.state[:200] = _ZEROS
        self._rate = rate
        self._at = 0
        self._squeezing = False

    def absorb(self, data):
        at = 0
        n = len(data)
        while at < n:
            take = min(self._rate - self._at, n - at)
            _engine.absorb(self.state, self._at, data, at, take)
            at += take
            self._at += take
            if self._at == self._rate:
                _engine.permute(self.state)
                self._at = 0

    def finish(self):
        """Close the input: the first block of output stands in `state`."""
        _engine.absorb(self.state, self._at, b"\x1f", 0, 1)
        _engine.absorb(self.state, self._rate - 1, b"\x80", 0, 1)
        _engine.permute(self.state)
        self._at = 0
        self._squeezing = True

    def permute(self):
        """The next block of output into `state`."""
        _engine.permute(self.state)

    def squeeze(self, out):
        if not self._squeezing:
            self.finish()
        at = 0
        n = len(out)
        while at < n:
            if self._at == self._rate:
                _engine.permute(self.state)
                self._at = 0
            take = min(self._rate - self._at, n - at)
            out[at : at + take] = self._view[self._at : self._at + take]
            at += take
            self._at += take


class SHAKE128(Shake):
    """The hash of algorithm -18: 256 bits of output (RFC 9054, section 3.3)."""

    _SIZE = 32
    _RATE = RATE128

    def __init__(self, data=b""):
        Shake.__init__(self, self._RATE)
        self.absorb(data)

    def update(self, data):
        self.absorb(data)

    def digest(self):
        out = bytearray(self._SIZE)
        self.squeeze(out)
        return bytes(out)


class SHAKE256(SHAKE128):
    """The hash of algorithm -45: 512 bits of output."""

    _SIZE = 64
    _RATE = RATE256


_engine = engine.best("keccak", _answers)
