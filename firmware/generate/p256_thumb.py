"""Writes suit/crypto/p256_thumb.py: the field VM of P-256 in Thumb assembly.

    python -m generate p256_thumb     (in firmware/)
"""

from generate import _thumb
from generate._p256 import SCALE, curve


def text():
    return '''# Made by generate/p256_thumb.py: change that file, not this one.
# MIT licence.
"""P-256 in Thumb assembly (engine of `p256.py`)."""

import micropython

from suit.crypto.field_thumb import Machine as _Machine

_PRIME = {prime:#x}
_SCALE = {scale:#x}
_UNSCALE = {unscale:#x}


{run}


def Machine(registers, code):
    return _Machine(run, _PRIME, _SCALE, _UNSCALE, registers, code)
'''.format(
        prime=curve.prime,
        scale=SCALE % curve.prime,
        unscale=pow(SCALE, -1, curve.prime),
        run=_thumb.p256(),
    )
