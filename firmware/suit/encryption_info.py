# COSE_Encrypt and COSE_Encrypt0, taken apart (RFC 9052, section 5).
# MIT licence.
"""`Info(data, external)` reads one tagged object strictly and keeps views into `data`: `alg`,
`nonce`, `aad` (the Enc_structure), `attached` (the ciphertext inside, or None) and `recipients`,
a list of (`Headers`, encrypted key). Raises SuitError: R_CBOR_PARSE, R_COSE_UNSUPPORTED,
R_ALG_UNSUPPORTED."""

try:
    from micropython import const
except ImportError:

    def const(value):
        return value


from .cbor import NINT, TAG, Cursor, encode
from .errors import SuitError
from .numbers import (
    ALG_A128CTR,
    ALG_A128GCM,
    ALG_A256CTR,
    ALG_A256GCM,
    ALG_CHACHA20_POLY1305,
    HDR_ALG,
    HDR_CRIT,
    HDR_EPHEMERAL,
    HDR_IV,
    HDR_KID,
    R_ALG_UNSUPPORTED,
    R_COSE_UNSUPPORTED,
    R_STRUCTURE,
    TAG_ENCRYPT,
    TAG_ENCRYPT0,
)

_MAX_RECIPIENTS = const(32)
_CONTENT_TYPE = const(3)

# alg: bytes of key, nonce and tag, file, class
CONTENT = {
    ALG_A128CTR: (16, 16, 0, "ctr", "CTR"),
    ALG_A256CTR: (32, 16, 0, "ctr", "CTR"),
    ALG_A128GCM: (16, 12, 16, "gcm", "GCM"),
    ALG_A256GCM: (32, 12, 16, "gcm", "GCM"),
    ALG_CHACHA20_POLY1305: (32, 12, 16, "chacha", "ChaCha"),
}

# what a `crit` list may name
_UNDERSTOOD = (HDR_ALG, HDR_KID, HDR_IV, _CONTENT_TYPE, HDR_EPHEMERAL)

# the two buckets of a recipient `direct`, which is what COSE_Encrypt0 implies
_DIRECT = b"\x40\xa1\x01\x25"


def _refuse(what, offset=None):
    raise SuitError(R_COSE_UNSUPPORTED, what, offset)


class Headers:
    """The two buckets at a cursor: `inside` and `open` map labels to encoded values; `protected`
    is the content of the protected one as it is authenticated, the empty map being the empty
    string."""

    def __init__(self, c):
        inner = c.inner()
        start = inner.pos
        self.inside = {}
        self.open = {}
        if inner.more():
            self._read(inner, self.inside)
            inner.end()
        self.protected = inner.view[start : inner.limit] if self.inside else b""
        self._read(c, self.open)
        self._critical()

    def _read(self, c, bucket):
        for _ in range(c.map()):
            label = c.int() if c.peek() <= NINT else c.tstr()
            if label in self.inside or label in self.open:
                c.fail("header twice")
            bucket[label] = c.raw(False)

    def _critical(self):
        if HDR_CRIT in self.open:
            _refuse("crit not protected")
        if HDR_CRIT in self.inside:
            c = Cursor(self.inside[HDR_CRIT])
            n = c.array()
            for _ in range(n):
                label = c.int() if c.peek() <= NINT else c.tstr()
                if label not in self.inside or label not in _UNDERSTOOD:
                    _refuse("unknown critical header")
            if not n:
                _refuse("empty crit")

    def get(self, label):
        """The encoded value, from whichever bucket, or None."""
        return self.inside.get(label) or self.open.get(label)


class Info:
    """`tag`, `open_alg` and `nonce` are what an application beside SUIT may know: the type of an
    untagged object, that alg need not be protected, a nonce that is not sent."""

    def __init__(self, data, external=b"", tag=None, open_alg=False, nonce=None):
        self.nonce = nonce
        try:
            self._parse(Cursor(data), external, tag, open_alg)
        except SuitError as error:
            if error.reason == R_STRUCTURE:
                raise SuitError(R_COSE_UNSUPPORTED, error.detail, error.offset)
            raise

    def _parse(self, c, external, tag, open_alg):
        if c.peek() == TAG:
            tag = c.tag()
        if tag is None:
            _refuse("not tagged", 0)
        if tag not in (TAG_ENCRYPT, TAG_ENCRYPT0):
            _refuse("tag %d" % tag, 0)
        if c.array() != (4 if tag == TAG_ENCRYPT else 3):
            _refuse("number of members", c.pos)
        headers = Headers(c)
        self.attached = None
        if c.is_null():
            c.null()
        else:
            self.attached = c.bstr()
        if tag == TAG_ENCRYPT:
            self.recipients = self._recipients(c)
        else:
            self.recipients = [(Headers(Cursor(_DIRECT)), b"")]
        c.end()
        self.alg = self._alg(headers, open_alg)
        raw = headers.get(HDR_IV)
        if raw is not None:
            self.nonce = Cursor(raw).bstr()
        if self.nonce is None or len(self.nonce) != CONTENT[self.alg][1]:
            _refuse("no nonce of %d bytes" % CONTENT[self.alg][1])
        context = "Encrypt" if tag == TAG_ENCRYPT else "Encrypt0"
        self.aad = encode([context, headers.protected, external])

    def _recipients(self, c):
        n = c.array()
        if not 1 <= n <= _MAX_RECIPIENTS:
            _refuse("number of recipients", c.pos)
        found = []
        for _ in range(n):
            members = c.array()
            headers = Headers(c)
            wrapped = b""
            if c.is_null():
                c.null()
            else:
                wrapped = c.bstr()
            if members != 3:
                # recipients of recipients: structure only, no algorithm here has them
                for _ in range(members - 3):
                    c.skip(False)
                continue
            found.append((headers, wrapped))
        if not found:
            raise SuitError(R_ALG_UNSUPPORTED, "recipients of recipients")
        return found

    def _alg(self, headers, open_alg):
        raw = headers.get(HDR_ALG)
        if raw is None:
            _refuse("no alg")
        if Cursor(raw).peek() > NINT:
            raise SuitError(R_ALG_UNSUPPORTED, "alg by name")
        alg = Cursor(raw).int()
        if alg not in CONTENT:
            raise SuitError(R_ALG_UNSUPPORTED, alg)
        if CONTENT[alg][2]:
            if HDR_ALG not in headers.inside and not open_alg:
                _refuse("alg is not protected")
        elif headers.protected:
            # AES-CTR authenticates nothing, so nothing may look as if it were (section 7)
            _refuse("protected header without a tag")
        return alg
