"""The Thumb engines, in a model of the instructions they use: right on extreme operands, within their
buffers, and within the cycles the figures rest on."""

import random
from pathlib import Path

import pytest
import thumb_model
from suit.crypto import ed25519, p256
from suit.crypto.p256_complete import GX, GY, multiply_add

CRYPTO = Path(__file__).resolve().parents[2] / "firmware" / "suit" / "crypto"
PRIMES = {"p256": p256.P, "c25519": 2**255 - 19}
REGISTERS = 88
MUL, ADD, SUB, COPY, LOAD, CALL, RETURN, CHECK = range(8)
PROGRAMS = {name: thumb_model.load(CRYPTO / (name + "_thumb.py"), "run") for name in PRIMES}


def element(number):
    return number.to_bytes(32, "little")


def operate(name, op, a, b, same=False):
    """(a op b, cycles) with the operands in registers 0 and 1, the result in 2."""
    machine = thumb_model.Machine(PROGRAMS[name])
    memory = bytearray(REGISTERS) + element(a) + element(b) + bytes(32)
    memory[:64] = b"\xa5" * 64  # what is left over of the operation before
    code = bytearray((op, 2, 0, 0 if same else 1, RETURN, 0, 0, 0))
    assert machine.run(machine.place(memory), machine.place(code), 0) == 0
    assert memory[REGISTERS : REGISTERS + 64] == element(a) + element(b)
    return int.from_bytes(memory[REGISTERS + 64 :], "little"), machine.cycles


def numbers(prime):
    rng = random.Random(prime)
    edges = [0, 1, 2, 38, prime - 1, prime, prime + 1, 2**256 - 1, 2**256 - 2, 2**255, 2**224 - 1]
    edges += [(1 << 32 * k) - 1 for k in range(1, 8)] + [1 << 128, 2**256 - 2**128]
    return edges + [rng.getrandbits(256) for _ in range(8)]


@pytest.mark.parametrize("name", PRIMES)
def test_products_squares_sums_and_differences_are_right(name):
    prime = PRIMES[name]
    unscale = pow(2**256, -1, prime) if name == "p256" else 1
    worst = {}
    for a in numbers(prime):
        for b in numbers(prime):
            for op, expected in ((MUL, a * b * unscale), (ADD, a + b), (SUB, a - b)):
                got, cycles = operate(name, op, a, b)
                assert got % prime == expected % prime, (op, a, b)
                worst[op] = max(worst.get(op, 0), cycles)
        got, cycles = operate(name, MUL, a, a, same=True)
        assert got % prime == a * a * unscale % prime
        worst["square"] = max(worst.get("square", 0), cycles)
        # in place
        assert operate(name, COPY, a, 0)[0] == a
    assert worst[MUL] < 2900 and worst["square"] < 2300 and worst[ADD] < 400 > worst[SUB], worst


def test_a_check_stops_at_zero_and_at_p_and_not_beside_them():
    for number, stops in ((0, 1), (p256.P, 1), (1, 0), (p256.P - 1, 0), (2**256 - 2, 0)):
        machine = thumb_model.Machine(PROGRAMS["p256"])
        memory = bytearray(REGISTERS) + element(number)
        code = bytearray((CHECK, 0, 0, 0, RETURN, 0, 0, 0))
        assert machine.run(machine.place(memory), machine.place(code), 0) == stops


class Model:
    """The interface of `field_thumb.Machine`, in the model."""

    def __init__(self, name, registers, code):
        self.prime = PRIMES[name]
        self.scale = 2**256 if name == "p256" else 1
        self.code = code
        self.machine = thumb_model.Machine(PROGRAMS[name])
        self.memory = bytearray(REGISTERS + 32 * registers)
        self.at = self.machine.place(self.memory)
        self.cycles = 0

    def put(self, i, value):
        at = REGISTERS + 32 * i
        self.memory[at : at + 32] = element(value * self.scale % self.prime)

    def get(self, i):
        at = REGISTERS + 32 * i
        number = int.from_bytes(self.memory[at : at + 32], "little")
        return number * pow(self.scale, -1, self.prime) % self.prime

    def table(self, n, data):
        self.memory[64 + 4 * n : 68 + 4 * n] = self.machine.place(bytearray(data)).to_bytes(
            4, "little"
        )

    def run(self, start):
        if not hasattr(self, "code_at"):
            self.code_at = self.machine.place(self.code)
        result = self.machine.run(self.at, self.code_at, start)
        self.cycles += self.machine.cycles
        return result


class Engine:
    def __init__(self, name):
        self.name = name

    def Machine(self, registers, code, library=0):
        return Model(self.name, registers, code)


def test_the_known_answers_come_out():
    assert p256._works(Engine("p256"))


@pytest.mark.slow
def test_whole_sums_come_out():
    x, y = multiply_add(0, 5, GX, GY)
    before = p256._engine
    p256._engine = Engine("p256")
    try:
        u1, u2 = p256.N // 3, p256.N // 7
        total = p256._total(u1, u2, x, y, None)
        assert total.has(multiply_add(u1, u2, x, y)[0] % p256.N)
        assert total.machine.cycles < 9_500_000
    finally:
        p256._engine = before
    assert ed25519._works(Engine("c25519"))
