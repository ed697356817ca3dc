# The authenticated manifest: a view over its bytes that decodes what it is asked for.
# MIT licence.
"""`Manifest(data)` checks the structure of suit-manifest 8.4 at once: version, sorted known
members of the right type, the component list, every command sequence inside (well-formed to its
last nested sequence, an argument after every command). It executes nothing and judges no command:
an unknown one is refused when it is reached.

    manifest.sequence_number        uint, up to 64 bits
    manifest.components             how many
    manifest.component(i)           raw CBOR of identifier i
    manifest.member(number)         content of a bstr member, or None
    manifest.digest_of(number)      (alg, bytes) when the member is severed, else None

SuitError: R_VERSION, R_CBOR_PARSE, R_STRUCTURE, R_LIMIT, R_SEQUENCE, with the offset in the
manifest."""

from . import numbers as n
from .cbor import ARRAY, BSTR, NINT, Cursor
from .errors import SuitError

_SEQUENCES = (
    n.M_VALIDATE,
    n.M_LOAD,
    n.M_INVOKE,
    n.M_DEPENDENCY_RESOLUTION,
    n.M_PAYLOAD_FETCH,
    n.M_CANDIDATE_VERIFICATION,
    n.M_INSTALL,
    n.M_UNINSTALL,
)
# members that may stand in the envelope, with a SUIT_Digest here (8.4.12; trust-domains,
# update-management)
SEVERABLE = (
    n.M_COSWID,
    n.M_DEPENDENCY_RESOLUTION,
    n.M_PAYLOAD_FETCH,
    n.M_CANDIDATE_VERIFICATION,
    n.M_INSTALL,
    n.M_TEXT,
)
_OTHERS = (n.M_MUD,)


def read_digest(c):
    """SUIT_Digest (section 10) at the cursor: (algorithm, view of its bytes). No algorithm here
    has parameters."""
    at = c.pos
    if c.array() != 2:
        c.fail("a digest has two members", at, n.R_STRUCTURE)
    return c.int(), c.bstr()


def check_identifier(c):
    """A SUIT_Component_Identifier (8.4.5.1) at the cursor: an array of byte strings."""
    for _ in range(c.array()):
        c.bstr()


def check_sequence(c):
    """Walk the SUIT_Command_Sequence in cursor `c` to its end and those nested in it (try-each,
    run-sequence) without executing anything. No recursion: a list holds (cursor, items left,
    depth) of what is still to be walked."""
    waiting = [(c, _open_sequence(c), 0)]
    while waiting:
        c, left, depth = waiting.pop()
        while left:
            left -= 2
            at = c.pos
            command = c.int()
            if command != n.C_RUN_SEQUENCE and command != n.C_TRY_EACH:
                c.skip()
                continue
            inner = [c.inner()] if command == n.C_RUN_SEQUENCE else branches(c)[0]
            if inner and depth == n.MAX_NESTING:
                c.fail("sequences are nested too deep", at, n.R_SEQUENCE)
            waiting.append((c, left, depth))
            for cursor in reversed(inner):
                waiting.append((cursor, _open_sequence(cursor), depth + 1))
            break
        else:
            c.end()


def _open_sequence(c):
    at = c.pos
    left = c.array()
    if left & 1:
        c.fail("a command without its argument", at, n.R_SEQUENCE)
    return left


def branches(c):
    """A try-each argument (8.4.10.2): cursors inside its sequences, and whether nil is the last of
    them."""
    at = c.pos
    count = c.array()
    found = []
    nil = False
    for i in range(count):
        if c.is_null() and i == count - 1:
            c.null()
            nil = True
        else:
            found.append(c.inner())
    if not count:
        c.fail("try-each without sequences", at, n.R_STRUCTURE)
    if len(found) > n.MAX_BRANCHES:
        c.fail("too many sequences in one try-each", at, n.R_LIMIT)
    return found, nil


def _next(c, last):
    """The next key of a map; keys are unsigned integers here, so that the order of their encodings is theirs."""
    at = c.pos
    label = c.int()
    if 0 <= label <= last:
        c.fail("duplicate key or keys out of order", at)
    return label


