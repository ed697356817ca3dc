"""SUIT_Report (suit-report-19) as its reader sees it: strict, verified, and put into sentences.

    report = read(data, keys)       # bare, or in a COSE_Sign1 or COSE_Mac0 with its payload attached

`BadReport` says what is wrong. `suitup.report_text` puts a report into sentences."""

from dataclasses import dataclass, field

from suitup import cbor, cose
from suitup import numbers as n

_NONCE, _RECORDS, _RESULT, _CODE, _RECORD, _REASON, _CAPABILITY, _REFERENCE = (
    2,
    3,
    4,
    5,
    6,
    7,
    8,
    99,
)
_KNOWN = (_NONCE, _RECORDS, _RESULT, _CAPABILITY, _REFERENCE)
REASONS = (
    "ok", "CBOR cannot be parsed", "COSE structure not supported", "algorithm not supported", "not authorised",
    "command not supported", "component not supported", "component not authorised", "parameter not supported",
    "severing not supported", "condition failed", "operation failed", "about to be invoked",
)  # fmt: skip


class BadReport(ValueError):
    """Not a SUIT_Report of suit-report-19, or nobody trusted signed it."""


@dataclass
class Record:
    manifest: tuple
    section: int
    offset: int
    component: int
    properties: dict


@dataclass
class Report:
    """`result`: None for success, else (code, Record, reason); `claims`: [(identifier, {parameter: value})]; `key`: who
    signed it, None when nobody did."""

    uri: str
    digest: tuple
    records: list = field(default_factory=list)
    claims: list = field(default_factory=list)
    result: tuple | None = None
    nonce: bytes | None = None
    capability: dict | None = None
    key: object = None


def _need(truth, what):
    if not truth:
        raise BadReport(what)


def _int(value, least=None):
    good = isinstance(value, int) and not isinstance(value, bool)
    return good and (least is None or value >= least)


def _record(item):
    _need(isinstance(item, list) and len(item) >= 5, "a record is not an array of five")
    path, section, offset, component, properties = item[:5]
    _need(
        isinstance(path, list) and all(_int(each, 0) for each in path), "manifest id of a record"
    )
    _need(_int(section) and _int(offset, 0) and _int(component, 0), "position of a record")
    _need(isinstance(properties, dict) and all(map(_int, properties)), "properties of a record")
    return Record(tuple(path), section, offset, component, properties)


def _claims(item):
    identifier = item.get(0)
    _need(
        isinstance(identifier, list) and all(isinstance(each, bytes) for each in identifier),
        "system properties without a component",
    )
    found = {key: value for key, value in item.items() if key != 0}
    _need(found and all(map(_int, found)), "system properties without a parameter")
    return tuple(identifier), found


def _result(item):
    if item is True:
        return None
    _need(isinstance(item, dict) and set(item) == {_CODE, _RECORD, _REASON}, "result")
    _need(_int(item[_CODE]), "result code")
    _need(_int(item[_REASON], 0) and item[_REASON] < len(REASONS), "result reason")
    return item[_CODE], _record(item[_RECORD]), item[_REASON]


def _capability(item):
    _need(isinstance(item, dict) and {1, 2, 3, 4} <= set(item), "capability report")
    for label, value in item.items():
        _need(isinstance(value, list) and value, "capability report")
        _need(label == 1 or all(map(_int, value)), "capability report")
    return item


def parse(data: bytes) -> Report:
    """The report in `data`, bare and deterministically encoded."""
    try:
        item = cbor.decode(data)
    except cbor.NotDeterministic as error:
        raise BadReport(f"not deterministic CBOR: {error}") from None
    _need(isinstance(item, dict), "not a map")
    for label in (_REFERENCE, _RECORDS, _RESULT):
        _need(label in item, f"member {label} is missing")
    _need(not [label for label in item if _int(label) and label not in _KNOWN], "unknown member")
    reference = item[_REFERENCE]
    _need(
        isinstance(reference, list) and len(reference) == 2, "the reference is not [uri, digest]"
    )
    uri, digest = reference
    _need(isinstance(uri, str), "the reference has no URI")
    _need(
        isinstance(digest, list) and len(digest) == 2 and _int(digest[0]) and isinstance(digest[1], bytes),
        "the reference has no digest",
    )  # fmt: skip
    report = Report(uri, (digest[0], digest[1]), result=_result(item[_RESULT]))
    _need(isinstance(item[_RECORDS], list), "records")
    for each in item[_RECORDS]:
        if isinstance(each, dict):
            report.claims.append(_claims(each))
        else:
            report.records.append(_record(each))
    if _NONCE in item:
        _need(isinstance(item[_NONCE], bytes), "nonce")
        report.nonce = item[_NONCE]
    if _CAPABILITY in item:
        report.capability = _capability(item[_CAPABILITY])
    return report


def payload(data: bytes) -> tuple:
    """(bytes of the report, the same COSE message with a detached payload or None when it is bare)."""
    try:
        item = cbor.decode(data, sort=False)
    except cbor.NotDeterministic as error:
        raise BadReport(f"not deterministic CBOR: {error}") from None
    if not isinstance(item, cbor.CBORTag):
        return data, None
    _need(item.tag in (n.TAG_SIGN1, n.TAG_MAC0), f"tag {item.tag} is not that of a signed report")
    value = item.value
    _need(isinstance(value, list) and len(value) == 4, "not a COSE message")
    _need(isinstance(value[2], bytes), "the payload is not attached")
    detached = cbor.CBORTag(item.tag, [value[0], value[1], None, value[3]])
    return value[2], cbor.encode(detached, False)


def read(data: bytes, keys=()) -> Report:
    """The report in `data`; a signed one must be by one of `keys`."""
    inside, message = payload(data)
    key = None
    if message is not None:
        try:
            key = cose.verify(message, inside, list(keys))
        except cose.CoseError as error:
            raise BadReport(f"nobody trusted signed it: {error}") from None
    report = parse(inside)
    report.key = key
    return report
