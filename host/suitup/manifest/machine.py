"""The abstract machine of suit-manifest section 6, on plain Python values: what a device would do with an authentic
envelope. Written from the text, apart from the device's processor, so that the two can be compared.

Where the text leaves room, the same way is taken: parameters last for a procedure; component index, strict-order and
soft-failure belong to their sequence and a nested one starts with its own; the shared sequence runs before each section."""

from suitup import numbers as n
from suitup.manifest import labels
from suitup.manifest.commands import CONDITIONS, DIRECTIVES
from suitup.manifest.domains import Domain
from suitup.manifest.parameters import PARAMETERS, ConditionFailed, aborted, wrong
from suitup.manifest.verify import Refused, is_int, is_uint

_PROCEDURES = {
    "update": (
        n.M_DEPENDENCY_RESOLUTION,
        n.M_PAYLOAD_FETCH,
        n.M_CANDIDATE_VERIFICATION,
        n.M_INSTALL,
        n.M_VALIDATE,
    ),
    "invocation": (n.M_VALIDATE, n.M_LOAD, n.M_INVOKE),
    "uninstall": (n.M_UNINSTALL,),
}
_MANAGEMENT_COMMANDS = (
    n.C_USE_BEFORE,
    n.C_IMAGE_NOT_MATCH,
    n.C_MINIMUM_BATTERY,
    n.C_UPDATE_AUTHORIZED,
    n.C_VERSION,
    n.C_WAIT,
    n.C_OVERRIDE_MULTIPLE,
    n.C_COPY_PARAMS,
)
_MANAGEMENT_PARAMETERS = (
    n.P_USE_BEFORE,
    n.P_MINIMUM_BATTERY,
    n.P_UPDATE_PRIORITY,
    n.P_VERSION,
    n.P_WAIT_INFO,
    n.P_COMPONENT_METADATA,
)
_SHARED = (
    n.C_SET_COMPONENT_INDEX,
    n.C_TRY_EACH,
    n.C_OVERRIDE_PARAMETERS,
    n.C_RUN_SEQUENCE,
    n.C_OVERRIDE_MULTIPLE,
    n.C_COPY_PARAMS,
    n.C_SET_PARAMETERS,
)


class _Frame:
    """A sequence that runs: its component index and what belongs to it alone."""

    def __init__(self, targets=(0,), around=None):
        self.targets = list(targets)
        self.single = True
        self.everything = False  # the index is True
        self.nested = around is not None
        self.soft = False
        self.written = self.read = None  # sets of components while strict-order is false
        self.first_index = False  # the first command must select a component
        self.lock_after = False  # no further selection after the first
        self.locked = around.locked if around else False


