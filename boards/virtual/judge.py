# The device code as a judge: cases in, verdicts out, one JSON object per line.
# MIT licence.
"""Run under MicroPython (or CPython) with `firmware/` on the module path; reads one request per
line from stdin, writes one answer per line to stdout. `suitup conformance` and `suitup simulate`
are its users.

{"kind": "suit", "envelope": path, "trust": hex of a COSE_KeySet, "payloads": {URI: path},
"secrets": hex of a COSE_KeySet, "environment": {as in tests/vectors/README.md}}
 -> {"result": word, "reason", "detail", "offset", "failing": {"sequence", "command", "component",
 "uri"},
     "components_after": {name: hex}, "invoked": [{"component", "args"}],
     "trace": [{"sequence", "command", "component", "uri", "offset", "reason"}]}

{"kind": "cbor", "items": [hex]} -> {"results": [null when read, else what is wrong]}
{"kind": "verify", "key": hex of a COSE_Key, "alg": int, "tests": [[message hex, signature hex,
context hex]]} -> {"results": [bool]}
{"kind": "cose", "message": hex, "payload": hex or null, "external": hex, "trust": hex} ->
{"result": "ok" or word}
{"kind": "thumbprint", "key": hex} -> {"result": hex}
{"kind": "report", "uri", "digest", "nonce", "records", "result", "capability"} -> {"result": hex}

With `--free BYTES` each case runs once to load its code, then with that much heap in one piece;
the result is "memory" when it was not enough.

Components live in RAM and exist when they are named. Board policy is not part of this: nothing but
the texts."""

import json
import sys

from suit import numbers as n
from suit.cbor import Cursor
from suit.envelope import authenticate
from suit.errors import SuitError
from suit.parameters import LATER_PARAMETERS
from suit.processor import INVOCATION, LATER, UPDATE, Processor
from suit.region import FileRegion, MemoryRegion
from suit.transports.local import FileStream
from suit.trust import Key, TrustStore
from suit.wait import run

SECTIONS = {
    n.S_SHARED: "shared",
    n.M_DEPENDENCY_RESOLUTION: "dependency-resolution",
    n.M_PAYLOAD_FETCH: "payload-fetch",
    n.M_CANDIDATE_VERIFICATION: "candidate-verification",
    n.M_INSTALL: "install",
    n.M_VALIDATE: "validate",
    n.M_LOAD: "load",
    n.M_INVOKE: "invoke",
    n.M_UNINSTALL: "uninstall",
}
PROCEDURES = {"update": UPDATE, "invocation": INVOCATION, "uninstall": (n.M_UNINSTALL,)}

# reason -> result word, before and after the manifest is authentic
_FIRST = {
    n.R_COSE_UNSUPPORTED: "auth-fail",
    n.R_ALG_UNSUPPORTED: "auth-fail",
    n.R_UNAUTHORISED: "auth-fail",
    n.R_VERSION: "unsupported-version",
    n.R_ROLLBACK: "rollback",
    n.R_SEVERED_DIGEST: "severed-digest-fail",
    n.R_SEQUENCE: "abort",
    n.R_COMMAND_UNSUPPORTED: "abort",
}
_THEN = {
    n.R_CBOR_PARSE: "parse-fail",
    n.R_LIMIT: "parse-fail",
    n.R_CONDITION_FAILED: "condition-failed",
    n.R_SEVERED_DIGEST: "severed-digest-fail",
    n.R_STRUCTURE: "abort",
    n.R_SEQUENCE: "abort",
    n.R_COMMAND_UNSUPPORTED: "abort",
    n.R_PARAMETER_UNSUPPORTED: "abort",
    n.R_MEMBER_MISSING: "abort",
    n.R_BUDGET: "abort",
    n.R_UNAUTHORISED: "abort",
    n.R_COSE_UNSUPPORTED: "abort",
    n.R_VERSION: "abort",
    n.R_NOT_PERMITTED: "abort",
    n.R_COMPONENT_UNAUTHORISED: "abort",
}


def name_of(raw):
    """[h'00', h'ab'] -> "00/ab"."""
    c = Cursor(raw)
    return "/".join([c.bstr().hex() for _ in range(c.array())])


class Component:
    """One component in RAM; what is written shows when it is complete."""

    def __init__(self, name, slot, content):
        self.name = name
        self.slot = slot
        self.content = content
        self.mark = None
        self._new = None

    def size(self):
        return None if self.content is None else len(self.content)

    def read_at(self, offset, buf):
        part = (self.content or b"")[offset : offset + len(buf)]
        buf[: len(part)] = part
        return len(part)

    def begin(self, size, digest):
        self._new = bytearray()
        self._limit = size
        return 0

    def restart(self):
        self._new = bytearray()

    def write(self, view):
        if self._limit is not None and len(self._new) + len(view) > self._limit:
            raise SuitError(n.R_TOO_LARGE, self._limit)
        self._new.extend(view)

    def end(self):
        self.content = bytes(self._new)
        self._new = None

    def abandon(self):
        self._new = None

    def remove(self):
        self.content = None

    def swap(self, other):
        self.content, other.content = other.content, self.content


