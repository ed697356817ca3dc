"""The command sequences of a manifest, walked without executing them, for lint.

What is followed: which parameters are certainly set for which component at each command, which branches can run at all, and what
was written, checked and invoked."""

from dataclasses import dataclass, field

from suitup import cbor
from suitup import numbers as n
from suitup.manifest import labels
from suitup.manifest.describe import component_name
from suitup.manifest.events import EVENTS
from suitup.manifest.findings import ERROR, WARNING, Report
from suitup.manifest.model import Digest, Envelope, Manifest, Sequence, StructureError
from suitup.manifest.parameters import PARAMETERS
from suitup.manifest.verify import Refused

# what each command reads from the parameters; a condition without its parameter fails
_NEEDS = {
    n.C_VENDOR_ID: n.P_VENDOR_ID,
    n.C_CLASS_ID: n.P_CLASS_ID,
    n.C_DEVICE_ID: n.P_DEVICE_ID,
    n.C_IMAGE_MATCH: n.P_IMAGE_DIGEST,
    n.C_IMAGE_NOT_MATCH: n.P_IMAGE_DIGEST,
    n.C_COMPONENT_SLOT: n.P_COMPONENT_SLOT,
    n.C_CHECK_CONTENT: n.P_CONTENT,
    n.C_WRITE: n.P_CONTENT,
    n.C_FETCH: n.P_URI,
    n.C_COPY: n.P_SOURCE_COMPONENT,
    n.C_SWAP: n.P_SOURCE_COMPONENT,
    n.C_USE_BEFORE: n.P_USE_BEFORE,
    n.C_MINIMUM_BATTERY: n.P_MINIMUM_BATTERY,
    n.C_UPDATE_AUTHORIZED: n.P_UPDATE_PRIORITY,
    n.C_VERSION: n.P_VERSION,
    n.C_WAIT: n.P_WAIT_INFO,
    n.C_DEPENDENCY_INTEGRITY: n.P_IMAGE_DIGEST,
}
# wait events that no board can tell by itself
_LOCAL_EVENTS = (4, 6, 7)
_FILE_TYPE, _REGULAR = 5, 1
# sections a dependent has to run for a dependency that has them (trust-domains)
_REQUIRED = (
    n.M_DEPENDENCY_RESOLUTION,
    n.M_PAYLOAD_FETCH,
    n.M_CANDIDATE_VERIFICATION,
    n.M_INSTALL,
    n.M_VALIDATE,
    n.M_LOAD,
)
_WRITES = (n.C_FETCH, n.C_COPY, n.C_SWAP, n.C_WRITE)
# SUIT_Shared_Sequence (Appendix A): conditions and these
_SHARED_DIRECTIVES = (
    n.C_SET_COMPONENT_INDEX,
    n.C_RUN_SEQUENCE,
    n.C_TRY_EACH,
    n.C_OVERRIDE_PARAMETERS,
    n.C_SET_PARAMETERS,
    n.C_OVERRIDE_MULTIPLE,
    n.C_COPY_PARAMS,
)


@dataclass
class _State:
    """What is known at a point of a sequence."""

    index: object = 0
    # per component and dependency {parameter: value, or None when not certain}
    values: dict = field(default_factory=dict)

    def copy(self):
        return _State(self.index, {index: dict(each) for index, each in self.values.items()})

    def selected(self):
        if self.index is True:
            return list(self.values)
        chosen = self.index if isinstance(self.index, list) else [self.index]
        return [each for each in chosen if isinstance(each, int) and each in self.values]


