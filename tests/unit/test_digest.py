"""crypto/digest.py and crypto/hmac256.py: every hash of the table, on known answers."""

from envelopes import Board, refusal, seq, update
from harness import raises
from suit import numbers as n
from suit.cbor import encode
from suit.crypto import digest, load, verifier
from suit.crypto.hmac256 import hmac
from suit.errors import SuitError

# of "abc": FIPS 180-4 and FIPS 202 example values
ABC = {
    n.ALG_SHA256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    n.ALG_SHA384: "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
    "8086072ba1e7cc2358baeca134c825a7",
    n.ALG_SHA512: "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
    "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
    n.ALG_SHAKE128: "5881092dd818bf5cf8a3ddb793fbcba74097d5c526a6d35f97b83351940f2cc8",
    n.ALG_SHAKE256: "483366601360a8771c6863080cc4114d8db44530f8f1e1ee4f94ea37e78b5739"
    "d5a15bef186a5386c75744c0527e1faa9f8726e462a12a4feb06bd8801e751e4",
}


def test_every_algorithm_of_the_table_gives_its_known_answer_and_size():
    assert sorted(ABC) == sorted(digest.SIZE)
    for algorithm, expected in ABC.items():
        for parts in ((b"abc",), (b"a", b"", memoryview(b"xbc")[1:])):
            made = digest.new(algorithm)
            for part in parts:
                made.update(part)
            found = made.digest()
            assert bytes(found).hex() == expected
        assert len(expected) == 2 * digest.SIZE[algorithm]


def test_other_algorithms_are_unsupported():
    for algorithm in (-17, -14, 0, 1, -999, "SHA-256"):
        assert (
            raises(SuitError, digest.new, algorithm, reason=n.R_ALG_UNSUPPORTED).detail
            == algorithm
        )


def test_an_image_may_be_matched_with_every_algorithm():
    for algorithm, expected in ABC.items():
        value = encode([algorithm, bytes.fromhex(expected)])
        update(Board({b"\0": b"abc"}), install=seq(20, {3: value}, 3, 15))
        wrong = Board({b"\0": b"abd"})
        assert refusal(wrong, install=seq(20, {3: value}, 3, 15))[0].reason == n.R_CONDITION_FAILED


def test_the_comparison_looks_at_every_byte_and_the_length():
    assert digest.same(b"", b"")
    assert digest.same(b"abc", memoryview(b"abc"))
    for other in (b"abd", b"bbc", b"ab", b"abcd", b""):
        assert not digest.same(b"abc", other)


def test_hmac_of_rfc_4231():
    for key, message, expected in (
        (
            b"\x0b" * 20,
            b"Hi There",
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
        ),
        (
            b"Jefe",
            b"what do ya want for nothing?",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        ),
        (
            b"\xaa" * 131,
            b"Test Using Larger Than Block-Size Key - Hash Key First",
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
        ),
    ):
        assert hmac(key, message).hex() == expected
        assert hmac(key, message[:3], message[3:]).hex() == expected


def test_an_algorithm_without_its_file_is_unsupported_and_a_broken_file_is_not():
    assert raises(SuitError, load, "none_such", -5, reason=n.R_ALG_UNSUPPORTED).detail == -5
    raises(SuitError, verifier, -35, reason=n.R_ALG_UNSUPPORTED)
    from suit.optional import optional

    assert optional("crypto.none_such") is None
    assert optional("none_such") is None
    assert optional("crypto.hmac256").hmac is hmac
