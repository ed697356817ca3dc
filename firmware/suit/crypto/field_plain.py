# The field VM with big integers, for boards without a native emitter, and for CPython.
# MIT licence.
"""`Machine(prime, scale, unscale, programs, registers, code)`: the engine interface, with the other
two implementations in `field_viper.py` and `field_thumb.py`.

`code` is a bytearray: the library of `generate/_formulas.py`, then room for a program of the caller.
Four bytes are an operation: code, d, a, b (registers); the program ends with RETURN.
    put(i, value)       register i = value, below prime
    get(i) -> int       its value, below prime
    table(n, data)      table n (0 or 1): elements of 32 bytes, little-endian, times `scale` mod prime
    run(start) -> int   runs from code[start] on; 1 when a `check` found (what may be) zero
    wipe()              registers, scratch and program: zero
Nothing here checks what a program does: programs are made of constants and digits only."""

try:
    from micropython import const
except ImportError:

    def const(value):
        return value

_MUL = const(0)
_ADD = const(1)
_SUB = const(2)
_COPY = const(3)
_LOAD = const(4)
_CALL = const(5)
_RETURN = const(6)


class Machine:
    def __init__(self, prime, scale, unscale, programs, registers, code):
        self.prime = prime
        self.code = code
        self._unscale = unscale
        self._programs = programs  # entry -> function(registers, times)
        self._registers = [0] * registers
        self._tables = [b"", b""]

    def put(self, i, value):
        self._registers[i] = value

    def get(self, i):
        return self._registers[i] % self.prime

    def table(self, n, data):
        self._tables[n] = data

    def run(self, start):
        r = self._registers
        code = self.code
        while True:
            op = code[start]
            d = code[start + 1]
            a = code[start + 2]
            b = code[start + 3]
            start += 4
            if op == _CALL:
                if self._programs[d](r, a):
                    return 1
            elif op == _COPY:
                r[d] = r[a]
            elif op == _LOAD:
                value = int.from_bytes(self._tables[b][a * 32 : a * 32 + 32], "little")
                r[d] = value * self._unscale % self.prime
            elif op == _SUB:
                r[d] = r[a] - r[b]
            elif op == _ADD:
                r[d] = r[a] + r[b]
            elif op == _MUL:
                r[d] = r[a] * r[b] % self.prime
            elif op == _RETURN:
                return 0
            elif not r[a] % self.prime:
                return 1

    def wipe(self):
        # big integers cannot be overwritten; only forgotten
        self._registers[:] = [0] * len(self._registers)
