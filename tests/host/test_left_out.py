"""A build may leave algorithms out: what is missing is a clear refusal, and the profiles say so."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from suit import numbers as n
from suit.profiles import FILES, PROFILES

ROOT = Path(__file__).resolve().parents[2]
VECTORS = ROOT / "tests" / "vectors"

# prints {"profiles": [...], "verify": {alg: reason}, "decrypt": {name: reason or plaintext}}
SCRIPT = """
import sys, json
sys.path.insert(0, sys.argv[1])
from suit import profiles, numbers as n
from suit.crypto import verifier
from suit.decrypt import open as opened
from suit.errors import SuitError
from suit.region import FileRegion
from suit.trust import Key
def said(call, *args):
    try:
        found = call(*args)
        return found if isinstance(found, bytes) else 0
    except SuitError as error:
        return error.reason
out = {"profiles": sorted(profiles.supported()), "verify": {}, "decrypt": {}}
for alg in (n.ALG_ESP256, n.ALG_ED25519, n.ALG_HSS_LMS, n.ALG_ML_DSA_44, n.ALG_HMAC256):
    out["verify"][str(alg)] = said(verifier, alg)
folder = sys.argv[2]
for stem in ("aes-kw-aes-gcm", "aes-kw-aes-ctr", "es-ecdh-aes-ctr"):
    keys = [Key(open(folder + "/keys/" + name, "rb").read())
            for name in ("kid-1-a128kw.cose_key.cbor", "kid-2-ecdh-p256.cose_key.cbor")]
    base = folder + "/firmware-encryption/" + stem
    info = open(base + ".info.cbor", "rb").read()
    found = said(opened, info, FileRegion(open(base + ".payload.bin", "rb")), keys)
    out["decrypt"][stem] = found if isinstance(found, int) else str(found, "utf-8")
print(json.dumps(out))
"""


@pytest.fixture
def build(tmp_path, micropython):
    """build(names of suit/crypto to leave out) -> what a board with the rest says."""
    script = tmp_path / "ask.py"
    script.write_text(SCRIPT)

    def build(*left_out):
        shutil.rmtree(tmp_path / "suit", ignore_errors=True)
        shutil.copytree(ROOT / "firmware" / "suit", tmp_path / "suit")
        for name in left_out:
            for path in (tmp_path / "suit" / "crypto").glob(name + "*.py"):
                path.unlink()
        done = subprocess.run(
            [micropython, str(script), str(tmp_path), str(VECTORS)],
            capture_output=True, text=True, timeout=120,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)

    return build


def test_a_whole_build_serves_every_profile(build):
    said = build()
    assert said["profiles"] == sorted(PROFILES)
    assert set(said["verify"].values()) == {0}
    assert set(said["decrypt"].values()) == {"This is a real firmware image."}


@pytest.mark.parametrize("file", ["gcm", "chacha", "lms", "ed25519", "hmac256", "x25519", "keywrap"])
def test_without_a_file_the_profiles_that_need_it_are_not_served(build, file):
    said = build(file)
    missing = {alg for alg, files in FILES.items() if file in files}
    expected = sorted(name for name, algs in PROFILES.items() if not missing & set(algs))
    assert said["profiles"] == expected
    for alg, reason in said["verify"].items():
        assert reason == (n.R_ALG_UNSUPPORTED if int(alg) in missing else 0), alg


def test_a_payload_for_a_missing_cipher_is_refused_as_unsupported(build):
    said = build("gcm", "mldsa")
    assert said["decrypt"]["aes-kw-aes-gcm"] == n.R_ALG_UNSUPPORTED
    assert said["decrypt"]["aes-kw-aes-ctr"] == "This is a real firmware image."
    assert said["verify"][str(n.ALG_ML_DSA_44)] == n.R_ALG_UNSUPPORTED


def test_a_payload_for_a_missing_key_agreement_is_refused_as_unsupported(build):
    said = build("p256")
    assert said["decrypt"]["es-ecdh-aes-ctr"] == n.R_ALG_UNSUPPORTED
    assert said["decrypt"]["aes-kw-aes-ctr"] == "This is a real firmware image."


def test_a_missing_key_wrap_is_refused_as_unsupported(build):
    assert build("keywrap")["decrypt"]["aes-kw-aes-ctr"] == n.R_ALG_UNSUPPORTED
