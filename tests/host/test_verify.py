"""The workstation's own verdict, against the published cases and on the command line."""

import json

import pytest
from click.testing import CliRunner
from suitup import keys
from suitup.cli import group
from suitup.errors import Failure
from suitup.manifest.verify import Device, verify

# command numbers of trust-domains are not simulated (see suitup/manifest/verify.py)
FOLDERS = ("suit-manifest", "update-management", "mti", "firmware-encryption")


def identifier(name):
    return tuple(bytes.fromhex(part) for part in name.split("/")) if name else ()


def published(root):
    for folder in FOLDERS:
        index = root / "tests" / "vectors" / folder / "index.json"
        if not index.exists():
            continue
        for case in json.loads(index.read_text())["cases"]:
            if case["kind"] == "suit" and "dependency" not in case["name"]:
                yield folder, case


def judge(root, folder, case):
    here = root / "tests" / "vectors"
    environment = case.get("environment", {})
    device = Device(
        keys=[
            keys.load(here / name) for name in [case["key"], *case.get("more_keys", [])] if name
        ],
        floor=environment.get("current_sequence_number", 0),
        slot=environment.get("slot", 0),
        now=environment.get("now"),
        battery_mwh=environment.get("battery_mwh"),
        components={
            identifier(k): bytes.fromhex(v)
            for k, v in environment.get("components_before", {}).items()
        },
        versions={
            identifier(k): tuple(v) for k, v in environment.get("component_versions", {}).items()
        },
        payloads={
            uri: (here / folder / name).read_bytes()
            for uri, name in case["files"].get("payloads", {}).items()
        },
        decryption_keys=[keys.load(here / case["decryption_key"])]
        if case.get("decryption_key")
        else [],
    )
    if "vendor_id" in environment:
        device.vendor_id = bytes.fromhex(environment["vendor_id"])
    if "class_id" in environment:
        device.class_ids = (bytes.fromhex(environment["class_id"]),)
    data = (here / folder / case["files"]["envelope"]).read_bytes()
    return verify(data, device, environment.get("procedures", ("update", "invocation")))


def test_every_published_case_gets_its_verdict(root):
    seen = 0
    for folder, case in published(root):
        verdict, expect = judge(root, folder, case), case["expect"]
        told = f"{folder}/{case['name']}: {verdict.word} ({verdict.why}), expected {expect}"
        if expect["result"] == "authentic":
            # beyond the point where the published payloads end nothing is judged
            assert verdict.word in (expect["stops_at"]["result"], "ok"), told
        else:
            assert verdict.word in (expect["result"], *expect.get("result_also", ())), told
            assert verdict.accepted == expect["accept"], told
        if verdict.accepted:
            for name, content in expect.get("components_after", {}).items():
                assert verdict.components.get(identifier(name)) == bytes.fromhex(content), told
            if "invoked" in expect:
                assert verdict.invoked == [
                    (identifier(each["component"]), bytes.fromhex(each["args"]))
                    for each in expect["invoked"]
                ], told
        seen += 1
    assert seen >= 48


def run(*arguments):
    return CliRunner().invoke(group, [str(each) for each in arguments], catch_exceptions=False)


def test_a_release_is_verified_and_executed(app):
    run("sign", "--app", app)
    result = run("verify", app / "release" / "latest.suit", "--app", app)
    assert result.exit_code == 0
    assert result.output.splitlines()[0].startswith("ok: authentic and executable, by ESP256 key")
    assert '  ["file", "settings.json"] 13 bytes' in result.output.splitlines()


def test_who_names_the_trusted_keys_does_not_trust_those_of_the_project_too(app, micropython):
    run("sign", "--app", app)
    run("keygen", app / "other.pem")
    run("trust", "build", f"{app / 'other.pem'}:app", "-o", app / "trust.cbor")
    for trusted in (("--key", app / "other.pem"), ("--trust", app / "trust.cbor")):
        for verb in ("verify", "simulate"):
            with pytest.raises(Failure, match="auth-fail"):
                run(verb, app / "release" / "latest.suit", "--app", app, *trusted)


@pytest.mark.parametrize(
    ("spoil", "word"),
    [
        (lambda folder, data: data[:-1], "parse-fail"),
        (lambda folder, data: data + b"\x00", "parse-fail"),
        (lambda folder, data: data.replace(b"settings.json", b"settings.jsom", 1), "auth-fail"),
        (
            lambda folder, data: data.replace(b"vendor", b"Vendor").replace(
                b"example", b"Example"
            ),
            "severed-digest-fail",
        ),
        (
            lambda folder, data: (
                [each.write_bytes(b"other") for each in folder.glob("*-hello.img")] and data
            ),
            "operation-failed",
        ),
        (
            lambda folder, data: (
                [each.write_bytes(b'{"volume": 4}') for each in folder.glob("*.json")] and data
            ),
            "condition-failed",
        ),
        (
            lambda folder, data: [each.unlink() for each in folder.glob("*-hello.img")] and data,
            "operation-failed",
        ),
    ],
)
def test_a_spoilt_release_is_refused_with_its_reason(app, spoil, word):
    run("sign", "--app", app)
    path = app / "release" / "latest.suit"
    path.write_bytes(spoil(path.parent, path.read_bytes()))
    with pytest.raises(Failure, match=word):
        run("verify", path, "--app", app)


def test_another_class_another_key_and_a_floor_refuse(app, tmp_path):
    run("sign", "--app", app)
    path = app / "release" / "latest.suit"
    keys.save(keys.generate(), tmp_path / "other.pem")
    with pytest.raises(Failure, match="auth-fail"):
        run("verify", path, "--key", tmp_path / "other.pub.pem")
    with pytest.raises(Failure, match="condition-failed"):
        run("verify", path, "--app", app, "--class", "other")
    with pytest.raises(Failure, match="condition-failed"):  # bytecode the device does not load
        run("verify", path, "--app", app, "--mpy", "7")
    with pytest.raises(Failure, match="rollback"):
        run("verify", path, "--app", app, "--floor", "2")
    with pytest.raises(Failure, match="no key to trust"):
        run("verify", path)


def test_a_trust_store_serves_as_keys(app, tmp_path):
    run("sign", "--app", app)
    (tmp_path / "trust.cbor").write_bytes(keys.trust_store([keys.load(app / "dev.pub.pem")]))
    assert (
        run(
            "verify", app / "release" / "latest.suit", "--trust", tmp_path / "trust.cbor"
        ).exit_code
        == 0
    )
