"""HSS-LMS keys: signatures that others verify, and indices that are never used twice."""

import os
import shutil
import signal
import subprocess
import sys
import time

import pyhsslms
import pytest
from suitup import cbor, cose, keys
from suitup.errors import Failure

DIGEST = cbor.encode([-16, b"d" * 32])


@pytest.fixture(autouse=True)
def journal(tmp_path, monkeypatch):
    """The per-user journal lies in the test's own folder."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "xdg"))
    return tmp_path / "xdg"


def index_of(signature, heights):
    """The index an HSS signature was made with, read from its leaf numbers."""
    levels = int.from_bytes(signature[:4], "big") + 1
    assert levels == len(heights)
    at, index = 4, 0
    for level, height in enumerate(heights):
        index = index << height | int.from_bytes(signature[at : at + 4], "big")
        if level < levels - 1:
            size = pyhsslms.LmsSignature.sizeof(signature[at:])
            at += size + 56
    return index


@pytest.mark.parametrize(
    ("parameters", "heights"),
    [
        ("5/1", [5]),
        ("5/2", [5]),
        ("5/4", [5]),
        ("5/8", [5]),
        ("5/4,5/8", [5, 5]),
        ("5/8,5/8,5/8", [5, 5, 5]),
    ],
)
def test_pyhsslms_verifies_what_we_sign(tmp_path, parameters, heights):
    key = keys.hsslms.create(tmp_path / "k", parameters)
    public = pyhsslms.HssPublicKey.deserialize(key.params[-1])
    for index in range(3):
        signature = key.state.sign(b"message %d" % index)
        assert public.verify(b"message %d" % index, signature)
        assert not public.verify(b"another", signature)
        assert index_of(signature, heights) == index
    assert key.state.left == (1 << sum(heights)) - 3


def test_the_device_verifies_what_we_sign(tmp_path):
    from suit.crypto import lms
    from suit.region import MemoryRegion
    from suit.trust import TrustStore

    key = keys.hsslms.create(tmp_path / "k", "5/8,5/8")
    (device,) = TrustStore(keys.trust_store([key])).candidates(-46)
    signature = key.state.sign_with(1000, b"message")
    lms.verify(device, b"message", MemoryRegion(signature))


def test_a_loaded_key_signs_blocks_and_its_public_half_is_no_secret(tmp_path):
    made = keys.hsslms.create(tmp_path / "k.hss", "5/8", development=True)
    keys.save_public(made, tmp_path / "k.pub.hss")
    key, public = keys.load(tmp_path / "k.hss"), keys.load(tmp_path / "k.pub.hss")
    assert (key.kid, key.private, key.development) == (made.kid, True, True)
    assert (public.kid, public.private, public.development) == (made.kid, False, True)
    assert cose.verify(cose.block(DIGEST, key), DIGEST, [public]).kid == key.kid
    assert len(keys.trust_store([key])) < 150
    assert (tmp_path / "k.hss").stat().st_mode & 0o777 == 0o600


def test_across_trees_every_index_signs_once_and_the_last_one_ends_it(tmp_path):
    key = keys.hsslms.create(tmp_path / "k", "5/8,5/8")
    public = pyhsslms.HssPublicKey.deserialize(key.params[-1])
    key.state.adopt(skip=30)
    tops = {}
    for index in range(30, 35):
        signature = key.state.sign(b"m")
        assert public.verify(b"m", signature)
        assert index_of(signature, [5, 5]) == index
        tops[int.from_bytes(signature[4:8], "big")] = signature[4:1000]
    assert sorted(tops) == [0, 1]
    # the upper tree signs the same lower tree with the same bytes, whenever it is asked
    assert key.state.sign_with(0, b"x")[4:1000] == tops[0]
    key.state.adopt(skip=key.state.left - 1)
    key.state.sign(b"last")
    with pytest.raises(Failure, match="used up"):
        key.state.sign(b"one more")


def test_a_lost_or_damaged_tree_is_made_anew(tmp_path):
    key = keys.hsslms.create(tmp_path / "k", "5/8")
    for damage in (
        lambda path: path.unlink(),
        lambda path: path.write_bytes(b"\x00"),
        lambda path: path.write_bytes(cbor.encode({"": b"\x00" * 63 * 32})),
    ):
        damage(tmp_path / "k.tree")
        assert cose.verify(cose.block(DIGEST, key), DIGEST, [key.public()])


def test_a_copied_key_refuses_until_it_is_adopted(tmp_path):
    key = keys.hsslms.create(tmp_path / "k", "5/8")
    key.state.sign(b"1")
    (tmp_path / "copy").mkdir()
    for name in ("k", "k.state", "k.tree"):
        shutil.copy(tmp_path / name, tmp_path / "copy" / name)
    copy = keys.load(tmp_path / "copy" / "k")
    with pytest.raises(Failure, match="copied or moved"):
        copy.state.sign(b"2")
    assert index_of(key.state.sign(b"2"), [5]) == 1  # the original goes on
    assert copy.state.adopt(skip=2) == 4  # behind what the journal knows, and 2 more
    assert index_of(copy.state.sign(b"3"), [5]) == 4
    with pytest.raises(Failure, match="rolled back"):  # the original was overtaken
        key.state.sign(b"4")


def test_a_restored_state_is_noticed(tmp_path):
    key = keys.hsslms.create(tmp_path / "k", "5/8")
    old = (tmp_path / "k.state").read_bytes()
    key.state.sign(b"1")
    key.state.sign(b"2")
    (tmp_path / "k.state").write_bytes(old)
    with pytest.raises(Failure, match="rolled back"):
        key.state.sign(b"3")
    key.state.adopt()
    assert index_of(key.state.sign(b"3"), [5]) == 2
    (tmp_path / "k.state").unlink()
    with pytest.raises(Failure, match="missing"):
        key.state.sign(b"4")


@pytest.mark.parametrize("text", ["", "5", "6/8", "5/3", "5/8," * 9 + "5/8", "a/b", "25/8"])
def test_parameters_that_do_not_exist_are_refused(tmp_path, text):
    with pytest.raises(Failure):
        keys.hsslms.create(tmp_path / "k", text)


SIGNER = """
import sys, time
from suitup import keys
key = keys.load(sys.argv[1])
while True:
    time.sleep(0.02)  # a fast machine must not use up the key before the last one is killed
    signature = key.state.sign(b"m")
    sys.stdout.write(signature[4:8].hex() + "\\n")
    sys.stdout.flush()
