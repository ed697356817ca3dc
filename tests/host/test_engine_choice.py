"""A build without native code verifies with big integers, a native one with native code, and an engine
that gives a wrong answer is passed over."""

import subprocess

import pytest
from suitup.boards import updater

SCRIPT = """
from suit import core as engine
from suit.crypto import p256, p256_secret, p256_sign, ed25519, x25519
from suit.region import MemoryRegion

class Key:
    pass

key = Key()
private = b"\\x11" * 32
key.x, key.y = p256_secret.public(private)
key.table = None
signature = p256_sign.sign(private, b"message")
assert p256.verify(key, b"message", MemoryRegion(signature)) is key
key.table = p256.make_table(key)
assert p256.verify(key, b"message", MemoryRegion(signature)) is key
print(sorted(engine.chosen.items()))
"""
CURVES = ("c25519", "p256", "scalar")


def choice(micropython, folder):
    done = subprocess.run(
        [micropython, "-c", SCRIPT], capture_output=True, text=True, timeout=120,
        env={"MICROPYPATH": "%s/lib:.frozen" % folder},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return {name: kind for name, kind in eval(done.stdout) if name in CURVES}


def install(folder, arch):
    for path, data in updater.files(arch).items():
        file = folder / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)


@pytest.mark.parametrize("arch, kind", [(None, "plain"), ("x64", "viper")])
def test_a_build_uses_the_engines_it_has(arch, kind, tmp_path, micropython):
    install(tmp_path, arch)
    assert choice(micropython, tmp_path) == dict.fromkeys(CURVES, kind)


def test_an_engine_left_out_or_wrong_or_foreign_is_passed_over(tmp_path, micropython):
    install(tmp_path, "x64")
    suit = tmp_path / "lib" / "suit"
    (suit / "crypto.scalar_viper.mpy").unlink()
    # native code of another architecture
    foreign = "more/crypto.c25519_viper.mpy"
    (suit / foreign).write_bytes(updater.files("xtensawin")["/lib/suit/" + foreign])
    # the right field, computed wrongly: a difference for a sum
    engine = suit / "crypto.p256_viper.mpy"
    source = updater.programs("x64")["suit/crypto.p256_viper.py"]
    wrong = source.replace("elif op == 1:", "elif op == 11:")
    assert wrong != source
    engine.write_bytes(updater.compiled(wrong, engine.name, "x64", tmp_path))
    assert choice(micropython, tmp_path) == dict.fromkeys(CURVES, "plain")
