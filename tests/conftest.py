"""Paths and the interpreters that tests need."""

import gc
import os
import shutil
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
for entry in (ROOT / "boards" / "virtual", ROOT / "firmware", ROOT / "tests" / "unit", ROOT / "host"):
    sys.path.insert(0, str(entry))


# The device collects its few kilobytes of garbage often. Here each collection would walk everything that pytest and the
# libraries ever loaded, tens of milliseconds at a time, for nothing: CPython frees what is no longer referred to, and
# still collects cycles by itself.
gc.collect = lambda generation=2: 0


def pytest_collection_modifyitems(items):
    """The file that takes longest is begun first, so that no core waits for it at the end."""
    items.sort(key=lambda item: item.path.name != "test_powercut.py")


def pytest_configure(config):
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(_AtOnce(config))


class _AtOnce:
    """Names what failed when it fails: a run that somebody's clock ends has no summary."""

    def __init__(self, config):
        self.config = config

    def pytest_runtest_logreport(self, report):
        reporter = self.config.pluginmanager.get_plugin("terminalreporter")
        if report.failed and reporter:
            reporter.ensure_newline()
            reporter.write_line(f"FAILED {report.nodeid} ({report.when}, after {report.duration:.0f} s)")


def pytest_terminal_summary(terminalreporter):
    """What tests counted (`record_property("counted", ...)`), whichever process they ran in."""
    for reports in terminalreporter.stats.values():
        for report in reports:
            if getattr(report, "when", None) == "call":
                for name, value in report.user_properties:
                    if name == "counted":
                        terminalreporter.write_line(value)


def find_micropython():
    """The Unix port: MICROPYTHON=, the one beside this Python, or PATH; None where there is none."""
    beside = Path(sys.executable).parent / "micropython"
    named = os.environ.get("MICROPYTHON")
    return named or (str(beside) if beside.exists() else shutil.which("micropython"))


@pytest.fixture(scope="session")
def micropython():
    path = find_micropython()
    if not path:
        pytest.fail("no micropython: `make setup` installs one, MICROPYTHON= names another")
    return path


@pytest.fixture(scope="session")
def root():
    return ROOT
