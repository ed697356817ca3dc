"""Partition tables against ESP-IDF's own generator: the same bytes, both ways, and the same refusals (`IDF_PATH=/path/to/esp-idf
pytest tests/interop/test_esp_idf_partitions.py`; skipped without). ESP-IDF 5 has a generator that needs nothing but Python."""

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from suitup.errors import Failure
from suitup.images import partitions

ROOT = Path(__file__).resolve().parents[2]
OURS = sorted(ROOT.glob("boards/*/partitions*.csv")) + sorted(ROOT.glob("boards/*/micropython/*.csv"))
SEEDS = 60


@pytest.fixture(scope="module")
def theirs(tmp_path_factory):
    """Convert between CSV and binary with ESP-IDF's tool; None when it refuses."""
    idf = os.environ.get("IDF_PATH")
    tool = Path(idf or ".") / "components/partition_table/gen_esp32part.py"
    if not idf or not tool.is_file():
        pytest.skip("no ESP-IDF: IDF_PATH=...")
    folder = tmp_path_factory.mktemp("idf")
    if subprocess.run([sys.executable, tool, "--help"], capture_output=True).returncode:
        pytest.skip("this generator does not run with this Python: ESP-IDF 5's does")

    def convert(data, kind):
        (folder / "in").write_bytes(data)
        out = folder / ("out" + kind)
        out.unlink(missing_ok=True)
        subprocess.run([sys.executable, tool, "-q", folder / "in", out], capture_output=True)
        return out.read_bytes() if out.exists() else None

    return convert


@pytest.mark.parametrize("path", OURS, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_our_tables_are_the_same_bytes_and_are_read_alike(theirs, path):
    table = partitions.load(path)
    ours = partitions.encode(table)
    assert theirs(path.read_bytes(), ".bin") == ours
    assert partitions.parse_csv(theirs(ours, ".csv").decode()) == table


def made_up(seed):
    """A table that is right, or wrong in some way."""
    chance = random.Random(seed)
    kinds = [
        ("data", "nvs", ("12K", "0x4000", "0x1000")), ("data", "ota", ("0x2000",) * 8 + ("0x1000",)),
        ("data", "phy", ("4K",)), ("app", "factory", ("1M", "0x11000", "0x10800")), ("app", "ota_0", ("1M",)),
        ("data", "fat", ("64K",)), ("data", "", ("0x1000",)), ("app", "tee_0", ("128K",)), ("0x40", "0x01", ("8K",)),
    ]  # fmt: skip
    lines = ["# Name, Type, SubType, Offset, Size, Flags"]
    for number in range(chance.randrange(1, 7)):
        kind, sub, sizes = chance.choice(kinds)
        at = chance.choice(["", "", "", "", "", hex(0x9000 + chance.randrange(64) * 0x8000), "0x11800"])
        flags = chance.choice(["", "", "", "encrypted", "readonly", "encrypted:readonly"])
        name = chance.choice(["p%d" % number] * 9 + ["p0"])
        lines.append(", ".join([name, kind, sub, at, chance.choice(sizes), flags]))
    return "\n".join(lines) + "\n"


def test_made_up_tables_are_the_same_bytes_or_refused_by_both(theirs):
    taken = 0
    for seed in range(SEEDS):
        text = made_up(seed)
        try:
            ours = partitions.encode(partitions.parse_csv(text))
        except Failure as failure:
            # without otadata the slots never boot; ESP-IDF leaves that to the boot loader
            if "never boot" not in str(failure):
                assert theirs(text.encode(), ".bin") is None, (failure, text)
            continue
        assert theirs(text.encode(), ".bin") == ours, text
        taken += 1
    assert SEEDS // 6 < taken < SEEDS
