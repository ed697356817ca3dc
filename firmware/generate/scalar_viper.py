"""Writes suit/crypto/scalar_viper.py: the functions of scalar_plain.py with viper's types.

    python -m generate scalar_viper     (in firmware/)
"""

import ast
from pathlib import Path

PLAIN = Path(__file__).resolve().parent.parent / "suit" / "crypto" / "scalar_plain.py"

TYPES = {
    "k": "ptr8", "n": "ptr8", "out": "ptr8", "scratch": "ptr8",
    "digits": "ptr8", "shape": "ptr8", "code": "ptr8", "state": "ptr32",
}  # the others are int
EXCEPTIONS = {("trace", "n"): "int", ("lehmer", "out"): "ptr32"}

HEAD = '''# Made by generate/scalar_viper.py from scalar_plain.py: change those files, not this one.
# MIT licence.
"""Scalars to digits, digits to field-VM programs; native code. `scalar_plain.py` explains."""

import micropython
'''


def text():
    tree = ast.parse(PLAIN.read_text())
    parts = [HEAD]
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef):
            continue
        node.body = node.body[1:]  # the docstring
        source = ast.unparse(node).split("\n")
        types = (
            "%s: %s" % (a.arg, EXCEPTIONS.get((node.name, a.arg), TYPES.get(a.arg, "int")))
            for a in node.args.args
        )
        head = "def %s(%s)%s:" % (
            node.name, ", ".join(types),
            " -> int" if any(isinstance(n, ast.Return) for n in ast.walk(node)) else "",
        )
        parts.append("\n\n@micropython.viper\n%s\n%s\n" % (head, "\n".join(source[1:])))
    return "".join(parts)
