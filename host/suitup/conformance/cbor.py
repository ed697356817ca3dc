"""Kind cbor: items to be read strictly and alone."""

import csv

from suitup.conformance import Wrong


def _items(case):
    """[(hex, accept or None)]."""
    expect = case.expect
    if "json" in case.files:
        rows = case.json()
        per_test = expect.get("per_test") or ""
        field = per_test.split(":")[0] if per_test else None
        items = [(row["hex"], bool(row[field]) if field else case.accept) for row in rows]
    elif "csv" in case.files:
        with open(case.path("csv"), newline="", encoding="utf-8") as file:
            items = [(row[2], row[0] != "bad") for row in csv.reader(file) if row]
    else:
        items = [(case.bytes("cbor").hex(), case.accept)]
    exceptions = expect.get("exceptions") or {}
    return [(item, _exception(exceptions.get(item), accept)) for item, accept in items]


def _exception(text, accept):
    if text is None:
        return accept
    return None if text.startswith("not judged") else "must be refused" not in text


def judge(case, judge):
    items = _items(case)
    answer = judge.ask({"kind": "cbor", "items": [item for item, _ in items]})
    if "results" not in answer:
        raise Wrong(f"{answer['result']}: {answer.get('traceback') or answer.get('detail')}")
    wrong, left_out = [], 0
    for (item, accept), error in zip(items, answer["results"], strict=True):
        if accept and error == "float":
            # SUIT has no floats, so the reader leaves them out on purpose
            left_out += 1
        elif accept is not None and accept != (error is None):
            wrong.append(f"{item} was {'read' if error is None else f'refused ({error})'}")
    if wrong:
        raise Wrong("; ".join(wrong[:5]) + (f" and {len(wrong) - 5} more" if len(wrong) > 5 else ""))
    return f"{len(items)} items" + (f", {left_out} floats left out" if left_out else "")
