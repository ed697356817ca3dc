"""Writes suit/crypto/ed25519_data.py: the field-VM library of Ed25519 and multiples of its base.

    python -m generate ed25519_data     (in firmware/)
"""

from generate._c25519 import base, edwards, multiples, root, shapes
from generate._formulas import literal


def text():
    numbers = ("X", "Y", "Z", "m", "one", "d2")
    return '''# Made by generate/ed25519_data.py from the formulas in generate/_c25519.py: change those files.
# MIT licence.
"""Ed25519 for the field VM: registers, library, shapes of additions (see `scalar_plain.trace`), the
program that fills the register table, the power of a square root, multiples of the base point."""

try:
    from micropython import const
except ImportError:

    def const(value):
        return value


{numbers}
REGISTERS = const({count})
LIBRARY = {library}
SHAPES = {shapes}
MULTIPLES = {multiples}
ROOT = {root}
BASE = {base}
'''.format(
        numbers="\n".join(
            "R_%s = const(%d)" % (name.upper(), edwards.register(name)) for name in numbers
        ),
        count=edwards.registers,
        library=literal(bytes(edwards.library)),
        shapes=literal(shapes["G"] + shapes["Q"]),
        multiples=literal(multiples()),
        root=literal(root()),
        base=literal(base(), width=16),
    )
