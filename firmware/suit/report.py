# What this board decided and why: suit-report-19.
# MIT licence.
"""    recorder = Recorder(machine)            # its `record` is what board.record hands on to
    report(envelope, recorder, None)        # bytes of a SUIT_Report: it went well
    report(envelope, recorder, error)       # what the SuitError says, with the record of its command

A record is made where a command's reporting policy asks for it (suit-manifest 8.4.7): on success,
on failure, and the system's own properties with either; the record of the command that ended the
procedure is part of the result. What was measured (a digest, an identity, a version) stands in it,
what was expected stands in the manifest. Records beyond `_ROOM` bytes are left out, the last ones
first: memory is a board's, not the author's.

Our own reasons have no number in the text; `_BASE` says which of its reasons they are, and
suit-report-result-code carries ours. A capability report comes along when something was not
supported (section 6)."""

from . import numbers as n
from .cbor import ARRAY, MAP, UINT, encode, head
from .errors import SuitError

try:
    from micropython import const
except ImportError:

    def const(value):
        return value


_ROOM = const(1024)  # bytes of records
_NONCE = const(2)
_RECORDS = const(3)
_RESULT = const(4)
_CODE = const(5)
_RECORD = const(6)
_REASON = const(7)
_CAPABILITY = const(8)
_REFERENCE = const(99)
_EQUAL = const(3)  # comparison of a version parameter

# our reasons -> those of suit-report section 4; R_OPERATION_FAILED for what is not here
_BASE = {
    n.R_STRUCTURE: n.R_CBOR_PARSE,
    n.R_LIMIT: n.R_CBOR_PARSE,
    n.R_VERSION: n.R_CBOR_PARSE,
    n.R_SEQUENCE: n.R_CBOR_PARSE,
    n.R_SEVERED_DIGEST: n.R_UNAUTHORISED,
    n.R_ROLLBACK: n.R_UNAUTHORISED,
    n.R_NOT_MATCHED: n.R_CONDITION_FAILED,
    n.R_DIGEST: n.R_CONDITION_FAILED,
    n.R_WAITING: n.R_CONDITION_FAILED,
    n.R_NOT_PERMITTED: n.R_COMPONENT_UNAUTHORISED,
}
# what tells its author to look at what this board can do
_LACKING = (
    n.R_ALG_UNSUPPORTED,
    n.R_COMMAND_UNSUPPORTED,
    n.R_COMPONENT_UNSUPPORTED,
    n.R_PARAMETER_UNSUPPORTED,
)


def base(reason):
    """The reason of suit-report for one of ours."""
    return reason if reason <= n.R_INVOKE_PENDING else _BASE.get(reason, n.R_OPERATION_FAILED)


def _version(machine, index):
    found = machine.board.component_version(machine.component(index))
    return None if found is None else encode([_EQUAL, found])


def _digest(machine, index):
    return None if machine.measured is None else encode(machine.measured)


# command -> (parameter, what was measured for it)
_MEASURED = {
    n.C_VENDOR_ID: (n.P_VENDOR_ID, lambda machine, index: machine.board.vendor_id),
    n.C_CLASS_ID: (n.P_CLASS_ID, lambda machine, index: (machine.board.class_ids or (None,))[0]),
    n.C_DEVICE_ID: (n.P_DEVICE_ID, lambda machine, index: machine.board.device_id),
    n.C_IMAGE_MATCH: (n.P_IMAGE_DIGEST, _digest),
    n.C_IMAGE_NOT_MATCH: (n.P_IMAGE_DIGEST, _digest),
    n.C_COMPONENT_SLOT: (n.P_COMPONENT_SLOT, lambda machine, i: machine.component(i).slot),
    n.C_USE_BEFORE: (n.P_USE_BEFORE, lambda machine, index: machine.board.now()),
    n.C_MINIMUM_BATTERY: (n.P_MINIMUM_BATTERY, lambda machine, i: machine.board.battery_mwh()),
    n.C_VERSION: (n.P_VERSION, _version),
}
_SIZE = (n.P_IMAGE_SIZE, lambda machine, index: machine.component(index).size())


def _properties(machine, command, index):
    """{parameter: measured value} of a command; empty when it measures nothing, or could not."""
    found = _MEASURED.get(command)
    if found and found[0] == n.P_IMAGE_DIGEST and machine.measured is None:
        found = _SIZE  # another size, so that nobody went on to the digest
    if found is None or index is None:
        return {}
    try:
        value = found[1](machine, index)
    except (SuitError, OSError):
        value = None  # nothing to measure: a report must not end what it reports on
    return {} if value is None else {found[0]: value}


