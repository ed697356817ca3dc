# COSE signatures and MACs over a payload that is known already (RFC 9052).
# MIT licence.
"""`verify(block, payload, trust)` checks a tagged COSE_Sign1, COSE_Sign, COSE_Mac0 or COSE_Mac in
the region `block`: `payload` is the detached payload (for SUIT the encoded SUIT_Digest,
suit-manifest 8.3), or None when the payload must be inside; `trust` a `trust.TrustStore`. It
returns the `Key` whose signature or MAC holds; of several signers one is enough. Otherwise
SuitError:

R_CBOR_PARSE        not well-formed or not deterministic
R_COSE_UNSUPPORTED  not the structure of such an object; alg not protected; payload attached or
                    missing; unknown `crit`
R_ALG_UNSUPPORTED   no signer uses an algorithm of this board
R_UNAUTHORISED      no trusted key for it, or the signature does not hold
R_LIMIT             `trust.tries` are used up

Headers are read through a window of 512 bytes per layer; the signature is handed on as a region,
so that one of 40 KiB never stands in RAM. COSE_Mac is understood with one recipient: `direct` (the
key itself is shared), or a key wrap with a key of the trust store (`mac_key.py`)."""

try:
    from micropython import const
except ImportError:

    def const(value):
        return value


from .cbor import BSTR, NINT, TAG, Cursor, head
from .crypto import verifier
from .errors import SuitError
from .numbers import (
    ALG_DIRECT,
    ALG_HMAC256,
    HDR_ALG,
    HDR_CRIT,
    HDR_KID,
    R_ALG_UNSUPPORTED,
    R_CBOR_PARSE,
    R_COSE_UNSUPPORTED,
    R_LIMIT,
    R_STRUCTURE,
    R_UNAUTHORISED,
    TAG_MAC,
    TAG_MAC0,
    TAG_SIGN,
    TAG_SIGN1,
)
from .optional import optional
from .region import SubRegion

_WINDOW = const(512)  # bytes of headers in one layer
_MAX_SIGNERS = const(8)
_MAX_WRAPPED = const(48)  # bytes of a wrapped key that are looked at, more than one has
_CONTENT_TYPE = const(3)

_CONTEXT = {TAG_SIGN1: "Signature1", TAG_SIGN: "Signature", TAG_MAC0: "MAC0", TAG_MAC: "MAC"}
# what a `crit` list may name: header parameters that this file acts on or may leave aside
# knowingly
_UNDERSTOOD = (HDR_ALG, HDR_KID, _CONTENT_TYPE)


def _refuse(what, offset=None):
    raise SuitError(R_COSE_UNSUPPORTED, what, offset)


class _Reader:
    """A walk over a region through one small window; `at` is the offset where the window
    starts."""

    def __init__(self, region, window):
        self.region = region
        self._buf = bytearray(min(window, region.size))
        self.at = 0

    def cursor(self):
        """A cursor at `at` over as much as the window holds."""
        n = self.region.read_at(self.at, self._buf)
        return Cursor(self._buf, 0, n, self.at)

    def string(self, c):
        """The byte string at the cursor as a region; `at` moves behind it."""
        n = c.length(BSTR)
        start = self.at + c.pos
        if n > self.region.size - start:
            c.fail("ends too early")
        self.at = start + n
        return SubRegion(self.region, start, n)


class _Headers:
    """The two buckets at cursor `c`, which moves behind them. `protected` is the content of the
    protected bucket as it goes into the structure that is signed: the empty map counts as the
    empty string (RFC 9052 section 4.4)."""

    def __init__(self, c, understood=_UNDERSTOOD):
        self.alg = self.kid = None
        self.open_alg = None  # alg in the unprotected bucket: only recipients may have it there
        self.wrap = None  # of a COSE_Mac: how its key is wrapped, and the wrapped key
        self._crit = ()
        inner = c.inner()
        start = inner.pos
        seen = []
        if inner.more():
            n = inner.map()
            for _ in range(n):
                self._one(inner, seen, True)
            inner.end()
        else:
            n = 0
        # the window is used again, so this is a copy
        self.protected = bytes(inner.view[start : inner.limit]) if n else b""
        for label in self._crit:
            if label not in seen or label not in understood:
                _refuse("unknown critical header", c.base + start)
        for _ in range(c.map()):
            self._one(c, seen, False)

    def _one(self, c, seen, protected):
        at = c.base + c.pos
        label = c.int() if c.peek() <= NINT else c.tstr()
        if label in seen:
            _refuse("header twice", at)
        seen.append(label)
        if label == HDR_ALG:
            # an algorithm with a name instead of a number is nobody's here
            alg = c.int() if c.peek() <= NINT else c.tstr()
            if protected:
                self.alg = alg
            else:
                self.open_alg = alg
        elif label == HDR_KID:
            self.kid = bytes(c.bstr())
        elif label == HDR_CRIT:
            if not protected:
                _refuse("crit not protected", at)
            n = c.array()
            if not n:
                _refuse("empty crit", at)
            self._crit = [c.int() if c.peek() <= NINT else c.tstr() for _ in range(n)]
        else:
            c.skip(False)


def _text(text):
    return head(3, len(text)) + text.encode()


def _bytes(data):
    return head(BSTR, len(data)) + bytes(data)


