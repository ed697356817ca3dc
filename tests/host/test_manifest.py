"""The model of an envelope, its texts, and what `sign` makes."""

import json
import shutil
import subprocess

import pytest
from click.testing import CliRunner
from suitup import author, cbor, cose, keys, project, version
from suitup import numbers as n
from suitup.cli import group
from suitup.errors import Failure
from suitup.manifest import (
    Digest,
    Envelope,
    Manifest,
    StructureError,
    describe,
    diagnostic,
    templates,
)
from suitup.release import Release


def run(*arguments, code=0):
    result = CliRunner().invoke(group, [str(each) for each in arguments], catch_exceptions=False)
    assert result.exit_code == code, result.output
    return result


def vectors(root):
    """(name, bytes, expectation) of every envelope kept as a test vector."""
    for index in sorted((root / "tests" / "vectors").glob("*/index.json")):
        for case in json.loads(index.read_text())["cases"]:
            if case["kind"] == "suit":
                data = (index.parent / case["files"]["envelope"]).read_bytes()
                yield f"{index.parent.name}/{case['name']}", data, case["expect"]


def test_every_published_envelope_survives_reading_and_writing(root):
    seen = 0
    for name, data, expect in vectors(root):
        if expect.get("result") == "parse-fail" or "parse-fail" in expect.get("result_also", ()):
            continue
        envelope = Envelope.decode(data)
        assert envelope.encode() == data, name
        assert envelope.manifest.encode() == envelope.manifest_bytes, name
        seen += 1
    assert seen > 20


def test_every_published_envelope_can_be_shown(root):
    for name, data, _ in vectors(root):
        assert diagnostic.edn(data).startswith(("107(", "{")), name
        try:
            envelope = Envelope.decode(data)
            assert describe.tree(envelope).startswith("envelope"), name
            json.dumps(describe.as_json(envelope))
        except StructureError:
            pass


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        b"\x00",
        b"\xa0",
        b"\xd8\x6b\xa0",
        b"\xa1\x03\x41\x00",
        b"\x9f" * 90000,
        b"\xa2\x02\x41\x80\x03\x40",
        b"\x81" * 5000,
    ],
)
def test_what_is_no_envelope_is_refused_not_crashed_on(data):
    with pytest.raises(StructureError):
        Envelope.decode(data)
    assert isinstance(diagnostic.edn(data), str)


def test_control_characters_never_reach_the_terminal():
    shown = diagnostic.edn(cbor.encode({"\x1b[2J": '\x07\u202e\U0001f4a5\\"'}))
    assert shown == '{"\\u001b[2J": "\\u0007\\u202e\U0001f4a5\\\\\\""}'


def test_sign_describes_every_component_and_anyone_can_check_it(app):
    run("sign", "--app", app)
    release = Release(app / "release")
    data = (app / "release" / "hello-1.0.0.suit").read_bytes()
    assert (app / "release" / "latest.suit").read_bytes() == data
    envelope = Envelope.decode(data)
    manifest = envelope.manifest
    assert manifest.components == [(b"app",), (b"file", b"settings.json")]
    assert manifest.sequence_number == 1
    assert manifest.set_version == (1, 0, 0)
    entry = release.entries("hello")[0]
    assert entry["digest"] == envelope.digest.value
    # each payload is in the folder, and is what the manifest says it is
    digests = [
        command.argument[n.P_IMAGE_DIGEST]
        for command in manifest.shared
        if command.number == n.C_OVERRIDE_PARAMETERS and n.P_IMAGE_DIGEST in command.argument
    ]
    uris = [
        command.argument[n.P_URI]
        for command in manifest.sequences[n.M_INSTALL]
        if command.number == n.C_OVERRIDE_PARAMETERS
    ]
    assert len(uris) == len(digests) == 2
    for uri, digest in zip(uris, digests):
        payload = (app / "release" / uri).read_bytes()
        assert digest.matches(payload)
        assert uri.startswith(digest.value.hex()[:8] + "-")
    # the text is severed, whole and true
    assert isinstance(manifest.text, Digest)
    assert envelope.text().languages["en"][""][1] == "hello 1.0.0"
    # and the signature is an ECDSA signature that `cryptography` alone verifies
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, utils
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    public = load_pem_public_key((app / "dev.pub.pem").read_bytes())
    block = cbor.decode(envelope.blocks[0], sort=False)
    protected, _, payload, signature = block.value
    assert (block.tag, cbor.decode(protected), payload) == (18, {1: -9}, None)
    signed = cbor.encode(["Signature1", protected, b"", envelope.digest_bytes])
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    public.verify(utils.encode_dss_signature(r, s), signed, ec.ECDSA(hashes.SHA256()))


def test_signing_twice_counts_up_and_keeps_what_did_not_change(app):
    run("sign", "--app", app)
    before = sorted((app / "release").glob("*-settings.json"))
    run("sign", "--app", app, "--version", "1.1.0")
    release = Release(app / "release")
    assert [each["sequence"] for each in release.entries()] == [1, 2]
    assert release.index()["latest"] == "hello-1.1.0.suit"
    assert sorted((app / "release").glob("*-settings.json")) == before
    run("sign", "--app", app, "--version", "1.2.0", "--sequence", "100")
    run("sign", "--app", app, "--version", "1.3.0")
    assert release.last_sequence() == 101


def test_signing_is_deterministic(app):
    run("sign", "--app", app, "--sequence", "5")
    first = (app / "release" / "latest.suit").read_bytes()
    shutil.rmtree(app / "release")
    run("sign", "--app", app, "--sequence", "5")
    assert (app / "release" / "latest.suit").read_bytes() == first