class Recorder:
    """Collects the records of one procedure; `last` is that of the command that failed last."""

    def __init__(self, machine=None, room=_ROOM):
        """`room`: bytes of records, at most 1 KiB."""
        self._room = min(room, _ROOM)
        self.machine = machine
        self.records = []
        self.last = None
        self.left_out = 0
        self._size = 0

    def record(self, section, offset, command, index, reason):
        """As board.record."""
        machine = self.machine
        wanted = machine.policy
        failed = reason != n.R_OK
        if not failed and not wanted & (n.REPORT_ON_SUCCESS | n.REPORT_SYSTEM_ON_SUCCESS):
            return
        properties = _properties(machine, command, index)
        made = encode([machine.context.path, section, offset, index or 0, properties])
        if failed:
            self.last = made
        if wanted & (n.REPORT_ON_FAILURE if failed else n.REPORT_ON_SUCCESS):
            self._keep(made)
        system = n.REPORT_SYSTEM_ON_FAILURE if failed else n.REPORT_SYSTEM_ON_SUCCESS
        if wanted & system and properties:
            # system-property-claims: 0 is the component, then parameters
            claims = encode(properties)[1:]
            identifier = machine.context.identifier(index)
            self._keep(head(MAP, len(properties) + 1) + b"\x00" + identifier + claims)

    def _keep(self, made):
        if self._size + len(made) > self._room:
            self.left_out += 1
            return
        self._size += len(made)
        self.records.append(made)


def _pair(key, raw):
    return head(UINT, key) + raw


def compose(uri, digest, records, result, nonce=None, capability=None):
    """A SUIT_Report. `digest`: encoded SUIT_Digest; `records`: encoded each; `result`: None for
    success, else (code, encoded record, reason of the text); `capability`: encoded."""
    pairs = []
    if nonce is not None:
        pairs.append(_pair(_NONCE, encode(nonce)))
    pairs.append(_pair(_RECORDS, head(ARRAY, len(records)) + b"".join(records)))
    if result is None:
        pairs.append(_pair(_RESULT, encode(True)))
    else:
        code, record, reason = result
        told = _pair(_CODE, encode(code)) + _pair(_RECORD, record) + _pair(_REASON, encode(reason))
        pairs.append(_pair(_RESULT, head(MAP, 3) + told))
    if capability is not None:
        pairs.append(_pair(_CAPABILITY, capability))
    pairs.append(_pair(_REFERENCE, head(ARRAY, 2) + encode(uri) + digest))
    return head(MAP, len(pairs)) + b"".join(pairs)


def report(envelope, recorder, error, nonce=None):
    """The SUIT_Report of a procedure that ended with `error` (SuitError), or well (None)."""
    digest = encode([envelope.digest_algorithm, envelope.digest])
    uri = envelope.manifest.reference_uri or ""
    if error is None:
        return compose(uri, digest, recorder.records, None, nonce)
    # what no command failed at is the fault of the manifest as a whole
    record = recorder.last or encode([(), n.S_SHARED, 0, 0, {}])
    result = (error.reason, record, base(error.reason))
    lacking = capabilities() if error.reason in _LACKING else None
    return compose(uri, digest, recorder.records, result, nonce, lacking)


def failure(machine):
    """The encoded record of the command that a procedure ended with."""
    section, command, index, offset = machine.where
    # components of a dependency have other numbers in the root
    known = {} if machine.path else _properties(machine, command, index)
    return encode([machine.path, section, offset or 0, index or 0, known])


def least(envelope, reason):
    """The report of a procedure that ended with `reason` and of which nothing else is known: no
    records, nothing measured. It can be made before the procedure begins."""
    digest = encode([envelope.digest_algorithm, envelope.digest])
    record = encode([(), n.S_SHARED, 0, 0, {}])
    return compose(envelope.manifest.reference_uri or "", digest, (), (reason, record, base(reason)))


def capabilities():
    """An encoded SUIT_Capability_Report: what the files on this board can do."""
    from . import conditions, directives, flow
    from .crypto import supported
    from .optional import optional
    from .parameters import PARAMETERS

    commands = set(conditions.COMMANDS) | set(directives.COMMANDS)
    commands |= set(flow.STEERING) | set(flow.FLOW)
    parameters = set(PARAMETERS)
    dependencies = False
    for name in ("management", "dependencies"):
        module = optional(name)
        if module:
            commands |= set(module.COMMANDS)
            parameters |= set(module.PARAMETERS)
            dependencies = name == "dependencies"
    members = [1, 2, 3, 4, 5, 6, 7, 8, 9, 14, 15, 16, 18, 20, 23, 24, 25]
    told = {
        1: [[b"app"], [b"file", True], [b"manifest", True], [b"ram", True]],
        2: sorted(commands),
        3: sorted(parameters),
        4: sorted(supported()),
        5: [2, 3, 14, 15, 16, 18, 20, 23],
        6: members,
        7: [1, 2, 4] if dependencies else [2, 4],
    }
    if dependencies:
        told[10] = [1]
    return encode(told)
