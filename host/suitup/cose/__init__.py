"""Authentication blocks and encrypted payloads: the one place that imports pycose."""

from suitup.cose.encryption import CONTENT_NAMES, decrypt, encrypt, is_recipient
from suitup.cose.messages import (
    CoseError,
    attach,
    block,
    mac,
    mac0,
    sign,
    sign1,
    to_be_signed,
    verify,
    verify_attached,
)

__all__ = [
    "CONTENT_NAMES",
    "CoseError",
    "attach",
    "block",
    "decrypt",
    "encrypt",
    "is_recipient",
    "mac",
    "mac0",
    "sign",
    "sign1",
    "to_be_signed",
    "verify",
    "verify_attached",
]
