"""Native code computes the same on 32-bit and on 64-bit boards: run in a model that refuses results
beyond 31 bits and a sign, on the largest operands there can be."""

import random
from array import array
from pathlib import Path

import pytest
import viper_model
from suit.crypto import p256, p256_data, scalar_plain

CRYPTO = Path(__file__).resolve().parents[2] / "firmware" / "suit" / "crypto"
P256 = p256.P
P25519 = 2**255 - 19
LIMBS, SIZE, SCRATCH = 20, 40, 164
MUL, ADD, SUB, COPY, LOAD, CALL, RETURN, CHECK = range(8)


def pack(limbs):
    return b"".join(limb.to_bytes(2, "little") for limb in limbs)


def limbs_of(value):
    return [value >> 13 * k & 8191 for k in range(LIMBS)]


class Field:
    """The `run` of an engine on registers 0, 1 and 2: 2 = 0 op 1."""

    def __init__(self, name):
        self.run = viper_model.load(CRYPTO / (name + "_viper.py"), "run")

    def __call__(self, op, a, b, table=bytes(32)):
        memory = viper_model.Memory()
        registers = bytearray(SCRATCH) + pack(a) + pack(b) + bytes(SIZE)
        code = bytes((op, 2, 0, 0 if b is a else 1, RETURN, 0, 0, 0))
        if op == LOAD:
            code = bytes((op, 2, 0, 0, RETURN, 0, 0, 0))
        assert self.run(memory, registers, 0, code, 0, table, table) == 0
        memory.put_back()
        out = registers[SCRATCH + 2 * SIZE :]
        return [out[k] | out[k + 1] << 8 for k in range(0, SIZE, 2)]


def value(limbs):
    return sum(limb << 13 * k for k, limb in enumerate(limbs))


