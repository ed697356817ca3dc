# Sequences that are being executed, and the commands that steer them.
# MIT licence.
"""A `Frame` is a command sequence on its way: a section, or one nested in try-each or
run-sequence. The commands here change a frame (set-component-index, override-parameters) or put
one on top of it (try-each, run-sequence): suit-manifest 6.5, 6.7, 8.4.8.14, 8.4.8.15, 8.4.10.1,
8.4.10.2, 8.4.10.3, 8.4.10.8.

Steering: `function(machine, frame, cursor)` reads its argument and acts at once. Flow:
`Class(machine, frame, cursor)` reads its argument; `step(machine, frame, index, outcome)` is
called for each component with outcome None, and again when a sequence that it pushed has ended,
with True (succeeded) or False (failed softly). It returns True when it pushed a sequence, False
when it is done with the component, and raises when it failed."""

from . import numbers as n
from .access import PARAMETER
from .cbor import ARRAY, SIMPLE, UINT, Cursor
from .manifest import branches
from .parameters import read_parameters


class Frame:
    """A sequence that is being executed."""

    def __init__(self, context, cursor, targets, around, section=None):
        self.context = context
        self.section = around.section if around else section
        self.depth = around.depth + 1 if around else 0  # of nesting, in this section
        self.cursor = cursor
        self.targets = targets  # component indices that commands apply to, in order
        self.single = True  # the index is one integer
        self.everything = False  # it is True
        self.nested = around is not None  # inside try-each or run-sequence
        self.soft = False  # soft-failure
        self.hazards = None  # strict-order false: (components written, components read)
        self.must_index = False  # the first command must be set-component-index
        self.lock_next = False  # set-component-index is refused after the first
        self.locked = around.locked if around else False  # set-component-index is refused
        self.flow = None  # the try-each or run-sequence whose child runs
        self.target = 0  # position in `targets` of the command that runs
        self.command = None
        self.offset = cursor.pos
        at = cursor.pos
        left = cursor.array()
        if left & 1:
            cursor.fail("a command without its argument", at, n.R_SEQUENCE)
        self.left = left >> 1

    def strict(self, value):
        """Set strict-order (8.4.8.14)."""
        if value:
            self.hazards = None
        elif self.hazards is None:
            self.hazards = (set(), set())


def _set_component_index(machine, frame, c):
    """8.4.10.1, 6.5. An index beyond the list is refused here."""
    at = c.pos
    if frame.locked:
        c.fail("set-component-index is not allowed here", at, n.R_SEQUENCE)
    frame.locked = frame.lock_next
    major = c.peek()
    if major == UINT:
        targets = (c.uint(),)
    elif major == ARRAY:
        count = c.array()
        if count > n.MAX_COMPONENTS:
            c.fail("too many indices", at, n.R_LIMIT)
        targets = tuple([c.uint() for _ in range(count)])
    else:
        targets = frame.context.everything() if c.bool() else ()
    if not targets:
        c.fail("no component", at, n.R_STRUCTURE)
    for index in targets:
        frame.context.identifier(index, at)
    frame.targets = targets
    frame.single = major == UINT
    frame.everything = major == SIMPLE


def _override_parameters(machine, frame, c):
    """8.4.10.3: for every current component; strict-order and soft-failure are the sequence's
    own."""
    at = c.pos
    for number, value in read_parameters(c):
        frame.context.permit(PARAMETER, number, at)
        if number == n.P_SOFT_FAILURE:
            if not frame.nested:
                c.fail("soft-failure outside try-each and run-sequence", at, n.R_SEQUENCE)
            frame.soft = value
        elif number == n.P_STRICT_ORDER:
            frame.strict(value)
        else:
            for index in frame.targets:
                machine.step(at)
                machine.set_param(index, number, value)


class _TryEach:
    """8.4.10.2, for one component after the other (6.5)."""

    def __init__(self, machine, frame, c):
        # nil at the end is an empty sequence, which succeeds
        self.cursors, self.nil = branches(c)
        self.branch = 0

    def step(self, machine, frame, index, outcome):
        if outcome is None:
            self.branch = 0
        elif outcome:
            return False
        else:
            self.branch += 1
        if self.branch < len(self.cursors):
            here = self.cursors[self.branch]
            child = machine.push(Cursor(here.view, here.pos, here.limit), index, frame)
            child.soft = True
            child.hazards = frame.hazards
            return True
        if self.nil:
            return False
        raise machine.failure


class _RunSequence:
    """8.4.10.8 and the rules of 6.7 for strict-order false."""

    def __init__(self, machine, frame, c):
        self.cursor = c.inner()

    def step(self, machine, frame, index, outcome):
        if outcome is not None:
            # succeeded, or failed softly: go on with what follows
            return False
        here = self.cursor
        child = machine.push(Cursor(here.view, here.pos, here.limit), index, frame)
        if frame.hazards is not None:
            # one sequence among several that may run at once: it must keep to its component
            child.must_index = child.lock_next = frame.single
            child.locked = not frame.single
        return True


STEERING = {
    n.C_SET_COMPONENT_INDEX: _set_component_index,
    n.C_OVERRIDE_PARAMETERS: _override_parameters,
}
FLOW = {n.C_TRY_EACH: _TryEach, n.C_RUN_SEQUENCE: _RunSequence}
# with conditions, all that the shared sequence may hold (8.4.5, Appendix A: SUIT_Shared_Sequence)
SHARED = (n.C_SET_COMPONENT_INDEX, n.C_TRY_EACH, n.C_OVERRIDE_PARAMETERS, n.C_RUN_SEQUENCE)
