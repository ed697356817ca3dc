"""The limits that firmware/README.md names are those of the code."""

import importlib
import re


def test_the_documented_limits_are_those_of_the_code(root):
    text = (root / "firmware" / "README.md").read_text().split("## Limits")[1]
    rows = re.findall(r"^\| [\w ]+ \| [^|]+ \| ([\w.]+) ([\w, ]+) \| ([\d, ]+) \|$", text, re.M)
    assert len(rows) == len(re.findall(r"^\|", text, re.M)) - 2 > 10
    for module, names, values in rows:
        found = [getattr(importlib.import_module(module), name) for name in names.split(", ")]
        assert found == [int(value) for value in values.split(", ")], (module, names)
