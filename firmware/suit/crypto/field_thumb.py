# The field VM in Thumb assembly: 8 limbs of 32 bits in a bytearray.
# MIT licence.
"""Engine interface: see `field_plain.py`. `run` is generated (`p256_thumb.py`, `c25519_thumb.py`) and
needs no more than ARMv6-M."""

from micropython import const
from uctypes import addressof

_TABLES = const(64)  # two addresses behind the 16 words of a product
_REGISTERS = const(88)
_SIZE = const(32)  # bytes of a register


class Machine:
    def __init__(self, run, prime, scale, unscale, registers, code):
        self.prime = prime
        self.code = code
        self._run = run
        self._scale = scale
        self._unscale = unscale
        self._memory = bytearray(_REGISTERS + _SIZE * registers)
        self._tables = [None, None]  # keeps them from the garbage collector

    def put(self, i, value):
        at = _REGISTERS + _SIZE * i
        value = value * self._scale % self.prime
        self._memory[at : at + _SIZE] = value.to_bytes(_SIZE, "little")

    def get(self, i):
        at = _REGISTERS + _SIZE * i
        value = int.from_bytes(self._memory[at : at + _SIZE], "little")
        return value * self._unscale % self.prime

    def table(self, n, data):
        if addressof(data) & 3:  # a slice, or frozen into flash
            data = bytearray(data)
        self._tables[n] = data
        at = _TABLES + 4 * n
        self._memory[at : at + 4] = addressof(data).to_bytes(4, "little")

    def run(self, start):
        return self._run(self._memory, self.code, start)

    def wipe(self):
        self._memory[:] = bytes(len(self._memory))
