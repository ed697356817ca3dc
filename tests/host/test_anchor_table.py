"""The table of a trust anchor: the workstation's is the device's, and the device uses it."""

import hashlib

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from suit.crypto import p256, p256_data
from suit.errors import SuitError
from suit.region import MemoryRegion
from suit.trust import TrustStore
from suitup import keys
from suitup import numbers as n
from suitup.keys.comb import comb


def test_the_table_of_the_base_point_is_the_one_on_the_device():
    from suit.crypto.p256_complete import GX, GY

    assert comb(GX, GY) == p256_data.BASE


def test_a_provisioned_key_verifies_with_its_table():
    private = ec.generate_private_key(ec.SECP256R1())
    numbers = private.public_key().public_numbers()
    x, y = (value.to_bytes(32, "big") for value in (numbers.x, numbers.y))
    key = keys.model.from_cose_key(
        {n.KEY_KTY: n.KTY_EC2, -1: n.CRV_P256, -2: x, -3: y}
    )
    store = keys.trust_store([key], tables=True)
    (found,) = TrustStore(store).candidates(n.ALG_ESP256)
    assert found.table == p256.make_table(found) == comb(numbers.x, numbers.y)
    ((again, roles),) = keys.read_trust_store(store)
    assert again.public().params == key.public().params and roles == n.ROLE_APP

    r, s = decode_dss_signature(private.sign(b"m", ec.ECDSA(hashes.SHA256())))
    signature = MemoryRegion(r.to_bytes(32, "big") + s.to_bytes(32, "big"))
    assert p256.verify(found, b"m", signature) is found
    with pytest.raises(SuitError):
        p256.verify(found, b"n", signature)
    # the table is what is used: another one, and nothing holds any more
    found.table = memoryview(hashlib.shake_256(b"noise").digest(2048))
    with pytest.raises(SuitError):
        p256.verify(found, b"m", signature)
