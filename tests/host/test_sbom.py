"""CoSWID carried and exported, and the MUD file: what `sign --coswid`, `sbom` and `mud` write, checked by others' code."""

import hashlib
import json

import pytest
from click.testing import CliRunner
from suitup import cbor, coswid, keys, mud
from suitup import numbers as n
from suitup.cli import group
from suitup.errors import Failure
from suitup.manifest import Digest, Envelope, StructureError, describe
from suitup.manifest.lint import ERROR, WARNING, lint

pytest.importorskip("cyclonedx", reason="pip install suitup[sbom]")
pytest.importorskip("spdx_tools", reason="pip install suitup[sbom]")


def run(*arguments):
    done = CliRunner().invoke(group, [str(each) for each in arguments])
    if isinstance(done.exception, Failure):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done


@pytest.fixture
def release(app):
    run("sign", "--app", app, "--coswid")
    return app / "release" / "latest.suit"


def test_the_tag_lists_every_file_of_the_app_and_beside_it(app, release):
    envelope = Envelope.decode(release.read_bytes())
    assert isinstance(envelope.manifest.coswid, Digest), "severed: a device does not need it"
    tag = coswid.read(envelope.members[n.M_COSWID])
    assert (tag.name, tag.version, tag.creator, tag.tag_id) == ("hello", "1.0.0", "example.com", "example.com/hello-1.0.0")
    names = {each.name: each for each in tag.files}
    assert {"app/main.mpy", "app/lib/helper.mpy", "app/words.txt", "file/settings.json"} <= set(names)
    settings = (app / "settings.json").read_bytes()
    assert names["file/settings.json"].hash == (1, hashlib.sha256(settings).digest())
    assert names["file/settings.json"].size == len(settings)
    assert lint(release.read_bytes()) == []
    assert "coswid: tag-id 'example.com/hello-1.0.0'" in run("inspect", release).output
    assert json.loads(run("inspect", "--json", release).output)["coswid"]["files"] == len(tag.files)


def test_the_device_installs_what_carries_a_tag(app, release, micropython):
    assert "ok: installed" in run("simulate", release, "--app", app).output


def test_cyclonedx_is_valid_and_says_the_same(app, release):
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    text = run("sbom", release).output
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    found = json.loads(text)
    assert (found["bomFormat"], found["specVersion"]) == ("CycloneDX", "1.6")
    root = found["metadata"]["component"]
    assert (root["name"], root["version"], root["swid"]["tagId"]) == ("hello", "1.0.0", "example.com/hello-1.0.0")
    hashes = {each["name"]: each["hashes"][0] for each in found["components"]}
    settings = hashlib.sha256((app / "settings.json").read_bytes()).hexdigest()
    assert hashes["file/settings.json"] == {"alg": "SHA-256", "content": settings}
    assert hashes['["file", "settings.json"]']["content"] == settings, "the component, from the manifest itself"
    assert '["app"]' in hashes and "app/main.mpy" in hashes
    (made_of,) = [each["dependsOn"] for each in found["dependencies"] if each["ref"] == root["bom-ref"]]
    assert len(made_of) == len(found["components"])


def test_spdx_is_valid_and_says_the_same(app, release, tmp_path):
    from spdx_tools.spdx.parser.parse_anything import parse_file
    from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document

    path = tmp_path / "hello.spdx.json"
    run("sbom", release, "--format", "spdx", "-o", path)
    document = parse_file(str(path))
    assert validate_full_spdx_document(document) == []
    packages = {each.name: each for each in document.packages}
    settings = hashlib.sha256((app / "settings.json").read_bytes()).hexdigest()
    assert packages["file/settings.json"].checksums[0].value == settings
    assert packages["hello"].version == "1.0.0" and "app/main.mpy" in packages


