"""Writes suit/crypto/p256_plain.py: the formulas of P-256 as Python functions on big integers.

    python -m generate p256_plain     (in firmware/)
"""

from generate._formulas import python
from generate._p256 import SCALE, curve


def text():
    return '''# Made by generate/p256_plain.py from the formulas in generate/_p256.py: change those files.
# MIT licence.
"""P-256 with big integers (engine of `p256.py`). Each function is a subprogram of the library."""

from suit.crypto.field_plain import Machine as _Machine

P = {prime:#x}
_UNSCALE = {unscale:#x}


{functions}


_PROGRAMS = {{{programs}}}


def Machine(registers, code):
    return _Machine(P, 0, _UNSCALE, _PROGRAMS, registers, code)
'''.format(
        prime=curve.prime,
        unscale=pow(SCALE, -1, curve.prime),
        functions=python(curve),
        programs=", ".join(
            "%d: %s" % (curve.entries[name][0], name.lower()) for name in curve.functions
        ),
    )
