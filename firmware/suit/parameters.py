# Parameters: how each is read from a manifest.
# MIT licence.
"""`read_parameters(cursor)` reads the argument of override-parameters (suit-manifest 8.4.8,
8.4.10.3). What is kept are ints, bools and views into the section, which stay valid as long as
somebody holds them:

vendor id   16 bytes, or a private enterprise number with its tag
digest      (algorithm, view)
uri         view of the text
others      view of the byte string

SuitError R_PARAMETER_UNSUPPORTED for a number that is not in `PARAMETERS`, here or in a module of
`LATER_PARAMETERS`: custom ones too, because whoever understands them must be told that this board
does not."""

from . import numbers as n
from .cbor import TAG, Cursor
from .errors import SuitError
from .manifest import read_digest
from .optional import optional

# number -> module of `suit` with a table PARAMETERS, loaded when such a parameter is reached
LATER_PARAMETERS = {
    n.P_USE_BEFORE: "management",
    n.P_MINIMUM_BATTERY: "management",
    n.P_UPDATE_PRIORITY: "management",
    n.P_VERSION: "management",
    n.P_WAIT_INFO: "management",
    n.P_COMPONENT_METADATA: "management",
}


def _uuid(c):
    at = c.pos
    value = c.bstr()
    if len(value) != 16:
        c.fail("an identifier has 16 bytes", at, n.R_STRUCTURE)
    return value


def _vendor(c):
    """A UUID, or a private enterprise number, kept with its tag (8.4.8.3)."""
    if c.peek() != TAG:
        return _uuid(c)
    at = c.pos
    if c.tag() != n.TAG_PEN:
        c.fail("an identifier or a PEN", at, n.R_STRUCTURE)
    c.bstr()
    return c.view[at : c.pos]


def _digest(c):
    inner = c.inner()
    found = read_digest(inner)
    inner.end()
    return found


def _uri(c):
    at = c.pos
    text = c.text()
    if len(text) > n.MAX_URI:
        c.fail("URI is too long", at, n.R_LIMIT)
    return text


def wrapped(c, ordered=False):
    """A byte string that holds one CBOR item; nobody sorts the maps of SUIT_Encryption_Info."""
    inner = c.inner()
    start = inner.pos
    inner.skip(ordered)
    inner.end()
    return inner.view[start : inner.limit]


PARAMETERS = {
    n.P_VENDOR_ID: _vendor,
    n.P_CLASS_ID: _uuid,
    n.P_DEVICE_ID: _uuid,
    n.P_IMAGE_DIGEST: _digest,
    n.P_IMAGE_SIZE: Cursor.uint,
    n.P_COMPONENT_SLOT: Cursor.uint,
    n.P_CONTENT: Cursor.bstr,
    n.P_URI: _uri,
    n.P_SOURCE_COMPONENT: Cursor.uint,
    n.P_INVOKE_ARGS: Cursor.bstr,
    n.P_FETCH_ARGUMENTS: Cursor.bstr,
    n.P_STRICT_ORDER: Cursor.bool,
    n.P_SOFT_FAILURE: Cursor.bool,
    n.P_ENCRYPTION_INFO: wrapped,
}


def read_parameters(c):
    """The parameter map at the cursor as [(number, value)]; its keys were checked with the
    section."""
    found = []
    at = c.pos
    count = c.map()
    if not count:
        c.fail("no parameters", at, n.R_STRUCTURE)
    for _ in range(count):
        at = c.pos
        number = c.int()
        reader = PARAMETERS.get(number)
        if reader is None and number in LATER_PARAMETERS:
            module = optional(LATER_PARAMETERS[number])
            if module:
                reader = module.PARAMETERS.get(number)
        if reader is None:
            raise SuitError(n.R_PARAMETER_UNSUPPORTED, number, at)
        found.append((number, reader(c)))
    return found