def operands(prime, top, count):
    """Limbs of the extreme and of random values below `top`."""
    edges = [0, 1, 2, prime - 1, prime, prime + 1, 2 * prime, top - 1, top - 2, top // 2, 8191]
    edges += [(1 << 13 * k) - 1 for k in range(1, LIMBS)] + [1 << 13 * k for k in range(LIMBS)]
    rng = random.Random(prime)
    edges += [rng.randrange(top) for _ in range(count)]
    return [limbs_of(e) for e in edges if e < top]


def pairs(first, second):
    rng = random.Random(1)
    yield from ((a, b) for a in first[:12] for b in second[:12])
    for _ in range(150):
        yield rng.choice(first), rng.choice(second)
    yield from ((a, a) for a in first)


def test_p256_products_sums_and_differences_stay_within_their_bounds():
    field = Field("p256")
    # what generate/_viper.py promises: factors below 2^258 each, or 2^257.1 and a loaded 2^260
    small = operands(P256, 2**258, 30)
    loaded = operands(P256, 2**260, 30)
    shift = pow(2**260, -1, P256)
    for a, b in pairs(small, small):
        got = value(field(MUL, a, b))
        assert got % P256 == value(a) * value(b) * shift % P256
        assert got < 2**257.1
    for a, b in pairs(operands(P256, int(2**257.1), 30), loaded):
        if a is b:
            continue
        got = value(field(MUL, a, b))
        assert got % P256 == value(a) * value(b) * shift % P256
        assert got < 2**258
    for a, b in pairs(loaded, loaded):
        got = value(field(ADD, a, b))
        assert got % P256 == (value(a) + value(b)) % P256
        assert got < 2**257.1
        got = value(field(SUB, a, b))
        assert got % P256 == (value(a) - value(b)) % P256
        assert 0 < got < 2**257.1
        if got % P256 == 0:
            assert got in (P256, 2 * P256)  # what `check` looks for


def test_25519_products_sums_and_differences_stay_within_their_bounds():
    field = Field("c25519")
    loose = operands(P25519, 2**260, 40)
    loose.append([8191] * 3 + [8192] + [8191] * 16)
    loose.insert(3, [8191] * 3 + [8193] + [8191] * 16)
    for a, b in pairs(loose, loose):
        for op, expected in (
            (MUL, value(a) * value(b)), (ADD, value(a) + value(b)), (SUB, value(a) - value(b))
        ):
            out = field(op, a, b)
            assert value(out) % P25519 == expected % P25519
            assert max(out[:3] + out[4:]) <= 8191 and out[3] <= 8193


def test_elements_are_loaded_exactly():
    for name, factor in (("p256", 16), ("c25519", 1)):
        field = Field(name)
        for number in (0, 1, 2**256 - 1, 2**255 - 19, 0x123456789ABCDEF << 190):
            zero = limbs_of(0)
            got = value(field(LOAD, zero, zero, number.to_bytes(32, "little")))
            assert got == number * factor


@pytest.mark.parametrize("name", ["p256", "c25519"])
def test_a_program_cannot_make_the_engine_leave_its_buffers_unseen(name):
    """The model notices: a register number beyond the memory is not silently accepted here."""
    run = viper_model.load(CRYPTO / (name + "_viper.py"), "run")
    registers = bytearray(SCRATCH + SIZE)
    with pytest.raises(viper_model.Overflow):
        code = bytes((COPY, 9, 0, 0, RETURN, 0, 0, 0))
        run(viper_model.Memory(), registers, 0, code, 0, code, code)


def native(name, *arguments):
    memory = viper_model.Memory()
    result = viper_model.load(CRYPTO / "scalar_viper.py", name)(memory, *arguments)
    memory.put_back()
    return result


def test_recoding_and_traces_are_those_of_the_plain_engine():
    rng = random.Random(7)
    order = p256.ORDER
    numbers = [1, 2, p256.N - 1, 2**255, 2**256 - 1] + [rng.randrange(p256.N) for _ in range(6)]
    for number in numbers:
        k = number.to_bytes(32, "little")
        made = []
        for call in (lambda name, *a: getattr(scalar_plain, name)(*a), native):
            digits = bytearray(514)
            call("wnaf", k, 5, digits)
            second = bytearray(257)
            call("regular", k, order, 43, 1, 43, 6, second, bytearray(32))
            digits[257:] = second
            code = bytearray(p256_data.LIBRARY) + bytearray(4096)
            state = array("i", (257, 0, 0))
            end = call("trace", digits, 257, p256_data.SHAPE_Q + p256_data.SHAPE_G, 2, state, code,
                       len(p256_data.LIBRARY), 4000)
            call("ladder", k, 255, 18, code, end)
            made.append((bytes(digits), bytes(code), state.tolist(), end))
        assert made[0] == made[1]


def test_euclid_on_limbs_keeps_to_32_bits_and_to_euclid_s_sequence():
    rng = random.Random(9)
    moduli = (p256.P, p256.N, P25519, 2**252 + 27742317777372353535851937790883648493)
    cases = [(m, a) for m in moduli for a in (1, 2, m - 1, m - 2, m // 2, 2**227, 2**128 + 1)]
    cases += [(m, rng.randrange(1, m)) for m in moduli for _ in range(15)]
    cases += [(m, rng.getrandbits(rng.randrange(1, 250)) | 1) for m in moduli for _ in range(5)]
    finished = 0
    for m, a in cases:
        w = bytearray(b"".join(n.to_bytes(32, "little") for n in (m, a, 0, 1)))
        divisions = native("euclid", w)
        u, v, x, y = (int.from_bytes(w[i : i + 32], "little") for i in range(0, 128, 32))
        # the same number of plain steps leads there
        p, q, s, t = m, a, 0, 1
        for _ in range(divisions):
            k = p // q
            p, q, s, t = q, p - k * q, t, s + k * t
        assert (u, v, x, y) == (p, q, s, t)
        finished += u < 2**32
    assert finished > 50  # a rare large quotient stops it; who calls divides once and goes on
