"""Writes suit/crypto/c25519_viper.py: the field VM of 2^255 - 19 in viper.

    python -m generate c25519_viper     (in firmware/)
"""

from generate import _viper
from generate._c25519 import P


def text():
    return '''# Made by generate/c25519_viper.py: change that file, not this one.
# MIT licence.
"""Curve25519 in native code (engine of `ed25519.py` and `x25519.py`)."""

import micropython

from suit.crypto.field_viper import Machine as _Machine

_PRIME = {prime:#x}
_HALF = {half:#x}

{run}

def Machine(registers, code, library):
    return _Machine(run, _PRIME, _HALF, 1, registers, code)
'''.format(prime=P, half=(P + 1) // 2, run=_viper.c25519().strip() + "\n")
