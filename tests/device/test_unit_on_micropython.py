"""Every unit test file, unchanged, on real MicroPython."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / "tests" / "unit").glob("test_*.py"))


# those that run the engines of suit/crypto
CRYPTO = [
    file for file in FILES
    if file.stem.removeprefix("test_") in (
        "aead", "decrypt", "digest", "ecdh", "ed25519", "keccak", "keywrap", "lms", "mldsa", "p256", "sha512", "sign",
    )
]  # fmt: skip


def run(micropython, *arguments):
    done = subprocess.run(
        [micropython, "-X", "heapsize=8m", str(ROOT / "tests/unit/run.py"), *map(str, arguments)],
        capture_output=True, text=True, timeout=600,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
def test_unit_file_passes_on_micropython(file, micropython):
    run(micropython, file)


@pytest.mark.parametrize("file", CRYPTO, ids=lambda f: f.stem)
def test_unit_file_passes_without_native_code(file, micropython):
    run(micropython, "--plain", file)
