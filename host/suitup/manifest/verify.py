"""The workstation's own verdict on an envelope, independent of the device code: strict reading with cbor2, signatures with
pycose and `cryptography`, and a small simulation of the abstract machine (`machine.py`).

    verdict = verify(data, Device(keys=[key], vendor_id=..., class_ids=(...,)))
    verdict.word        `ok`, or why not: the result words of the test vectors (tests/vectors/README.md)
    verdict.accepted

Where it may differ from a device, by policy:
* tags that cbor2 interprets (dates, big numbers ...) are refused here also where a device passes over the value unread;
* COSE headers of one layer may be longer than the 512 bytes a device reads at a time;
* what is wrong in two ways may be refused with either word: a device reads as it goes, this reads everything first;
* a device stops trying signatures after MAX_TRIES of them; here all are tried."""

from dataclasses import dataclass, field

from suitup import cbor
from suitup import numbers as n
from suitup.keys.trust import Anchor
from suitup.manifest import labels, signers
from suitup.manifest.model import Digest

_MAX_BLOCKS = 8


class Refused(Exception):
    """Why an envelope is refused: `word` of the result words, `why` for people; `section`, `command` (numbers) and
    `component` (index) when a command refused it."""

    def __init__(self, word, why, section=None, command=None, component=None):
        super().__init__(word, why)
        self.word = word
        self.why = why
        self.section = section
        self.command = command
        self.component = component


@dataclass
class Device:
    """The device an envelope is judged for. `keys`: those it trusts, as Key or Anchor; `floor`: lowest sequence number;
    `components`: {identifier: content} before; `payloads`: {URI: content} that can be fetched; `versions`: {identifier:
    tuple}; unknown properties are None."""

    keys: list = field(default_factory=list)
    vendor_id: bytes | None = None
    class_ids: tuple = ()
    device_id: bytes | None = None
    floor: int = 0
    slot: int = 0
    components: dict = field(default_factory=dict)
    payloads: dict = field(default_factory=dict)
    versions: dict = field(default_factory=dict)
    now: int | None = None
    battery_mwh: int | None = None
    authorized: bool = False
    wait_events: tuple = ()
    decryption_keys: list = field(default_factory=list)
    management: bool = True  # commands of update-management


@dataclass
class Verdict:
    """`word`: result word; `why`: for people; `key`: who authenticated it, or None; `components`: {identifier: content}
    afterwards; `invoked`: [(identifier, arguments)]; `where`: (section, command, component index) of a refusal."""

    word: str
    why: str = ""
    key: object = None
    components: dict = field(default_factory=dict)
    invoked: list = field(default_factory=list)
    where: tuple = (None, None, None)

    @property
    def accepted(self) -> bool:
        return self.word == "ok"


def _need(truth, why, word="parse-fail"):
    if not truth:
        raise Refused(word, why)


def read(data, what, sort=True):
    """One strictly encoded item, not nested deeper than a device follows."""
    try:
        item = cbor.decode(data, sort)
    except cbor.NotDeterministic as error:
        raise Refused("parse-fail", f"{what}: {error}") from None
    check_depth(item, what)
    return item


def check_depth(item, what):
    """Refuse more than MAX_NESTING containers around an item."""
    level, depth = [item], 0
    while level:
        inner = []
        for each in level:
            if isinstance(each, dict):
                inner += [*each.keys(), *each.values()]
            elif isinstance(each, list | tuple):
                inner += each
            elif isinstance(each, cbor.CBORTag):
                inner.append(each.value)
        depth += bool(inner)
        _need(depth <= n.MAX_NESTING, f"{what} is nested too deep")
        level = inner


def is_int(value):
    return isinstance(value, int) and not isinstance(value, bool)


def is_uint(value):
    return is_int(value) and value >= 0


def read_digest(item) -> Digest:
    _need(
        isinstance(item, list)
        and len(item) == 2
        and is_int(item[0])
        and isinstance(item[1], bytes),
        "not a SUIT_Digest",
    )
    return Digest(item[1], item[0])


def _identifier(item, what):
    _need(
        isinstance(item, list) and all(isinstance(part, bytes) for part in item),
        f"{what} is not a component identifier",
    )
    return tuple(item)