class Machine:
    """`procedure(name)` runs one; `contents`: {identifier: content}; `invoked`: [(identifier, arguments)]."""

    def __init__(self, opened, device):
        self.device = device
        self.contents = dict(device.components)
        self.invoked = []
        self.parameters = {}
        self.unlinked = set()
        self.section = None
        self.steps = 0
        self.root = self.domain = Domain(opened)

    def procedure(self, name):
        """Run the sections of `update`, `invocation` or `uninstall` that the manifest has."""
        self.parameters, self.steps, self.unlinked = {}, 0, set()
        opened = self.root.opened
        self.root = self.domain = Domain(opened)
        present = [number for number in _PROCEDURES[name] if opened.has(number)]
        for number in present:
            if number in opened.severed and number not in opened.members:
                raise Refused(
                    "abort", f"{labels.MANIFEST[number]} is severed and not here", number
                )
        for number in present:
            if opened.shared is not None:
                self.section_of(self.root, n.S_SHARED, opened.shared)
            self.section_of(self.root, number, opened.section(number))

    def section_of(self, domain, number, sequence):
        """Run one section of a manifest; what runs around it goes on afterwards."""
        before = self.domain, self.section
        self.domain, self.section = domain, number
        frame = _Frame()
        frame.first_index = len(domain.everything()) > 1
        try:
            self._run(sequence, frame)
            domain.section_done(number)
        finally:
            self.domain, self.section = before

    # -- sequences

    def _run(self, sequence, frame):
        for number, argument in sequence:
            self.step()
            try:
                self._command(number, argument, frame)
            except Refused as refused:
                if refused.section is None:
                    refused.section, refused.command = self.section, number
                raise

    def step(self):
        self.steps += 1
        if self.steps > n.MAX_STEPS:
            raise aborted("too many steps")

    def permit(self, kind, value):
        """Refuse what the key of this manifest may not do: `kind` is component, command or parameter."""
        for each in self.domain.opened.anchor.access:
            if not getattr(each, kind)(value):
                raise aborted(f"its key is not permitted this {kind}: {value}")

    def _command(self, number, argument, frame):
        self.permit("command", number)
        if frame.first_index and number != n.C_SET_COMPONENT_INDEX:
            raise aborted("set-component-index must come first")
        frame.first_index = False
        condition = number in CONDITIONS
        if (
            number not in labels.COMMANDS
            or not (condition or number in DIRECTIVES or number in _STEERING)
            or (number in _MANAGEMENT_COMMANDS and not self.device.management)
        ):
            raise aborted(f"command {number} is not known")
        if self.section == n.S_SHARED and not condition and number not in _SHARED:
            raise aborted(f"{labels.COMMANDS[number]} in the shared sequence")
        if number in _STEERING:
            _STEERING[number](self, argument, frame)
            return
        if not is_uint(argument) or argument > 15:
            raise wrong("not a reporting policy")
        act = CONDITIONS[number] if condition else DIRECTIVES[number]
        for index in frame.targets:
            self.step()
            try:
                self.identifier(index)
                act(self, index, frame)
            except Refused as refused:
                refused.component = index
                raise

    def identifier(self, index):
        return self.domain.identifier(index)

    def touch(self, index):
        """What a component holds, None when it is empty; refused to a key that may not touch it."""
        self.permit("component", self.identifier(index))
        return self.contents.get(self.identifier(index))

    def written(self, index, frame):
        """A component is about to be written: the rule for loose order, and what was known of a dependency is void."""
        self.hazard(index, frame.written, frame.read)
        identifier = self.identifier(index)
        for domain in list(self.root.tree()):
            for each in list(domain.children):
                if domain.identifier(each) == identifier:
                    del domain.children[each]

    def hazard(self, index, mine, others):
        """6.7: without strict order nothing is both written and read."""
        if mine is not None:
            mine.add(self.identifier(index))
            if self.identifier(index) in others:
                raise aborted("written and read without strict order")

    def value(self, index, number):
        return self.parameters.get(self.identifier(index), {}).get(number)

    def put(self, index, number, value):
        self.permit("parameter", number)
        self.parameters.setdefault(self.identifier(index), {})[number] = value

    def required(self, index, number, failure):
        value = self.value(index, number)
        if value is None:
            raise failure(f"{labels.PARAMETERS[number]} is not set")
        return value

    # -- steering

    def set_component_index(self, argument, frame):
        if frame.locked:
            raise aborted("set-component-index is not allowed here")
        frame.locked = frame.lock_after
        if argument is True:
            targets = self.domain.everything()
        elif isinstance(argument, list):
            if len(argument) > n.MAX_COMPONENTS or not all(map(is_uint, argument)):
                raise wrong("not a list of component indices")
            targets = argument
        elif is_uint(argument):
            targets = [argument]
        else:
            raise wrong("not a component index")
        if not targets:
            raise wrong("no component")
        for index in targets:
            self.identifier(index)
        frame.targets, frame.single = targets, is_int(argument)
        frame.everything = argument is True

    def read_parameters(self, item):
        if not isinstance(item, dict) or not item:
            raise wrong("no parameters")
        out = []
        for number, value in item.items():
            if not is_int(number):
                raise wrong("a parameter is not an integer")
            if number not in PARAMETERS or (
                number in _MANAGEMENT_PARAMETERS and not self.device.management
            ):
                raise aborted(f"parameter {number} is not known")
            out.append((number, PARAMETERS[number](value)))
        return out

    def override_parameters(self, argument, frame):
        for number, value in self.read_parameters(argument):
            self.permit("parameter", number)
            if number == n.P_SOFT_FAILURE:
                if not frame.nested:
                    raise aborted("soft-failure outside try-each and run-sequence")
                frame.soft = value
            elif number == n.P_STRICT_ORDER:
                if value:
                    frame.written = frame.read = None
                elif frame.written is None:
                    frame.written, frame.read = set(), set()
            else:
                for index in frame.targets:
                    self.step()
                    self.put(index, number, value)

    def set_parameters(self, argument, frame):
        """What is set stays."""
        for number, value in self.read_parameters(argument):
            self.permit("parameter", number)
            if number == n.P_SOFT_FAILURE:
                if not frame.nested:
                    raise aborted("soft-failure outside try-each and run-sequence")
                frame.soft = frame.soft or value
            elif number == n.P_STRICT_ORDER:
                if not value and frame.written is None:
                    frame.written, frame.read = set(), set()
            else:
                for index in frame.targets:
                    self.step()
                    if self.value(index, number) is None:
                        self.put(index, number, value)

    def override_multiple(self, argument, frame):
        if frame.locked:
            raise aborted("override-multiple is not allowed here")
        if not isinstance(argument, dict) or not argument:
            raise wrong("no parameters")
        for index, item in argument.items():
            if not is_uint(index):
                raise wrong("not a component index")
            self.identifier(index)
            for number, value in self.read_parameters(item):
                if number in (n.P_SOFT_FAILURE, n.P_STRICT_ORDER):
                    raise aborted("not a parameter of a component")
                self.step()
                self.put(index, number, value)
        # it stands for set-component-index and override-parameters: the last one stays selected
        frame.targets, frame.single, frame.everything = [index], True, False

    def copy_params(self, argument, frame):
        if not isinstance(argument, dict) or not argument:
            raise wrong("no components")
        for source, wanted in argument.items():
            if (
                not is_uint(source)
                or not isinstance(wanted, list)
                or not wanted
                or not all(map(is_int, wanted))
            ):
                raise wrong("not a list of parameters")
            self.identifier(source)
            for number in wanted:
                value = self.value(source, number)
                if value is None:
                    raise aborted(f"parameter {number} is not set")
                for index in frame.targets:
                    self.step()
                    self.put(index, number, value)

    def try_each(self, argument, frame):
        branches, nil = argument
        for index in frame.targets:
            self.step()
            self.identifier(index)
            failure = None
            for branch in branches:
                child = _Frame([index], frame)
                child.soft = True
                child.written, child.read = frame.written, frame.read
                try:
                    self._run(branch, child)
                    failure = None
                    break
                except ConditionFailed as refused:
                    if not child.soft:
                        raise
                    failure = refused
            if failure is not None and not nil:
                raise failure

    def run_sequence(self, argument, frame):
        for index in frame.targets:
            self.step()
            self.identifier(index)
            child = _Frame([index], frame)
            if frame.written is not None:
                child.first_index = child.lock_after = frame.single
                child.locked = not frame.single
            try:
                self._run(argument, child)
            except ConditionFailed:
                if not child.soft:
                    raise


_STEERING = {
    n.C_SET_COMPONENT_INDEX: Machine.set_component_index,
    n.C_OVERRIDE_PARAMETERS: Machine.override_parameters,
    n.C_SET_PARAMETERS: Machine.set_parameters,
    n.C_OVERRIDE_MULTIPLE: Machine.override_multiple,
    n.C_COPY_PARAMS: Machine.copy_params,
    n.C_TRY_EACH: Machine.try_each,
    n.C_RUN_SEQUENCE: Machine.run_sequence,
}
