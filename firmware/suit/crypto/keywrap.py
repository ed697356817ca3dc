# AES Key Wrap (RFC 3394): A128KW, A192KW where the port has AES-192, A256KW.
# MIT licence.
"""`unwrap(kek, wrapped)` gives the key as a bytearray that is the caller's to wipe. Raises
SuitError: R_DECRYPTION when the integrity check fails or a length is wrong, R_ALG_UNSUPPORTED for
a KEK of 24 bytes where AES-192 is missing."""

from ..errors import SuitError
from ..numbers import R_DECRYPTION
from . import aes

_IV = b"\xa6" * 8


def unwrap(kek, wrapped):
    n = (len(wrapped) >> 3) - 1
    if len(wrapped) & 7 or n < 2:
        raise SuitError(R_DECRYPTION, "wrapped key length")
    cipher = aes.unecb(kek)
    block = bytearray(16)  # A and one half of the key at a time
    half = memoryview(block)[8:]
    block[:8] = wrapped[:8]
    key = bytearray(wrapped[8:])
    view = memoryview(key)
    t = 6 * n
    while t:
        at = (t - 1) % n * 8
        for i in range(4):
            block[7 - i] ^= t >> 8 * i & 0xFF
        half[:] = view[at : at + 8]
        cipher.decrypt(block, block)
        view[at : at + 8] = half
        t -= 1
    wrong = 0
    for i in range(8):
        wrong |= block[i] ^ _IV[i]
    wipe(block)
    if wrong:
        wipe(key)
        raise SuitError(R_DECRYPTION, "wrapped key")
    return key


def wipe(buffer):
    """Overwrite a secret. Copies that the interpreter made stay beyond reach."""
    for i in range(len(buffer)):
        buffer[i] = 0
