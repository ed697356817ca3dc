"""The cases of tests/vectors that this project wrote: they are what their generator makes, the workstation's own verdict
expects the same of each, and they notice a device that leaves out what they are about.

`suitup conformance` (test_conformance.py) puts them to the device code in MicroPython."""

import json
import sys
from pathlib import Path

import cbor2
import pytest
from suitup import conformance, keys, paths
from suitup import numbers as n
from suitup.manifest import labels
from suitup.manifest.verify import Device, verify

ROOT = Path(__file__).resolve().parents[2]
VECTORS = ROOT / "tests" / "vectors"
sys.path[:0] = [str(VECTORS), str(paths.boards() / "virtual")]
import judge  # noqa: E402
import make  # noqa: E402

FOLDERS = tuple(make.FOLDERS)
CASES = {folder: list(conformance.cases([VECTORS / folder])) for folder in FOLDERS}


def test_the_committed_cases_are_those_of_the_generator(tmp_path):
    make.make(tmp_path)
    for folder in FOLDERS:
        made = {path.name: path.read_bytes() for path in (tmp_path / folder).iterdir()}
        kept = {path.name: path.read_bytes() for path in (VECTORS / folder).iterdir()}
        assert made == kept, f"run tests/vectors/make.py: {folder}, {sorted(set(made) ^ set(kept))[:9]}"


def _components(named):
    return {tuple(bytes.fromhex(part) for part in name.split("/")): value for name, value in named.items()}


def _workstation(case):
    environment = case.get("environment")
    names = [case.get("key"), *case.get("more_keys", ())]
    return verify(
        case.bytes("envelope"),
        Device(
            keys=[keys.Anchor.from_params(cbor2.loads(case.key_path(name).read_bytes())) for name in names],
            vendor_id=bytes.fromhex(environment["vendor_id"]),
            class_ids=(bytes.fromhex(environment["class_id"]),),
            device_id=bytes.fromhex(environment["device_id"]),
            components={
                name: bytes.fromhex(value)
                for name, value in _components(environment.get("components_before", {})).items()
            },
            versions=_components(environment.get("component_versions", {})),
            now=environment.get("now"),
            battery_mwh=environment.get("battery_mwh"),
            authorized=environment.get("update_authorized", False),
            wait_events=tuple(environment.get("wait_events", ())),
        ),
        environment.get("procedures", ("update", "invocation")),
    )


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_workstation_expects_the_same(folder):
    for case in CASES[folder]:
        verdict, expect = _workstation(case), case.expect
        assert verdict.word in (expect["result"], *expect.get("result_also", ())), (case.name, verdict)
        held = {"/".join(part.hex() for part in name): value.hex() for name, value in verdict.components.items()}
        wanted = expect.get("components_after")
        if wanted == {} and verdict.components:
            assert held == case.get("environment").get("components_before", {}), case.name
        for name, content in (wanted or {}).items():
            assert held.get(name, "") == content, (case.name, name, held)
        if "invoked" in expect:
            found = [
                {"component": "/".join(part.hex() for part in name), "args": args.hex()}
                for name, args in verdict.invoked
            ]
            assert found == expect["invoked"], case.name


def _device(case):
    """The device code's answer, on CPython."""
    class Here:
        def ask(self, question):
            return json.loads(json.dumps(judge.answer(json.dumps(question))))

    return conformance.judge_case(case, Here()).word


def _never_refuses(*arguments, **more):
    return None


@pytest.mark.parametrize(
    ("folder", "module", "name", "replacement"),
    [
        ("access", "context", "permit", _never_refuses),
        ("quorum", "signers", "counting", lambda found: found[0] if found else None),
        ("delegation", "delegation", "_judge", _never_refuses),
        ("delegation", "delegation", "_may_delegate", lambda issuer: True),
        ("domains", "dependencies", "_dependencies", lambda machine: range(99)),
        ("domains", "dependencies", "join", lambda first, second: bytes(second)),
        ("management", "management", "check_metadata", _never_refuses),
        ("management", "management", "_happened", lambda *event: True),
        ("management", "management", "_compare", lambda installed, wanted: 0),
    ],
)
def test_a_device_that_leaves_a_check_out_fails_a_case(folder, module, name, replacement, monkeypatch):
    import importlib

    whole = importlib.import_module("suit." + module)
    assert hasattr(whole, name)
    monkeypatch.setattr(whole, name, replacement)
    assert any(_device(case) == "FAIL" for case in CASES[folder]), "nobody noticed"


def test_every_condition_has_a_case_where_it_holds_one_where_it_fails_and_one_without_its_parameter():
    names = {folder: {case.get("name") for case in cases} for folder, cases in CASES.items()}
    for each in ("use-before", "minimum-battery", "update-authorized", "image-not-match"):
        assert {f"{each}-{how}" for how in ("true", "false", "unset")} <= names["management"]
    assert {"version-equal-installed-same", "version-equal-installed-below", "version-unset"} <= names["management"]
    assert {"wait-power-happened", "wait-power-not-yet", "wait-unset"} <= names["management"]
    assert {"integrity-true", "integrity-false", "integrity-unset"} <= names["domains"]
    assert {"is-dependency-true", "is-dependency-false"} <= names["domains"]
    for name in labels.COMMANDS.values():
        assert {f"command-{name}-permitted", f"command-{name}-denied"} <= names["access"]
    for name in labels.PARAMETERS.values():
        assert {f"parameter-{name}-permitted", f"parameter-{name}-denied"} <= names["access"]


def test_the_keys_say_what_the_cases_need():
    """Restrictions and quorums are in the key files, as a trust store has them."""
    for folder, label in (("access", n.KEY_ACCESS), ("quorum", n.KEY_QUORUM)):
        found = [cbor2.loads(path.read_bytes()) for path in (VECTORS / folder).glob("*.cose_key.cbor")]
        assert any(label in key for key in found) and not any(key[1] in (1, 2) and -4 in key for key in found)


def test_what_update_management_and_delegation_say_is_shown_in_words():
    from suitup.manifest import Envelope, describe

    def shown(folder, name):
        (case,) = [each for each in CASES[folder] if each.get("name") == name]
        return describe.tree(Envelope.decode(case.bytes("envelope")))

    assert "set use-before = 2030-03-20 00:26:41 UTC" in shown("management", "use-before-true")
    assert "set minimum-battery = 50 mWh" in shown("management", "minimum-battery-true")
    assert "set version = >= 2.0.1" in shown("management", "version-greater-equal-installed-same")
    assert "set wait-info = power 1, time 1900196800" in shown("management", "wait-all-of-two")
    assert 'copy content, image-size from 0 ["a"]' in shown("management", "copy-params-copies")
    assert 'component 1 ["b"]' in shown("management", "override-multiple-sets-each")
    assert "delegated to Ed25519 key " in shown("delegation", "chain-of-1")
    assert shown("delegation", "chain-of-4").count(", then ") == 3
    assert "until 2030-03-20 00:26:41 UTC" in shown("delegation", "expires-later")
    assert "delegated to unreadable" in shown("delegation", "not-cbor")
