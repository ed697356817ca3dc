# Chains of LM-OTS over hashlib's SHA-256.
# MIT licence.
"""Engine of `lms.py` for every port: one call of hashlib for each step (RFC 8554, algorithm
4b)."""

from hashlib import sha256


def chain(block, n, first, last):
    """Steps `first`..`last - 1` on the n-byte value at block[23]; the step number stands at
    block[22]."""
    message = memoryview(block)[: 23 + n]
    value = message[23:]
    for step in range(first, last):
        block[22] = step
        value[:] = sha256(message).digest()[:n]
