"""Authentication blocks and encrypted payloads: the one place that imports pycose."""

from suitup.cose.messages import CoseError, attach, block, mac0, sign, sign1, to_be_signed, verify

__all__ = ["CoseError", "attach", "block", "mac0", "sign", "sign1", "to_be_signed", "verify"]
