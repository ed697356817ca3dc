"""Writes suit/crypto/p256_viper.py: the field VM of P-256 in viper.

    python -m generate p256_viper     (in firmware/)
"""

from generate import _viper
from generate._p256 import SCALE, curve


def text():
    half = pow(2, -1, curve.prime)
    return '''# Made by generate/p256_viper.py: change that file, not this one.
# MIT licence.
"""P-256 in native code (engine of `p256.py`)."""

import micropython

from suit.crypto.field_viper import Machine as _Machine

_PRIME = {prime:#x}
_SCALE = {scale:#x}
_UNSCALE = {unscale:#x}

{run}

def Machine(registers, code):
    return _Machine(run, _PRIME, _SCALE, _UNSCALE, registers, code)
'''.format(
        prime=curve.prime,
        scale=SCALE * half % curve.prime,
        unscale=pow(2**260, -1, curve.prime),
        run=_viper.p256().strip() + "\n",
    )
