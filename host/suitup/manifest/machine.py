"""The abstract machine of suit-manifest section 6, on plain Python values: what a device would do with an authentic
envelope. Written from the text, apart from the device's processor, so that the two can be compared.

Where the text leaves room, the same way is taken: parameters last for a procedure; component index, strict-order and
soft-failure belong to their sequence and a nested one starts with its own; the shared sequence runs before each section."""


from suitup import cbor, cose
from suitup import numbers as n
from suitup.manifest import events, labels
from suitup.manifest.verify import Refused, is_int, is_uint, read, read_digest

_PROCEDURES = {
    "update": (
        n.M_DEPENDENCY_RESOLUTION,
        n.M_PAYLOAD_FETCH,
        n.M_CANDIDATE_VERIFICATION,
        n.M_INSTALL,
        n.M_VALIDATE,
    ),
    "invocation": (n.M_VALIDATE, n.M_LOAD, n.M_INVOKE),
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
)


class _ConditionFailed(Refused):
    """The only refusal that may be soft."""

    def __init__(self, why):
        super().__init__("condition-failed", why)


def _operation(why):
    return Refused("operation-failed", why)


def _abort(why):
    return Refused("abort", why)


def _wrong(why):
    """A value of the wrong type where a command is executed; in what is read before that it is a parse-fail."""
    return Refused("abort", why)


# -- parameters: value -> value as it is kept, or a refusal


def _is(test, what):
    def check(value):
        if not test(value):
            raise _wrong(f"{what}: wrong type")
        return value

    return check


def _uuid(value):
    return isinstance(value, bytes) and len(value) == 16


def _vendor(value):
    return _uuid(value) or (
        isinstance(value, cbor.CBORTag)
        and value.tag == n.TAG_PEN
        and isinstance(value.value, bytes)
    )


def _wrapped(sort, then=lambda item: item):
    def check(value):
        if not isinstance(value, bytes):
            raise _wrong("a parameter is not a byte string")
        return then(read(value, "a parameter", sort))

    return check


def _version(item):
    good = (
        isinstance(item, list)
        and len(item) == 2
        and is_int(item[0])
        and 1 <= item[0] <= 5
        and isinstance(item[1], list)
        and item[1]
        and all(map(is_int, item[1]))
    )
    if not good:
        raise _wrong("version: wrong type")
    return item


_BYTES = _is(lambda value: isinstance(value, bytes), "byte string")
_UINT = _is(is_uint, "unsigned integer")
_INT = _is(is_int, "integer")
_BOOL = _is(lambda value: isinstance(value, bool), "boolean")

_PARAMETERS = {
    n.P_VENDOR_ID: _is(_vendor, "vendor-identifier"),
    n.P_CLASS_ID: _is(_uuid, "class-identifier"),
    n.P_DEVICE_ID: _is(_uuid, "device-identifier"),
    n.P_IMAGE_DIGEST: _wrapped(True, read_digest),
    n.P_IMAGE_SIZE: _UINT,
    n.P_COMPONENT_SLOT: _UINT,
    n.P_SOURCE_COMPONENT: _UINT,
    n.P_CONTENT: _BYTES,
    n.P_INVOKE_ARGS: _BYTES,
    n.P_FETCH_ARGUMENTS: _BYTES,
    n.P_URI: _is(lambda value: isinstance(value, str) and len(value.encode()) <= n.MAX_URI, "uri"),
    n.P_STRICT_ORDER: _BOOL,
    n.P_SOFT_FAILURE: _BOOL,
    n.P_ENCRYPTION_INFO: lambda value: (_wrapped(False)(value), value)[1],
    n.P_USE_BEFORE: _UINT,
    n.P_MINIMUM_BATTERY: _UINT,
    n.P_UPDATE_PRIORITY: _INT,
    n.P_VERSION: _wrapped(True, _version),
    n.P_WAIT_INFO: _wrapped(True),
    n.P_COMPONENT_METADATA: _wrapped(True),
}


class _Frame:
    """A sequence that runs: its component index and what belongs to it alone."""

    def __init__(self, targets=(0,), around=None):
        self.targets = list(targets)
        self.single = True
        self.nested = around is not None
        self.soft = False
        self.written = self.read = None  # sets of components while strict-order is false
        self.first_index = False  # the first command must select a component
        self.lock_after = False  # no further selection after the first
        self.locked = around.locked if around else False


