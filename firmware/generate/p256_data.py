"""Writes suit/crypto/p256_data.py: the field-VM library of P-256 and the comb table of G.

    python -m generate p256_data     (in firmware/)
"""

from suit.crypto.p256_complete import GX, GY
from suit.crypto.p256_table import comb

from generate._formulas import literal
from generate._p256 import MULTIPLES, NONE, SIX, curve, known, shapes


def text():
    numbers = {name: curve.register(name) for name in ("X", "W", "Z", "H", "x", "w", "zero", "one")}
    entries = {name: curve.entries[name][0] for name in ("COMPARE",)}
    return '''# Made by generate/p256_data.py from the formulas in generate/_p256.py: change those files.
# MIT licence.
"""P-256 for the field VM: registers (those with a name, and all with
the table of points), library, entries (operation numbers), shapes of additions (see
`scalar_plain.trace`), the program that fills the register table, the comb table of G, the
self-test's table and programs."""

try:
    from micropython import const
except ImportError:

    def const(value):
        return value

{numbers}
{entries}
REGISTERS = const({count})
NAMED = const({named})
LIBRARY = {library}
{shapes}
MULTIPLES = {multiples}
BASE = {base}
KNOWN = {known}
SIX = {six}
NONE = {none}
'''.format(
        numbers="\n".join("R_%s = const(%d)" % (
            {"x": "PX", "w": "PW"}.get(k, k.upper()), v) for k, v in numbers.items()),
        entries="\n".join("%s = const(%d)" % item for item in entries.items()),
        count=curve.registers,
        named=curve.q,
        library=literal(bytes(curve.library)),
        shapes="\n".join(
            "SHAPE_%s = %s" % (name, literal(shape)) for name, shape in shapes.items()
        ),
        known=literal(known()),
        six=literal(SIX),
        none=literal(NONE),
        multiples=literal(MULTIPLES),
        base=literal(comb(GX, GY), width=16),
    )
