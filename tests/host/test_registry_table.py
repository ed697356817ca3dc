"""firmware/README.md has every number of the registries, and says of each what is so."""

import re
from pathlib import Path

from suit import conditions, dependencies, directives, flow, management
from suit import parameters as core
from suitup.manifest import labels

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "firmware" / "README.md").read_text()


def table(title):
    """{number: (name, state, test)} of a table."""
    part = TEXT.split(f"## {title}\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (\d+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", part, re.M)
    return {int(number): (name, state, test) for number, name, state, test in rows}


def test_every_command_and_parameter_of_the_registries_is_there_and_the_code_has_it():
    done = {*conditions.COMMANDS, *directives.COMMANDS, *flow.STEERING, *flow.FLOW}
    done |= {*management.COMMANDS, *dependencies.COMMANDS}
    read = {*core.PARAMETERS, *management.PARAMETERS, *dependencies.PARAMETERS}
    for title, names, code in (("Commands", labels.COMMANDS, done), ("Parameters", labels.PARAMETERS, read)):
        rows = table(title)
        assert set(rows) == set(names) == code
        for number, (name, state, _) in rows.items():
            assert name == names[number] and state.startswith("done"), (title, number)


def test_the_tests_it_names_are_there():
    named = set(re.findall(r"test_\w+\.py", TEXT))
    assert named and all((ROOT / "tests" / "unit" / name).exists() for name in named), named
