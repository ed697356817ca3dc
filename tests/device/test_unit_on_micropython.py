"""Every unit test file, unchanged, on real MicroPython."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / "tests" / "unit").glob("test_*.py"))


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
def test_unit_file_passes_on_micropython(file, micropython):
    done = subprocess.run(
        [micropython, "-X", "heapsize=8m", str(ROOT / "tests/unit/run.py"), str(file)],
        capture_output=True, text=True, timeout=600,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
