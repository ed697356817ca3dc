"""What tests of the core need: envelopes made in place (authenticated with an HMAC, so that no signing code is needed),
and a board whose components are in RAM."""

from harness import finish
from suit import numbers as n
from suit.cbor import encode, head
from suit.crypto.hmac256 import hmac
from suit.envelope import authenticate
from suit.errors import SuitError
from suit.processor import Processor
from suit.region import MemoryRegion
from suit.transports.local import RegionStream
from suit.trust import TrustStore

try:
    from hashlib import sha256
except ImportError:
    from uhashlib import sha256

SECRET = b"0123456789abcdef0123456789abcdef"
KEY = {1: 4, 3: 5, -1: SECRET}
TRUST = TrustStore(encode([KEY]))
VENDOR = b"vendor-vendor-16"
CLASS = b"class-class---16"
DEVICE = b"device-device-16"
POLICY = 15


class Tagged:
    """For `item`: a CBOR tag with content."""

    def __init__(self, number, content):
        self.number = number
        self.content = content


def item(value):
    """Like `encode`, but with tags, at the top or in a list."""
    if isinstance(value, Tagged):
        return head(6, value.number) + item(value.content)
    if isinstance(value, list):
        return head(4, len(value)) + b"".join([item(one) for one in value])
    return encode(value)


def seq(*commands):
    """A command sequence as bytes."""
    return encode(list(commands))


def digest_of(data, algorithm=n.ALG_SHA256):
    """A SUIT_Digest as a list."""
    return [algorithm, sha256(data).digest()]


def image_digest(data):
    """Value of parameter image-digest."""
    return encode(digest_of(data))


def wrapped(data):
    """A byte string with its head, which is what severed members and manifests are hashed as."""
    return head(2, len(data)) + data


def manifest(shared=None, components=((b"\0",),), version=1, sequence=1, common=None, **members):
    """A manifest as bytes. Sections by name: validate, load, invoke, fetch, install ... hold bytes or lists."""
    numbers = {
        "validate": n.M_VALIDATE, "load": n.M_LOAD, "invoke": n.M_INVOKE, "fetch": n.M_PAYLOAD_FETCH,
        "install": n.M_INSTALL, "resolution": n.M_DEPENDENCY_RESOLUTION, "text": n.M_TEXT,
        "candidate": n.M_CANDIDATE_VERIFICATION, "uri": n.M_REFERENCE_URI, "uninstall": n.M_UNINSTALL,
    }  # fmt: skip
    if common is None:
        common = {n.COMMON_COMPONENTS: [list(one) for one in components]}
        if shared is not None:
            common[n.COMMON_SHARED_SEQUENCE] = shared
    found = {1: version, 2: sequence, 3: encode(common)}
    for name, value in members.items():
        found[numbers[name] if name in numbers else int(name[1:])] = value
    return encode(found)


def mac0(digest, protected=None, unprotected=None, key=SECRET, payload=None, tag=n.TAG_MAC0):
    """A COSE_Mac0 over the detached digest."""
    protected = encode({1: 5} if protected is None else protected)
    mac = hmac(key, encode(["MAC0", protected, b"", digest]))
    return item(Tagged(tag, [protected, unprotected or {}, payload, mac]))


def wrapper(manifest_bytes, blocks=None, digest=None):
    """The authentication wrapper as bytes."""
    digest = encode(digest_of(wrapped(manifest_bytes))) if digest is None else digest
    if blocks is None:
        blocks = [mac0(digest)]
    return encode([digest] + list(blocks))


def envelope(manifest_bytes, auth=None, tagged=True, members=None):
    """A whole envelope; `members`: more of its keys."""
    pairs = {2: wrapper(manifest_bytes) if auth is None else auth, 3: manifest_bytes}
    pairs.update(members or {})
    return (b"\xd8\x6b" if tagged else b"") + encode(pairs)


def opened(data, trust=TRUST):
    """The authenticated envelope."""
    return finish(authenticate(MemoryRegion(data), trust))


class Component:
    def __init__(self, content=None, slot=0):
        self.content = content
        self.slot = slot
        self.mark = None
        self.room = 1 << 20
        self.partial = b""  # what an interrupted write left
        self.calls = []

    def size(self):
        return None if self.content is None else len(self.content)

    def read_at(self, offset, buf):
        source = self.partial if self.content is None else self.content
        part = source[offset : offset + len(buf)]
        buf[: len(part)] = part
        return len(part)

    def begin(self, size, digest):
        self.calls.append("begin %s" % size)
        if size is not None and size > self.room:
            raise SuitError(n.R_TOO_LARGE, size)
        self._new = bytearray(self.partial)
        return len(self.partial)

    def restart(self):
        self.calls.append("restart")
        self._new = bytearray()

    def write(self, view):
        self._new.extend(view)

    def end(self):
        self.calls.append("end")
        self.content = bytes(self._new)

    def abandon(self):
        self.calls.append("abandon")

    def swap(self, other):
        self.content, other.content = other.content, self.content


class Board:
    def __init__(self, components=None, payloads=None, slot=0):
        self.vendor_id = VENDOR
        self.class_ids = (CLASS,)
        self.device_id = DEVICE
        self.slot = slot
        self.components = {}
        for name, content in (components or {}).items():
            self.components[encode([name])] = Component(content, slot)
        self.payloads = payloads or {}
        self.invoked = []
        self.opened = []
        self.records = []

    def component(self, raw):
        raw = bytes(raw)
        if raw not in self.components:
            self.components[raw] = Component(None, self.slot)
        return self.components[raw]

    def open(self, uri, args):
        self.opened.append((uri, None if args is None else bytes(args)))
        if uri not in self.payloads:
            raise SuitError(n.R_NO_PAYLOAD, uri)
        return RegionStream(MemoryRegion(self.payloads[uri]))

    def invoke(self, component, args):
        self.invoked.append((component, args))

    def record(self, section, offset, command, index, reason):
        self.records.append((section, command, index, reason))

    def holds(self, name):
        """Content of component [name]."""
        found = self.components.get(encode([name]))
        return found and found.content


def machine(board=None, **members):
    """A Processor on a fresh envelope with these manifest members."""
    return Processor(opened(envelope(manifest(**members))), board or Board())


def update(board, **members):
    """Run the update procedure; returns the processor."""
    made = machine(board, **members)
    finish(made.update())
    return made


def refusal(board, **members):
    """Run the update procedure, which must be refused; returns (error, processor)."""
    made = machine(board, **members)
    try:
        finish(made.update())
    except SuitError as error:
        return error, made
    raise AssertionError("the procedure succeeded")
