"""Registry numbers become literals when the updater is compiled.

On a board every name costs flash in each module that imports it, RAM in its globals and a look-up when it is used.
`inline(source, numbers)` gives the same program with the constants of `suit/numbers.py` in place of their names, line for
line, so that tracebacks still fit the source. What is not a plain integer stays imported."""

import ast


def constants(source: str) -> dict[str, int]:
    """{name: value} of every `NAME = integer` of `suit/numbers.py`."""
    found = {}
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            try:
                value = ast.literal_eval(node.value)
            except ValueError:
                continue
            if type(value) is int:
                found[node.targets[0].id] = value
    return found


def inline(source: str, numbers: dict[str, int]) -> str:
    """`source` of a module of the updater with `numbers` in it."""
    tree = ast.parse(source)
    names, modules, edits = {}, set(), []
    for node in ast.walk(tree):
        if not isinstance(node, ast.ImportFrom):
            continue
        kept = []
        for alias in node.names:
            if (node.module or "").split(".")[-1] == "numbers" and alias.name in numbers:
                names[alias.asname or alias.name] = numbers[alias.name]
            elif node.module is None and alias.name == "numbers":
                modules.add(alias.asname or alias.name)
            else:
                kept.append(alias)
        if len(kept) != len(node.names):
            edits.append((node, _import(node, kept)))
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id in modules
        ):
            edits.append((node, _literal(numbers[node.attr])))
        elif isinstance(node, ast.Name) and node.id in names:
            if not isinstance(node.ctx, ast.Load):
                raise ValueError(f"line {node.lineno}: {node.id} is assigned to")
            edits.append((node, _literal(names[node.id])))
    return _apply(source, edits)


def _literal(value):
    return str(value) if value >= 0 else f"({value})"


def _import(node, kept):
    """The import statement with what is left of it; it keeps its lines."""
    names = ", ".join(a.name + (f" as {a.asname}" if a.asname else "") for a in kept)
    text = f"from {'.' * node.level}{node.module or ''} import {names}" if kept else "pass"
    return text + "\n" * (node.end_lineno - node.lineno)


def _apply(source, edits):
    lines = source.encode().splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    data = b"".join(lines)

    def at(line, column):
        return starts[line - 1] + column

    places = sorted(
        (
            (at(n.lineno, n.col_offset), at(n.end_lineno, n.end_col_offset), text)
            for n, text in edits
        ),
        reverse=True,
    )
    for start, end, text in places:
        data = data[:start] + text.encode() + data[end:]
    return data.decode()
