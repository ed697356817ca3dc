# The field VM in native code: 20 limbs of 13 bits in a bytearray.
# MIT licence.
"""Engine interface: see `field_plain.py`. `run` is generated (`p256_viper.py`, `c25519_viper.py`)."""

from micropython import const

_SCRATCH = const(164)  # 41 words for a product
_SIZE = const(40)  # bytes of a register


class Machine:
    def __init__(self, run, prime, scale, unscale, registers, code):
        self.prime = prime
        self.code = code
        self._run = run
        self._scale = scale
        self._unscale = unscale
        self._memory = bytearray(_SCRATCH + _SIZE * registers)
        self._tables = [code, code]
        self._one = bytearray(32)
        # r = element 0; r = r + r, which brings it below 2^257: `scale` is half of the tables' scale
        self._load = bytearray(b"\x04\0\0\0\x01\0\0\0\x06\0\0\0")

    def put(self, i, value):
        self._one[:] = (value * self._scale % self.prime).to_bytes(32, "little")
        load = self._load
        load[1] = load[5] = load[6] = load[7] = i
        self._run(self._memory, 0, load, 0, self._one, self._one)

    def get(self, i):
        memory = self._memory
        value = 0
        at = _SCRATCH + _SIZE * i
        for k in range(at + 38, at - 2, -2):
            value = (value << 13) + (memory[k] | memory[k + 1] << 8)
        return value * self._unscale % self.prime

    def table(self, n, data):
        self._tables[n] = data

    def run(self, start):
        return self._run(self._memory, 0, self.code, start, self._tables[0], self._tables[1])

    def wipe(self):
        for buffer in (self._memory, self._one):
            buffer[:] = bytes(len(buffer))
