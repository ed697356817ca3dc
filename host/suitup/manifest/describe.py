"""An envelope for people (`tree`) and for programs (`as_json`): signer, numbers, components, sequences, texts."""

import uuid
from datetime import UTC, datetime

import cbor2

from suitup import numbers as n
from suitup import version
from suitup.keys.model import from_cose_key
from suitup.manifest import labels
from suitup.manifest.model import Digest, Envelope, Sequence, StructureError, Text

_UUIDS = {n.P_VENDOR_ID, n.P_CLASS_ID, n.P_DEVICE_ID}


def component_name(identifier) -> str:
    """`["file", "settings.json"]` for readable segments, `[h'00']` otherwise."""
    return "[" + ", ".join(_segment(part) for part in identifier) + "]"


def _segment(part: bytes) -> str:
    try:
        text = part.decode()
    except UnicodeDecodeError:
        text = ""
    return f'"{text}"' if text and text.isprintable() else f"h'{part.hex()}'"


def _json(value):
    """A value as JSON can hold it; byte strings as `h:<hex>`."""
    if isinstance(value, bytes):
        return "h:" + value.hex()
    if isinstance(value, Digest):
        return {
            "algorithm": labels.name(labels.ALGORITHMS, value.algorithm),
            "digest": value.value.hex(),
        }
    if isinstance(value, Sequence):
        return _sequence(value)
    if isinstance(value, dict):
        return {_key(key): _json(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_json(each) for each in value]
    if isinstance(value, str | int | bool) or value is None:
        return value
    return str(value)


def _key(key):
    return component_name(key) if isinstance(key, tuple) else str(key)


def _parameter(number, value):
    if number in _UUIDS and isinstance(value, bytes) and len(value) == 16:
        return str(uuid.UUID(bytes=value))
    return _json(value)


def _parameters(parameters):
    return {
        labels.name(labels.PARAMETERS, number): _parameter(number, value)
        for number, value in parameters.items()
    }


def _argument(command):
    number, argument = command.number, command.argument
    if number in (n.C_OVERRIDE_PARAMETERS, n.C_SET_PARAMETERS):
        return _parameters(argument)
    if number == n.C_OVERRIDE_MULTIPLE and isinstance(argument, dict):
        return {str(index): _parameters(each) for index, each in argument.items()}
    return _json(argument)


def _sequence(sequence):
    return [
        {"command": command.name, "number": command.number, "argument": _argument(command)}
        for command in sequence
    ]


def block_summary(data: bytes) -> dict:
    """Kind, algorithm and key id of an authentication block, as far as it can be read; says nothing about truth."""
    kinds = {
        n.TAG_SIGN1: "COSE_Sign1",
        n.TAG_MAC0: "COSE_Mac0",
        n.TAG_SIGN: "COSE_Sign",
        n.TAG_MAC: "COSE_Mac",
    }
    try:
        item = cbor2.loads(data)
        out = {"kind": kinds.get(item.tag, f"tag {item.tag}")}
        inner = item.value[3][0] if item.tag == n.TAG_SIGN else item.value
        protected = cbor2.loads(inner[0]) if inner[0] else {}
        out["algorithm"] = labels.name(labels.ALGORITHMS, protected.get(n.HDR_ALG))
        kid = inner[1].get(n.HDR_KID, protected.get(n.HDR_KID))
        if isinstance(kid, bytes):
            out["key"] = kid.hex()
        if item.tag == n.TAG_SIGN:
            out["signatures"] = len(item.value[3])
        return out
    except (cbor2.CBORError, ValueError, TypeError, AttributeError, IndexError, KeyError):
        return {"kind": "unreadable"}


def as_json(envelope: Envelope) -> dict:
    """Everything in the envelope, for `--json`."""
    manifest = envelope.manifest
    severed = manifest.severed()
    out = {
        "tagged": envelope.tagged,
        "digest": _json(envelope.digest),
        "digest-matches": envelope.digest_matches(),
        "authentication": [block_summary(block) for block in envelope.blocks],
        **({} if envelope.delegation is None else {"delegation": delegation_summary(envelope.delegation)}),
        "manifest-version": manifest.version,
        "sequence-number": manifest.sequence_number,
        "manifest-size": len(envelope.manifest_bytes),
        "components": [component_name(each) for each in manifest.components],
    }
    if manifest.set_version is not None:
        out["set-version"] = version.show(manifest.set_version)
    if manifest.reference_uri is not None:
        out["reference-uri"] = manifest.reference_uri
    if manifest.component_id is not None:
        out["component-id"] = component_name(manifest.component_id)
    if manifest.dependencies:
        out["dependencies"] = _json(manifest.dependencies)
    sequences = out["sequences"] = {}
    if manifest.shared is not None:
        sequences["shared"] = _sequence(manifest.shared)
    for number in labels.SEQUENCES:
        if number in manifest.sequences:
            held = envelope.member(number)
            sequences[labels.MANIFEST[number]] = _sequence(held) if held is not None else "severed"
    if severed:
        out["severed"] = {
            labels.MANIFEST[number]: {
                **_json(digest),
                "present": envelope.member(number) is not None,
            }
            for number, digest in severed.items()
        }
    text = _text_of(envelope)
    if text is not None:
        out["text"] = {
            language: {
                _key(key) or "manifest": {
                    labels.name(labels.COMPONENT_TEXT if key else labels.TEXT, label): each
                    for label, each in texts.items()
                }
                if isinstance(texts, dict)
                else _json(texts)
                for key, texts in sections.items()
            }
            for language, sections in text.languages.items()
        }
    for name, found in (("coswid", _coswid(envelope)), ("mud", _mud(manifest))):
        if found is not None:
            out[name] = found
    if envelope.payloads:
        out["integrated"] = {uri: len(data) for uri, data in envelope.payloads.items()}
    unknown = [*(k for k in manifest.other if k != n.M_MUD), *(k for k in envelope.members if k not in labels.ENVELOPE)]
    if unknown:
        out["other-members"] = [labels.name(labels.MANIFEST, number) for number in unknown]
    return out


def _coswid(envelope) -> dict | str | None:
    """What the tag says about itself, or why it says nothing."""
    from suitup import coswid

    held = envelope.manifest.coswid
    data = envelope.member(n.M_COSWID)
    if held is None or not isinstance(data, bytes):
        return None if held is None else "severed, not in this envelope"
    try:
        tag = coswid.read(data)
    except coswid.CoswidError as error:
        return f"unreadable: {error}"
    return {"tag-id": tag.tag_id, "name": tag.name, "version": tag.version, "files": len(tag.files)}


def _mud(manifest) -> dict | str | None:
    from suitup import mud

    if n.M_MUD not in manifest.other:
        return None
    try:
        found = mud.Pointer.decode(manifest.other[n.M_MUD])
    except StructureError as error:
        return f"unreadable: {error}"
    return {"url": found.url, "key": found.ski.value.hex()}


def _text_of(envelope) -> Text | None:
    try:
        return envelope.text()
    except StructureError:
        return None


def _lines(sequence, names, depth):
    """Lines of a command sequence, one per command."""
    pad = "  " * depth
    for command in sequence:
        number, argument = command.number, command.argument
        if number == n.C_SET_COMPONENT_INDEX:
            yield f"{pad}component {_index(argument, names)}"
        elif number in (n.C_OVERRIDE_PARAMETERS, n.C_SET_PARAMETERS):
            word = "set" if number == n.C_OVERRIDE_PARAMETERS else "default"
            for key, value in argument.items():
                yield f"{pad}{word} {labels.name(labels.PARAMETERS, key)} = {_value(key, value)}"
        elif number == n.C_TRY_EACH:
            yield f"{pad}try-each"
            for at, branch in enumerate(argument):
                yield f"{pad}  branch {at}" + (": nothing" if branch is None else "")
                yield from _lines(branch or (), names, depth + 2)
        elif number == n.C_RUN_SEQUENCE:
            yield f"{pad}run-sequence"
            yield from _lines(argument, names, depth + 1)
        elif number == n.C_OVERRIDE_MULTIPLE and isinstance(argument, dict):
            for index, parameters in argument.items():
                yield f"{pad}component {_index(index, names)}"
                for key, value in parameters.items():
                    yield f"{pad}set {labels.name(labels.PARAMETERS, key)} = {_value(key, value)}"
        elif number == n.C_COPY_PARAMS and isinstance(argument, dict):
            for index, wanted in argument.items():
                listed = wanted if isinstance(wanted, list) else [wanted]
                shown = ", ".join(labels.name(labels.PARAMETERS, each) for each in listed)
                yield f"{pad}copy {shown} from {_index(index, names)}"
        else:
            word = "check " if command.is_condition else ""
            shown = "" if isinstance(argument, int) else f" {_json(argument)}"
            yield f"{pad}{word}{command.name}{shown}"


def _index(argument, names):
    if argument is True:
        return "all"
    indices = argument if isinstance(argument, list) else [argument]
    return ", ".join(
        f"{each} {names[each]}" if isinstance(each, int) and 0 <= each < len(names) else str(each)
        for each in indices
    )


def encryption_summary(info: bytes) -> str:
    """`A128GCM, to A128KW key 6b69..., ECDH-ES+A128KW` of a SUIT_Encryption_Info, as far as it can be read."""

    def algorithm(protected, headers):
        found = cbor2.loads(protected) if protected else headers
        return labels.name(labels.ALGORITHMS, found.get(n.HDR_ALG))

    try:
        protected, headers, _, *rest = cbor2.loads(info).value
        out = [algorithm(protected, headers)]
        for recipient in rest[0] if rest else ():
            kid = recipient[1].get(n.HDR_KID)
            out.append(f"to {algorithm(*recipient[:2])}" + (f" key {kid.hex()}" if kid else ""))
        return ", ".join(out)
    except (cbor2.CBORError, ValueError, TypeError, AttributeError, IndexError):
        return "unreadable"


_COMPARISONS = {1: ">", 2: ">=", 3: "=", 4: "<=", 5: "<"}


def _readable(number, value) -> str | None:
    """Parameters of update-management in words; None for others and for what is not what it should be."""
    from suitup.manifest.events import EVENTS

    try:
        if number == n.P_USE_BEFORE:
            return datetime.fromtimestamp(value, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        if number == n.P_MINIMUM_BATTERY:
            return f"{value} mWh"
        if number == n.P_VERSION:
            kind, numbers = cbor2.loads(value)
            return f"{_COMPARISONS[kind]} {version.show(numbers)}"
        if number == n.P_WAIT_INFO:
            events = cbor2.loads(value)
            return ", ".join(f"{EVENTS[event][0]} {_json(argument)!r}" for event, argument in events.items())
        if number == n.P_COMPONENT_METADATA:
            return str(_json(cbor2.loads(value)))
    except (cbor2.CBORError, ValueError, TypeError, AttributeError, KeyError, OverflowError, OSError):
        pass
    return None


def delegation_summary(data: bytes) -> list[str]:
    """One line for each chain of tokens: whose key each of them hands on; says nothing about truth."""
    out = []
    try:
        for chain in cbor2.loads(data):
            links = []
            for token in chain:
                item = cbor2.loads(token)
                signed = item.value if isinstance(item.value, cbor2.CBORTag) else item
                claims = cbor2.loads(signed.value[2])
                words = [from_cose_key(claims[8][1]).describe()]
                if 4 in claims:
                    words.append(f"until {datetime.fromtimestamp(claims[4], UTC):%Y-%m-%d %H:%M:%S} UTC")
                if 3 in claims:
                    words.append(f"for {claims[3]!r}")
                links.append(" ".join(words))
            out.append(", then ".join(links))
    except (cbor2.CBORError, ValueError, TypeError, AttributeError, IndexError, KeyError, OverflowError, OSError):
        return ["unreadable"]
    return out


def _value(number, value):
    words = _readable(number, value)
    if words is not None:
        return words
    if number == n.P_ENCRYPTION_INFO and isinstance(value, bytes):
        return encryption_summary(value)
    shown = _parameter(number, value)
    if isinstance(value, Digest):
        return f"{shown['algorithm']} {shown['digest']}"
    if number == n.P_IMAGE_SIZE:
        return f"{shown} bytes"
    if isinstance(shown, str) and isinstance(value, bytes) and len(shown) > 72:
        return f"{shown[:72]}... ({len(value)} bytes)"
    return repr(shown) if isinstance(value, str) else str(shown)


def tree(envelope: Envelope) -> str:
    """The envelope as an indented text."""
    manifest = envelope.manifest
    out = [f"envelope{'' if envelope.tagged else ' (untagged)'}"]
    for block in envelope.blocks:
        summary = block_summary(block)
        out.append(
            f"  {summary['kind']} {summary.get('algorithm', '')} key {summary.get('key', 'not named')}"
        )
    if not envelope.blocks:
        out.append("  not signed")
    for line in delegation_summary(envelope.delegation) if envelope.delegation is not None else ():
        out.append(f"  delegated to {line}")
    state = "" if envelope.digest_matches() else "  DOES NOT MATCH the manifest"
    out.append(f"  manifest digest {envelope.digest.value.hex()}{state}")
    out.append(f"manifest, {len(envelope.manifest_bytes)} bytes")
    out.append(f"  sequence number {manifest.sequence_number}")
    if manifest.version != 1:
        out.append(f"  format version {manifest.version}")
    if manifest.set_version is not None:
        out.append(f"  version {version.show(manifest.set_version)}")
    if manifest.reference_uri is not None:
        out.append(f"  reference {manifest.reference_uri!r}")
    if manifest.component_id is not None:
        out.append(f"  stored as {component_name(manifest.component_id)}")
    names = [component_name(each) for each in manifest.components]
    for index, name in enumerate(names):
        out.append(f"  component {index} {name}")
    for index, metadata in manifest.dependencies.items():
        prefix = metadata.get(1) if isinstance(metadata, dict) else None
        listed = isinstance(prefix, list) and all(isinstance(part, bytes) for part in prefix)
        shown = component_name(prefix) if listed else f"not an identifier: {_json(prefix)!r}"
        out.append(f"  dependency {index}" + (f" {shown}" if prefix is not None else ""))
    if manifest.shared is not None:
        out += ["  shared", *_lines(manifest.shared, names, 2)]
    for number in labels.SEQUENCES:
        if number not in manifest.sequences:
            continue
        held, severed = envelope.member(number), isinstance(manifest.sequences[number], Digest)
        state = (
            ""
            if not severed
            else " (severed)"
            if held is not None
            else " (severed, not in this envelope)"
        )
        out += [f"  {labels.MANIFEST[number]}{state}", *_lines(held or (), names, 2)]
    text = _text_of(envelope)
    if text is not None:
        for language, sections in text.languages.items():
            out.append(f"  text, {language if language.isprintable() else repr(language)}")
            for key, texts in sections.items():
                table = labels.COMPONENT_TEXT if key else labels.TEXT
                for label, each in texts.items() if isinstance(texts, dict) else ():
                    where = f"{component_name(key)} " if key else ""
                    out.append(f"    {where}{labels.name(table, label)}: {each!r}")
    elif manifest.text is not None:
        out.append("  text (severed, not in this envelope)")
    for name, found in (("coswid", _coswid(envelope)), ("mud", _mud(manifest))):
        if isinstance(found, dict):
            found = ", ".join(f"{key} {value!r}" for key, value in found.items() if value is not None)
        if found is not None:
            out.append(f"  {name}: {found}")
    for uri, data in envelope.payloads.items():
        out.append(f"  integrated payload {uri!r}, {len(data)} bytes")
    return "\n".join(out)
