# One manifest that is being executed.
# MIT licence.
"""`Context(envelope)`: the components of a manifest by index, as its commands see them. One whose
manifest has dependencies, or is one, is a `dependencies.DependentContext`. `path` tells which: the
component indices that lead from the root manifest to this one (suit-report, section 3)."""

from . import conditions
from . import numbers as n
from .access import COMPONENT, permit
from .errors import SuitError


class Context:
    path = ()

    def __init__(self, envelope):
        self.envelope = envelope
        self.manifest = manifest = envelope.manifest
        key = envelope.key
        self.roles = key.roles  # of who signed it
        self.access = key.access  # and restrictions, see access.py
        self.identifiers = [manifest.component(i) for i in range(manifest.components)]

    def permit(self, kind, value, offset=None):
        """Refuse what the key of this manifest may not do (access.py)."""
        if self.access:
            permit(self.access, kind, value, offset)

    def touch(self, board, identifier):
        """Refuse a component that the key of this manifest has no right to, by its restrictions or, where
        the board has kinds of components, by its roles."""
        self.permit(COMPONENT, identifier)
        allowed = getattr(board, "allowed", None)
        if allowed:
            allowed(self.roles, identifier)

    def everything(self):
        """What component index True stands for."""
        return tuple(range(len(self.identifiers)))

    def named(self):
        """Identifiers of all of them."""
        return [self.identifier(i) for i in self.everything()]

    def several(self):
        """True when every section must begin with set-component-index (6.2)."""
        return len(self.identifiers) > 1

    def identifier(self, index, offset=None):
        """Encoded identifier of a component."""
        if index >= len(self.identifiers):
            raise SuitError(n.R_SEQUENCE, "component index %d" % index, offset)
        return self.identifiers[index]

    def matches(self, machine, index):
        """Generator -> True when image-match holds for a component."""
        return conditions.matches(machine, index)

    def image(self, machine, index):
        """(size, digest) that the bytes of a component must have, None each where nothing is
        said."""
        return machine.param(index, n.P_IMAGE_SIZE), machine.param(index, n.P_IMAGE_DIGEST)

    def tree(self):
        """This context and those of its dependencies that were authenticated in this procedure."""
        return [self]

    def forget(self, identifier=None):
        """A component is written, or (None) a procedure starts: what was authenticated of it is
        void."""

    def ended(self, section):
        """A section was executed to its end."""
