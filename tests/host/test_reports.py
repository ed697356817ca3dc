"""Reports as the workstation reads them: strictly, verified, and with the commands behind the offsets."""

import json

import cbor2
import pytest
from click.testing import CliRunner
from suitup import cbor, cose, keys, report_text, reports
from suitup import numbers as n
from suitup.cli.report import command
from suitup.judge import Judge

REFERENCE = ["coap://x/m.suit", [-16, bytes(32)]]
GOOD = {99: REFERENCE, 3: [], 4: True}


def det(item):
    return cbor2.dumps(item, canonical=True)


def test_a_good_report_is_read():
    record = [[1], 20, 6, 0, {3: b"x"}]
    item = {**GOOD, 2: b"nonce", 3: [record, {0: [b"app"], 14: 5}], 4: {5: 10, 6: record, 7: 10}}
    report = reports.parse(det(item))
    assert report.nonce == b"nonce" and report.records[0].manifest == (1,)
    assert report.claims == [((b"app",), {14: 5})] and report.result[2] == 10


@pytest.mark.parametrize("change", [
    {99: {0: 1}}, {99: ["x"]}, {99: [b"x", [-16, b""]]}, {3: {}}, {3: [[[], 20, 6, 0]]}, {3: [[[], 20, -1, 0, {}]]},
    {3: [{0: [b"a"]}]}, {3: [{14: 5}]}, {4: False}, {4: {5: 1}}, {4: {5: 1, 6: [[], 1, 1, 0, {}], 7: 13}}, {2: "x"},
    {5: 1}, {8: {}}, {8: {1: [[]], 2: [], 3: [1], 4: [1]}},
])  # fmt: skip
def test_what_is_no_report_is_refused(change):
    reports.parse(det(GOOD))
    with pytest.raises(reports.BadReport):
        reports.parse(det({**GOOD, **change}))


def test_a_report_nobody_trusted_signed_is_refused():
    ours, theirs = keys.generate("ESP256"), keys.generate("ESP256")
    block = cbor.decode(cose.sign1(det(GOOD), ours), False)
    message = cbor.encode(cbor.CBORTag(18, [block.value[0], block.value[1], det(GOOD), block.value[3]]), False)
    assert reports.read(message, [ours.public()]).key.thumbprint == ours.thumbprint
    for trusted in ([theirs.public()], []):
        with pytest.raises(reports.BadReport):
            reports.read(message, trusted)
    damaged = bytearray(message)
    damaged[-1] ^= 1
    with pytest.raises(reports.BadReport):
        reports.read(bytes(damaged), [ours.public()])


def test_offsets_are_those_of_the_commands_nested_ones_too():
    inner = det([20, {18: b"x" * 30}, 14, 15])
    section = det([12, 0, 15, [inner, None], 32, inner, 3, 15])
    found = list(report_text.commands(section))
    assert [number for _, number, _ in found] == [12, 15, 20, 14, 32, 20, 14, 3]
    for at, number, argument in found:
        assert section[at:].startswith(det(number) + det(argument))


def test_what_was_expected_and_what_was_measured_are_shown(tmp_path):
    from suitup.manifest import Digest

    wanted = det([-16, b"\x11" * 32])
    install = det([20, {3: wanted}, 3, 2])
    manifest = det({1: 1, 2: 1, 3: det({2: [[b"app"]]}), 20: install})
    digest = Digest.of(cbor.encode(manifest))
    envelope = det(cbor2.CBORTag(107, {2: det([digest.encode()]), 3: manifest}))
    offset = install.index(bytes([3, 2]), 10)
    record = [[], 20, offset, 0, {3: det([-16, b"\x22" * 32])}]
    item = {3: [], 4: {5: 10, 6: record, 7: 10}, 99: ["", [-16, digest.value]]}
    (tmp_path / "e.suit").write_bytes(envelope)
    (tmp_path / "r.cbor").write_bytes(det(item))
    done = CliRunner().invoke(command, [str(tmp_path / "r.cbor"), "--envelope", str(tmp_path / "e.suit")])
    assert done.exit_code == 0, done.output
    assert "image-match on " in done.output and "NOT SIGNED" in done.output
    assert "expected image-digest " + "11" * 32 in done.output
    assert "measured image-digest " + "22" * 32 in done.output


def test_a_command_of_a_dependency_is_named_with_what_its_own_manifest_expected(tmp_path):
    from suitup.manifest import Digest

    def envelope(manifest, **payloads):
        digest = Digest.of(cbor.encode(manifest))
        members = {"#" + name: data for name, data in payloads.items()}
        return det(cbor2.CBORTag(107, {2: det([digest.encode()]), 3: manifest, **members})), digest

    install = det([20, {3: det([-16, b"\x11" * 32]), 14: 30}, 3, 2])
    theirs, below = envelope(det({1: 1, 2: 1, 3: det({2: [[b"file", b"x"]]}), 20: install}))
    shared = det([12, 1, 20, {3: below.encode()}])
    common = det({1: {1: {1: [b"manifest", b"x"]}}, 2: [[b"app"]], 4: shared})
    ours, digest = envelope(det({1: 1, 2: 1, 3: common, 20: det([12, 1, 11, 2])}), other=b"no envelope", x=theirs)
    record = [[1], 20, install.index(bytes([3, 2]), 10), 0, {14: 29}]
    report = reports.parse(det({3: [], 4: {5: 10, 6: record, 7: 10}, 99: ["", [-16, digest.value]]}))
    said = "\n".join(report_text.lines(report, ours))
    assert 'dependency 1, install' in said and 'image-match on ["file", "x"]' in said, said
    assert "expected image-size 30" in said and "measured image-size 29" in said, said
    assert "NO COMMAND" not in said
    # without the envelope of the dependency its offsets are all there is
    alone, _ = envelope(det({1: 1, 2: 1, 3: common, 20: det([12, 1, 11, 2])}))
    assert "dependency 1, install, offset" in "\n".join(report_text.lines(report, alone))


def test_the_device_writes_what_the_workstation_reads(micropython):
    record = det([[], 20, 6, 0, {3: b"x"}])
    question = {
        "kind": "report", "uri": "coap://x", "digest": det([-16, bytes(32)]).hex(), "nonce": "00", "records": [record.hex()],
        "result": [50, record.hex(), 11], "capability": det({1: [[b"app"]], 2: [1], 3: [1], 4: [-9]}).hex(),
    }  # fmt: skip
    with Judge(micropython) as judge:
        answer = judge.ask(json.loads(json.dumps(question)))
    report = reports.parse(bytes.fromhex(answer["result"]))
    assert report.result[0] == 50 and report.capability[4] == [n.ALG_ESP256]