def _check(headers, tag, message, signature, trust):
    """One signature or tag over `message` by any key that may have made it."""
    alg = headers.alg
    if alg is None:
        _refuse("alg is not protected")
    verify_with = verifier(alg).verify
    if (alg == ALG_HMAC256) != (tag in (TAG_MAC0, TAG_MAC)):
        _refuse("alg %d in this structure" % alg)
    failure = None
    wrapped = headers.wrap is not None
    if wrapped:
        mac_key = optional("mac_key")
        if mac_key is None:
            _refuse("a wrapped key")
        keys = mac_key.candidates(trust, headers.kid, *headers.wrap)
    else:
        keys = trust.candidates(alg, headers.kid)
    for key in keys:
        if trust.tries is not None:
            if not trust.tries:
                raise SuitError(R_LIMIT, "too many signatures")
            trust.tries -= 1
        held = None
        try:
            held = verify_with(key, message, signature)
            if held is not key:
                raise SuitError(R_UNAUTHORISED, "verdict")
            if wrapped:
                keys.close()
                return held.kek
            return held
        except SuitError as error:
            failure = error
    raise failure or SuitError(R_UNAUTHORISED, "no trusted key")


def _best(first, second):
    """Of two failures the one that says more: a signature that does not hold before an unknown
    algorithm."""
    if first is None or second.reason == R_UNAUTHORISED:
        return second
    return first


def _read_payload(reader, c, payload):
    """The payload member; moves `reader.at` behind it and returns the payload to be signed."""
    if c.is_null():
        c.null()
        reader.at += c.pos
        if payload is None:
            _refuse("payload is detached")
        return payload
    if payload is not None:
        _refuse("payload is not detached", reader.at + c.pos)
    inside = reader.string(c)
    payload = bytearray(inside.size)
    inside.read_at(0, payload)
    return payload


def _end(reader):
    """Nothing may follow, and the region must really hold what its heads promise."""
    if reader.at != reader.region.size:
        raise SuitError(R_CBOR_PARSE, "trailing bytes", reader.at)


def _one_layer(reader, tag, headers, payload, external):
    """COSE_Sign1 and COSE_Mac0, and COSE_Mac with its recipient: [(headers, message, signature)]."""
    prefix = _text(_CONTEXT[tag]) + _bytes(headers.protected) + _bytes(external) + _bytes(payload)
    message = b"\x84" + prefix
    signature = reader.string(reader.cursor())
    if tag == TAG_MAC:
        c = reader.cursor()
        if c.array() != 1 or c.array() != 3:
            _refuse("one recipient is expected", reader.at)
        recipient = _Headers(c)
        # neither way has anything that could protect a header (RFC 9052, 8.5.1 and 8.5.2)
        if recipient.protected or recipient.alg is not None:
            _refuse("the recipient is neither direct nor a key wrap", reader.at)
        headers.kid = headers.kid or recipient.kid
        key = reader.string(c)
        if recipient.open_alg == ALG_DIRECT:
            if key.size:
                _refuse("a direct recipient has no key", reader.at)
        else:
            wrapped = bytearray(min(key.size, _MAX_WRAPPED))
            key.read_at(0, wrapped)
            headers.wrap = recipient.open_alg, wrapped
    _end(reader)
    return [(headers, message, signature)]


def _signers(reader, headers, payload, external, understood):
    """COSE_Sign: one (headers, message, signature) per signer."""
    c = reader.cursor()
    n = c.array()
    reader.at += c.pos
    if not 1 <= n <= _MAX_SIGNERS:
        _refuse("number of signers", reader.at)
    found = []
    for _ in range(n):
        c = reader.cursor()
        if c.array() != 3:
            _refuse("a signer has three members", reader.at)
        own = _Headers(c, understood)
        message = (
            b"\x85" + _text(_CONTEXT[TAG_SIGN]) + _bytes(headers.protected) + _bytes(own.protected)
            + _bytes(external) + _bytes(payload)
        )  # fmt: skip
        found.append((own, message, reader.string(c)))
    _end(reader)
    return found


def _parse(block, payload, external, tag, understood, window):
    """(tag, [(headers, message, signature region)]) of the whole object, read to its end before
    anything is verified."""
    reader = _Reader(block, window)
    c = reader.cursor()
    if c.peek() == TAG:
        tag = c.tag()
    elif tag is None:
        _refuse("not tagged", 0)
    if tag not in _CONTEXT:
        _refuse("tag %d" % tag, 0)
    start = c.pos
    if c.array() != (5 if tag == TAG_MAC else 4):
        _refuse("number of members", start)
    headers = _Headers(c, understood)
    payload = _read_payload(reader, c, payload)
    if tag == TAG_SIGN:
        return tag, _signers(reader, headers, payload, external, understood)
    return tag, _one_layer(reader, tag, headers, payload, external)


def verify(
    block, payload, trust, external=b"", tag=None, open_alg=False, understood=(), window=_WINDOW
):
    """See above. `external` is the externally supplied data, empty for SUIT. What SUIT does not
    allow, but COSE does: `tag` is the type of an object that carries none, `open_alg` takes the
    algorithm from the unprotected bucket when the protected one has none, `understood` lists
    further labels that `crit` may name because the caller acts on them, `window` is how many bytes
    the headers of one layer may have."""
    try:
        tag, found = _parse(block, payload, external, tag, _UNDERSTOOD + tuple(understood), window)
    except SuitError as error:
        if error.reason == R_STRUCTURE:
            raise SuitError(R_COSE_UNSUPPORTED, error.detail, error.offset)
        raise
    failure = None
    for headers, message, signature in found:
        try:
            if headers.open_alg is not None:
                if not open_alg or headers.alg is not None:
                    _refuse("alg is not protected")
                headers.alg = headers.open_alg
            return _check(headers, tag, message, signature, trust)
        except SuitError as error:
            if error.reason not in (R_UNAUTHORISED, R_ALG_UNSUPPORTED, R_COSE_UNSUPPORTED):
                raise
            failure = _best(failure, error)
    raise failure