def read_sequence(data, what, depth=0) -> list:
    """[(command, argument)] of a sequence; everything nested in it is read too, as a device does before it starts."""
    _need(depth <= n.MAX_NESTING, "sequences are nested too deep", "abort")
    try:
        item = cbor.decode(data)
    except cbor.NotDeterministic as error:
        raise Refused("parse-fail", f"{what}: {error}") from None
    _need(isinstance(item, list), f"{what} is not an array")
    _need(len(item) % 2 == 0, f"{what} has a command without its argument", "abort")
    out = []
    for number, argument in zip(item[::2], item[1::2]):
        _need(is_int(number), f"{what} has a command that is not an integer")
        if number in (n.C_RUN_SEQUENCE, n.C_TRY_EACH):
            argument = _nested(number, argument, what, depth)
        else:
            check_depth(argument, what)
        out.append((number, argument))
    return out


def _nested(number, argument, what, depth):
    if number == n.C_RUN_SEQUENCE:
        _need(isinstance(argument, bytes), "run-sequence takes a byte string")
        return read_sequence(argument, what, depth + 1)
    _need(isinstance(argument, list) and argument, "try-each takes a list of sequences")
    branches = argument[:-1] if argument[-1] is None else argument
    _need(
        all(isinstance(each, bytes) for each in branches),
        "try-each takes byte strings, and nil at the end",
    )
    _need(len(branches) <= n.MAX_BRANCHES, "too many sequences in one try-each")
    return ([read_sequence(each, what, depth + 1) for each in branches], argument[-1] is None)


def outer_map(data) -> dict:
    """The map of an envelope, members not looked into."""
    item = read(data, "the envelope")
    if isinstance(item, cbor.CBORTag):
        _need(item.tag == n.TAG_SUIT_ENVELOPE, f"tag {item.tag} is not that of an envelope")
        item = item.value
    _need(isinstance(item, dict), "the envelope is not a map")
    for key, value in item.items():
        _need(is_int(key) or isinstance(key, str), "a key of the envelope is no integer or text")
        _need(isinstance(value, bytes), "a member of the envelope is not a byte string")
        _need(
            not isinstance(key, str) or len(key.encode()) <= n.MAX_URI,
            "the URI of a payload is too long",
        )
    _need(n.ENV_AUTHENTICATION in item, "no authentication wrapper")
    _need(n.ENV_MANIFEST in item, "no manifest")
    return item


