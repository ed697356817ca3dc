"""Kind report: SUIT_Report of suit-report-19. Reports are made by devices and read by workstations, so both have their
say: the workstation must take or refuse it, the device's own COSE must verify a signed one, and the device must write the
very bytes of one that is to be accepted."""

from suitup import cbor, reports
from suitup.conformance import Wrong, trust
from suitup.conformance.crypto import ask


def _record(record):
    return cbor.encode(
        [list(record.manifest), record.section, record.offset, record.component, record.properties]
    ).hex()


def judge(case, judge):
    data = case.bytes("report")
    try:
        inside, message = reports.payload(data)
        if message is not None:
            store = trust.store(case)
            answer = ask(
                judge, {"kind": "cose", "message": data.hex(), "payload": None, "trust": store}
            )
            if answer["result"] != "ok":
                raise reports.BadReport(
                    f"the device says {answer['result']}: {answer.get('detail')}"
                )
        report = reports.parse(inside)
    except reports.BadReport as why:
        if case.accept:
            raise Wrong(f"refused: {why}") from None
        return f"refused, {why}"
    if not case.accept:
        raise Wrong("accepted")
    result = report.result
    question = {
        "kind": "report", "uri": report.uri, "digest": cbor.encode(list(report.digest)).hex(),
        "nonce": None if report.nonce is None else report.nonce.hex(),
        "records": [_record(each) for each in report.records],
        "result": None if result is None else [result[0], _record(result[1]), result[2]],
        "capability": None if report.capability is None else cbor.encode(report.capability).hex(),
    }  # fmt: skip
    if not report.claims and ask(judge, question)["result"] != inside.hex():
        raise Wrong("the device would write it otherwise")
    return ""