def test_an_integrated_envelope_carries_its_payloads(app):
    run("sign", "--app", app, "--integrated")
    envelope = Envelope.decode((app / "release" / "latest.suit").read_bytes())
    assert sorted(envelope.payloads) == ["#hello.img", "#settings.json"]
    assert envelope.payloads["#settings.json"] == b'{"volume": 3}'


def test_several_keys_sign_one_block_each_or_one_message_together(app):
    keys.save(keys.generate("Ed25519"), app / "second.pem")
    both = ["--key", app / "dev.pem", "--key", app / "second.pem"]
    run("sign", "--app", app, *both)
    envelope = Envelope.decode((app / "release" / "latest.suit").read_bytes())
    assert len(envelope.blocks) == 2
    for block, name in zip(envelope.blocks, ("dev.pub.pem", "second.pub.pem")):
        key = keys.load(app / name)
        assert cose.verify(block, envelope.digest_bytes, [key]) == key
    run("sign", "--app", app, *both, "--together")
    envelope = Envelope.decode((app / "release" / "latest.suit").read_bytes())
    assert len(envelope.blocks) == 1
    for name in ("dev.pub.pem", "second.pub.pem"):
        key = keys.load(app / name)
        assert cose.verify(envelope.blocks[0], envelope.digest_bytes, [key]) == key


def test_the_environment_names_options(app, monkeypatch):
    monkeypatch.setenv("SUIT_APP", str(app))
    monkeypatch.setenv("SUIT_VERSION", "9.9.9")
    run("sign")
    assert (app / "release" / "hello-9.9.9.suit").exists()


def test_a_missing_key_says_how_to_make_one(app, micropython):
    import sys
    from pathlib import Path

    suitup = Path(sys.executable).parent / "suitup"
    done = subprocess.run(
        [suitup, "sign", "--app", app, "--key", app / "none.pem"],
        capture_output=True,
        text=True,
        env={"PATH": "/usr/bin:/bin"},
    )
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        f"error: no key at {app / 'none.pem'}",
        f"hint: make one: suitup keygen {app / 'none.pem'}",
    ]
    assert subprocess.run([suitup, "sign", "--nonsense"], capture_output=True).returncode == 2
    assert subprocess.run([suitup, "nonsense"], capture_output=True).returncode == 2


def test_a_public_key_cannot_sign(app):
    with pytest.raises(Failure, match="public key"):
        run("sign", "--app", app, "--key", app / "dev.pub.pem")


@pytest.mark.parametrize(
    "line",
    [
        "nonsense = 1",
        "name = 3",
        'version = "a/b"',
        'name = "../x"',
        '[files]\n"../x" = "settings.json"',
        "version = [",
    ],
)
def test_a_wrong_setting_is_a_usage_failure(app, line):
    text = (app / "suitup.toml").read_text()
    head = line.split(" = ")[0]
    kept = [each for each in text.splitlines() if not each.startswith(head)]
    (app / "suitup.toml").write_text(
        "\n".join([line, *kept] if not line.startswith("[") else [*kept[:-2], line])
    )
    with pytest.raises(Failure) as caught:
        project.load(app)
    assert caught.value.code == 2


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("1.2.3", (1, 2, 3)),
        ("v2", (2,)),
        ("1.2-rc.3", (1, 2, -1, 3)),
        ("1.2-beta", (1, 2, -2)),
        ("1.2.3-alpha.4", (1, 2, 3, -3, 4)),
        ("1.2.3+build.7", (1, 2, 3)),
        ("nightly", None),
        ("1.2.3-hotfix", None),
    ],
)
def test_versions_are_encoded_as_update_management_says(text, numbers):
    assert version.parse(text) == numbers


def test_ab_template_names_an_image_per_slot():
    images = [
        templates.Image((b"app",), Digest.of(b"a"), 1, "a.img"),
        templates.Image((b"app",), Digest.of(b"b"), 1, "b.img"),
    ]
    manifest = templates.update(1, b"v" * 16, b"c" * 16, [images])
    again = Manifest.decode(manifest.encode())
    (each,) = [c for c in again.shared if c.number == n.C_TRY_EACH]
    assert [branch[-1].argument[n.P_IMAGE_DIGEST] for branch in each.argument] == [
        images[0].digest,
        images[1].digest,
    ]
    (each,) = [c for c in again.sequences[n.M_INSTALL] if c.number == n.C_TRY_EACH]
    assert [branch[-1].argument[n.P_URI] for branch in each.argument] == ["a.img", "b.img"]


def test_the_device_reads_what_sign_writes(app):
    from suit.manifest import Manifest as DeviceManifest

    made = author.draft(project.load(app), Release(app / "release"))
    device = DeviceManifest(made.envelope.manifest_bytes)
    assert (device.sequence_number, device.components, device.set_version) == (1, 2, (1, 0, 0))


def test_no_mutation_crashes_inspect_or_lint():
    from random import Random

    from mutations import make
    from suitup.manifest.lint import Finding, lint

    shown = 0
    for seed in range(1500):
        data = make(Random(seed)).data
        assert isinstance(diagnostic.edn(data), str)
        assert all(isinstance(each, Finding) for each in lint(data))
        try:
            envelope = Envelope.decode(data)
            describe.tree(envelope)
            json.dumps(describe.as_json(envelope))
            shown += 1
        except StructureError:
            pass
    assert shown > 300