class Opened:
    """An envelope that is authentic for `device` and has the structure of one. Its manifest's fields are attributes;
    `anchor`: whose signature counts, `key`: that key."""

    def __init__(self, data, device):
        item = outer_map(data)
        self.members = {key: value for key, value in item.items() if is_int(key)}
        self.payloads = {key: value for key, value in item.items() if isinstance(key, str)}
        manifest = item[n.ENV_MANIFEST]
        _need(len(manifest) <= n.MAX_MANIFEST, "the manifest is too large")
        self._authenticate(item, manifest, device)
        self._manifest(manifest)
        self._check_severed()

    def _authenticate(self, item, manifest, device):
        """Sections 6.2 and 8.3. Nothing in the manifest has been read yet."""
        data = item[n.ENV_AUTHENTICATION]
        _need(len(data) <= n.MAX_AUTHENTICATION, "the authentication wrapper is too large")
        wrapper = read(data, "the authentication wrapper")
        _need(
            isinstance(wrapper, list)
            and wrapper
            and all(isinstance(each, bytes) for each in wrapper),
            "the authentication wrapper is not a list of byte strings",
        )
        _need(len(wrapper) <= _MAX_BLOCKS + 1, "too many authentication blocks")
        payload = wrapper[0]
        self.digest = read_digest(read(payload, "the manifest digest"))
        _need(self.digest.known, "the digest algorithm is not supported", "auth-fail")
        _need(
            self.digest.matches(cbor.encode(manifest)),
            "the manifest does not have its digest",
            "auth-fail",
        )
        names = (device.vendor_id, device.device_id, *device.class_ids)
        anchors = [Anchor.of(each) for each in device.keys]
        anchors = signers.extended(item.get(n.ENV_DELEGATION), anchors, names, device.now)
        self.anchor, failure = signers.authenticated(wrapper[1:], payload, anchors)
        _need(self.anchor is not None, failure, "auth-fail")
        self.key = self.anchor.key

    def _manifest(self, data):
        item = read(data, "the manifest")
        _need(isinstance(item, dict), "the manifest is not a map")
        _need(n.M_VERSION in item, "no manifest version")
        version = item[n.M_VERSION]
        _need(is_int(version), "the manifest version is not an integer")
        _need(version == 1, f"manifest version {version}", "unsupported-version")
        self.sequence_number = item.get(n.M_SEQUENCE_NUMBER)
        _need(is_uint(self.sequence_number), "no sequence number")
        _need(isinstance(item.get(n.M_COMMON), bytes), "no common section")
        self._common(item[n.M_COMMON])
        self.sequences, self.severed = {}, {}
        for label, value in item.items():
            self._member(label, value)

    def _common(self, data):
        common = read(data, "common")
        _need(isinstance(common, dict), "common is not a map")
        self.components, self.shared, self.dependencies = [], None, None
        for label, value in common.items():
            if label == n.COMMON_COMPONENTS and is_int(label):
                _need(isinstance(value, list) and value, "no list of components")
                _need(len(value) <= n.MAX_COMPONENTS, "too many components")
                self.components = [_identifier(each, "a component") for each in value]
            elif label == n.COMMON_SHARED_SEQUENCE and is_int(label):
                _need(isinstance(value, bytes), "the shared sequence is not a byte string")
                self.shared = read_sequence(value, "the shared sequence")
            elif label == n.COMMON_DEPENDENCIES and is_int(label):
                self.dependencies = value
            else:
                raise Refused("parse-fail", f"unknown member {label} of common")

    def _member(self, label, value):
        _need(is_int(label), f"unknown member {label!r} of the manifest")
        if label in (n.M_VERSION, n.M_SEQUENCE_NUMBER, n.M_COMMON, n.M_MUD):
            return
        if label == n.M_REFERENCE_URI:
            _need(
                isinstance(value, str) and len(value.encode()) <= n.MAX_URI,
                "the reference is not a short URI",
            )
        elif label == n.M_COMPONENT_ID:
            _identifier(value, "component-id")
        elif label == n.M_SET_VERSION:
            numbers = read(value, "set-version") if isinstance(value, bytes) else None
            _need(
                isinstance(numbers, list) and all(map(is_int, numbers)),
                "set-version is not a list of integers",
            )
        elif label in labels.SEVERABLE and isinstance(value, list):
            self.severed[label] = read_digest(value)
        elif label in labels.SEQUENCES or label in labels.SEVERABLE:
            _need(isinstance(value, bytes), f"{labels.MANIFEST[label]} is not a byte string")
            if label in labels.SEQUENCES:
                self.sequences[label] = read_sequence(value, labels.MANIFEST[label])
        else:
            raise Refused("parse-fail", f"unknown member {label} of the manifest")

    def _check_severed(self):
        for number, digest in self.severed.items():
            data = self.members.get(number)
            if data is not None:
                _need(digest.known, "the digest algorithm is not supported", "auth-fail")
                _need(
                    digest.matches(cbor.encode(data)),
                    f"{labels.MANIFEST[number]} does not match its digest",
                    "severed-digest-fail",
                )

    def has(self, number):
        """Does the manifest have this section, here or severed?"""
        return number in self.sequences or number in self.severed

    def here(self, number):
        """Can this section be run: is it in the manifest, or severed and in the envelope?"""
        return number in self.sequences or (number in self.severed and number in self.members)

    def section(self, number):
        """The commands of a section, severed ones read when they are asked for."""
        if number in self.severed:
            data = self.members[number]
            _need(len(data) <= n.MAX_MANIFEST, "a severed member is too large")
            return read_sequence(data, labels.MANIFEST[number])
        return self.sequences[number]


def verify(data, device: Device, procedures=("update", "invocation")) -> Verdict:
    """Judge the envelope in `data` for `device`: authentication, structure, rollback, then `procedures` in order. With
    none, authentication and structure only."""
    from suitup.manifest.machine import Machine

    key = None
    machine = None
    try:
        opened = Opened(bytes(data), device)
        key = opened.key
        _need(
            opened.sequence_number >= device.floor,
            f"sequence number {opened.sequence_number} is below {device.floor}",
            "rollback",
        )
        machine = Machine(opened, device)
        for procedure in procedures:
            machine.procedure(procedure)
        return Verdict("ok", key=key, components=machine.contents, invoked=machine.invoked)
    except Refused as refused:
        return Verdict(
            refused.word,
            refused.why,
            key,
            machine.contents if machine else {},
            machine.invoked if machine else [],
            (refused.section, refused.command, refused.component),
        )
