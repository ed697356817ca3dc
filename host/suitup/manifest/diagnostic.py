"""CBOR diagnostic notation (RFC 8949 section 8, EDN): byte strings that hold CBOR are shown as `<<...>>`.

Works on any bytes, also on envelopes that are refused: what cannot be read stays hexadecimal. Comments name the numbers
of envelopes and manifests."""

import io

import cbor2
from cbor2 import CBORDecoder, CBORTag, break_marker

from suitup import cbor
from suitup import numbers as n
from suitup.manifest import labels

_WIDTH = 88


def edn(data: bytes, indent="  ") -> str:
    """The diagnostic notation of the item in `data`, commented where it is an envelope; trailing bytes are shown."""
    stream = io.BytesIO(bytes(data))
    try:
        item = CBORDecoder(stream).decode()
        if item is break_marker:
            raise ValueError("a break outside of an indefinite item")
    except (cbor2.CBORError, ValueError, RecursionError) as error:
        return f"h'{bytes(data).hex()}'  / {error} /"
    rest = bytes(data)[stream.tell() :]
    out = _show(item, _envelope_context(item), "", indent)
    if rest:
        out += f"\nh'{rest.hex()}'  / {len(rest)} trailing bytes /"
    return out


def _envelope_context(item):
    value = item.value if isinstance(item, CBORTag) else item
    if isinstance(value, dict) and n.ENV_MANIFEST in value:
        return "envelope"
    return "manifest" if isinstance(value, dict) and n.M_COMMON in value else None


# what stands inside: {context: ({key: context of its value}, table of names)}
_SEQUENCES = {number: "sequence" for number in labels.SEQUENCES}
_CONTEXTS = {
    "envelope": (
        {
            n.ENV_AUTHENTICATION: "wrapper",
            n.ENV_MANIFEST: "manifest",
            n.M_TEXT: "text",
            **_SEQUENCES,
        },
        labels.ENVELOPE,
    ),
    "manifest": (
        {n.M_COMMON: "common", n.M_TEXT: "text", n.M_SET_VERSION: "cbor", **_SEQUENCES},
        labels.MANIFEST,
    ),
    "common": ({n.COMMON_SHARED_SEQUENCE: "sequence"}, labels.COMMON),
    "parameters": (
        {
            n.P_IMAGE_DIGEST: "cbor",
            n.P_ENCRYPTION_INFO: "cose",
            n.P_VERSION: "cbor",
            n.P_WAIT_INFO: "cbor",
            n.P_COMPONENT_METADATA: "cbor",
        },
        labels.PARAMETERS,
    ),
    "texts": ({}, labels.TEXT),
    "component-texts": ({}, labels.COMPONENT_TEXT),
}
_ARGUMENTS = {
    n.C_OVERRIDE_PARAMETERS: "parameters",
    n.C_SET_PARAMETERS: "parameters",
    n.C_TRY_EACH: "sequences",
    n.C_RUN_SEQUENCE: "sequence",
    n.C_OVERRIDE_MULTIPLE: "many-parameters",
}


def _show(item, context, pad, indent) -> str:
    """`item` as text; lines after the first start with `pad`."""
    inner = pad + indent
    if isinstance(item, bytes):
        return _bytes(item, context, pad, indent)
    if isinstance(item, str):
        return _text(item)
    if isinstance(item, CBORTag):
        return f"{item.tag}({_show(item.value, context, pad, indent)})"
    if isinstance(item, dict):
        return _map(item, context, pad, indent)
    if isinstance(item, list | tuple):
        if context == "sequence":
            return _sequence(item, pad, indent)
        if context == "wrapper":
            parts = [
                _bytes(each, "cose" if at else "cbor", inner, indent)
                if isinstance(each, bytes)
                else _show(each, None, inner, indent)
                for at, each in enumerate(item)
            ]
        else:
            within = "sequence" if context == "sequences" else None
            parts = [_show(each, within, inner, indent) for each in item]
        return _wrap("[", parts, "]", pad, inner)
    if item is None:
        return "null"
    if isinstance(item, bool):
        return "true" if item else "false"
    if item is cbor2.undefined:
        return "undefined"
    return str(item)


def _wrap(opening, parts, closing, pad, inner):
    flat = opening + ", ".join(parts) + closing
    if len(flat) + len(pad) <= _WIDTH and "\n" not in flat and "/ " not in flat:
        return flat
    return opening + "\n" + ",\n".join(inner + part for part in parts) + "\n" + pad + closing


def _map(item, context, pad, indent):
    inner = pad + indent
    contexts, names = _CONTEXTS.get(context, ({}, {}))
    parts = []
    for key, value in item.items():
        within = contexts.get(key) if isinstance(key, int) else None
        if context == "many-parameters":
            within = "parameters"
        elif context == "text":
            within = "texts"
        elif context == "texts" and isinstance(key, tuple):
            within = "component-texts"
        comment = f"/ {names[key]} / " if isinstance(key, int) and key in names else ""
        parts.append(
            f"{comment}{_show(key, None, inner, indent)}: {_show(value, within, inner, indent)}"
        )
    return _wrap("{", parts, "}", pad, inner)


def _sequence(item, pad, indent):
    inner, parts = pad + indent, []
    for at in range(0, len(item), 2):
        number = item[at]
        comment = f"/ {labels.name(labels.COMMANDS, number)} / " if isinstance(number, int) else ""
        part = comment + _show(number, None, inner, indent)
        if at + 1 < len(item):
            within = _ARGUMENTS.get(number) if isinstance(number, int) else None
            part += ", " + _show(item[at + 1], within, inner, indent)
        parts.append(part)
    return _wrap("[", parts, "]", pad, inner)


def _bytes(data, context, pad, indent):
    if context and context != "raw":
        try:
            nested = cbor2.loads(data)
            if cbor.encode(nested, sort=False) == data:
                if context == "cose":
                    return "<< " + _cose(nested, pad, indent) + " >>"
                return "<< " + _show(nested, context, pad, indent) + " >>"
        except (cbor2.CBORError, ValueError, TypeError, OverflowError, RecursionError):
            pass
    if len(data) > 256:
        return f"h'{data[:32].hex()}...'  / {len(data)} bytes /"
    return f"h'{data.hex()}'"


def _cose(item, pad, indent):
    """A COSE message, its protected headers opened."""
    if isinstance(item, CBORTag) and isinstance(item.value, list) and item.value:
        inner = pad + indent
        parts = []
        for at, each in enumerate(item.value):
            opened = at == 0 and isinstance(each, bytes) and each
            parts.append(
                _bytes(each, "cbor", inner, indent) if opened else _show(each, None, inner, indent)
            )
        return f"{item.tag}(" + _wrap("[", parts, "]", pad, inner) + ")"
    return _show(item, None, pad, indent)


def _text(value):
    """A JSON-like string; control characters cannot reach a terminal."""
    out = []
    for character in value:
        if character in '"\\':
            out.append("\\" + character)
        elif character.isprintable():
            out.append(character)
        else:
            out.append("".join(f"\\u{unit:04x}" for unit in _utf16(character)))
    return '"' + "".join(out) + '"'


def _utf16(character):
    data = character.encode("utf-16-be", "surrogatepass")
    return [int.from_bytes(data[at : at + 2], "big") for at in range(0, len(data), 2)]
