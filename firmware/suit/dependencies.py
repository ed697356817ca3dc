# Several manifests that belong together: suit-trust-domains.
# MIT licence.
"""Loaded when a manifest lists dependencies, or a command of that text is reached. A dependency is
a component that holds an envelope. `DependentContext(envelope)` is a Context whose manifest has
dependencies or is one; `children` are those that dependency-integrity has authenticated in this
procedure, by index. Their sections run as frames on the processor's list, so that no envelope can
deepen Python's stack; at most MAX_DEPENDENCY_DEPTH lie inside one another.

Where the text leaves room:

* A dependency whose index lies beyond suit-components has its prefix for an identifier, as in the
  published examples, and what it names keeps its own names. One that suit-components lists has its
  prefix put before every identifier of its manifest.
* The image digest of a dependency covers its manifest. image-size counts the envelope, which may
  be signed once more, severed or tagged on its way; it is no reason to refuse one.
* At the end of a section each dependency known by then must have run its own, except for invoke:
  what is invoked, and by whom, is the root's decision. A dependent need not have every section that
  its dependency has, although the text says so: a published example (firmware-encryption, ES-DH in a
  dependency) has none to validate. What was not validated is refused by board policy.
* References are counted within the tree of manifests in the slot, which is all that lies there: a
  component is removed when the last of them has unlinked it. A manifest unlinks a component once;
  what it repeats is ignored.
* process-dependency for component index True leaves aside what is no dependency.

A board offers `trust`, a TrustStore; components may offer `remove()`. Each manifest is judged by its
own key: roles and restrictions."""

from . import numbers as n
from .access import PARAMETER
from .cbor import ARRAY, Cursor, head
from .conditions import parameter
from .context import Context
from .crypto import digest as digests
from .envelope import authenticate, manifest_digest
from .errors import SuitError
from .manifest import check_identifier
from .parameters import read_parameters
from .region import rest
from .transfer import ComponentRegion

try:
    from micropython import const
except ImportError:

    def const(value):
        return value


_PREFIX = const(1)


def _fail(what):
    raise SuitError(n.R_CONDITION_FAILED, what)


def join(first, second):
    """The identifier of the parts of both (encoded)."""
    a = Cursor(first)
    b = Cursor(second)
    count = a.array() + b.array()
    return head(ARRAY, count) + bytes(a.view[a.pos :]) + bytes(b.view[b.pos :])


def _read(raw):
    """{index: prefix or None} of SUIT_Dependencies."""
    found = {}
    if raw is None:
        return found
    c = Cursor(raw)
    at = c.pos
    count = c.map()
    if not 1 <= count <= n.MAX_COMPONENTS:
        c.fail("number of dependencies", at, n.R_STRUCTURE)
    for _ in range(count):
        index = c.uint()
        prefix = None
        for _ in range(c.map()):
            at = c.pos
            if c.uint() != _PREFIX:
                c.fail("unknown member of a dependency", at, n.R_STRUCTURE)
            at = c.pos
            check_identifier(c)
            prefix = bytes(c.view[at : c.pos])
        found[index] = prefix
    return found


class DependentContext(Context):
    """See above. `scope`: prefix of every identifier (encoded), None without one."""

    def __init__(self, envelope, path=(), scope=None):
        super().__init__(envelope)
        self.path = path
        self.dependencies = _read(self.manifest.dependencies)
        self.children = {}
        self._scope = scope
        self._beyond = {}  # index that suit-components does not have -> identifier
        self._done = set()  # (index, section): processed since that section began
        if scope is not None:
            self.identifiers = [join(scope, each) for each in self.identifiers]
        for index, prefix in self.dependencies.items():
            if index < len(self.identifiers):
                continue
            if prefix is None:
                raise SuitError(n.R_STRUCTURE, "dependency %d has no identifier" % index)
            self._beyond[index] = prefix if scope is None else join(scope, prefix)
        if len(self.identifiers) + len(self._beyond) > n.MAX_COMPONENTS:
            raise SuitError(n.R_LIMIT, "components and dependencies")

    def everything(self):
        return super().everything() + tuple(sorted(self._beyond))

    def several(self):
        return len(self.identifiers) + len(self._beyond) > 1

    def identifier(self, index, offset=None):
        beyond = self._beyond.get(index)
        return super().identifier(index, offset) if beyond is None else beyond

    def matches(self, machine, index):
        if index not in self.dependencies:
            return super().matches(machine, index)
        return _manifest_matches(machine, index)

    def image(self, machine, index):
        # those of a dependency say nothing about its bytes: see above
        return (None, None) if index in self.dependencies else super().image(machine, index)

    def tree(self):
        found = [self]
        for context in found:  # grows
            found.extend(getattr(context, "children", {}).values())
        return found

    def forget(self, identifier=None):
        if identifier is None:
            self.children = {}
            self._done = set()
            return
        for context in self.tree():
            for index in list(context.children):
                if context.identifier(index) == identifier:
                    del context.children[index]

    def child(self, index, envelope):
        """The context of a dependency, now that it is authentic."""
        prefix = self.dependencies[index]
        if index in self._beyond:
            scope = self._scope
        elif prefix is None or self._scope is None:
            scope = prefix or self._scope
        else:
            scope = join(self._scope, prefix)
        found = self.children[index] = DependentContext(envelope, self.path + (index,), scope)
        return found

    def done(self, index, section):
        self._done.add((index, section))

    def ended(self, section):
        if section != n.S_SHARED and section != n.M_INVOKE:
            for index, child in self.children.items():
                if child.envelope.has(section) and (index, section) not in self._done:
                    raise SuitError(n.R_SEQUENCE, "dependency %d was not processed" % index)
        self._done = set()


