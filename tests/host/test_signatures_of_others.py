"""Hash-based and lattice signatures made by pyhsslms and `cryptography` verify with the device code, on
MicroPython too: every LMS and LM-OTS parameter set, up to eight levels, both ML-DSA sets."""

import cbor2
import pyhsslms
import pytest
from cryptography.hazmat.primitives.asymmetric import mldsa as lattice
from suit import numbers as n
from suit.crypto import lms, mldsa
from suit.errors import SuitError
from suit.region import MemoryRegion
from suit.trust import Key
from suitup.judge import Judge

# LMS type with H = 5 and 10; LM-OTS types with w = 1, 2, 4, 8
TYPES = {32: ((5, 6), (1, 2, 3, 4)), 24: ((10, 11), (5, 6, 7, 8))}
MESSAGE = b"signed by somebody else"


def word(number):
    return number.to_bytes(4, "big")


def signed(lms_type, ots_type, levels=1, skip=0):
    """(raw public key, signature) by the key's leaf number `skip`."""
    key = pyhsslms.HssPrivateKey(levels=levels, lms_type=word(lms_type), lmots_type=word(ots_type))
    for _ in range(skip):
        key.sign(b"another message")
    return key.publicKey().serialize(), key.sign(MESSAGE)


def hash_based():
    for low, widths in TYPES.values():
        for ots_type in widths:
            yield signed(low[0], ots_type, skip=3)
        yield signed(low[1], widths[1])
    for levels in (2, 3, 8):
        # the second tree of the lowest level too
        yield signed(5, 3, levels, skip=33 if levels == 2 else 0)
    yield signed(10, 7, 2)


@pytest.fixture(scope="module")
def items():
    """[(COSE_Key map, alg, signature)]"""
    found = []
    for public, signature in hash_based():
        found.append(({1: n.KTY_HSS_LMS, -1: public}, n.ALG_HSS_LMS, signature))
    for cls, alg in (
        (lattice.MLDSA44PrivateKey, n.ALG_ML_DSA_44), (lattice.MLDSA65PrivateKey, n.ALG_ML_DSA_65),
    ):
        for _ in range(2):
            private = cls.generate()
            public = private.public_key().public_bytes_raw()
            key = {1: n.KTY_AKP, 3: alg, -1: public}
            found.append((key, alg, private.sign(MESSAGE)))
    return found


def changed(signature, at):
    wrong = bytearray(signature)
    wrong[at] ^= 1
    return bytes(wrong)


def test_on_cpython(items):
    for key, alg, signature in items:
        verify = (lms if alg == n.ALG_HSS_LMS else mldsa).verify
        key = Key(cbor2.dumps(key))
        assert verify(key, MESSAGE, MemoryRegion(signature)) is key
        with pytest.raises(SuitError):
            verify(key, MESSAGE + b"x", MemoryRegion(signature))


def test_on_micropython(items):
    with Judge() as judge:
        for key, alg, signature in items:
            tests = [
                (MESSAGE.hex(), signature.hex(), ""),
                (MESSAGE.hex() + "00", signature.hex(), ""),
                (MESSAGE.hex(), changed(signature, 40).hex(), ""),
                (MESSAGE.hex(), changed(signature, -1).hex(), ""),
            ]
            key = cbor2.dumps(key).hex()
            answer = judge.ask({"kind": "verify", "key": key, "alg": alg, "tests": tests})
            assert answer["results"] == [True, False, False, False], (alg, answer)