def test_the_same_release_gives_the_same_document(release, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1900196800")
    for form in ("cyclonedx", "spdx"):
        first, again = (run("sbom", release, "--format", form).output for _ in range(2))
        assert first == again and "2030-03-20T00:26:40" in first


def test_the_tag_itself_comes_out_as_it_was_signed(release):
    envelope = Envelope.decode(release.read_bytes())
    assert run("sbom", release, "--format", "coswid").stdout_bytes == envelope.members[n.M_COSWID]


def test_without_a_tag_the_manifest_says_what_it_can(app):
    run("sign", "--app", app)
    release = app / "release" / "latest.suit"
    found = json.loads(run("sbom", release).output)
    assert {each["name"] for each in found["components"]} == {'["app"]', '["file", "settings.json"]'}
    assert found["metadata"]["component"]["version"] == "1.0.0"
    with pytest.raises(Failure, match="no CoSWID tag"):
        run("sbom", release, "--format", "coswid")


def test_a_tag_that_stayed_behind_is_missed(release, tmp_path):
    envelope = Envelope.decode(release.read_bytes())
    del envelope.members[n.M_COSWID]
    (tmp_path / "cut.suit").write_bytes(envelope.encode())
    with pytest.raises(Failure, match="severed and not in this envelope"):
        run("sbom", tmp_path / "cut.suit")


@pytest.mark.parametrize(
    "item",
    [
        {}, [], {0: "id"}, {0: 1, 1: "x"}, {0: "i", 1: "n", 13: 2}, {0: "i", 1: "n", 2: {}}, {0: "i", 1: "n", 6: []},
        {0: "i", 1: "n", 6: {17: {24: 5}}}, {0: "i", 1: "n", 6: {17: {24: "f", 20: -1}}},
        {0: "i", 1: "n", 6: {17: {24: "f", 7: [1, b"short"]}}}, cbor.CBORTag(5, {0: "i", 1: "n"}),
    ],
)  # fmt: skip
def test_what_is_no_tag_is_refused(item):
    with pytest.raises(coswid.CoswidError):
        coswid.read(cbor.encode(item))


def test_directories_and_single_items_are_followed():
    item = {0: b"\x01" * 16, 1: "n", 2: [{31: "first"}, {31: "maker", 33: [2]}],
            6: {16: {24: "lib", 26: {17: [{24: "a"}, {24: "b", 23: "c", 21: "2"}]}}}}  # fmt: skip
    found = coswid.read(cbor.encode(item))
    assert (found.tag_id, found.creator) == ("01" * 16, "maker")
    assert [each.name for each in found.files] == ["lib/a", "lib/c/b"] and found.files[1].version == "2"
    assert coswid.read(coswid.write(found)).files[0].name == "lib/a"


# -- MUD


@pytest.fixture
def described(app):
    keys.save(keys.generate(), app / "mud.pem")
    toml = app / "suitup.toml"
    text = toml.read_text().replace("[files]", 'servers = ["coap://updates.example.com/latest.suit"]\n[files]')
    toml.write_text(
        text + '[mud]\nurl = "https://example.com/mud/hello.json"\nkey = "mud.pem"\n'
        'allow = ["http://10.0.0.5:8080", "ntp://time.example.com", "local"]\n'
    )
    return app


def test_the_manifest_points_to_the_mud_file_and_names_its_signer(described, micropython):
    run("sign", "--app", described)
    release = described / "release" / "latest.suit"
    envelope = Envelope.decode(release.read_bytes())
    found = mud.Pointer.decode(envelope.manifest.other[n.M_MUD])
    assert found.url == "https://example.com/mud/hello.json"
    assert found.ski == Digest(keys.load(described / "mud.pem").thumbprint)
    assert lint(release.read_bytes()) == []
    assert "mud: url 'https://example.com/mud/hello.json'" in describe.tree(envelope)
    assert describe.as_json(envelope)["mud"]["key"] == found.ski.value.hex()
    assert "ok: installed" in run("simulate", release, "--app", described).output


def test_the_mud_file_allows_what_the_project_needs_and_no_more(described):
    found = json.loads(run("mud", "--app", described, "--version", "2.0.0").output)
    about = found["ietf-mud:mud"]
    assert (about["mud-version"], about["firmware-rev"], about["mud-url"]) == (1, "2.0.0", "https://example.com/mud/hello.json")
    lists = {each["name"]: each for each in found["ietf-access-control-list:acls"]["acl"]}
    named = [
        each["name"]
        for direction in ("from-device", "to-device")
        for each in about[f"{direction}-policy"]["access-lists"]["access-list"]
    ]
    assert sorted(named) == sorted(lists) and len(lists) == 4
    entries = lists["hello-from-device-v4"]["aces"]["ace"]
    assert [each["actions"] for each in entries] == [{"forwarding": "accept"}] * 4
    coap, http, ntp, local = [each["matches"] for each in entries]
    assert coap["ipv4"] == {"protocol": 17, "ietf-acldns:dst-dnsname": "updates.example.com"}
    assert coap["udp"] == {"destination-port": {"operator": "eq", "port": 5683}}
    assert http["ipv4"] == {"protocol": 6, "destination-ipv4-network": "10.0.0.5/32"}
    assert http["tcp"]["destination-port"]["port"] == 8080 and http["tcp"]["ietf-mud:direction-initiated"] == "from-device"
    assert ntp["udp"]["destination-port"]["port"] == 123
    assert local["ietf-mud:mud"] == {"local-networks": [None]}
    assert local["udp"] == {"source-port": {"operator": "eq", "port": 5683}}
    back = lists["hello-to-device-v4"]["aces"]["ace"]
    assert back[0]["matches"]["udp"] == {"source-port": {"operator": "eq", "port": 5683}}
    assert back[0]["matches"]["ipv4"]["ietf-acldns:src-dnsname"] == "updates.example.com"
    assert back[3]["matches"]["udp"] == {"destination-port": {"operator": "eq", "port": 5683}}
    # an address of one family stands in that family's list only
    assert len(lists["hello-from-device-v6"]["aces"]["ace"]) == 3
    for each in lists.values():
        names = [entry["name"] for entry in each["aces"]["ace"]]
        assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    "text",
    ["", 'url = "http://example.com/m"\nkey = "mud.pem"', 'key = "mud.pem"', 'url = "https://x.y/m"\nkey = "none.pem"'],
)
def test_a_pointer_that_leads_nowhere_is_refused(described, text):
    toml = described / "suitup.toml"
    toml.write_text(toml.read_text().split("[mud]")[0] + "[mud]\nallow = []\n" + text)
    with pytest.raises(Failure):
        run("sign", "--app", described)


