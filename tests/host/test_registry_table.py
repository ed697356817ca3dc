"""firmware/README.md has every number of the registries, and says of each what is so."""

import json
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


REGISTRIES = json.loads((ROOT / "tests" / "vectors" / "registries.json").read_text())
# how the tables here spell what the registries abbreviate
_LONG = {"vendor-id": "vendor-identifier", "class-id": "class-identifier", "device-id": "device-identifier"}


def test_the_tables_have_the_numbers_of_the_registries_and_their_names():
    for title, registry in (("Commands", "commands"), ("Parameters", "parameters")):
        rows = {number: name for number, (name, _, _) in table(title).items()}
        wanted = {int(number): _LONG.get(name, name) for number, name in REGISTRIES[registry].items()}
        assert rows == wanted, title


def members(title):
    """{number: [names]} of a table whose rows may stand for several numbers."""
    part = TEXT.split(f"## {title}\n")[1].split("\n## ")[0]
    found = {}
    for numbers, names, state, test in re.findall(r"^\| ([\d, ]+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", part, re.M):
        assert state.strip() and "test_" in test
        for number in numbers.split(","):
            found.setdefault(int(number), []).append(names)
    return found


def test_every_member_of_manifest_envelope_and_common_is_in_a_table():
    rows = members("Members of manifest and envelope")
    for registry in ("manifest", "envelope"):
        for number, name in REGISTRIES[registry].items():
            if (registry, number) != ("envelope", "1"):  # reserved there: delegation, see the row
                assert any(name in names for names in rows[int(number)]), (registry, number)
    assert set(rows) == {int(number) for number in (*REGISTRIES["manifest"], *REGISTRIES["envelope"])}
    rows = members("Members of common, and of a dependency")
    assert {number: names[0] for number, names in rows.items()} == {
        int(number): name for number, name in REGISTRIES["common"].items()
    }


def test_the_workstation_has_the_same_texts():
    for table_, registry in ((labels.TEXT, "text"), (labels.COMPONENT_TEXT, "component-text")):
        assert {str(number) for number in table_} == set(REGISTRIES[registry])
        for number, name in REGISTRIES[registry].items():
            assert table_[int(number)].endswith(name)


def test_the_tests_it_names_are_there():
    named = set(re.findall(r"test_\w+\.py", TEXT))
    assert named and all((ROOT / "tests" / "unit" / name).exists() for name in named), named
