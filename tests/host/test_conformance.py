"""`suitup conformance`: the vectors of this project pass, and a wrong expectation is seen."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
VECTORS = ROOT / "tests" / "vectors"


def conformance(*arguments):
    return subprocess.run(
        [sys.executable, "-c", "from suitup.cli import main; main()", "conformance", *map(str, arguments)],
        capture_output=True, text=True, cwd=ROOT / "host", timeout=900,
    )


def test_every_vector_of_this_project_is_judged_and_none_fails():
    done = conformance(VECTORS)
    lines = done.stdout.splitlines()
    assert done.returncode == 0, "\n".join(line for line in lines if line.startswith("FAIL")) + done.stderr
    assert all(line.split(" ", 1)[0] in ("ok", "unsupported") for line in lines)
    entries = [case for index in VECTORS.rglob("index.json") for case in json.loads(index.read_text())["cases"]]
    cases = sum(case["kind"] not in ("authoring", "data") for case in entries)
    assert len(lines) == cases
    assert f"{cases} cases: " in done.stderr
    for folder in ("suit-manifest", "cbor"):
        # nothing of the manifest itself may go unjudged
        assert not [line for line in lines if line.startswith(f"unsupported {folder}/")]


def altered(tmp_path, change):
    """The suit-manifest cases with one change to each expectation."""
    for name in ("suit-manifest", "keys"):
        (tmp_path / name).symlink_to(VECTORS / name)
    folder = tmp_path / "changed"
    folder.mkdir()
    index = json.loads((VECTORS / "suit-manifest" / "index.json").read_text())
    index["cases"] = [case for case in index["cases"] if case["kind"] == "suit"]
    for case in index["cases"]:
        case["files"] = {role: f"../suit-manifest/{path}" for role, path in case["files"].items() if role == "envelope"}
        change(case)
    (folder / "index.json").write_text(json.dumps(index))
    return folder


def turn_round(case):
    case["expect"] = {"accept": not case["expect"]["accept"], "result": "ok"}


def another_word(case):
    case["expect"]["accept"] = False
    case["expect"]["result"] = "rollback"
    case["expect"].pop("result_also", None)
    case["expect"].pop("stops_at", None)


def other_content(case):
    case["expect"]["components_after"] = {"00": "ff"}
    case["expect"].pop("stops_at", None)


@pytest.mark.parametrize("change", [turn_round, another_word, other_content])
def test_a_wrong_expectation_fails(tmp_path, change):
    done = conformance(altered(tmp_path, change))
    lines = done.stdout.splitlines()
    assert done.returncode == 1
    good = [line for line in lines if not line.startswith("FAIL ")]
    # what stops at a missing payload was accepted as far as it goes, and is refused all the same
    assert not [line for line in good if not line.startswith("unsupported ")] or change is turn_round
    assert sum(line.startswith("FAIL ") for line in lines) >= len(lines) - 8


def test_a_case_that_cannot_be_run_is_a_failure(tmp_path):
    (tmp_path / "index.json").write_text(json.dumps({"cases": [
        {"name": "lost", "kind": "suit", "files": {"envelope": "none.suit"}, "key": None, "expect": {"accept": None}},
        {"name": "odd", "kind": "never heard of", "files": {}, "expect": {}},
    ]}))
    done = conformance(tmp_path)
    first, second = done.stdout.splitlines()
    assert first.startswith("FAIL ") and second.startswith("unsupported ")
    assert done.returncode == 1


def test_json_output_has_one_object_per_case():
    done = conformance("--json", VECTORS / "cbor")
    entries = [json.loads(line) for line in done.stdout.splitlines()]
    assert [entry["result"] for entry in entries] == ["ok"] * 3
    assert all(entry["case"].startswith("cbor/") for entry in entries)


def test_a_path_without_cases_is_wrong_usage(tmp_path):
    done = conformance(tmp_path)
    assert done.returncode == 2 and done.stderr.startswith("error: ")
