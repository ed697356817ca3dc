# The board's own key: made on the board when it is provisioned, and nowhere else.
# MIT licence.
"""`own(host) -> (public, made)`: `public` is the COSE_Key of this board's P-256 key without its
private part; `made` is False when there was one already, which is kept. `host` is 32 bytes from
whoever provisions: neither they nor the board's own randomness alone decide the key (HKDF,
p256_sign.py).

It is kept in `/suit/device.cbor`, a COSE_KeySet beside whatever other decryption keys are there:
reports are signed with it (reporting.py) and payloads are encrypted to it (content_key.py). The
private part is never returned. Copies of it stay in the heap until the board is reset, which is
what provisioning ends with.

What is stored is read back and its public part computed again. Raises OSError from the
filesystem, SuitError R_CBOR_PARSE or R_STRUCTURE for a file that holds no usable keys."""

import os

from .cbor import ARRAY, Cursor, encode, head
from .errors import SuitError
from .numbers import CRV_P256, KEY_KTY, KTY_EC2, R_STRUCTURE
from .trust import Key

try:
    from micropython import const
except ImportError:

    def const(value):
        return value


_CRV = const(-1)
_X = const(-2)
_Y = const(-3)
_D = const(-4)


def own(host, root="/suit"):
    path = root + "/device.cbor"
    items = _stored(path)
    key = _find(items)
    made = key is None
    if made:
        from .crypto.p256_secret import wipe
        from .crypto.p256_sign import generate

        private = generate(host)
        try:
            _replace(path, items + [encode(_cose(*_public(private), private))])
        finally:
            wipe(private)
        key = _find(_stored(path))
    if key is None or _public(key.d) != (bytes(key.x), bytes(key.y)):
        raise SuitError(R_STRUCTURE, "device key")
    return encode(_cose(bytes(key.x), bytes(key.y))), made


def _stored(path):
    """The keys in the file, encoded each; none where there is no file."""
    try:
        with open(path, "rb") as file:
            c = Cursor(file.read())
    except OSError as error:
        if error.errno != 2:
            raise
        return []
    items = [bytes(c.raw(False)) for _ in range(c.array())]
    c.end()
    return items


def _find(items):
    """The first P-256 key with its private part, as for reports."""
    for item in items:
        key = Key(item)
        if key.kty == KTY_EC2 and key.crv == CRV_P256 and key.d is not None and key.y is not None:
            return key
    return None


def _public(private):
    from .crypto.p256_secret import public

    return public(private)


def _cose(x, y, d=None):
    made = {KEY_KTY: KTY_EC2, _CRV: CRV_P256, _X: x, _Y: y}
    if d is not None:
        made[_D] = d
    return made


def _replace(path, items):
    """Whole or not at all on littlefs; a FAT has to lose the old file first."""
    with open(path + ".new", "wb") as file:
        file.write(head(ARRAY, len(items)) + b"".join(items))
    try:
        os.rename(path + ".new", path)
    except OSError as error:
        if error.errno != 17:
            raise  # what is there stays
        os.remove(path)
        os.rename(path + ".new", path)