# -- conditions


def _manifest_matches(machine, index):
    algorithm, wanted = parameter(machine, index, n.P_IMAGE_DIGEST, "image digest")
    component = machine.component(index)
    if component.size() is None:
        return False
    try:
        found = yield from manifest_digest(ComponentRegion(component), algorithm)
    except SuitError as error:
        if error.reason > n.R_UNAUTHORISED and error.reason not in (n.R_STRUCTURE, n.R_LIMIT):
            raise
        return False  # whatever lies there is no such envelope
    machine.measured = (algorithm, found)
    return digests.same(found, wanted) and digests.same(wanted, found)


def _dependencies(machine):
    return getattr(machine.context, "dependencies", {})


def _is_dependency(machine, index):
    if index not in _dependencies(machine):
        _fail("no dependency")


def _integrity(machine, index):
    """Signature, digest in the dependent, digest in the dependency, in this order."""
    _is_dependency(machine, index)
    context = machine.context
    algorithm, wanted = parameter(machine, index, n.P_IMAGE_DIGEST, "image digest")
    child = context.children.get(index)
    if child is None:
        if len(context.path) >= n.MAX_DEPENDENCY_DEPTH:
            raise SuitError(n.R_LIMIT, "dependency depth")
        component = machine.component(index)
        if component.size() is None:
            _fail("the dependency is not there")
        region = ComponentRegion(component)
        envelope = yield from authenticate(region, machine.board.trust)
        envelope.key = envelope.key.rights()
        rest(region)
    else:
        envelope = child.envelope
    if envelope.digest_algorithm != algorithm or not digests.same(envelope.digest, wanted):
        context.children.pop(index, None)
        _fail("manifest digest")
    if child is None:
        child = context.child(index, envelope)
    # once more, should the decision above have been turned round
    if digests.same(wanted, child.envelope.digest):
        machine.set_matched(index)


# -- directives


def _set_parameters(machine, frame, c):
    """Like override-parameters, but what is set stays."""
    at = c.pos
    for number, value in read_parameters(c):
        frame.context.permit(PARAMETER, number, at)
        if number == n.P_SOFT_FAILURE:
            if not frame.nested:
                c.fail("soft-failure outside try-each and run-sequence", at, n.R_SEQUENCE)
            frame.soft = frame.soft or value
        elif number == n.P_STRICT_ORDER:
            if frame.hazards is None:
                frame.strict(value)
        else:
            for index in frame.targets:
                machine.step(at)
                if machine.param(index, number) is None:
                    machine.set_param(index, number, value)


class _Section:
    """Runs the shared sequence and one section of a dependency."""

    def __init__(self, machine, frame, c):
        at = c.pos
        machine.policy = c.uint()
        if machine.policy > n.MAX_POLICY:
            c.fail("reporting policy", at, n.R_STRUCTURE)
        self._stage = 0

    def run(self, machine, frame, index, section):
        """True when a sequence was pushed, False when all have run."""
        child = frame.context.children.get(index)
        if child is None:
            raise SuitError(n.R_SEQUENCE, "no dependency-integrity before", frame.offset)
        envelope = child.envelope
        if self._stage == 0 and not envelope.has(section):
            if child.manifest.digest_of(section):
                raise SuitError(n.R_MEMBER_MISSING, section)
            self._stage = 2
        while self._stage < 2:
            self._stage += 1
            if self._stage == 2:
                machine.enter(child, envelope.member(section), section)
                return True
            if child.manifest.shared is not None:
                machine.enter(child, child.manifest.shared, n.S_SHARED)
                return True
        return False


class _ProcessDependency(_Section):
    def step(self, machine, frame, index, outcome):
        if outcome is None:
            self._stage = 0
            if index not in _dependencies(machine):
                if frame.everything:
                    return False
                raise SuitError(n.R_SEQUENCE, "no dependency", frame.offset)
        if self.run(machine, frame, index, frame.section):
            return True
        frame.context.done(index, frame.section)
        return False


class _Unlink(_Section):
    def step(self, machine, frame, index, outcome):
        if outcome is None:
            self._stage = 0
        if index in _dependencies(machine) and self.run(machine, frame, index, n.M_UNINSTALL):
            return True
        _unlink(machine, frame.context, index)
        return False


def _unlink(machine, context, index):
    """Give up one reference; the last one takes the component with it."""
    identifier = context.identifier(index)
    if (context.path, identifier) in machine.unlinked:
        return
    machine.unlinked.add((context.path, identifier))
    for each in machine.root.tree():
        if (each.path, identifier) in machine.unlinked:
            continue
        if identifier in each.named():
            return
    component = machine.component(index)
    machine.writes(index)
    remove = getattr(component, "remove", None)
    if remove:
        remove()


COMMANDS = {
    n.C_DEPENDENCY_INTEGRITY: _integrity,
    n.C_IS_DEPENDENCY: _is_dependency,
    n.C_PROCESS_DEPENDENCY: _ProcessDependency,
    n.C_SET_PARAMETERS: _set_parameters,
    n.C_UNLINK: _Unlink,
}
STEERING = (n.C_SET_PARAMETERS,)
SHARED = (n.C_DEPENDENCY_INTEGRITY, n.C_IS_DEPENDENCY, n.C_SET_PARAMETERS)
PARAMETERS = {}