class Board:
    """What an environment says, as the processor's board."""

    def __init__(self, case):
        environment = case.get("environment") or {}
        self.environment = environment
        self.payloads = case.get("payloads") or {}
        self.vendor_id = self._identity("vendor_id")
        self.device_id = self._identity("device_id")
        class_id = self._identity("class_id")
        # a device answers to several classes (8.4.8.2); published cases name one
        more = [bytes.fromhex(each) for each in environment.get("class_ids", ())]
        self.class_ids = tuple(([class_id] if class_id else []) + more)
        self.slot = environment.get("slot", 0)
        self.decryption_keys = TrustStore(bytes.fromhex(case.get("secrets") or "80"))
        self.trust = None
        self.components = {}
        for name, content in (environment.get("components_before") or {}).items():
            self.components[name] = Component(name, self.slot, bytes.fromhex(content))
        self.invoked = []
        self.trace = [] if case.get("trace", True) else None
        self.machine = None

    def _identity(self, name):
        value = self.environment.get(name)
        return bytes.fromhex(value) if value else None

    def component(self, raw):
        name = name_of(raw)
        if name not in self.components:
            self.components[name] = Component(name, self.slot, None)
        return self.components[name]

    def open(self, uri, args):
        path = self.payloads.get(uri)
        if path is None:
            raise SuitError(n.R_NO_PAYLOAD, uri)
        return FileStream(path)

    def invoke(self, component, args):
        self.invoked.append({"component": component.name, "args": args.hex()})

    def record(self, section, offset, command, index, reason):
        if self.trace is None:
            return
        where = describe(self.machine, section, command, index)
        where["offset"] = offset
        where["reason"] = reason
        self.trace.append(where)

    # update management
    def now(self):
        return self.environment.get("now")

    def battery_mwh(self):
        return self.environment.get("battery_mwh")

    def authorized(self, priority):
        return bool(self.environment.get("update_authorized"))

    def events(self):
        return self.environment.get("wait_events") or ()

    def component_version(self, component):
        versions = self.environment.get("component_versions") or {}
        return versions.get(component.name)


def describe(machine, section, command, index):
    """Where in a manifest, in words that a person can use."""
    found = {
        "sequence": SECTIONS.get(section, str(section)),
        "command": command,
        "component": None,
        "uri": None,
    }
    try:
        if index is not None:
            found["component"] = name_of(machine.context.identifier(index))
            uri = machine.param(index, n.P_URI) if command == n.C_FETCH else None
            found["uri"] = None if uri is None else str(uri, "utf-8")
    except SuitError:
        pass  # the index is what is wrong
    return found


def refused(error, words):
    return {
        "result": words.get(error.reason, "parse-fail" if words is _FIRST else "operation-failed"),
        "reason": error.reason,
        "detail": error.detail if isinstance(error.detail, (int, str)) else repr(error.detail),
        "offset": error.offset,
        "lacks": lacks(error),
    }


def lacks(error):
    """What this build has no code for, if that is why it refused; a number no text gives is not
    lacking."""
    reason, detail = error.reason, error.detail
    if reason == n.R_ALG_UNSUPPORTED:
        return "algorithm %s" % detail
    if reason == n.R_COMMAND_UNSUPPORTED and (detail == "dependencies" or detail in LATER):
        return detail if detail == "dependencies" else "command %d" % detail
    if reason == n.R_PARAMETER_UNSUPPORTED and (
        detail == n.P_ENCRYPTION_INFO or detail in LATER_PARAMETERS
    ):
        return "parameter %d" % detail
    return None


def judge_suit(case):
    trust = TrustStore(bytes.fromhex(case["trust"]))
    board = Board(case)
    board.trust = trust.judges(
        (board.vendor_id, board.device_id) + board.class_ids, board.now()
    )
    words = _FIRST
    machine = None
    with open(case["envelope"], "rb") as file:
        try:
            envelope = run(authenticate(FileRegion(file), trust))
            floor = board.environment.get("current_sequence_number", 0)
            if envelope.manifest.sequence_number < floor:
                raise SuitError(n.R_ROLLBACK, envelope.manifest.sequence_number)
            names = ()
            if case.get("environment") is not None:
                names = board.environment.get("procedures", ("update", "invocation"))
            words = _THEN
            for name in names:
                machine = board.machine = Processor(envelope, board)
                run(machine.run(PROCEDURES[name]))
            answer = {"result": "ok"}
        except SuitError as error:
            answer = refused(error, words)
            if machine and machine.where:
                section, command, index, offset = machine.where
                found = describe(machine, section, command, index)
                # the trace knows the URI that was in force when the command failed
                for entry in reversed(board.trace or ()):
                    if entry["reason"]:
                        found = entry
                        break
                answer["failing"] = found
    answer["components_after"] = {
        name: component.content.hex()
        for name, component in board.components.items()
        if component.content is not None
    }
    answer["invoked"] = board.invoked
    answer["trace"] = board.trace
    return answer