class Machine:
    """`procedure(name)` runs one; `contents`: {identifier: content}; `invoked`: [(identifier, arguments)];
    `trace`: called with (section, command, component index, outcome) after each command."""

    def __init__(self, opened, device, trace=None):
        if opened.dependencies is not None:
            raise _abort("dependencies are not simulated")
        self.opened = opened
        self.device = device
        self.contents = dict(device.components)
        self.invoked = []
        self.trace = trace or (lambda *record: None)
        self.parameters = {}
        self.section = None
        self.steps = 0

    def procedure(self, name):
        """Run the sections of `update` or `invocation` that the manifest has."""
        self.parameters, self.steps = {}, 0
        present = [number for number in _PROCEDURES[name] if self.opened.has(number)]
        for number in present:
            if number in self.opened.severed and number not in self.opened.members:
                raise Refused(
                    "abort", f"{labels.MANIFEST[number]} is severed and not here", number
                )
        for number in present:
            if self.opened.shared is not None:
                self._section(n.S_SHARED, self.opened.shared)
            self._section(number, self.opened.section(number))

    def _section(self, number, sequence):
        self.section = number
        frame = _Frame()
        frame.first_index = len(self.opened.components) > 1
        self._run(sequence, frame)

    # -- sequences

    def _run(self, sequence, frame):
        for number, argument in sequence:
            self.step()
            try:
                self._command(number, argument, frame)
            except Refused as refused:
                if refused.section is None:
                    refused.section, refused.command = self.section, number
                    self.trace(self.section, number, refused.component, refused)
                raise

    def step(self):
        self.steps += 1
        if self.steps > n.MAX_STEPS:
            raise _abort("too many steps")

    def _command(self, number, argument, frame):
        if frame.first_index and number != n.C_SET_COMPONENT_INDEX:
            raise _abort("set-component-index must come first")
        frame.first_index = False
        condition = number in _CONDITIONS
        if (
            number not in labels.COMMANDS
            or not (condition or number in _DIRECTIVES or number in _STEERING)
            or (number in _MANAGEMENT_COMMANDS and not self.device.management)
        ):
            raise _abort(f"command {number} is not known")
        if self.section == n.S_SHARED and not condition and number not in _SHARED:
            raise _abort(f"{labels.COMMANDS[number]} in the shared sequence")
        if number in _STEERING:
            _STEERING[number](self, argument, frame)
            return
        if not is_uint(argument) or argument > 15:
            raise _wrong("not a reporting policy")
        act = _CONDITIONS[number] if condition else _DIRECTIVES[number]
        for index in frame.targets:
            self.step()
            try:
                self.identifier(index)
                act(self, index, frame)
            except Refused as refused:
                refused.component = index
                raise
            self.trace(self.section, number, index, None)

    def identifier(self, index):
        if index >= len(self.opened.components):
            raise _abort(f"component {index} is not listed")
        return self.opened.components[index]

    def value(self, index, number):
        return self.parameters.get(self.identifier(index), {}).get(number)

    def put(self, index, number, value):
        self.parameters.setdefault(self.identifier(index), {})[number] = value

    def required(self, index, number, failure):
        value = self.value(index, number)
        if value is None:
            raise failure(f"{labels.PARAMETERS[number]} is not set")
        return value

    # -- steering

    def set_component_index(self, argument, frame):
        if frame.locked:
            raise _abort("set-component-index is not allowed here")
        frame.locked = frame.lock_after
        if argument is True:
            targets = list(range(len(self.opened.components)))
        elif isinstance(argument, list):
            if len(argument) > n.MAX_COMPONENTS or not all(map(is_uint, argument)):
                raise _wrong("not a list of component indices")
            targets = argument
        elif is_uint(argument):
            targets = [argument]
        else:
            raise _wrong("not a component index")
        if not targets:
            raise _wrong("no component")
        for index in targets:
            self.identifier(index)
        frame.targets, frame.single = targets, is_int(argument)

    def read_parameters(self, item):
        if not isinstance(item, dict) or not item:
            raise _wrong("no parameters")
        out = []
        for number, value in item.items():
            if not is_int(number):
                raise _wrong("a parameter is not an integer")
            if number not in _PARAMETERS or (
                number in _MANAGEMENT_PARAMETERS and not self.device.management
            ):
                raise _abort(f"parameter {number} is not known")
            out.append((number, _PARAMETERS[number](value)))
        return out

    def override_parameters(self, argument, frame):
        for number, value in self.read_parameters(argument):
            if number == n.P_SOFT_FAILURE:
                if not frame.nested:
                    raise _abort("soft-failure outside try-each and run-sequence")
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

    def override_multiple(self, argument, frame):
        if frame.locked:
            raise _abort("override-multiple is not allowed here")
        if not isinstance(argument, dict) or not argument:
            raise _wrong("no parameters")
        for index, item in argument.items():
            if not is_uint(index):
                raise _wrong("not a component index")
            self.identifier(index)
            for number, value in self.read_parameters(item):
                if number in (n.P_SOFT_FAILURE, n.P_STRICT_ORDER):
                    raise _abort("not a parameter of a component")
                self.step()
                self.put(index, number, value)
        # it stands for set-component-index and override-parameters: the last one stays selected
        frame.targets, frame.single = [index], True

    def copy_params(self, argument, frame):
        if not isinstance(argument, dict) or not argument:
            raise _wrong("no components")
        for source, wanted in argument.items():
            if (
                not is_uint(source)
                or not isinstance(wanted, list)
                or not wanted
                or not all(map(is_int, wanted))
            ):
                raise _wrong("not a list of parameters")
            self.identifier(source)
            for number in wanted:
                value = self.value(source, number)
                if value is None:
                    raise _abort(f"parameter {number} is not set")
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
                except _ConditionFailed as refused:
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
            except _ConditionFailed:
                if not child.soft:
                    raise

    # -- conditions

    def same_vendor(self, index, frame):
        self._same(index, n.P_VENDOR_ID, (self.device.vendor_id,))

    def same_class(self, index, frame):
        self._same(index, n.P_CLASS_ID, self.device.class_ids)

    def same_device(self, index, frame):
        self._same(index, n.P_DEVICE_ID, (self.device.device_id,))

    def _same(self, index, number, known):
        if self.required(index, number, _ConditionFailed) not in [
            each for each in known if each is not None
        ]:
            raise _ConditionFailed(f"another {labels.PARAMETERS[number]}")

    def _matches(self, index):
        digest = self.required(index, n.P_IMAGE_DIGEST, _ConditionFailed)
        content, size = (
            self.contents.get(self.identifier(index)),
            self.value(index, n.P_IMAGE_SIZE),
        )
        if content is None or (size is not None and size != len(content)):
            return False
        return digest.matches(content)

    def image_match(self, index, frame):
        if not self._matches(index):
            raise _ConditionFailed("the image does not match")

    def image_not_match(self, index, frame):
        if self._matches(index):
            raise _ConditionFailed("the image matches")

    def component_slot(self, index, frame):
        if self.required(index, n.P_COMPONENT_SLOT, _ConditionFailed) != self.device.slot:
            raise _ConditionFailed("another slot")

    def check_content(self, index, frame):
        wanted = self.required(index, n.P_CONTENT, _ConditionFailed)
        if (self.contents.get(self.identifier(index)) or b"") != wanted or self.contents.get(
            self.identifier(index)
        ) is None:
            raise _ConditionFailed("other content")

    def abort(self, index, frame):
        raise _ConditionFailed("abort")

    def use_before(self, index, frame):
        limit = self.required(index, n.P_USE_BEFORE, _ConditionFailed)
        if self.device.now is None or not self.device.now < limit:
            raise _ConditionFailed("too late, or no clock")

    def minimum_battery(self, index, frame):
        least = self.required(index, n.P_MINIMUM_BATTERY, _ConditionFailed)
        if self.device.battery_mwh is None or self.device.battery_mwh < least:
            raise _ConditionFailed("battery")

    def update_authorized(self, index, frame):
        self.required(index, n.P_UPDATE_PRIORITY, _ConditionFailed)
        if not self.device.authorized:
            raise _ConditionFailed("nobody agreed")

    def version(self, index, frame):
        kind, wanted = self.required(index, n.P_VERSION, _ConditionFailed)
        installed = self.device.versions.get(self.identifier(index))
        if installed is None:
            raise _ConditionFailed("no known version")
        order = 0
        for position, number in enumerate(wanted):
            # an integer that is not there counts as nothing: [1] is below [1, 0] but above [1, -1]
            have = installed[position] if position < len(installed) else 0
            if have != number:
                order = 1 if have > number else -1
                break
        if not {1: order > 0, 2: order >= 0, 3: order == 0, 4: order <= 0, 5: order < 0}[kind]:
            raise _ConditionFailed("another version")

    # -- directives

    def _writes(self, index, frame):
        self._hazard(index, frame.written, frame.read)

    def _reads(self, index, frame):
        self._hazard(index, frame.read, frame.written)

    def _hazard(self, index, mine, others):
        if mine is not None:
            mine.add(self.identifier(index))
            if self.identifier(index) in others:
                raise _abort("written and read without strict order")

    def _store(self, index, frame, content):
        metadata = self.value(index, n.P_COMPONENT_METADATA)
        if metadata is not None:
            events.check_metadata(metadata)
        self._writes(index, frame)
        info, size = self.value(index, n.P_ENCRYPTION_INFO), self.value(index, n.P_IMAGE_SIZE)
        if info is not None:
            try:
                content = cose.decrypt(info, content, self.device.decryption_keys)
            except cose.CoseError as error:
                raise _operation(f"decryption: {error}") from None
        elif size is not None and size != len(content):
            raise _operation(f"{len(content)} bytes, image-size says {size}")
        self.contents[self.identifier(index)] = content

    def fetch(self, index, frame):
        uri = self.required(index, n.P_URI, _operation)
        content = self.opened.payloads.get(uri, self.device.payloads.get(uri))
        if content is None:
            raise _operation(f"no payload at {uri!r}")
        self._store(index, frame, content)

    def write(self, index, frame):
        self._store(index, frame, self.required(index, n.P_CONTENT, _operation))

    def _source(self, index):
        number = self.required(index, n.P_SOURCE_COMPONENT, _operation)
        content = self.contents.get(self.identifier(number))
        if content is None:
            raise _operation("the source component is empty")
        return number, content

    def copy(self, index, frame):
        number, content = self._source(index)
        self._reads(number, frame)
        if self.identifier(number) == self.identifier(index):
            if self.value(index, n.P_ENCRYPTION_INFO) is not None:
                raise _operation("source and destination are the same")
            self._writes(index, frame)
            return
        self._store(index, frame, content)

    def swap(self, index, frame):
        number, content = self._source(index)
        for each in (number, index):
            self._reads(each, frame)
        for each in (number, index):
            self._writes(each, frame)
        here, there = self.identifier(index), self.identifier(number)
        mine = self.contents.get(here)
        self.contents[here] = content
        if mine is not None:
            self.contents[there] = mine
        elif here != there:
            del self.contents[there]

    def invoke(self, index, frame):
        self.invoked.append((self.identifier(index), self.value(index, n.P_INVOKE_ARGS) or b""))

    def wait(self, index, frame):
        events.wait(self.required(index, n.P_WAIT_INFO, _operation), self.device)


