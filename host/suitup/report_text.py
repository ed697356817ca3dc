"""A SUIT_Report for people: with the envelope it is about, each record names the command at its offset, what the manifest
expected there and what the board measured."""

from suitup import cbor
from suitup import numbers as n
from suitup.manifest import describe, labels
from suitup.reports import REASONS, Report

# condition -> the parameter that it compares
EXPECTED = {
    n.C_VENDOR_ID: n.P_VENDOR_ID,
    n.C_CLASS_ID: n.P_CLASS_ID,
    n.C_DEVICE_ID: n.P_DEVICE_ID,
    n.C_IMAGE_MATCH: n.P_IMAGE_DIGEST,
    n.C_IMAGE_NOT_MATCH: n.P_IMAGE_DIGEST,
    n.C_DEPENDENCY_INTEGRITY: n.P_IMAGE_DIGEST,
    n.C_COMPONENT_SLOT: n.P_COMPONENT_SLOT,
    n.C_CHECK_CONTENT: n.P_CONTENT,
    n.C_USE_BEFORE: n.P_USE_BEFORE,
    n.C_MINIMUM_BATTERY: n.P_MINIMUM_BATTERY,
    n.C_UPDATE_AUTHORIZED: n.P_UPDATE_PRIORITY,
    n.C_VERSION: n.P_VERSION,
    n.C_WAIT: n.P_WAIT_INFO,
    n.C_FETCH: n.P_URI,
    n.C_COPY: n.P_SOURCE_COMPONENT,
    n.C_SWAP: n.P_SOURCE_COMPONENT,
}
_CAPABILITIES = {
    1: "components", 2: "commands", 3: "parameters", 4: "algorithms", 5: "envelope", 6: "manifest", 7: "common",
    8: "text", 9: "component text", 10: "dependencies",
}  # fmt: skip


class _Manifest:
    """Sections of the manifest a report is about, by number."""

    def __init__(self, data):
        item = cbor.decode(data)
        self.members = item.value if isinstance(item, cbor.CBORTag) else item
        self.manifest = cbor.decode(self.members[n.ENV_MANIFEST])
        self.common = cbor.decode(self.manifest[n.M_COMMON])

    def section(self, number):
        if number == n.S_SHARED:
            return self.common.get(n.COMMON_SHARED_SEQUENCE)
        found = self.manifest.get(number)
        return found if isinstance(found, bytes) else self.members.get(number)

    def dependency(self, index):
        """The dependency behind a component index, if its envelope came inside this one; else None."""
        digests = [value for at, value in self._set(index, n.P_IMAGE_DIGEST)]
        for name, data in self.members.items():
            if not isinstance(name, str):
                continue
            try:
                found = _Manifest(data)
            except (cbor.NotDeterministic, KeyError, TypeError, AttributeError):
                continue
            wrapper = cbor.decode(found.members[n.ENV_AUTHENTICATION])
            if wrapper[0] in digests:
                return found
        return None

    def _set(self, index, parameter):
        """(section, value) of each time that its sequences set a parameter of a component, in their order."""
        for number in (n.S_SHARED, *labels.SEQUENCES):
            data = self.section(number)
            for _, value in settings(data, index, parameter) if data else ():
                yield number, value

    def component(self, index):
        components = self.common.get(n.COMMON_COMPONENTS, [])
        if index < len(components):
            return describe.component_name(tuple(components[index]))
        return f"component {index}"


def commands(section: bytes, base=0):
    """(offset, number, argument) of every command in a sequence, nested ones in their place."""
    items = cbor.decode(section)
    at = base + _head(len(items))
    for number, argument in zip(items[::2], items[1::2]):
        yield at, number, argument
        at += len(cbor.encode(number))
        if number == n.C_RUN_SEQUENCE:
            yield from commands(argument, at + _head(len(argument)))
        elif number == n.C_TRY_EACH:
            inner = at + _head(len(argument))
            for each in argument:
                if each is not None:
                    yield from commands(each, inner + _head(len(each)))
                inner += len(cbor.encode(each))
        at += len(cbor.encode(argument))


def settings(section, index, parameter):
    """(offset, value) of each time that a sequence sets a parameter of a component."""
    targets = 0
    for at, number, argument in commands(section):
        if number == n.C_SET_COMPONENT_INDEX:
            targets = argument
        elif number in (n.C_OVERRIDE_PARAMETERS, n.C_SET_PARAMETERS) and isinstance(argument, dict):
            here = targets is True or index in (targets if isinstance(targets, list) else [targets])
            if here and parameter in argument:
                yield at, argument[parameter]


