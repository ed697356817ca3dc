"""Writes suit/crypto/x25519_data.py: the field-VM library of the Montgomery ladder.

    python -m generate x25519_data     (in firmware/)
"""

from generate._c25519 import montgomery
from generate._formulas import literal


def text():
    return '''# Made by generate/x25519_data.py from the formulas in generate/_c25519.py: change those files.
# MIT licence.
"""X25519 for the field VM: registers and library (a ladder step for a bit 0, one for a bit 1)."""

try:
    from micropython import const
except ImportError:

    def const(value):
        return value


{numbers}
REGISTERS = const({count})
STEP = const({step})
LIBRARY = {library}
'''.format(
        numbers="\n".join(
            "R_%s = const(%d)" % (name.upper(), montgomery.register(name)) for name in "abcduk"
        ),
        count=montgomery.registers,
        step=montgomery.entries["STEP1"][0],
        library=literal(bytes(montgomery.library)),
    )
