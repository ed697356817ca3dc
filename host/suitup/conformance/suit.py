"""Kind suit: an envelope on a device that its environment describes."""

from suitup.conformance import Unsupported, Wrong, trust


def request(case) -> dict:
    """The question for the judge."""
    payloads = {uri: str(case.folder / path) for uri, path in (case.files.get("payloads") or {}).items()}
    return {
        "kind": "suit",
        "envelope": str(case.path("envelope")),
        "trust": trust.store(case),
        "secrets": trust.secrets(case),
        "payloads": payloads,
        "environment": case.get("environment"),
    }


def _why(answer) -> str:
    """What the device said, in one line."""
    words = [answer["result"]]
    where = answer.get("failing")
    if where:
        words.append(f"at {where['sequence']}, command {where['command']}, component {where['component']}")
    if answer.get("detail") is not None:
        words.append(str(answer["detail"]))
    return ", ".join(words)


BEFORE, THERE, PAST = "before", "there", "past"


def _reached(answer, stop) -> str:
    """Did the device fail before `stops_at`, there, or get past it?"""
    wanted = {name: stop[name] for name in ("sequence", "command", "component", "uri") if name in stop}
    where = answer.get("failing")
    if where and all(where.get(name) == value for name, value in wanted.items()):
        return THERE if answer["result"] == stop["result"] else BEFORE
    # past it: the command is in the trace with success, whatever came later
    past = any(
        not entry["reason"] and all(entry.get(name) == value for name, value in wanted.items())
        for entry in answer.get("trace", ())
    )
    return PAST if past else BEFORE


def _effects(case, answer):
    """components_after and invoked."""
    after = case.expect.get("components_after")
    if after == {} and answer["components_after"] != (case.get("environment") or {}).get("components_before", {}):
        raise Wrong(f"nothing may be written, but {', '.join(answer['components_after'])} was")
    for name, content in (after or {}).items():
        found = answer["components_after"].get(name)
        if (found or "") != content:
            raise Wrong(f"component {name} holds {found}, not {content}")
    invoked = case.expect.get("invoked")
    if invoked is not None and answer["invoked"] != [
        {"component": entry["component"], "args": entry.get("args") or ""} for entry in invoked
    ]:
        raise Wrong(f"invoked {answer['invoked']}, not {invoked}")


def judge(case, judge):
    answer = judge.ask(request(case))
    result = answer["result"]
    if result in ("crash", "hang"):
        raise Wrong(f"{result}: {answer.get('traceback') or answer.get('detail')}")
    if case.accept is None:
        if result == "ok":
            _effects(case, answer)
        return _why(answer)
    words = [case.expect.get("result")] + list(case.expect.get("result_also") or ())
    stop = case.expect.get("stops_at")
    if stop and _reached(answer, stop) == PAST:
        # what a device that gets past the point does is not judged
        return _why(answer)
    if result == "ok":
        good = case.accept
    elif stop:
        good = _reached(answer, stop) == THERE
    elif case.accept:
        good = result == "authentic"
    else:
        good = words == [None] or result in words
    if not good:
        if answer.get("lacks"):
            raise Unsupported(f"the device has no code for {answer['lacks']}")
        raise Wrong(f"{_why(answer)}; expected {' or '.join(map(str, words))}" + (f" at {stop}" if stop else ""))
    _effects(case, answer)
    return _why(answer)