class Walker:
    """`run()` walks every sequence and adds what it finds to `report`."""

    def __init__(self, envelope: Envelope, manifest: Manifest, slot_size, report: Report):
        self.envelope = envelope
        self.manifest = manifest
        self.slot_size = slot_size
        self.add = report.add
        self.written = {}  # component -> where it was last written without an image-match after it
        self.touched = set()
        self.matched = set()
        self.invoked = []  # (component, where)
        self.conditions = set()
        self.uris = set()
        self.processed = set()  # (section, dependency)
        self.inner = {}  # dependency -> Envelope, when it is carried along

    def name(self, index):
        if index < len(self.manifest.components):
            return f"component {index} {component_name(self.manifest.components[index])}"
        return f"dependency {index}"

    def run(self):
        self._sequences()
        self._after()

    def _sequences(self):
        listed = {*range(len(self.manifest.components)), *self.manifest.dependencies}
        state = _State(0, {index: {} for index in sorted(listed)})
        if self.manifest.shared is None:
            self.add(
                ERROR,
                "shared",
                "there is no shared sequence",
                "vendor and class have to be checked before anything else",
            )
        else:
            self._start(self.manifest.shared, "shared")
            self._walk(self.manifest.shared, state, "shared", "shared", 0)
            for number, word in ((n.C_VENDOR_ID, "vendor"), (n.C_CLASS_ID, "class")):
                if number not in self.conditions:
                    self.add(
                        ERROR,
                        "shared",
                        f"the {word} is not checked",
                        "any device that trusts the signer would take this update",
                        "the compatibility check template: override-parameters, then the condition",
                    )
        if not self.manifest.sequences:
            self.add(ERROR, "manifest", "there is no command sequence", "nothing would be done")
        for number in labels.SEQUENCES:
            held = self.envelope.member(number)
            if isinstance(held, Sequence):
                self._start(held, labels.MANIFEST[number])
                state.index = 0
                self._walk(held, state, labels.MANIFEST[number], labels.MANIFEST[number], 0)

    def _start(self, sequence, where):
        if not sequence:
            self.add(WARNING, where, "the sequence is empty")
        elif (
            len(self.manifest.components) + len(self.manifest.dependencies) > 1
            and sequence[0].number != n.C_SET_COMPONENT_INDEX
        ):
            self.add(
                ERROR,
                where,
                "the sequence does not begin with set-component-index",
                "with more than one component each must (6.2)",
            )

    def _walk(self, sequence, state, section, where, depth):
        """Follow `sequence`, changing `state`; True when it can fail softly (holds a condition)."""
        if depth > n.MAX_NESTING:
            self.add(
                ERROR,
                where,
                "sequences are nested too deep",
                f"devices follow {n.MAX_NESTING} levels",
            )
            return True
        can_fail = ended = False
        for position, command in enumerate(sequence):
            at = f"{where}[{position}] {command.name}"
            if ended:
                self.add(WARNING, at, "this is never reached", "abort stands before it")
                break
            can_fail |= self._command(command, state, section, at, depth)
            ended = command.number == n.C_ABORT
        return can_fail

    def _command(self, command, state, section, at, depth):
        number = command.number
        if number not in labels.COMMANDS:
            custom = number < 0
            self.add(
                ERROR,
                at,
                f"{'custom' if custom else 'unknown'} command {number}",
                "a device refuses what it does not know",
            )
            return True
        if (
            section == "shared"
            and number not in labels.CONDITIONS
            and number not in _SHARED_DIRECTIVES
        ):
            self.add(
                ERROR,
                at,
                f"{command.name} may not stand in the shared sequence",
                "it holds conditions, parameters and control flow only (Appendix A)",
            )
        if command.is_condition:
            self.conditions.add(number)
        if number == n.C_SET_COMPONENT_INDEX:
            self._select(command.argument, state, at)
        elif number in (n.C_OVERRIDE_PARAMETERS, n.C_SET_PARAMETERS):
            for index in state.selected():
                self._set(
                    state.values[index],
                    command.argument,
                    at,
                    section,
                    depth,
                    number == n.C_OVERRIDE_PARAMETERS,
                )
        elif number == n.C_OVERRIDE_MULTIPLE:
            self._override_multiple(command.argument, state, section, at)
        elif number == n.C_COPY_PARAMS:
            self._copy_params(command.argument, state, at)
        elif number == n.C_TRY_EACH:
            return self._try_each(command.argument, state, section, at, depth)
        elif number == n.C_RUN_SEQUENCE:
            return self._run(command.argument, state, section, at, depth)
        else:
            chosen = state.selected()
            owned = [index for index in chosen if index in self.manifest.dependencies]
            if number == n.C_IS_DEPENDENCY:
                # what follows in this sequence is for dependencies alone
                state.index = owned
            elif number == n.C_PROCESS_DEPENDENCY and state.index is True:
                chosen = owned
            for index in chosen:
                self._act(number, index, state.values[index], section, at)
        return command.is_condition

    def _select(self, argument, state, at):
        chosen = argument if isinstance(argument, list) else [argument]
        if argument is True:
            pass
        elif not chosen or any(
            isinstance(each, bool) or not isinstance(each, int) for each in chosen
        ):
            self.add(ERROR, at, "the index is not a number, a list of numbers or true")
            return
        else:
            known = len(self.manifest.components)
            for each in chosen:
                if not 0 <= each < known and each not in self.manifest.dependencies:
                    self.add(ERROR, at, f"component {each} is not listed", f"there are {known}")
        state.index = argument

    def _override_multiple(self, argument, state, section, at):
        if not isinstance(argument, dict) or not argument:
            self.add(ERROR, at, "override-multiple takes a map of components")
            return
        for index, each in argument.items():
            if not isinstance(index, int) or isinstance(index, bool) or index not in state.values:
                self.add(ERROR, at, f"component {index} is not listed")
                continue
            for number in (n.P_SOFT_FAILURE, n.P_STRICT_ORDER):
                if number in each:
                    self.add(ERROR, at, f"{labels.PARAMETERS[number]} is not a parameter of a component")
            self._set(state.values[index], each, at, section, 1, True)
            # it stands for set-component-index and override-parameters
            state.index = index

    def _copy_params(self, argument, state, at):
        good = isinstance(argument, dict) and argument
        for source, wanted in argument.items() if good else ():
            if not isinstance(source, int) or isinstance(source, bool) or source not in state.values:
                self.add(ERROR, at, f"component {source} is not listed")
                continue
            good = good and isinstance(wanted, list) and wanted
            for number in wanted if isinstance(wanted, list) else ():
                if not isinstance(number, int) or number not in state.values[source]:
                    word = labels.name(labels.PARAMETERS, number)
                    why = "a device refuses to copy what is not there"
                    self.add(ERROR, at, f"{word} is never set for {self.name(source)}", why)
                    continue
                for index in state.selected():
                    state.values[index][number] = state.values[source][number]
        if not good:
            self.add(ERROR, at, "copy-params takes a map of components and lists of parameters")

    def _value(self, number, value, at):
        """Types, and what is well-formed but no board has."""
        word = labels.PARAMETERS[number]
        try:
            held = PARAMETERS[number](value.encode() if isinstance(value, Digest) else value)
        except Refused as refused:
            self.add(ERROR, at, f"{word} is not what it should be", refused.why)
            return
        if number == n.P_WAIT_INFO:
            self._events(held, at)
        elif number == n.P_COMPONENT_METADATA:
            for label, each in held.items() if isinstance(held, dict) else ():
                if (label, each) != (_FILE_TYPE, _REGULAR):
                    self.add(
                        ERROR, at, f"component-metadata {label} cannot be applied",
                        "boards' filesystems have no permissions, owners, times or kinds of files",
                    )  # fmt: skip
            if not isinstance(held, dict):
                self.add(ERROR, at, f"{word} is not a map")
        elif number == n.P_UPDATE_PRIORITY and value < 0:
            self.add(WARNING, at, f"the priority is {value}", "apps that know only 0 and up may refuse it")

    def _events(self, held, at):
        if not isinstance(held, dict) or not held:
            self.add(ERROR, at, "wait-info names no event")
            return
        for event, argument in held.items():
            if event not in EVENTS:
                self.add(ERROR, at, f"event {event!r} is not known", "a device refuses to wait for it")
            elif not EVENTS[event][1](argument):
                self.add(ERROR, at, f"{EVENTS[event][0]} is not what it should be")
            elif event in _LOCAL_EVENTS:
                self.add(
                    WARNING, at, f"no board knows {EVENTS[event][0]} by itself",
                    "unless its app says so, the update is refused there", "use the event in UTC",
                )  # fmt: skip

    def _set(self, values, parameters, at, section, depth, replace):
        for number, value in parameters.items():
            if number not in labels.PARAMETERS:
                self.add(
                    ERROR,
                    at,
                    f"unknown parameter {number}",
                    "a device refuses what it does not know",
                )
                continue
            if number not in (n.P_VENDOR_ID, n.P_CLASS_ID, n.P_DEVICE_ID, n.P_URI, n.P_IMAGE_DIGEST):
                self._value(number, value, at)  # those have a word of their own below
            if number == n.P_SOFT_FAILURE and depth == 0:
                self.add(
                    ERROR,
                    at,
                    "soft-failure is set outside try-each and run-sequence",
                    "that aborts (8.4.8.15)",
                )
            if number in (n.P_VENDOR_ID, n.P_CLASS_ID, n.P_DEVICE_ID):
                self._identifier(number, value, at)
            if number == n.P_IMAGE_DIGEST:
                if not isinstance(value, Digest):
                    self.add(ERROR, at, "image-digest is not a SUIT_Digest")
                elif value.algorithm != n.ALG_SHA256:
                    known = value.algorithm in labels.ALGORITHMS
                    self.add(
                        WARNING if known else ERROR,
                        at,
                        f"the digest uses {labels.name(labels.ALGORITHMS, value.algorithm)}",
                        "only SHA-256 is on every device",
                    )
            if number == n.P_URI and isinstance(value, str) and len(value.encode()) > n.MAX_URI:
                self.add(ERROR, at, f"the URI is longer than {n.MAX_URI} bytes")
            if (
                number == n.P_IMAGE_SIZE
                and self.slot_size
                and isinstance(value, int)
                and value > self.slot_size
            ):
                self.add(
                    ERROR,
                    at,
                    f"the image is {value} bytes",
                    f"a slot holds {self.slot_size}",
                    "make the app smaller, or use a board with larger slots",
                )
            if replace or number not in values:
                values[number] = value

    def _identifier(self, number, value, at):
        word = labels.PARAMETERS[number]
        if isinstance(value, cbor.CBORTag):
            if number != n.P_VENDOR_ID or value.tag != n.TAG_PEN:
                self.add(ERROR, at, f"{word} has a tag it cannot have")
        elif not isinstance(value, bytes) or len(value) != 16:
            self.add(ERROR, at, f"{word} is not a UUID of 16 bytes")
        elif value[6] >> 4 not in (3, 4, 5):
            self.add(
                WARNING,
                at,
                f"{word} is a UUID of version {value[6] >> 4}",
                "versions 3, 4 and 5 are allowed (8.4.8.2)",
            )

    def _try_each(self, branches, state, section, at, depth):
        if not isinstance(branches, list) or len(branches) < 1:
            self.add(ERROR, at, "try-each without sequences")
            return True
        real = [each for each in branches if each is not None]
        if len(real) > n.MAX_BRANCHES:
            self.add(ERROR, at, f"{len(real)} sequences", f"devices take at most {n.MAX_BRANCHES}")
        outcomes, certain = [], False
        for position, branch in enumerate(branches):
            where = f"{at}, branch {position}"
            if certain:
                self.add(
                    WARNING,
                    where,
                    "this branch is unreachable",
                    "the one before it cannot fail",
                    "put a condition into the branch before it, or remove this one",
                )
                break
            inner = state.copy()
            can_fail = (
                False if branch is None else self._walk(branch, inner, section, where, depth + 1)
            )
            if branch is None and position < len(branches) - 1:
                self.add(ERROR, where, "nil is not the last branch")
            outcomes.append(inner)
            certain = not can_fail
        self._join(state, outcomes)
        return not certain

    def _run(self, sequence, state, section, at, depth):
        inner = state.copy()
        can_fail = self._walk(sequence, inner, section, at, depth + 1)
        soft = any(
            command.number == n.C_OVERRIDE_PARAMETERS
            and command.argument.get(n.P_SOFT_FAILURE) is True
            for command in sequence
        )
        self._join(state, [state.copy(), inner] if soft else [inner])
        return can_fail and not soft

    @staticmethod
    def _join(state, outcomes):
        """After branches: what every one of them set is certain; what differs has no known value."""
        for index in state.values:
            each = [outcome.values[index] for outcome in outcomes]
            common = set(each[0]).intersection(*each[1:])
            state.values[index] = {
                number: each[0][number]
                if all(one[number] == each[0][number] for one in each)
                else None
                for number in common
            }

    def _act(self, number, index, values, section, at):
        needed = _NEEDS.get(number)
        if needed is not None and needed not in values:
            what = labels.PARAMETERS[needed]
            self.add(
                ERROR,
                at,
                f"{what} is never set for {self.name(index)}",
                "the command fails without it",
                f"set {what} with override-parameters before",
            )
        if number in (n.C_COPY, n.C_SWAP):
            source = values.get(n.P_SOURCE_COMPONENT)
            if isinstance(source, int) and not 0 <= source < len(self.manifest.components):
                self.add(ERROR, at, f"source component {source} is not listed")
            elif source == index:
                self.add(ERROR, at, "a component is copied onto itself")
        if number == n.C_FETCH:
            self._fetch(index, values, at)
        if number == n.C_PROCESS_DEPENDENCY and index not in self.matched:
            self.add(
                ERROR,
                at,
                f"{self.name(index)} is processed, but its integrity is never checked",
                "process-dependency aborts then",
                "put dependency-integrity before it",
            )
        if number == n.C_PROCESS_DEPENDENCY:
            self.processed.add((section, index))
        if number in (n.C_PROCESS_DEPENDENCY, n.C_DEPENDENCY_INTEGRITY):
            if index not in self.manifest.dependencies:
                self.add(ERROR, at, f"{self.name(index)} is not listed as a dependency")
        if number in _WRITES:
            self.written[index] = at
            self.touched.add(index)
            self.matched.discard(index)
        elif number in (n.C_IMAGE_MATCH, n.C_CHECK_CONTENT, n.C_DEPENDENCY_INTEGRITY):
            self.written.pop(index, None)
            self.matched.add(index)
        elif number == n.C_INVOKE:
            self.invoked.append((index, at))

    def _fetch(self, index, values, at):
        dependency = index in self.manifest.dependencies
        if n.P_IMAGE_SIZE not in values and not dependency:
            self.add(
                WARNING,
                at,
                f"image-size is not set for {self.name(index)}",
                "a device cannot refuse an image that does not fit before it has written it",
                "set image-size beside image-digest",
            )
        uri = values.get(n.P_URI)
        if not isinstance(uri, str):
            return
        self.uris.add(uri)
        if uri.startswith("#"):
            self._integrated(uri, values, index, at)

    def _integrated(self, uri, values, index, at):
        """The payload inside the envelope is what the parameters say it is."""
        data, dependency = self.envelope.payloads.get(uri), index in self.manifest.dependencies
        digest, size = values.get(n.P_IMAGE_DIGEST), values.get(n.P_IMAGE_SIZE)
        if data is None:
            self.add(ERROR, at, f"there is no integrated payload {uri!r}", "it cannot be fetched")
            return
        if n.P_ENCRYPTION_INFO in values:
            return
        if dependency:
            # the digest of a dependency is that of its manifest (trust-domains)
            try:
                inner = Envelope.decode(data)
                data = cbor.encode(inner.manifest_bytes)
            except StructureError as error:
                self.add(ERROR, at, f"the dependency {uri!r} is not an envelope", str(error))
                return
            self.inner[index] = inner
        elif isinstance(size, int) and size != len(data):
            self.add(
                ERROR,
                at,
                f"the integrated payload {uri!r} has {len(data)} bytes",
                f"image-size says {size}",
            )
            return
        if isinstance(digest, Digest) and not digest.matches(data):
            self.add(ERROR, at, f"the integrated payload {uri!r} does not have the image digest")

    def _required(self):
        """Every section of a dependency that is carried along has one here that runs it."""
        for index, inner in self.inner.items():
            for number in _REQUIRED:
                word = labels.MANIFEST[number]
                if number in inner.manifest.sequences and (word, index) not in self.processed:
                    # boards refuse a section that ends without it, and pass over one that is not there, as a published
                    # example (firmware-encryption, ES-DH in a dependency) wants them to
                    self.add(
                        ERROR if number in self.manifest.sequences else WARNING,
                        word,
                        f"{self.name(index)} has this section, and nothing here runs it",
                        "a dependent has to run each section of its dependencies (trust-domains)",
                        f"process-dependency in {word}",
                    )

    # what only the whole tells

    def _after(self):
        for index, at in self.written.items():
            self.add(
                ERROR,
                at,
                f"{self.name(index)} is written, but its digest is never checked",
                "payloads are not signed: what was fetched may be anything, and a board arms "
                "only what an image-match covers",
                "add image-match after it",
            )
        for index, at in self.invoked:
            if index not in self.matched:
                self.add(
                    ERROR,
                    at,
                    f"{self.name(index)} is invoked, but its digest is never checked",
                    "a board invokes only what an image-match covers",
                    "add image-match to validate",
                )
        self._required()
        # a dependency may be what works on a component
        if self.manifest.dependencies:
            pass
        elif (
            n.M_INSTALL in self.manifest.sequences or n.M_PAYLOAD_FETCH in self.manifest.sequences
        ):
            for index in range(len(self.manifest.components)):
                if index not in self.touched and index not in self.matched:
                    self.add(WARNING, self.name(index), "nothing is ever done with this component")
        for uri in self.envelope.payloads:
            if uri not in self.uris:
                self.add(WARNING, "envelope", f"the integrated payload {uri!r} is never fetched")
