# Where things come from: URIs, and the stream behind each scheme.
# MIT licence.
"""`open(uri)` gives a *stream*; the module behind a scheme is imported when a URI first needs it.

    stream = transports.open("coap://192.168.4.2/thermo-2.suit")
    yield from stream.start(0, None)          # (offset, mark): where to begin, last time's mark
    while True:
        n = yield from stream.readinto(view)  # bytes written to `view`; 0 at the end
        if not n:
            break
    stream.close()

After `start`, `stream.offset` says at which byte the stream really begins (0 when the content
changed or the server cannot continue), `stream.total` the size of the whole in bytes or None,
`stream.mark` a string that changes with the content (an ETag) or None. `start` and `readinto` are
generators of `suit/wait.py`; they raise SuitError (R_NETWORK, R_SERVER, R_CONTENT_CHANGED,
R_NO_PAYLOAD).

`resolve` and `split` implement what a device needs of RFC 3986: sections 3 and 5.2, without
normalisation."""

from ..errors import SuitError
from ..numbers import MAX_URI, R_LIMIT, R_NO_PAYLOAD


def open(uri, allowed=None):
    """The stream of `uri`: http, https, coap, serial, file, or a path on the board. `allowed(uri)`
    is asked before an HTTP redirect to another host is followed; without it none is.
    SuitError(R_NO_PAYLOAD, scheme) for any other scheme."""
    kind = scheme(uri)
    if kind in ("http", "https"):
        from .http import HTTPStream

        return HTTPStream(uri, allowed)
    if kind == "coap":
        from .coap import CoAPStream

        return CoAPStream(uri)
    if kind == "serial":
        from .serial import SerialStream

        return SerialStream(uri)
    if kind in ("", "file"):
        from .local import FileStream

        if kind:  # RFC 8089: an authority may be left out
            uri = unquote(uri[7:] if uri[5:7] == "//" else uri[5:])
        return FileStream(uri)
    raise SuitError(R_NO_PAYLOAD, kind)


def scheme(uri):
    """The scheme in lower case, "" for a reference without one. SuitError(R_LIMIT) over 512
    bytes."""
    if len(uri.encode()) > MAX_URI:
        raise SuitError(R_LIMIT, "uri")
    for i, c in enumerate(uri):
        if c == ":":
            return uri[:i].lower()
        if not (c.isalpha() or i and (c.isdigit() or c in "+-.")):
            break
    return ""


def split(uri):
    """(scheme, host, port or None, path with query) of an absolute URI; the path starts with "/".
    SuitError(R_NO_PAYLOAD, "uri") for user names, control characters, spaces and what is not
    ASCII."""
    kind = scheme(uri)
    if not kind or uri[len(kind) + 1 : len(kind) + 3] != "//":
        raise SuitError(R_NO_PAYLOAD, "uri")
    for c in uri:
        if not "!" <= c <= "~":  # nothing may end a header line early
            raise SuitError(R_NO_PAYLOAD, "uri")
    rest = uri[len(kind) + 3 :].split("#", 1)[0]
    cut = _first(rest, "/?")
    host, path = rest[:cut], rest[cut:]
    if path[:1] != "/":
        path = "/" + path
    port = None
    colon = host.rfind(":")
    if colon > host.rfind("]"):
        digits = host[colon + 1 :]
        host = host[:colon]
        if digits:
            if not digits.isdigit() or len(digits) > 5 or not 0 < int(digits) < 65536:
                raise SuitError(R_NO_PAYLOAD, "uri")
            port = int(digits)
    if host[:1] == "[" and host[-1:] == "]":
        host = host[1:-1]
    if "@" in host or not host and kind != "file":
        raise SuitError(R_NO_PAYLOAD, "uri")
    return kind, host.lower(), port, path


def resolve(base, reference):
    """`reference` as seen from `base` (RFC 3986 section 5.2): the URL of an envelope makes the
    references in it absolute. Dot segments never climb above the root. "#name" (an integrated
    payload) stays as it is."""
    if reference[:1] == "#" or scheme(reference):
        return reference
    kind = scheme(base)
    head = kind + ":" if kind else ""
    rest = base[len(head) :]
    if reference[:2] == "//":
        return _limited(head + reference)
    authority = ""
    if rest[:2] == "//":
        cut = 2 + _first(rest[2:], "/?#")
        authority, rest = rest[:cut], rest[cut:]
    rest = rest[: _first(rest, "?#")]
    if not reference:
        return _limited(head + authority + rest)
    if reference[0] == "?":
        return _limited(head + authority + rest + reference)
    cut = _first(reference, "?#")
    path, tail = reference[:cut], reference[cut:]
    if path[0] != "/":
        path = rest[: rest.rfind("/") + 1] + path
        if authority and path[0] != "/":
            path = "/" + path
    return _limited(head + authority + _plain(path) + tail)


def _first(text, marks):
    """The index of the first of `marks` in `text`, or its length."""
    for i, c in enumerate(text):
        if c in marks:
            return i
    return len(text)


def _plain(path):
    """`path` without "." and ".." segments."""
    out = []
    parts = path.split("/")
    for i, part in enumerate(parts):
        if part == "..":
            if len(out) > (path[0] == "/"):
                out.pop()
        elif part != ".":
            out.append(part)
        if part in (".", "..") and i == len(parts) - 1:
            out.append("")
    return "/".join(out)


def _limited(uri):
    if len(uri.encode()) > MAX_URI:
        raise SuitError(R_LIMIT, "uri")
    return uri


def unquote(text):
    """`text` with its %XX turned into the bytes they stand for, read as UTF-8.
    SuitError(R_NO_PAYLOAD, "uri")."""
    if "%" not in text:
        return text
    parts = text.encode().split(b"%")
    out = bytearray(parts[0])
    try:
        for part in parts[1:]:
            if len(part) < 2 or part[:1] in b"+- _" or part[1:2] in b" _":
                raise ValueError
            out.append(int(part[:2], 16))
            out.extend(part[2:])
        return bytes(out).decode()
    except (ValueError, UnicodeError):
        raise SuitError(R_NO_PAYLOAD, "uri")