def _head(count):
    return 1 if count < 24 else 2 if count < 256 else 3 if count < 65536 else 5


def _value(parameter, value):
    if isinstance(value, bytes):
        if parameter in (n.P_IMAGE_DIGEST, n.P_VERSION, n.P_WAIT_INFO):
            try:
                value = cbor.decode(value)
            except cbor.NotDeterministic:
                return value.hex()
            if parameter == n.P_IMAGE_DIGEST and isinstance(value, list) and len(value) == 2:
                return value[1].hex()
            return str(value)
        return value.hex()
    return str(value)


def _where(record, manifest):
    """(sentence, number of the command or None)."""
    section = (
        "shared" if record.section == n.S_SHARED else labels.name(labels.MANIFEST, record.section)
    )
    place = f"{section}, offset {record.offset}"
    if record.manifest:
        place = f"dependency {'.'.join(map(str, record.manifest))}, {place}"
    if manifest is None:
        return f"{place}, component {record.component}", None
    data = manifest.section(record.section)
    for at, number, _ in commands(data) if data else ():
        if at == record.offset:
            name = labels.name(labels.COMMANDS, number)
            return f"{place}: {name} on {manifest.component(record.component)}", number
    return f"{place}: NO COMMAND THERE, component {record.component}", None


def _expected(record, parameter, manifest):
    """What the manifest last set for a parameter before the command, as far as its text goes."""
    found = None
    for number in (n.S_SHARED, record.section):
        data = manifest.section(number)
        for at, value in settings(data, record.component, parameter) if data else ():
            if number != record.section or at < record.offset:
                found = value
        if number == record.section == n.S_SHARED:
            break
    return found


def _explained(record, manifest):
    for index in record.manifest:
        manifest = manifest and manifest.dependency(index)
    where, command = _where(record, manifest)
    yield where
    for parameter in sorted({EXPECTED.get(command), *record.properties} - {None}) if command else ():
        wanted = _expected(record, parameter, manifest)
        if wanted is not None:
            yield f"  expected {labels.name(labels.PARAMETERS, parameter)} {_value(parameter, wanted)}"
    for parameter, value in record.properties.items():
        yield f"  measured {labels.name(labels.PARAMETERS, parameter)} {_value(parameter, value)}"


def lines(report: Report, envelope: bytes | None = None):
    """The report for people; control characters of its texts are not printed as they are."""
    from suitup import reasons

    manifest = None if envelope is None else _Manifest(envelope)
    yield f"manifest {report.digest[1].hex()}" + (f" ({report.uri!r})" if report.uri else "")
    yield "signed by " + report.key.thumbprint.hex() if report.key else "NOT SIGNED"
    if report.nonce is not None:
        yield f"nonce {report.nonce.hex()}"
    if report.result is None:
        yield "result: success"
    else:
        code, record, reason = report.result
        yield f"result: {REASONS[reason]} ({reasons.name(code)})"
        yield from ("  " + line for line in _explained(record, manifest))
    for record in report.records:
        yield "record: " + "\n  ".join(_explained(record, manifest))
    for identifier, found in report.claims:
        told = ", ".join(
            f"{labels.name(labels.PARAMETERS, key)} {_value(key, each)}"
            for key, each in found.items()
        )
        yield f"system: {describe.component_name(identifier)}: {told}"
    for label, values in (report.capability or {}).items():
        yield f"can: {_CAPABILITIES.get(label, label)} {_shown(label, values)}"


def _shown(label, values):
    table = {2: labels.COMMANDS, 3: labels.PARAMETERS, 4: labels.ALGORITHMS}.get(label)
    if table:
        return ", ".join(labels.name(table, each) for each in values)
    if label == 1:
        return ", ".join(
            "/".join("*" if p is True else p.decode("utf-8", "backslashreplace") for p in v)
            for v in values
        )
    return ", ".join(map(str, values))


def matches(report: Report, envelope: bytes) -> bool:
    """Is it about this envelope's manifest?"""
    from suitup.manifest.model import Digest

    manifest = _Manifest(envelope).members[n.ENV_MANIFEST]
    return Digest(report.digest[1], report.digest[0]).matches(cbor.encode(manifest))