@pytest.mark.parametrize("peer", ["gopher://x", "coap://", "x", "coap://h:99999"])
def test_what_cannot_be_allowed_is_said(described, peer):
    toml = described / "suitup.toml"
    toml.write_text(toml.read_text().replace('"local"', f'"{peer}"'))
    with pytest.raises(Failure):
        run("mud", "--app", described)


@pytest.mark.parametrize(
    ("data", "level", "what"),
    [
        (b"\xff", ERROR, "not a SUIT_MUD_container"),
        (cbor.encode({1: "https://x", 2: [-16, bytes(32)]}), ERROR, "not a SUIT_MUD_container"),
        (mud.Pointer("http://x/m", Digest(bytes(32))).encode(), ERROR, "not https"),
        (mud.Pointer("https://x/m", Digest(bytes(8))).encode(), ERROR, "not a SHA-256 thumbprint"),
    ],
)
def test_lint_looks_at_the_pointer(data, level, what):
    from test_lint import findings, good, said

    manifest = good()
    manifest.other[n.M_MUD] = data
    found = findings(manifest)
    assert said(found, level, what)
    with pytest.raises(StructureError):
        mud.Pointer.decode(b"")


def test_lint_looks_at_the_tag():
    from test_lint import findings, good, said

    manifest = good()
    manifest.coswid = cbor.encode({0: 5})
    assert said(findings(manifest), WARNING, "cannot be read")
