"""The device's verdict and the workstation's independent one agree: on the published envelopes, on 20,000 generated
mutations on CPython, and on a fixed set of them in MicroPython.

Accepted or not, what the components hold afterwards and what was invoked must be equal, always. The reason must fall in
the same class (`CLASSES`); where a device and the workstation may differ is listed in `suitup/manifest/verify.py`.

A failing example is printed as hex: `pytest -k differential` runs it again. Another 20,000 than usual:
`SUIT_FUZZ_SEED=random pytest tests/host/test_differential.py`."""

import json
import os
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from mutations import (
    BATTERY,
    CLASS,
    COMPONENTS,
    DEVICE,
    EVENTS,
    NOW,
    PAYLOADS,
    VENDOR,
    VERSION,
    cases,
)
from suitup import keys, paths
from suitup.manifest.verify import Device, verify

sys.path.insert(0, str(paths.boards() / "virtual"))
import judge  # noqa: E402

EXAMPLES = 20000
# what is wrong with the form of an envelope may be noticed at different moments: strict reading refuses
# all of it at once, a device as it goes
CLASSES = {"parse-fail": "form", "abort": "form", "unsupported-version": "form"}
# tags that cbor2 looks into (listed in verify.py): only the workstation refuses what they hold
INTERPRETED = ("error decoding", "invalid datetime", "invalid UUID")


def name(identifier):
    return "/".join(part.hex() for part in identifier)


def request(case, envelope, payloads):
    """What judge.py is asked for a case."""
    return {
        "kind": "suit",
        "envelope": envelope,
        "trust": keys.trust_store(case.trusted).hex(),
        "payloads": payloads,
        "environment": {
            "vendor_id": VENDOR.hex(),
            "class_id": CLASS.hex(),
            "device_id": DEVICE.hex(),
            "slot": case.slot,
            "current_sequence_number": case.floor,
            "procedures": case.procedures,
            "now": NOW,
            "battery_mwh": BATTERY,
            "wait_events": EVENTS,
            "component_versions": {name(COMPONENTS[0]): VERSION},
            "components_before": {name(each): value.hex() for each, value in case.before.items()},
        },
    }


def host(case):
    from suit.optional import optional

    device = Device(
        keys=case.trusted,
        vendor_id=VENDOR,
        class_ids=(CLASS,),
        device_id=DEVICE,
        floor=case.floor,
        slot=case.slot,
        components=case.before,
        payloads=PAYLOADS,
        now=NOW,
        battery_mwh=BATTERY,
        wait_events=EVENTS,
        versions={COMPONENTS[0]: VERSION},
        management=optional("management") is not None,
    )
    return verify(case.data, device, case.procedures)


def compare(case, found, verdict):
    """`found`: the device's answer; `verdict`: the workstation's."""
    shown = f"device {found}\nworkstation {verdict}\nslot {case.slot} floor {case.floor} {case.data.hex()}"
    assert found["result"] != "crash", shown
    if any(phrase in verdict.why for phrase in INTERPRETED):
        return
    assert (found["result"] == "ok") == verdict.accepted, shown
    if verdict.accepted:
        assert found["components_after"] == {
            name(each): value.hex() for each, value in verdict.components.items()
        }, shown
        assert found["invoked"] == [
            {"component": name(each), "args": args.hex()} for each, args in verdict.invoked
        ], shown
    mine = CLASSES.get(verdict.word, verdict.word)
    theirs = CLASSES.get(found["result"], found["result"])
    # before anything is authentic, form and authentication may both be wrong
    early = {mine, theirs} == {"form", "auth-fail"} and verdict.key is None
    assert mine == theirs or early, shown


@pytest.fixture(scope="module")
def payloads(tmp_path_factory):
    folder = tmp_path_factory.mktemp("payloads")
    for uri, data in PAYLOADS.items():
        (folder / uri).write_bytes(data)
    return {uri: str(folder / uri) for uri in PAYLOADS}