def judge_cbor(case):
    results = []
    for item in case["items"]:
        c = Cursor(bytes.fromhex(item))
        try:
            c.skip()
            c.end()
            results.append(None)
        except SuitError as error:
            results.append(str(error.detail))
    return {"results": results}


def judge_verify(case):
    from suit.crypto import verifier

    key = Key(bytes.fromhex(case["key"]))
    verify = verifier(case["alg"]).verify
    results = []
    for message, signature, context in case["tests"]:
        try:
            region = MemoryRegion(bytes.fromhex(signature))
            # ML-DSA alone has a context, which COSE leaves empty
            more = (bytes.fromhex(context),) if context else ()
            results.append(verify(key, bytes.fromhex(message), region, *more) is key)
        except SuitError as error:
            if error.reason == n.R_ALG_UNSUPPORTED:
                raise
            results.append(False)
    return {"results": results}


def judge_cose(case):
    from suit.cose import verify

    payload = case.get("payload")
    verify(
        MemoryRegion(bytes.fromhex(case["message"])),
        None if payload is None else bytes.fromhex(payload),
        TrustStore(bytes.fromhex(case["trust"])),
        bytes.fromhex(case.get("external") or ""),
        case.get("tag"),
        case.get("open_alg", False),
        case.get("understood", ()),
        4096,
    )
    return {"result": "ok"}


def judge_report(case):
    """The report that the device writes of these parts."""
    from suit.report import compose

    result = case["result"]
    if result is not None:
        result = (result[0], bytes.fromhex(result[1]), result[2])
    optional = [
        None if case[name] is None else bytes.fromhex(case[name]) for name in ("nonce", "capability")
    ]
    records = [bytes.fromhex(each) for each in case["records"]]
    made = compose(case["uri"], bytes.fromhex(case["digest"]), records, result, *optional)
    return {"result": made.hex()}


def judge_thumbprint(case):
    return {"result": Key(bytes.fromhex(case["key"])).kid.hex()}


KINDS = {
    "suit": judge_suit,
    "cbor": judge_cbor,
    "verify": judge_verify,
    "cose": judge_cose,
    "thumbprint": judge_thumbprint,
    "report": judge_report,
}


def with_free(free, case):
    """Judge the case with `free` bytes of heap in one piece, after it ran once to load what it
    needs; every other byte is taken. No trace is kept: that is the judge's memory, not a
    board's."""
    import gc

    case["trace"] = False
    first = KINDS[case["kind"]](case)
    if first["result"] != "ok":
        return first
    first = None
    gc.collect()
    reserve = bytearray(free)
    taken = None  # a chain: a list would need a piece of its own to grow
    size = 1 << 16
    while size:
        try:
            taken = (taken, bytearray(size))
        except MemoryError:
            size >>= 1
    del reserve
    gc.collect()
    try:
        found = KINDS[case["kind"]](case)["result"]
    except MemoryError as error:
        found = error
    taken = None
    gc.collect()
    if isinstance(found, MemoryError):
        return {"result": "memory", "detail": repr(found)}
    return {"result": found}


def answer(line, free=None):
    case = json.loads(line)
    if free is not None:
        return with_free(free, case)
    try:
        function = KINDS.get(case["kind"])
        if function is None:
            import judge_crypto

            function = judge_crypto.KINDS[case["kind"]]
        return function(case)
    except SuitError as error:
        return refused(error, _FIRST)
    except Exception as error:  # a crash is a verdict too: nobody may bring the device to one
        return {"result": "crash", "detail": repr(error), "traceback": traceback(error)}


def traceback(error):
    import io

    if hasattr(sys, "print_exception"):
        out = io.StringIO()
        sys.print_exception(error, out)
        return out.getvalue()
    from traceback import format_exception

    return "".join(format_exception(error))


def main():
    free = int(sys.argv[2]) if len(sys.argv) > 2 and sys.argv[1] == "--free" else None
    while True:
        line = sys.stdin.readline()
        if not line:
            return
        print(json.dumps(answer(line, free)))
        if hasattr(sys.stdout, "flush"):
            sys.stdout.flush()


if __name__ == "__main__":
    main()
