# The abstract machine of suit-manifest section 6: sequences, parameters, component index, flow.
# MIT licence.
"""`Processor(envelope, board)` executes the command sequences of an authenticated envelope:

    run(machine.update())       # dependency-resolution .. install, validate
    run(machine.invocation())   # validate, load, invoke
    machine.matched             # indices of components whose image-match held, not written since
    machine.invoked             # [(component index, args)]

The methods are generators (see `wait`). A refusal is the SuitError of the command that failed;
`machine.where` is then (section number, S_SHARED in the shared sequence; command; component index;
offset in the section).

Nested sequences are frames on a list, never Python recursion. Where the text leaves room:

* Parameters live from the start of a procedure to its end, also those that a failed sequence has
  set: 8.4.8.15 takes back soft-failure only. Component index, strict-order and soft-failure belong
  to their sequence: a nested one starts with its own and changes nothing around it.
* A sequence that fails on a condition and is not soft makes its try-each or run-sequence fail with
  that condition's code (8.4.8.15), which the sequence around judges by its own soft-failure. A
  failing directive, an unknown command and every other refusal end the procedure.
* An unknown command or parameter ends the procedure when it is reached. Custom ones are unknown.

Commands of other drafts live in files loaded when such a command is reached: see `LATER`."""

from . import conditions, directives, flow
from . import numbers as n
from .access import COMMAND, PARAMETER
from .cbor import Cursor
from .context import Context
from .errors import SuitError
from .optional import optional

UPDATE = (
    n.M_DEPENDENCY_RESOLUTION,
    n.M_PAYLOAD_FETCH,
    n.M_CANDIDATE_VERIFICATION,
    n.M_INSTALL,
    n.M_VALIDATE,
)
INVOCATION = (n.M_VALIDATE, n.M_LOAD, n.M_INVOKE)

# number -> module of `suit` with COMMANDS and PARAMETERS as here, STEERING (numbers in COMMANDS
# that read their own argument, like those in flow.STEERING) and SHARED (numbers that the shared
# sequence may hold)
LATER = {
    n.C_DEPENDENCY_INTEGRITY: "dependencies",
    n.C_IS_DEPENDENCY: "dependencies",
    n.C_PROCESS_DEPENDENCY: "dependencies",
    n.C_SET_PARAMETERS: "dependencies",
    n.C_UNLINK: "dependencies",
    n.C_USE_BEFORE: "management",
    n.C_IMAGE_NOT_MATCH: "management",
    n.C_MINIMUM_BATTERY: "management",
    n.C_UPDATE_AUTHORIZED: "management",
    n.C_VERSION: "management",
    n.C_WAIT: "management",
    n.C_OVERRIDE_MULTIPLE: "management",
    n.C_COPY_PARAMS: "management",
}