class _InMemory:
    """judge.py opens files; here they are bytes."""

    def __init__(self, data):
        self.data = data

    def __enter__(self):
        from io import BytesIO

        return BytesIO(self.data)

    def __exit__(self, *_):
        return False


def device(case, payloads, monkey):
    monkey.setattr(judge, "open", lambda path, mode: _InMemory(case.data), raising=False)
    found = judge.answer(json.dumps(request(case, "", payloads)))
    return json.loads(json.dumps(found))


@pytest.mark.slow
def test_the_verdicts_agree_on_twenty_thousand_mutations(payloads, record_property):
    seen = {}

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        derandomize=os.environ.get("SUIT_FUZZ_SEED") != "random",
        suppress_health_check=list(HealthCheck),
    )
    @given(cases())
    def agree(case):
        with pytest.MonkeyPatch.context() as monkey:
            found = device(case, payloads, monkey)
        verdict = host(case)
        compare(case, found, verdict)
        seen[verdict.word] = seen.get(verdict.word, 0) + 1

    agree()
    record_property("counted", f"verdicts of device and workstation agree on {sum(seen.values())} mutations: {seen}")
    # a generator that only ever makes garbage would prove nothing
    assert sum(seen.values()) >= EXAMPLES
    for word in (
        "ok",
        "auth-fail",
        "parse-fail",
        "abort",
        "condition-failed",
        "operation-failed",
        "rollback",
        "severed-digest-fail",
        "unsupported-version",
    ):
        assert seen.get(word, 0) >= 20, seen
    assert seen["ok"] >= EXAMPLES // 10, seen


def test_the_verdicts_agree_on_a_fixed_set_in_micropython(payloads, micropython, tmp_path):
    from random import Random

    from mutations import one

    lines, chosen = [], []
    for seed in range(800):
        case = one(Random(seed))
        path = tmp_path / f"{seed}.suit"
        path.write_bytes(case.data)
        chosen.append(case)
        lines.append(json.dumps(request(case, str(path), payloads)))
    script = paths.boards() / "virtual" / "judge.py"
    done = subprocess.run(
        [micropython, "-X", "heapsize=8m", str(script)],
        input="\n".join(lines) + "\n",
        text=True,
        capture_output=True,
        timeout=300,
        env={**os.environ, "MICROPYPATH": str(paths.firmware())},
    )
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == len(chosen), done.stderr[-2000:]
    words = set()
    for case, found in zip(chosen, answers):
        compare(case, found, host(case))
        words.add(found["result"])
    assert {
        "ok",
        "auth-fail",
        "parse-fail",
        "abort",
        "condition-failed",
        "operation-failed",
    } <= words


def _nothing(*arguments):
    return None


@pytest.mark.parametrize(
    ("module", "owner", "name", "replacement"),
    [
        ("conditions", "COMMANDS", 3, _nothing),
        ("context", None, "permit", _nothing),
        ("signers", None, "counting", lambda found: found[0] if found else None),
        ("delegation", None, "_may_delegate", lambda issuer: True),
        ("dependencies", None, "join", lambda first, second: bytes(second)),
        ("dependencies", "DependentContext", "ended", _nothing),
        ("dependencies", None, "_unlink", _nothing),
    ],
)
def test_two_equal_verdicts_are_not_a_matter_of_course(module, owner, name, replacement, payloads, monkeypatch):
    """The comparison notices a device that skips a check."""
    import importlib
    from random import Random

    from domain_mutations import make as make_domains
    from mutations import make

    target = importlib.import_module("suit." + module)
    target = getattr(target, owner) if owner else target
    if isinstance(target, dict):
        monkeypatch.setitem(target, name, replacement)
    else:
        assert hasattr(target, name)
        monkeypatch.setattr(target, name, replacement)
    made = make if module == "conditions" else make_domains
    with pytest.raises(AssertionError):
        for seed in range(600):
            case = made(Random(seed))
            compare(case, device(case, payloads, monkeypatch), host(case))