class Manifest:
    """See above. `data`: bytes-like, the content of the manifest's byte string."""

    def __init__(self, data):
        self.view = view = memoryview(data)
        self.reference_uri = None  # str
        self.component_id = None  # raw identifier (member 5)
        self.set_version = None  # tuple of int (member 6)
        self.shared = None  # view of the shared sequence
        self.dependencies = None  # raw map of suit-dependencies, for dependencies.py
        self._members = {}  # number -> view of the content, or (alg, digest)
        self._identifiers = []
        c = Cursor(view)
        count = c.map()
        # the version decides how the rest is read (6.1), so it is looked at before anything else
        self._expect(c, n.M_VERSION)
        at = c.pos
        version = c.int()
        if version != 1:
            raise SuitError(n.R_VERSION, version, at)
        if count < 3:
            c.fail("members are missing", 0, n.R_STRUCTURE)
        self._expect(c, n.M_SEQUENCE_NUMBER)
        self.sequence_number = c.uint()
        self._expect(c, n.M_COMMON)
        self._common(c.inner())
        label = n.M_COMMON
        for _ in range(count - 3):
            label = self._member(c, label)
        c.end()

    def _expect(self, c, label):
        at = c.pos
        if c.int() != label:
            c.pos = 0
            c.skip()  # keys out of order are called that
            c.fail("member %d is missing" % label, at, n.R_STRUCTURE)

    def _common(self, c):
        """SUIT_Common (8.4.5) in cursor `c`."""
        last = -1
        for _ in range(c.map()):
            at = c.pos
            last = label = _next(c, last)
            if label == n.COMMON_COMPONENTS:
                count = c.array()
                if not count:
                    c.fail("empty component list", at, n.R_STRUCTURE)
                if count > n.MAX_COMPONENTS:
                    c.fail("too many components", at, n.R_LIMIT)
                for _ in range(count):
                    begin = c.pos
                    check_identifier(c)
                    self._identifiers.append(c.view[begin : c.pos])
            elif label == n.COMMON_SHARED_SEQUENCE:
                inner = c.inner()
                self.shared = c.view[inner.pos : inner.limit]
                check_sequence(inner)
            elif label == n.COMMON_DEPENDENCIES:
                self.dependencies = c.raw()
            else:
                c.fail("unknown member of common", at, n.R_STRUCTURE)
        c.end()

    def _member(self, c, last):
        """One member; its number, which must be above that of the `last` one."""
        at = c.pos
        label = _next(c, last) if c.peek() <= NINT else None
        if label == n.M_REFERENCE_URI:
            text = c.text()
            if len(text) > n.MAX_URI:
                c.fail("URI is too long", at, n.R_LIMIT)
            self.reference_uri = str(text, "utf-8")
        elif label == n.M_COMPONENT_ID:
            begin = c.pos
            check_identifier(c)
            self.component_id = c.view[begin : c.pos]
        elif label == n.M_SET_VERSION:
            # update-management: bstr .cbor of the version's integers
            inner = c.inner()
            self.set_version = tuple([inner.int() for _ in range(inner.array())])
            inner.end()
        elif label in _SEQUENCES or label in SEVERABLE:
            if c.peek() == ARRAY and label in SEVERABLE:
                self._members[label] = read_digest(c)
            else:
                inner = c.inner()
                self._members[label] = c.view[inner.pos : inner.limit]
                if label in _SEQUENCES:
                    check_sequence(inner)
        elif label in _OTHERS:
            if c.peek() == BSTR:
                self._members[label] = c.bstr()
            else:
                c.skip()
        else:
            c.fail("unknown member of the manifest", at, n.R_STRUCTURE)
        return label

    @property
    def components(self):
        return len(self._identifiers)

    def component(self, index):
        """Raw CBOR of the identifier: the same bytes every time, for many keep them as a key."""
        raw = self._identifiers[index]
        if not isinstance(raw, bytes):
            raw = self._identifiers[index] = bytes(raw)
        return raw

    def member(self, number):
        """View of the content of a member that is here; None when it is absent or severed."""
        found = self._members.get(number)
        return None if isinstance(found, tuple) else found

    def digest_of(self, number):
        """(algorithm, view) of a severed member, else None."""
        found = self._members.get(number)
        return found if isinstance(found, tuple) else None

    def severed(self):
        """Numbers of the members that have a digest here."""
        return [number for number in self._members if isinstance(self._members[number], tuple)]
