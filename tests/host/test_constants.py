"""Registry numbers are put into the compiled updater as literals, and nothing else changes."""

import ast

import pytest
from suitup import paths
from suitup.images import constants

NUMBERS = constants.constants((paths.firmware() / "suit" / "numbers.py").read_text())
MODULES = sorted((paths.firmware() / "suit").rglob("*.py"))


def test_names_become_literals_wherever_they_are_read():
    source = "from .numbers import (\n    ALG_ES256,\n    R_OK as FINE,\n)\n"
    source += "x = {ALG_ES256: FINE}\nself.R_OK = ALG_ES256.bit_length\n"
    assert (
        constants.inline(source, NUMBERS)
        == "pass\n\n\n\nx = {(-7): 0}\nself.R_OK = (-7).bit_length\n"
    )


def test_the_module_of_numbers_may_be_used_by_another_name():
    source = "from . import conditions, numbers as n\ny = n.TAG_SIGN1\n"
    assert constants.inline(source, NUMBERS) == "from . import conditions\ny = 18\n"


def test_a_name_that_is_assigned_to_is_not_taken_for_a_constant():
    with pytest.raises(ValueError):
        constants.inline("from .numbers import R_OK\nR_OK = 1\n", NUMBERS)


@pytest.mark.parametrize("path", MODULES, ids=lambda p: p.stem)
def test_every_module_keeps_its_lines_and_needs_numbers_no_more(path):
    if path.name == "numbers.py":
        return
    source = path.read_text()
    made = constants.inline(source, NUMBERS)
    assert made.count("\n") == source.count("\n")
    for node in ast.walk(ast.parse(made)):
        if isinstance(node, ast.ImportFrom):
            assert (node.module or "").split(".")[-1] != "numbers"
            assert "numbers" not in [alias.name for alias in node.names]
