"""Writes suit/crypto/c25519_thumb.py: the field VM of 2^255 - 19 in Thumb assembly.

    python -m generate c25519_thumb     (in firmware/)
"""

from generate import _thumb
from generate._c25519 import P


def text():
    return '''# Made by generate/c25519_thumb.py: change that file, not this one.
# MIT licence.
"""Curve25519 in Thumb assembly (engine of `ed25519.py` and `x25519.py`)."""

import micropython

from suit.crypto.field_thumb import Machine as _Machine

_PRIME = {prime:#x}


{run}


def Machine(registers, code, library):
    return _Machine(run, _PRIME, 1, 1, registers, code)
'''.format(prime=P, run=_thumb.c25519())
