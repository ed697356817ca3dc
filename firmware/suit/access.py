# What a key may do beyond its roles: component prefixes, commands, parameters.
# MIT licence.
"""The third model of suit-manifest section 9. A key of the trust store may carry KEY_ACCESS, a map

    1: [prefix, ...]    component identifiers that begin with one of them, [] any
    2: [number, ...]    commands
    3: [number, ...]    parameters

What is not listed is not permitted; a member that is absent restricts nothing. `read(raw)` is the
map as {1: ((bytes...)...), 2: (int...), 3: (int...)}; `permit(access, kind, value, offset)` raises
SuitError R_COMPONENT_UNAUTHORISED or R_NOT_PERMITTED unless every map in `access` permits `value`:
those of a delegated key are its own and those of all that delegated to it. The processor asks for
each command, each parameter that is set and each component that is touched, with the key of the
manifest that does it; to set parameters of somebody else's component is no touch."""

from .cbor import Cursor
from .errors import SuitError
from .numbers import R_COMPONENT_UNAUTHORISED, R_NOT_PERMITTED, R_STRUCTURE

COMPONENT = 1
COMMAND = 2
PARAMETER = 3
_WORDS = (None, None, "command", "parameter")


def _parts(c):
    return tuple([bytes(c.bstr()) for _ in range(c.array())])


def read(raw):
    c = Cursor(raw)
    found = {}
    for _ in range(c.map()):
        at = c.pos
        kind = c.uint()
        if kind == COMPONENT:
            found[kind] = tuple([_parts(c) for _ in range(c.array())])
        elif kind == COMMAND or kind == PARAMETER:
            found[kind] = tuple([c.int() for _ in range(c.array())])
        else:
            # a restriction that this board does not know would not be one
            c.fail("unknown restriction", at, R_STRUCTURE)
    c.end()
    return found


def permit(access, kind, value, offset=None):
    for each in access:
        listed = each.get(kind)
        if listed is None:
            continue
        if kind == COMPONENT:
            parts = _parts(Cursor(value))
            if not any(parts[: len(prefix)] == prefix for prefix in listed):
                raise SuitError(R_COMPONENT_UNAUTHORISED, repr(parts), offset)
        elif value not in listed:
            raise SuitError(R_NOT_PERMITTED, "%s %d" % (_WORDS[kind], value), offset)