class Processor:
    """See above. `envelope`: from `envelope.authenticate`; `board`: identity, components,
    transports."""

    def __init__(self, envelope, board):
        if envelope.manifest.dependencies is not None and not optional("dependencies"):
            raise SuitError(n.R_COMMAND_UNSUPPORTED, "dependencies")
        self.board = board
        self.root = self.make_context(envelope)
        self.invoked = []
        self.invoked_identifiers = []
        self.unlinked = set()  # (path of a manifest, identifier that it gave up)
        self.where = None
        self.failure = None  # the last SuitError of a command
        self.path = ()  # of the manifest whose command failed
        self.measured = None  # (algorithm, digest) that the last image-match found
        self.policy = 0  # reporting policy of the command that runs
        self.steps = 0
        self._number = None  # of the root's section, S_SHARED in the shared sequence
        self._stack = []
        self._params = {}  # identifier -> {number: value}
        self._components = {}  # identifier -> Component
        self._matched = set()  # identifiers
        self._buffer = getattr(board, "buffer", None)

    def make_context(self, envelope):
        if envelope.manifest.dependencies is None:
            return Context(envelope)
        return optional("dependencies").DependentContext(envelope)

    # -- what commands use

    @property
    def context(self):
        return self._stack[-1].context if self._stack else self.root

    @property
    def section(self):
        """Number of the section that runs, S_SHARED in a shared sequence."""
        return self._stack[-1].section if self._stack else self._number

    @property
    def buffer(self):
        """Working memory for whoever moves or hashes bytes, 1 KiB."""
        if self._buffer is None:
            self._buffer = memoryview(bytearray(1024))
        return self._buffer

    def param(self, index, number):
        """Value of a parameter of a component, or None."""
        return self._params.get(self.context.identifier(index), {}).get(number)

    def set_param(self, index, number, value):
        self.context.permit(PARAMETER, number)
        self._params.setdefault(self.context.identifier(index), {})[number] = value

    def component(self, index):
        """The board's Component."""
        identifier = self.context.identifier(index)
        self.context.touch(self.board, identifier)
        found = self._components.get(identifier)
        if found is None:
            found = self._components[identifier] = self.board.component(identifier)
        return found

    def writes(self, index):
        """To be called before a component is written: 6.7, and its match is void."""
        self._hazard(index, 0)
        identifier = self.context.identifier(index)
        self._matched.discard(identifier)
        self.root.forget(identifier)

    def reads(self, index):
        """To be called before a component is a source of data: 6.7."""
        self._hazard(index, 1)

    def _hazard(self, index, kind):
        hazards = self._stack[-1].hazards
        if hazards is not None:
            identifier = self.context.identifier(index)
            hazards[kind].add(identifier)
            if identifier in hazards[1 - kind]:
                raise SuitError(n.R_SEQUENCE, "written and read without strict order")

    def set_matched(self, index):
        self._matched.add(self.context.identifier(index))

    @property
    def matched_identifiers(self):
        """Encoded identifiers of all components whose image-match held, as `matched`."""
        return self._matched

    @property
    def matched(self):
        """Indices of the components whose image-match held and that were not written since."""
        found = self.root.identifiers
        return {i for i in range(len(found)) if found[i] in self._matched}

    def step(self, offset=None):
        """Count one command on one component."""
        self.steps += 1
        if self.steps > n.MAX_STEPS:
            raise SuitError(n.R_BUDGET, self.steps, offset)

    def push(self, cursor, index, around):
        """Start a sequence nested in frame `around` for one component; returns its frame."""
        if around.depth == n.MAX_NESTING:
            cursor.fail("sequences are nested too deep", None, n.R_SEQUENCE)
        frame = flow.Frame(around.context, cursor, (index,), around)
        self._stack.append(frame)
        return frame

    # -- procedures

    def update(self):
        """The update procedure (8.4.6; trust-domains)."""
        return self.run(UPDATE)

    def invocation(self):
        """The invocation procedure (8.4.6)."""
        return self.run(INVOCATION)

    def uninstall(self):
        """The uninstall section alone (trust-domains)."""
        return self.run((n.M_UNINSTALL,))

    def run(self, sections):
        """Generator: the sections that the manifest has, in that order, each after the shared
        sequence."""
        # 6.1: nothing leaks from what ran before
        self._params = {}
        self.unlinked = set()
        self.root.forget()
        self.steps = 0
        envelope = self.root.envelope
        present = []
        for number in sections:
            self._at(number)
            if envelope.manifest.digest_of(number) and not envelope.has(number):
                # before anything is executed, not after half of it
                raise SuitError(n.R_MEMBER_MISSING, number)
            if envelope.has(number):
                present.append(number)
        for number in present:
            shared = envelope.manifest.shared
            if shared is not None:
                yield from self._section(n.S_SHARED, shared)
            self._at(number)
            yield from self._section(number, envelope.member(number))
        self.where = None

    def _at(self, number):
        self._number = number
        self.where = (number, None, None, None)

    def _section(self, number, view):
        self._at(number)
        self._stack = []
        self.enter(self.root, view, number)
        outcome = None
        while self._stack:
            frame = self._stack[-1]
            try:
                if outcome is not None:
                    self._go_on(frame, outcome)
                    outcome = None
                elif frame.left:
                    yield from self._command(frame)
                else:
                    frame.cursor.end()
                    if not frame.nested:
                        frame.context.ended(frame.section)
                    self._stack.pop()
                    outcome = True if self._stack else None
            except SuitError as error:
                outcome = self._unwind(error)
            except OSError:
                self._note(frame, n.R_STORAGE)
                raise
            yield

    def enter(self, context, view, section):
        """Start a section of `context`: component 0, strict order, no soft failure."""
        frame = flow.Frame(context, Cursor(view), (0,), None, section)
        frame.must_index = context.several() and frame.left > 0
        self._stack.append(frame)
        return frame

    def _unwind(self, error):
        """A command failed: leave sequences until one may fail softly. Returns the outcome for the
        command whose sequence it was; raises when the section itself is left."""
        if error is not self.failure:
            self.failure = error
            self._note(self._stack[-1], error.reason)
        while True:
            frame = self._stack.pop()
            if not self._stack:
                raise error
            if error.reason == n.R_CONDITION_FAILED and frame.soft:
                return False

    def _note(self, frame, reason):
        """Remember and report where something failed."""
        index = frame.targets[frame.target] if frame.target < len(frame.targets) else None
        self.where = (frame.section, frame.command, index, frame.offset)
        self.path = frame.context.path
        if frame.command is not None:
            self.board.record(self.section, frame.offset, frame.command, index, reason)

    # -- one command

    def _command(self, frame):
        c = frame.cursor
        frame.offset = c.pos
        frame.target = 0
        frame.command = None
        self.policy = 0
        command = frame.command = c.int()
        frame.context.permit(COMMAND, command, frame.offset)
        frame.left -= 1
        self.step(frame.offset)
        if frame.must_index and command != n.C_SET_COMPONENT_INDEX:
            raise SuitError(n.R_SEQUENCE, "set-component-index must come first", frame.offset)
        frame.must_index = False
        function, steering = self._find(command, frame.offset)
        if steering:
            function(self, frame, c)
            self._record(frame, None)
        elif isinstance(function, type):
            frame.flow = function(self, frame, c)
            self._go_on(frame, None)
        else:
            at = c.pos
            self.policy = c.uint()
            if self.policy > n.MAX_POLICY:
                c.fail("reporting policy", at, n.R_STRUCTURE)
            for index in frame.targets:
                self.step(frame.offset)
                frame.context.identifier(index, frame.offset)
                self.measured = None
                work = function(self, index)
                if work is not None:
                    yield from work
                self._record(frame, index)
                frame.target += 1

    def _find(self, command, offset):
        """(function or class behind a command number, whether it reads its argument); refused when
        it may not stand here."""
        self.context.permit(COMMAND, command, offset)  # once more, should one glitch have left it out
        found = conditions.COMMANDS.get(command)
        if found is not None:
            return found, False
        found = flow.STEERING.get(command)
        steering = found is not None
        shared = command in flow.SHARED
        if found is None:
            found = flow.FLOW.get(command) or directives.COMMANDS.get(command)
        if found is None and command in LATER:
            module = optional(LATER[command])
            if module:
                found = module.COMMANDS.get(command)
                shared = command in module.SHARED
                steering = command in module.STEERING
        if found is None:
            raise SuitError(n.R_COMMAND_UNSUPPORTED, command, offset)
        if self.section == n.S_SHARED and not shared:
            # 5.3.2: nothing but parameters may change there
            raise SuitError(n.R_SEQUENCE, "command %d in the shared sequence" % command, offset)
        return found, steering

    def _go_on(self, frame, outcome):
        """Continue the try-each or run-sequence of `frame`, component after component."""
        running = frame.flow
        while frame.target < len(frame.targets):
            if outcome is None:
                self.step(frame.offset)
            index = frame.targets[frame.target]
            frame.context.identifier(index, frame.offset)
            if running.step(self, frame, index, outcome):
                return
            outcome = None
            self._record(frame, index)
            frame.target += 1
        frame.flow = None

    def _record(self, frame, index):
        self.board.record(self.section, frame.offset, frame.command, index, n.R_OK)
