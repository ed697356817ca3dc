"""What the workstation encrypts the device code opens: every cipher, every kind of recipient, sizes around
the pieces the device works in; and nobody else does."""

import pytest
from suit import numbers as n
from suit.decrypt import open as opened
from suit.encryption_info import CONTENT
from suit.errors import SuitError
from suit.region import MemoryRegion
from suit.trust import Key as DeviceKey
from suitup import cose, keys

RECIPIENTS = ["A128KW", "A256KW", "ECDH-P256", "X25519"]
SIZES = (0, 1, 16, 511, 512, 513, 4097)


@pytest.fixture(scope="module")
def recipients():
    return {name: keys.generate(name) for name in RECIPIENTS}


def device(key):
    """The key as the board holds it, secret included."""
    return DeviceKey(key.cose_key())


@pytest.mark.parametrize("alg", sorted(CONTENT))
@pytest.mark.parametrize("name", RECIPIENTS)
def test_the_device_opens_it(recipients, name, alg):
    key = recipients[name]
    for size in SIZES:
        text = bytes(i * 13 & 255 for i in range(size))
        info, ciphertext = cose.encrypt(text, [key], alg)
        assert opened(info, MemoryRegion(ciphertext), [device(key)]) == text


@pytest.mark.parametrize("alg", sorted(CONTENT))
def test_each_of_several_recipients_opens_it_and_a_stranger_does_not(recipients, alg):
    info, ciphertext = cose.encrypt(b"for all of you", list(recipients.values()), alg)
    for key in recipients.values():
        assert opened(info, MemoryRegion(ciphertext), [device(key)]) == b"for all of you"
    for name in RECIPIENTS:
        with pytest.raises(SuitError) as refused:
            opened(info, MemoryRegion(ciphertext), [device(keys.generate(name))])
        assert refused.value.reason == n.R_DECRYPTION


def test_two_encryptions_share_neither_key_nor_nonce(recipients):
    key = recipients["A128KW"]
    made = [cose.encrypt(bytes(64), [key], n.ALG_A128CTR) for _ in range(2)]
    assert made[0][0] != made[1][0] and made[0][1] != made[1][1]
