"""Ed25519: what is accepted, what is refused and why."""

from curves import engines, wycheproof
from harness import raises
from suit.crypto import ed25519, scalar
from suit.errors import SuitError
from suit.numbers import R_UNAUTHORISED
from suit.region import MemoryRegion

P = ed25519.P
L = ed25519.L


class Key:
    def __init__(self, x):
        self.x = memoryview(x)


def verdict(key, message, signature):
    try:
        ed25519.verify(key, message, MemoryRegion(signature))
        return True
    except SuitError as error:
        assert error.reason == R_UNAUTHORISED
        return False


def refusal(key, message, signature):
    error = raises(SuitError, ed25519.verify, key, message, MemoryRegion(signature),
                   reason=R_UNAUTHORISED)
    return error.detail


def test_every_wycheproof_signature_gets_its_verdict_on_every_engine():
    for kind in engines(ed25519, "c25519"):
        ed25519.forget()
        n = 0
        for group in wycheproof("ed25519"):
            key = Key(bytes.fromhex(group["publicKey"]["pk"]))
            for case in group["tests"]:
                got = verdict(key, bytes.fromhex(case["msg"]), bytes.fromhex(case["sig"]))
                assert got == (case["result"] == "valid"), (kind, case)
                n += 1
        assert n == 101, n
    ed25519.forget()


# RFC 8032 section 7.1, test 3
KEY = bytes.fromhex("fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025")
MESSAGE = bytes.fromhex("af82")
SIGNATURE = bytes.fromhex(
    "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
    "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
)


def test_the_example_of_the_rfc_is_accepted_and_every_changed_byte_refused():
    key = Key(KEY)
    assert ed25519.verify(key, MESSAGE, MemoryRegion(SIGNATURE)) is key
    for i in range(0, 64, 5):
        changed = bytearray(SIGNATURE)
        changed[i] ^= 1 << i % 8
        assert not verdict(key, MESSAGE, changed), i
    assert not verdict(key, b"\xaf\x83", SIGNATURE)


def test_a_second_key_is_not_mistaken_for_the_first():
    other = Key(bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"))
    assert verdict(Key(KEY), MESSAGE, SIGNATURE)
    assert not verdict(other, MESSAGE, SIGNATURE)
    assert verdict(Key(KEY), MESSAGE, SIGNATURE)
    assert refusal(Key(b"\xff" * 32), MESSAGE, SIGNATURE) == "key not on curve"
    assert verdict(Key(KEY), MESSAGE, SIGNATURE)


def test_signatures_of_another_length_are_refused():
    for wrong in (b"", SIGNATURE[:63], SIGNATURE + b"\0"):
        assert refusal(Key(KEY), MESSAGE, wrong) == "signature length"


def test_s_is_below_the_order():
    s = int.from_bytes(SIGNATURE[32:], "little")
    for value in (s + L, L, 2**256 - 1):
        wrong = SIGNATURE[:32] + value.to_bytes(32, "little")
        assert refusal(Key(KEY), MESSAGE, wrong) == "signature range"


def test_keys_that_are_no_points_are_refused():
    for length in (0, 31, 33):
        assert refusal(Key(bytes(length)), MESSAGE, SIGNATURE) == "key length"
    for y in (P, P + 3, 2**255 - 1, 2, 1 | 1 << 255):  # not canonical; no x; x = 0 with a sign
        key = Key(y.to_bytes(32, "little"))
        assert refusal(key, MESSAGE, SIGNATURE) == "key not on curve", y


def test_keys_of_small_order_are_refused():
    # y of the eight points of order 1, 2, 4 and 8
    eighth = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7
    for y in (1, P - 1, 0, 1 << 255, eighth, eighth | 1 << 255, P - eighth,
              P - eighth | 1 << 255):
        key = Key(y.to_bytes(32, "little"))
        assert refusal(key, MESSAGE, SIGNATURE) == "key not on curve", y
        if y in (0, eighth):
            assert ed25519.Sum().point(key.x) is not None


def test_the_square_root_program_is_a_power():
    for kind in engines(ed25519, "c25519"):
        total = ed25519.Sum()
        for value in (2, 3, P - 5, 2**254 + 12345):
            total.machine.put(ed25519.data.R_M, value)
            total._execute(ed25519.data.ROOT)
            assert total.machine.get(ed25519.data.R_M) == pow(value, (P - 5) // 8, P), kind


def test_zero_scalars_give_the_neutral_point():
    for kind in engines(ed25519, "c25519"):
        total = ed25519.Sum()
        assert total.prepare(KEY)
        assert total.encoding(0, 0) == (1).to_bytes(32, "little") or kind
        # S B alone, k = 0
        assert total.encoding(1, 0) == b"\x58" + b"\x66" * 31, kind


def test_inverse_is_an_inverse():
    for m in (P, L, 2**256 - 2**224 + 2**192 + 2**96 - 1):
        for a in (1, 2, 3, m - 1, m // 2, 2**128, 2**227, 2**228 + 1, 2**29, 2**56 - 1, 3**120):
            assert a * scalar.inverse(a, m) % m == 1, a
        assert scalar.inverse(0, m) == 0 == scalar.inverse(m, m)


def test_random_input_is_refused_and_nothing_else_happens():
    state = 1

    def noise(n):
        nonlocal state
        out = bytearray(n)
        for i in range(n):
            state = (state * 1103 + 12345) & 0xFFFFFF
            out[i] = state >> 8 & 255
        return out

    for i in range(40):
        assert not verdict(Key(noise(32)), b"m", noise(63) + b"\0")
        assert not verdict(Key(noise(i)), b"m", SIGNATURE)
        assert not verdict(Key(KEY), noise(i), noise(i))
