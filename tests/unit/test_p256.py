"""ECDSA with P-256: what is accepted, what is refused and why."""

import hashlib

from curves import engines, wycheproof
from harness import raises
from suit.crypto import p256, p256_complete
from suit.errors import SuitError
from suit.numbers import R_UNAUTHORISED
from suit.region import MemoryRegion, SubRegion


class Key:
    def __init__(self, x, y, table=None):
        self.x = memoryview(x)
        self.y = memoryview(y)
        self.table = table


def key_of(group):
    data = bytes.fromhex(group["publicKey"]["uncompressed"])
    assert data[0] == 4 and len(data) == 65
    return Key(data[1:33], data[33:])


def verdict(key, message, signature):
    try:
        p256.verify(key, message, MemoryRegion(signature))
        return True
    except SuitError as error:
        assert error.reason == R_UNAUTHORISED
        return False


def refusal(key, message, signature):
    error = raises(SuitError, p256.verify, key, message, signature, reason=R_UNAUTHORISED)
    return error.detail


def test_every_wycheproof_signature_gets_its_verdict_on_every_engine():
    for kind in engines(p256, "p256"):
        n = 0
        for group in wycheproof("ecdsa_secp256r1_sha256_p1363"):
            key = key_of(group)
            for case in group["tests"]:
                got = verdict(key, bytes.fromhex(case["msg"]), bytes.fromhex(case["sig"]))
                assert got == (case["result"] == "valid"), (kind, case)
                n += 1
        assert n == 175, n


def test_a_table_changes_no_verdict_on_any_engine():
    for group in wycheproof("ecdsa_secp256r1_sha256_p1363"):
        key = key_of(group)
        if len(group["tests"]) < 2:  # one key, one signature: the special points; a few will do
            if group["tests"][0]["tcId"] % 16:
                continue
        key.table = p256.make_table(key)
        for kind in engines(p256, "p256"):
            for case in group["tests"]:
                got = verdict(key, bytes.fromhex(case["msg"]), bytes.fromhex(case["sig"]))
                assert got == (case["result"] == "valid"), (kind, case)


def signed(d, k, message):
    """A signature with private key d and nonce k, and its key."""
    n = p256.N
    e = int.from_bytes(hashlib.sha256(message).digest(), "big")
    gx, gy = p256_complete.GX, p256_complete.GY
    x, y = p256_complete.multiply_add(d, 0, gx, gy)
    r = p256_complete.multiply_add(k, 0, gx, gy)[0] % n
    s = p256_complete.inverse(k, n) * (e + r * d) % n
    key = Key(x.to_bytes(32, "big"), y.to_bytes(32, "big"))
    return key, r.to_bytes(32, "big") + s.to_bytes(32, "big")


def test_keys_and_nonces_that_make_points_meet_are_handled():
    # Q = +-G, +-2 G, ... lets table entries and partial sums coincide
    for d in (1, 2, 3, 5, 7, 15, 17, p256.N - 1, p256.N - 2, p256.N - 15):
        for k in (1, 2, p256.N - 3, 123456789):
            key, signature = signed(d, k, b"meet")
            wrong = signature[:63] + bytes((signature[63] ^ 1,))
            for kind in engines(p256, "p256"):
                for table in (None, p256.make_table(key)):
                    key.table = table
                    assert verdict(key, b"meet", signature), (kind, d, k)
                    assert not verdict(key, b"meet", wrong), (kind, d, k)


def holds(u1, u2, x, y, r):
    return p256._total(u1, u2, x, y, None).has(r)


def test_u1_may_be_zero_and_the_sum_infinity():
    # e = 0 cannot be had from SHA-256, so the sums are asked directly
    x, y = p256_complete.GX, p256_complete.GY
    for kind in engines(p256, "p256"):
        r = p256_complete.multiply_add(0, 7, x, y)[0]
        assert holds(0, 7, x, y, r), kind
        assert not holds(p256.N - 7, 7, x, y, r), kind
        assert holds(3, 4, x, y, r), kind
        assert holds(p256.N - 3, 10, x, y, r), kind


def test_r_may_stand_for_r_plus_n():
    # x of the sum is between n and p: r is x - n
    x = p256.N + 1
    while True:
        square = (x * x * x - 3 * x + p256.B) % p256.P
        y = pow(square, (p256.P + 1) // 4, p256.P)
        if y * y % p256.P == square:
            break
        x += 1
    gx, gy = p256_complete.GX, p256_complete.GY
    for kind in engines(p256, "p256"):
        # 1 * R + 0 * G, written as u1 = 0, u2 = 1
        assert holds(0, 1, x, y, x - p256.N), kind
        assert not holds(0, 1, x, y, x - p256.N + 1), kind
        assert not holds(1, 1, gx, gy, x - p256.N), kind


def test_signatures_of_another_length_are_refused_unread():
    key, signature = signed(5, 9, b"m")
    for wrong in (b"", signature[:63], signature + b"\0", signature + signature):
        assert refusal(key, b"m", MemoryRegion(wrong)) == "signature length"

    class Short:
        size = 64

        def read_at(self, offset, buf):
            return 63

    assert refusal(key, b"m", Short()) == "signature length"
    p256.verify(key, b"m", SubRegion(MemoryRegion(b"\xff" + signature + b"\xff"), 1, 64))


def test_r_and_s_outside_their_range_are_refused():
    key, signature = signed(5, 9, b"m")
    n = p256.N.to_bytes(32, "big")
    top = b"\xff" * 32
    zero = bytes(32)
    for r, s in ((zero, signature[32:]), (n, signature[32:]), (top, signature[32:]),
                 (signature[:32], zero), (signature[:32], n), (signature[:32], top)):
        assert refusal(key, b"m", MemoryRegion(r + s)) == "signature range"


def test_keys_that_are_no_points_are_refused():
    key, signature = signed(5, 9, b"m")
    x, y = bytes(key.x), bytes(key.y)
    other = bytes((y[0], y[1], y[2] ^ 4)) + y[3:]
    large = (p256.P + 5).to_bytes(32, "big")  # 5 is the x of a point
    for bad in (Key(x, other), Key(x[:31], y), Key(x, y + b"\0"), Key(b"", b""),
                Key(bytes(32), bytes(32)), Key(large, y), Key(x, b"\xff" * 32)):
        assert refusal(bad, b"m", MemoryRegion(signature)) == "key not on curve"
        raises(SuitError, p256.make_table, bad, reason=R_UNAUTHORISED)


def test_a_table_of_another_length_is_not_used():
    key, signature = signed(5, 9, b"m")
    key.table = bytes(2047)
    assert verdict(key, b"m", signature)


def test_a_table_of_another_key_verifies_nothing_of_this_one():
    key, signature = signed(5, 9, b"m")
    key.table = p256.make_table(signed(6, 9, b"m")[0])
    assert not verdict(key, b"m", signature)


def test_random_input_is_refused_and_nothing_else_happens():
    state = 1
    key, signature = signed(5, 9, b"m")

    def noise(n):
        nonlocal state
        out = bytearray(n)
        for i in range(n):
            state = (state * 1103 + 12345) & 0xFFFFFF
            out[i] = state >> 8 & 255
        return out

    for i in range(60):
        bad = bytearray(signature)
        bad[i] ^= 1 + i
        assert not verdict(key, b"m", bad)
        assert not verdict(Key(noise(32), noise(32)), b"m", noise(64))
        assert not verdict(Key(noise(i), noise(64 - i)), b"m", signature)
        assert not verdict(key, b"m", noise(i))
