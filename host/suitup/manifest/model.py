"""The typed model of an envelope: suit-manifest-37 whole, and the members of trust-domains and update-management.

`Envelope.decode(bytes)` and `.encode()` are inverse for every deterministically encoded envelope. Numbers the model does
not know are kept as they are, so that what was signed is never changed by reading and writing it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from suitup import cbor
from suitup import numbers as n
from suitup.manifest import labels

_HASHES = {
    n.ALG_SHA256: lambda data: hashlib.sha256(data).digest(),
    n.ALG_SHA384: lambda data: hashlib.sha384(data).digest(),
    n.ALG_SHA512: lambda data: hashlib.sha512(data).digest(),
    n.ALG_SHAKE128: lambda data: hashlib.shake_128(data).digest(32),
    n.ALG_SHAKE256: lambda data: hashlib.shake_256(data).digest(64),
}


class StructureError(ValueError):
    """Not the structure of an envelope or a manifest."""


def _need(truth, what):
    if not truth:
        raise StructureError(what)


def _is_int(value):
    return isinstance(value, int) and not isinstance(value, bool)


def _identifier(item) -> tuple:
    _need(
        isinstance(item, list) and all(isinstance(part, bytes) for part in item),
        "not a component identifier",
    )
    return tuple(item)


def _decode(data, what):
    _need(isinstance(data, bytes), f"{what} is not wrapped in a byte string")
    try:
        return cbor.decode(data)
    except cbor.NotDeterministic as error:
        raise StructureError(f"{what}: {error}") from None


@dataclass(frozen=True)
class Digest:
    """SUIT_Digest (section 10)."""

    value: bytes
    algorithm: int = n.ALG_SHA256

    @classmethod
    def of(cls, data: bytes, algorithm=n.ALG_SHA256) -> Digest:
        return cls(_HASHES[algorithm](data), algorithm)

    @classmethod
    def from_item(cls, item) -> Digest:
        _need(
            isinstance(item, list)
            and len(item) == 2
            and isinstance(item[0], int)
            and isinstance(item[1], bytes),
            "not a SUIT_Digest",
        )
        return cls(item[1], item[0])

    def item(self):
        return [self.algorithm, self.value]

    def encode(self) -> bytes:
        return cbor.encode(self.item())

    @property
    def known(self) -> bool:
        """Is the algorithm one of those in suit-manifest?"""
        return self.algorithm in _HASHES

    def matches(self, data: bytes) -> bool:
        """Does `data` have this digest? False also for an algorithm that is not known."""
        return self.known and _HASHES[self.algorithm](data) == self.value


@dataclass
class Command:
    """One command and its argument: a reporting policy (int) for conditions and most directives, else what the
    directive takes. Sequences in arguments are Sequence objects, parameter maps are {number: value}."""

    number: int
    argument: object = 0

    @property
    def name(self) -> str:
        return labels.name(labels.COMMANDS, self.number)

    @property
    def is_condition(self) -> bool:
        return self.number in labels.CONDITIONS


_WRAPPED_PARAMETERS = {n.P_IMAGE_DIGEST: Digest}  # bstr .cbor of a typed structure


def _parameters_in(item):
    _need(isinstance(item, dict), "parameters are not a map")
    out = {}
    for number, value in item.items():
        if number == n.P_IMAGE_DIGEST:
            try:
                value = Digest.from_item(_decode(value, "image-digest"))
            except StructureError:
                pass  # kept as it is: lint and verify will say so
        out[number] = value
    return out


def _parameters_out(parameters):
    return {
        number: value.encode() if isinstance(value, Digest) else value
        for number, value in parameters.items()
    }


class Sequence(list):
    """A SUIT_Command_Sequence: a list of Command."""

    def __add__(self, other) -> Sequence:
        return Sequence([*self, *other])

    @classmethod
    def from_item(cls, item, depth=0) -> Sequence:
        _need(isinstance(item, list), "a command sequence is not an array")
        _need(len(item) % 2 == 0, "a command sequence has an odd number of items")
        _need(depth <= n.MAX_NESTING, "command sequences are nested too deep")
        out = cls()
        for number, argument in zip(item[::2], item[1::2]):
            _need(
                isinstance(number, int) and not isinstance(number, bool),
                "a command is not an integer",
            )
            if number in (n.C_OVERRIDE_PARAMETERS, n.C_SET_PARAMETERS):
                argument = _parameters_in(argument)
            elif number == n.C_OVERRIDE_MULTIPLE and isinstance(argument, dict):
                argument = {index: _parameters_in(each) for index, each in argument.items()}
            elif number == n.C_RUN_SEQUENCE:
                argument = cls.decode(argument, depth + 1)
            elif number == n.C_TRY_EACH:
                _need(isinstance(argument, list), "try-each takes an array")
                argument = [
                    None if each is None else cls.decode(each, depth + 1) for each in argument
                ]
            out.append(Command(number, argument))
        return out

    @classmethod
    def decode(cls, data: bytes, depth=0) -> Sequence:
        return cls.from_item(_decode(data, "a command sequence"), depth)

    def item(self):
        out = []
        for command in self:
            argument = command.argument
            if command.number in (n.C_OVERRIDE_PARAMETERS, n.C_SET_PARAMETERS):
                argument = _parameters_out(argument)
            elif command.number == n.C_OVERRIDE_MULTIPLE and isinstance(argument, dict):
                argument = {index: _parameters_out(each) for index, each in argument.items()}
            elif command.number == n.C_RUN_SEQUENCE:
                argument = argument.encode()
            elif command.number == n.C_TRY_EACH:
                argument = [None if each is None else each.encode() for each in argument]
            out += [command.number, argument]
        return out

    def encode(self) -> bytes:
        return cbor.encode(self.item())

    def walk(self):
        """Every command, those in nested sequences too."""
        for command in self:
            yield command
            if command.number == n.C_RUN_SEQUENCE:
                yield from command.argument.walk()
            elif command.number == n.C_TRY_EACH:
                for each in command.argument:
                    if each is not None:
                        yield from each.walk()


@dataclass
class Text:
    """SUIT_Text_Map: {language: {"": {label: text}, component: {label: text}}}; components are tuples of bytes, the
    entry without component holds the texts about the whole manifest."""

    languages: dict = field(default_factory=dict)

    @classmethod
    def decode(cls, data: bytes) -> Text:
        """Read without asking for the order of keys: recipients need not read text at all."""
        try:
            item = cbor.decode(data, sort=False)
        except cbor.NotDeterministic as error:
            raise StructureError(f"text: {error}") from None
        _need(isinstance(item, dict), "text is not a map")
        out = {}
        for language, entries in item.items():
            _need(
                isinstance(language, str) and isinstance(entries, dict), "text has no language map"
            )
            sections = out[language] = {"": {}}
            for label, value in entries.items():
                if isinstance(label, tuple | list):
                    sections[tuple(label)] = value
                else:
                    sections[""][label] = value
        return cls(out)

    def encode(self) -> bytes:
        item = {}
        for language, sections in self.languages.items():
            entries = item[language] = {}
            for component, texts in sections.items():
                if component == "":
                    entries.update(texts)
                else:
                    entries[tuple(component)] = texts
        return cbor.encode(item)


@dataclass
class Manifest:
    """SUIT_Manifest. `sequences`: {member number: Sequence, or Digest when severed}; `text`, `coswid`: Text / bytes, or
    Digest when severed; `other`: members the model leaves as they are."""

    sequence_number: int
    components: list = field(default_factory=list)  # tuples of bytes
    shared: Sequence | None = None
    dependencies: dict = field(default_factory=dict)  # {index: {label: value}}
    reference_uri: str | None = None
    component_id: tuple | None = None
    set_version: tuple | None = None
    sequences: dict = field(default_factory=dict)
    text: object = None
    coswid: object = None
    version: int = 1
    other: dict = field(default_factory=dict)
    common_other: dict = field(default_factory=dict)

    def severed(self) -> dict[int, Digest]:
        """The members of which only the digest is here."""
        members = {**self.sequences, n.M_TEXT: self.text, n.M_COSWID: self.coswid}
        return {number: value for number, value in members.items() if isinstance(value, Digest)}

    def item(self) -> dict:
        common = dict(self.common_other)
        if self.dependencies:
            common[n.COMMON_DEPENDENCIES] = self.dependencies
        if self.components:
            common[n.COMMON_COMPONENTS] = [list(component) for component in self.components]
        if self.shared is not None:
            common[n.COMMON_SHARED_SEQUENCE] = self.shared.encode()
        out = {
            n.M_VERSION: self.version,
            n.M_SEQUENCE_NUMBER: self.sequence_number,
            n.M_COMMON: cbor.encode(common),
            **self.other,
        }
        if self.reference_uri is not None:
            out[n.M_REFERENCE_URI] = self.reference_uri
        if self.component_id is not None:
            out[n.M_COMPONENT_ID] = list(self.component_id)
        if self.set_version is not None:
            out[n.M_SET_VERSION] = cbor.encode(list(self.set_version))
        for number, value in self.sequences.items():
            out[number] = value.item() if isinstance(value, Digest) else value.encode()
        for number, value in ((n.M_TEXT, self.text), (n.M_COSWID, self.coswid)):
            if value is not None:
                out[number] = (
                    value.item()
                    if isinstance(value, Digest)
                    else (value if isinstance(value, bytes) else value.encode())
                )
        return out

    def encode(self) -> bytes:
        return cbor.encode(self.item())

    @classmethod
    def decode(cls, data: bytes) -> Manifest:
        item = _decode(data, "the manifest")
        _need(isinstance(item, dict), "the manifest is not a map")
        for number in (n.M_VERSION, n.M_SEQUENCE_NUMBER, n.M_COMMON):
            _need(number in item, f"{labels.MANIFEST[number]} is missing")
        common = _decode(item.pop(n.M_COMMON), "common")
        _need(isinstance(common, dict), "common is not a map")
        shared = common.pop(n.COMMON_SHARED_SEQUENCE, None)
        components = common.pop(n.COMMON_COMPONENTS, [])
        dependencies = common.pop(n.COMMON_DEPENDENCIES, {})
        _need(isinstance(dependencies, dict), "dependencies are not a map")
        _need(isinstance(components, list), "components are not a list")
        _need(_is_int(item[n.M_VERSION]), "the manifest version is not an integer")
        _need(_is_int(item[n.M_SEQUENCE_NUMBER]), "the sequence number is not an integer")
        reference = item.pop(n.M_REFERENCE_URI, None)
        _need(reference is None or isinstance(reference, str), "reference-uri is not a text")
        out = cls(
            version=item.pop(n.M_VERSION),
            sequence_number=item.pop(n.M_SEQUENCE_NUMBER),
            components=[_identifier(each) for each in components],
            shared=None if shared is None else Sequence.decode(shared),
            dependencies=dependencies,
            common_other=common,
            reference_uri=reference,
        )
        if n.M_COMPONENT_ID in item:
            out.component_id = _identifier(item.pop(n.M_COMPONENT_ID))
        if n.M_SET_VERSION in item:
            numbers = _decode(item.pop(n.M_SET_VERSION), "set-version")
            _need(
                isinstance(numbers, list) and all(map(_is_int, numbers)),
                "set-version is not a list of integers",
            )
            out.set_version = tuple(numbers)
        for number in labels.SEQUENCES:
            if number in item:
                value = item.pop(number)
                severed = isinstance(value, list) and number in labels.SEVERABLE
                out.sequences[number] = (
                    Digest.from_item(value) if severed else Sequence.decode(value)
                )
        for number, attribute in ((n.M_TEXT, "text"), (n.M_COSWID, "coswid")):
            if number in item:
                value = item.pop(number)
                if isinstance(value, list):
                    value = Digest.from_item(value)
                else:
                    _need(isinstance(value, bytes), f"{attribute} is not wrapped in a byte string")
                setattr(out, attribute, value)
        out.other = item
        return out


@dataclass
class Envelope:
    """SUIT_Envelope. `manifest_bytes` is what is signed and never changes once decoded; `members`: severed members
    {number: bytes}; `payloads`: {URI: bytes}; `blocks`: authentication blocks; `delegation`: its bytes or None."""

    manifest_bytes: bytes
    digest: Digest | None = None
    blocks: list = field(default_factory=list)
    members: dict = field(default_factory=dict)
    payloads: dict = field(default_factory=dict)
    delegation: bytes | None = None
    tagged: bool = True

    def __post_init__(self):
        if self.digest is None:
            self.digest = Digest.of(cbor.encode(self.manifest_bytes))

    @property
    def manifest(self) -> Manifest:
        """Decoded anew each time; change a copy and build a new envelope from it."""
        return Manifest.decode(self.manifest_bytes)

    @property
    def digest_bytes(self) -> bytes:
        """What the authentication blocks cover: the encoded SUIT_Digest."""
        return self.digest.encode()

    def digest_matches(self) -> bool:
        """Is the digest that of the manifest (its byte string head included, section 8.3)?"""
        return self.digest.matches(cbor.encode(self.manifest_bytes))

    def member(self, number: int):
        """A severable member: what the manifest holds, or its severed bytes when their digest is right, else None."""
        manifest = self.manifest
        held = (
            manifest.text
            if number == n.M_TEXT
            else (manifest.coswid if number == n.M_COSWID else manifest.sequences.get(number))
        )
        if not isinstance(held, Digest):
            return held
        data = self.members.get(number)
        if data is None or not held.matches(cbor.encode(data)):
            return None
        return Sequence.decode(data) if number in labels.SEQUENCES else data

    def text(self) -> Text | None:
        """The texts, wherever they are, or None."""
        data = self.member(n.M_TEXT)
        return Text.decode(data) if isinstance(data, bytes) else data

    def encode(self) -> bytes:
        wrapper = [self.digest_bytes, *self.blocks]
        # authentication before manifest; in sorted order it stands there by itself
        item = {
            n.ENV_AUTHENTICATION: cbor.encode(wrapper),
            n.ENV_MANIFEST: self.manifest_bytes,
            **self.members,
            **self.payloads,
        }
        if self.delegation is not None:
            item[n.ENV_DELEGATION] = self.delegation
        return cbor.encode(cbor.CBORTag(n.TAG_SUIT_ENVELOPE, item) if self.tagged else item)

    @classmethod
    def decode(cls, data: bytes) -> Envelope:
        item = _decode(bytes(data), "the envelope")
        tagged = isinstance(item, cbor.CBORTag)
        if tagged:
            _need(item.tag == n.TAG_SUIT_ENVELOPE, f"tag {item.tag} is not that of an envelope")
            item = item.value
        _need(isinstance(item, dict), "the envelope is not a map")
        _need(
            all(isinstance(value, bytes) for value in item.values()),
            "a member of the envelope is not a byte string",
        )
        for number in (n.ENV_AUTHENTICATION, n.ENV_MANIFEST):
            _need(number in item, f"{labels.ENVELOPE[number]} is missing")
        wrapper = _decode(item.pop(n.ENV_AUTHENTICATION), "the authentication wrapper")
        _need(
            isinstance(wrapper, list)
            and wrapper
            and all(isinstance(each, bytes) for each in wrapper),
            "the authentication wrapper is not a list of byte strings",
        )
        return cls(
            manifest_bytes=item.pop(n.ENV_MANIFEST),
            digest=Digest.from_item(_decode(wrapper[0], "the manifest digest")),
            blocks=wrapper[1:],
            delegation=item.pop(n.ENV_DELEGATION, None),
            members={key: value for key, value in item.items() if not isinstance(key, str)},
            payloads={key: value for key, value in item.items() if isinstance(key, str)},
            tagged=tagged,
        )


def seal(manifest: Manifest, sever=(), payloads=None, tagged=True) -> Envelope:
    """An unsigned envelope of `manifest` with the members numbered in `sever` moved out and replaced by digests."""
    members = {}
    item = manifest.item()
    for number in sever:
        if number not in labels.SEVERABLE:
            raise ValueError(f"{labels.name(labels.MANIFEST, number)} cannot be severed")
        if isinstance(item.get(number), bytes):
            members[number] = item[number]
            item[number] = Digest.of(cbor.encode(item[number])).item()
    return Envelope(
        cbor.encode(item), members=members, payloads=dict(payloads or {}), tagged=tagged
    )
