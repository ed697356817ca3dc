"""Writes suit/crypto/c25519_plain.py: the formulas of Ed25519 and X25519 on big integers.

    python -m generate c25519_plain     (in firmware/)
"""

from generate._c25519 import edwards, montgomery
from generate._formulas import python


def _programs(curve):
    return ", ".join(
        "%d: %s" % (curve.entries[name][0], name.lower()) for name in curve.functions
    )


def text():
    return '''# Made by generate/c25519_plain.py from the formulas in generate/_c25519.py: change those files.
# MIT licence.
"""Curve25519 with big integers (engine of `ed25519.py` and `x25519.py`). Each function is a
subprogram of the library."""

from suit.crypto.field_plain import Machine as _Machine

P = {prime:#x}


{edwards}


{montgomery}


_PROGRAMS = (
    {{{first}}},
    {{{second}}},
)


def Machine(registers, code, library):
    """`library` is 0 for Ed25519, 1 for X25519."""
    return _Machine(P, 1, 1, _PROGRAMS[library], registers, code)
'''.format(
        prime=edwards.prime,
        edwards=python(edwards),
        montgomery=python(montgomery),
        first=_programs(edwards),
        second=_programs(montgomery),
    )