_STEERING = {
    n.C_SET_COMPONENT_INDEX: Machine.set_component_index,
    n.C_OVERRIDE_PARAMETERS: Machine.override_parameters,
    n.C_OVERRIDE_MULTIPLE: Machine.override_multiple,
    n.C_COPY_PARAMS: Machine.copy_params,
    n.C_TRY_EACH: Machine.try_each,
    n.C_RUN_SEQUENCE: Machine.run_sequence,
}
_CONDITIONS = {
    n.C_VENDOR_ID: Machine.same_vendor,
    n.C_CLASS_ID: Machine.same_class,
    n.C_DEVICE_ID: Machine.same_device,
    n.C_IMAGE_MATCH: Machine.image_match,
    n.C_IMAGE_NOT_MATCH: Machine.image_not_match,
    n.C_COMPONENT_SLOT: Machine.component_slot,
    n.C_CHECK_CONTENT: Machine.check_content,
    n.C_ABORT: Machine.abort,
    n.C_USE_BEFORE: Machine.use_before,
    n.C_MINIMUM_BATTERY: Machine.minimum_battery,
    n.C_UPDATE_AUTHORIZED: Machine.update_authorized,
    n.C_VERSION: Machine.version,
}
_DIRECTIVES = {
    n.C_FETCH: Machine.fetch,
    n.C_WRITE: Machine.write,
    n.C_COPY: Machine.copy,
    n.C_SWAP: Machine.swap,
    n.C_INVOKE: Machine.invoke,
    n.C_WAIT: Machine.wait,
}