"""


def test_parallel_signers_never_share_an_index_even_when_they_are_killed(tmp_path):
    key = keys.hsslms.create(tmp_path / "k", "10/2")

    def start(number):
        out = open(tmp_path / f"out.{number}", "w")
        return subprocess.Popen(
            [sys.executable, "-c", SIGNER, str(tmp_path / "k")],
            stdout=out,
            stderr=out,
            env={**os.environ},
        )

    running = [start(number) for number in range(3)]
    for number in range(3, 9):
        time.sleep(0.4)
        victim = running.pop(0)
        victim.send_signal(signal.SIGKILL)
        victim.wait()
        running.append(start(number))
    time.sleep(0.5)
    for process in running:
        process.send_signal(signal.SIGKILL)
        process.wait()
    used = []
    for number in range(9):
        text = (tmp_path / f"out.{number}").read_text()
        assert "Traceback" not in text, text
        used += [line for line in text.split("\n")[:-1]]
    assert len(used) > 20
    assert len(used) == len(set(used))
    # what was given out is on disk as given out
    assert key.state._read_state()["next"] > max(int(each, 16) for each in used)


def test_a_kill_between_reserving_and_signing_wastes_the_index(tmp_path, monkeypatch):
    key = keys.hsslms.create(tmp_path / "k", "5/8")
    with monkeypatch.context() as context:
        context.setattr(
            keys.hsslms.HSSPrivate,
            "sign_with",
            lambda *_: (_ for _ in ()).throw(KeyboardInterrupt),
        )
        with pytest.raises(KeyboardInterrupt):
            key.state.sign(b"m")
    assert index_of(key.state.sign(b"m"), [5]) == 1
