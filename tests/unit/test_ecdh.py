"""X25519 and ECDH with P-256: shared secrets, and the points that give none."""

from curves import engines, wycheproof
from harness import raises
from suit.crypto import p256, p256_complete, p256_secret, x25519
from suit.errors import SuitError
from suit.numbers import R_UNAUTHORISED

_EASY = (1, 2, 3, 4, 5, 7, 8, 14, 15, 16, 17, 29, 30, 31, 32, 33, 2**255, 2**255 - 1)


def test_every_wycheproof_x25519_secret_is_found_on_every_engine():
    for kind in engines(x25519, "c25519"):
        n = 0
        for group in wycheproof("x25519"):
            for case in group["tests"]:
                n += 1
                if kind == "plain" and n % 4:
                    continue
                private = bytes.fromhex(case["private"])
                public = bytes.fromhex(case["public"])
                if case["shared"] == "00" * 32:
                    # "acceptable" for the algorithm, but no secret at all
                    error = raises(SuitError, x25519.shared, private, public,
                                   reason=R_UNAUTHORISED)
                    assert error.detail == "small order"
                else:
                    got = x25519.shared(private, public)
                    assert bytes(got) == bytes.fromhex(case["shared"]), (kind, case)
        assert n == 346, n


def test_x25519_agrees_with_itself():
    a, b = b"\x11" * 32, b"\xee" * 32
    assert x25519.shared(a, x25519.public(b)) == x25519.shared(b, x25519.public(a))


def test_x25519_keys_of_another_length_are_refused():
    for private, public in ((bytes(31), bytes(32)), (bytes(32), bytes(33)), (b"", b"")):
        error = raises(SuitError, x25519.shared, private, public, reason=R_UNAUTHORISED)
        assert error.detail == "key length"


def test_every_wycheproof_p256_secret_is_found_on_every_engine():
    for kind in engines(p256, "p256"):
        n = 0
        for group in wycheproof("ecdh_secp256r1_ecpoint"):
            for case in group["tests"]:
                n += 1
                public = bytes.fromhex(case["public"])
                private = bytes.fromhex(case["private"])
                private = bytes(32 - len(private)) + private if len(private) < 32 else private
                private = private[-32:]
                point = public[1:33], public[33:]
                if case["result"] == "valid" and public[0] == 4:
                    got = p256.shared(private, *point)
                    assert bytes(got) == bytes.fromhex(case["shared"]), (kind, case)
                elif case["result"] == "invalid":
                    raises(SuitError, p256.shared, private, *point, reason=R_UNAUTHORISED)
        assert n == 237, n


def test_scalars_near_zero_and_near_the_order_are_right():
    gx, gy = p256_complete.GX, p256_complete.GY
    x = gx.to_bytes(32, "big")
    y = gy.to_bytes(32, "big")
    for kind in engines(p256, "p256"):
        for easy in _EASY:
            for k in (easy, p256.N - easy):
                private = k.to_bytes(32, "big")
                expected = p256_complete.multiply_add(0, k, gx, gy)
                got = p256_secret.public(private)
                assert int.from_bytes(got[0], "big") == expected[0], (kind, k)
                assert int.from_bytes(got[1], "big") == expected[1], (kind, k)
                got = p256.shared(private, x, y)
                assert int.from_bytes(got, "big") == expected[0], (kind, k)


def test_private_keys_outside_their_range_are_refused():
    good = (5).to_bytes(32, "big")
    point = p256_secret.public(good)
    for value in (0, p256.N, p256.N + 1, 2**256 - 1):
        private = value.to_bytes(32, "big")
        raises(SuitError, p256.shared, private, *point, reason=R_UNAUTHORISED)
        raises(SuitError, p256_secret.public, private, reason=R_UNAUTHORISED)
    for private in (b"", good[1:], good + b"\0"):
        raises(SuitError, p256.shared, private, *point, reason=R_UNAUTHORISED)


def test_the_same_steps_are_made_for_every_scalar():
    """The program of a secret scalar differs from another's in register numbers only."""
    from array import array

    from suit.crypto import p256_data, scalar

    made = set()
    for k in (1, 2, 3, 2**200, 2**255 - 1, p256.N - 1, p256.N - 2, p256.N // 3):
        k = k.to_bytes(32, "little")
        for columns, step, tooth, teeth, shape in (
            (43, 1, 43, 6, p256_data.SHAPE_G_SECRET), (64, 4, 1, 4, p256_data.SHAPE_Q_SECRET),
        ):
            places = (columns - 1) * step + 1
            digits = bytearray(places)
            scalar.regular(k, p256.ORDER, columns, step, tooth, teeth, digits, bytearray(32))
            code = bytearray(p256_data.LIBRARY) + bytearray(6000)
            start = len(p256_data.LIBRARY)
            end = scalar.trace(digits, places, shape, 1, array("i", (places, 0, 0)), code, start,
                               6000)
            operations = bytes(code[i] for i in range(start, end, 4))
            calls = bytes(code[i + 1] for i in range(start, end, 4) if code[i] == 5)
            made.add((columns, operations, calls))
    assert len(made) == 2
