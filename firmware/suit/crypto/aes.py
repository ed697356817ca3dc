# AES, one block after the other (ECB), from the firmware.
# MIT licence.
"""`ecb(key)` has `encrypt(data, out)`, `unecb(key)` has `decrypt(data, out)`: multiples of 16 bytes,
`out` as long as `data` and perhaps the same buffer. MicroPython's cryptolib serves 16 and 32 byte
keys, and an object of it goes one way only; CPython, where this runs in tests, `cryptography`.
SuitError(R_ALG_UNSUPPORTED) for a key of 24 bytes where the port refuses it, R_DECRYPTION for any
other length. Modes are built on this in `ctr.py`, `gcm.py` and `keywrap.py`."""

from ..errors import SuitError
from ..numbers import R_ALG_UNSUPPORTED, R_DECRYPTION

try:
    from cryptolib import aes as _cipher

    _ECB = 1

    def _make(key, encrypting):
        return _cipher(key, _ECB)

except ImportError:

    class _Library:
        def __init__(self, key, encrypting):
            from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

            cipher = Cipher(algorithms.AES(bytes(key)), modes.ECB())
            self._work = cipher.encryptor() if encrypting else cipher.decryptor()

        def encrypt(self, data, out):
            out[:] = self._work.update(bytes(data))

        decrypt = encrypt

    _make = _Library


def ecb(key, encrypting=True):
    if len(key) not in (16, 24, 32):
        raise SuitError(R_DECRYPTION, "AES key length")
    try:
        return _make(key, encrypting)
    except ValueError:
        raise SuitError(R_ALG_UNSUPPORTED, "AES-%d" % (8 * len(key)))


def unecb(key):
    return ecb(key, False)
