"""Our envelopes verify with software of others, theirs verify with ours: `cryptography` alone, pyhsslms, pycose's own
keys, and python-cwt in its own environment."""

import json
import subprocess
from pathlib import Path

import cbor2
import pytest
from suitup import cbor, cose, keys
from suitup import numbers as n
from suitup.manifest import Digest

PEER = Path(__file__).with_name("cwt_peer.py")
DIGEST = Digest.of(b"a manifest").encode()


def ask(python, *requests):
    done = subprocess.run(
        [python, str(PEER)],
        input="".join(json.dumps(each) + "\n" for each in requests),
        capture_output=True,
        text=True,
        timeout=120,
    )
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == len(requests), done.stderr
    return answers


def wire(key, alg):
    """The COSE_Key as the peer wants it: with an algorithm and a key id."""
    return cbor.encode({**key.params, n.KEY_ALG: alg, n.KEY_KID: key.thumbprint}).hex()


ALGORITHMS = [
    ("ESP256", n.ALG_ESP256),
    ("ESP256", n.ALG_ES256),
    ("Ed25519", n.ALG_ED25519),
    ("Ed25519", n.ALG_EDDSA),
    ("HMAC-256", n.ALG_HMAC256),
]


@pytest.mark.parametrize(("kind", "alg"), ALGORITHMS)
def test_python_cwt_verifies_ours_and_refuses_what_was_changed(peer_python, kind, alg):
    key = keys.generate(kind)
    block = cose.block(DIGEST, key, alg)
    changed = block[:-1] + bytes([block[-1] ^ 1])
    public = wire(key.public(), alg)
    good, altered, other = ask(
        peer_python,
        {"verify": block.hex(), "payload": DIGEST.hex(), "keys": [public]},
        {"verify": changed.hex(), "payload": DIGEST.hex(), "keys": [public]},
        {"verify": block.hex(), "payload": b"another".hex(), "keys": [public]},
    )
    assert good["ok"], good
    assert not altered["ok"] and not other["ok"]


def test_python_cwt_verifies_our_cose_sign(peer_python):
    signers = [keys.generate(), keys.generate("Ed25519")]
    block = cose.sign(DIGEST, signers)
    for key, alg in zip(signers, (n.ALG_ESP256, n.ALG_ED25519)):
        (answer,) = ask(
            peer_python,
            {"verify": block.hex(), "payload": DIGEST.hex(), "keys": [wire(key.public(), alg)]},
        )
        assert answer["ok"], answer


def detached(message):
    """The same message with its payload taken out: what is signed stays the same."""
    item = cbor2.loads(message)
    item.value[2] = None
    return cbor2.dumps(item)


def on_the_device(block, trusted):
    """The device code's verdict; returns the key id that verified."""
    from suit.cose import verify
    from suit.region import MemoryRegion
    from suit.trust import TrustStore

    key = verify(MemoryRegion(block), DIGEST, TrustStore(keys.trust_store(trusted)))
    return bytes(key.kid).hex()


@pytest.mark.parametrize(
    ("name", "alg", "kind"),
    [(*each, "Mac0" if each[0] == "HMAC-256" else "Sign1") for each in ALGORITHMS]
    + [("ESP256", n.ALG_ESP256, "Sign")],
)
def test_what_python_cwt_signs_verifies_here_and_on_the_device(peer_python, name, alg, kind):
    from suit.errors import SuitError

    key = keys.generate(name)
    (answer,) = ask(
        peer_python, {"sign": DIGEST.hex(), "alg": alg, "kind": kind, "keys": [wire(key, alg)]}
    )
    assert "cose" in answer, answer
    block = detached(bytes.fromhex(answer["cose"]))
    trusted = [keys.generate(name), key.public()]
    assert cose.verify(block, DIGEST, trusted).kid == key.kid
    assert on_the_device(block, trusted) == key.kid
    changed = block[:-1] + bytes([block[-1] ^ 1])
    with pytest.raises(cose.CoseError):
        cose.verify(changed, DIGEST, trusted)
    with pytest.raises(SuitError):
        on_the_device(changed, trusted)


KINDS = ["ESP256", "Ed25519", "HMAC-256", "A128KW", "A256KW", "ML-DSA-44", "HSS-LMS"]


@pytest.mark.parametrize("name", KINDS)
def test_the_device_verifies_every_kind_of_our_blocks(tmp_path, monkeypatch, name):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "xdg"))
    if name == "HSS-LMS":
        key = keys.hsslms.create(tmp_path / "k", "5/4")
    else:
        key = keys.generate(name)
    assert on_the_device(cose.block(DIGEST, key), [key]) == key.kid


def test_pycose_verifies_ours_with_its_own_algorithms_and_keys():
    """In a process of its own, where our algorithms are not registered."""
    key = keys.generate()
    script = """
import sys
from pycose.messages import Sign1Message
from pycose.keys import EC2Key
from pycose.keys.curves import P256
block, digest, x, y = (bytes.fromhex(each) for each in sys.argv[1:])
message = Sign1Message.decode(block)
message.key = EC2Key(crv=P256, x=x, y=y)
print(message.verify_signature(detached_payload=digest))
"""
    import sys

    block = cose.sign1(DIGEST, key, n.ALG_ES256)
    for digest, expected in ((DIGEST, "True"), (b"another", "False")):
        arguments = [block, digest, key.params[-2], key.params[-3]]
        done = subprocess.run(
            [sys.executable, "-c", script, *(each.hex() for each in arguments)],
            capture_output=True,
            text=True,
        )
        assert done.stdout.strip() == expected, done.stderr
