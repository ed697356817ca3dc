# From bytes nobody trusts to an envelope somebody signed.
# MIT licence.
"""`authenticate(region, trust)` is a generator (see `wait`) and the only way to an `Envelope`:

    envelope = run(authenticate(region, trust))
    envelope.manifest       Manifest: nothing of it was parsed before its digest and one trusted
                            block held
    envelope.digest         bytes of the SUIT_Digest of the manifest; `digest_algorithm`
    envelope.key            trust.Key that signed it
    envelope.member(n)      content of a manifest member, severed or not (digest checked again);
                            None when absent
    envelope.integrated(name)   the payload under that text key as a region, or None

Several blocks: one by a trusted key is enough, unless that key's KEY_QUORUM asks for more of them
(any-of, k-of-n). Delegations in member 1 make further keys trusted: delegation.py.

The region (size, read_at) must not change while it is in use: what counts is read once, into RAM,
and hashed there. The outer map is read through a window of a few bytes; the authentication wrapper
may have 80 KiB and is never in RAM as a whole; a manifest has at most 8 KiB.

Members of the envelope that the manifest does not refer to (other numbers, severed members without
a digest) are not covered by any signature, and nothing here uses them: they are passed over if
they are byte strings (8.1). Severed members that are present must match their digest, needed or
not.

SuitError: R_CBOR_PARSE, R_STRUCTURE, R_LIMIT, R_UNAUTHORISED, R_COSE_UNSUPPORTED,
R_ALG_UNSUPPORTED, R_VERSION, R_SEVERED_DIGEST, R_MEMBER_MISSING; offsets count from the start of
the region, in `Manifest` from that of the manifest. OSError from the region passes through.
Sections 5.1, 5.4, 6.2, 8.2, 8.3, 8.4.12, 8.6."""

try:
    from micropython import const
except ImportError:

    def const(value):
        return value


from . import signers
from .cbor import ARRAY, BSTR, MAP, TAG, TSTR, Cursor, head
from .crypto import digest as digests
from .errors import SuitError
from .manifest import SEVERABLE, Manifest, check_sequence, read_digest
from .numbers import (
    ENV_AUTHENTICATION,
    ENV_DELEGATION,
    ENV_MANIFEST,
    M_COSWID,
    M_TEXT,
    MAX_AUTHENTICATION,
    MAX_MANIFEST,
    MAX_URI,
    R_LIMIT,
    R_MEMBER_MISSING,
    R_NO_PAYLOAD,
    R_SEVERED_DIGEST,
    R_STRUCTURE,
    R_UNAUTHORISED,
    TAG_SUIT_ENVELOPE,
)
from .region import SubRegion, rest

# before anything is authenticated, nobody may make a device remember or verify more than this
_MAX_MEMBERS = const(64)
_MAX_BLOCKS = const(8)

_TOKEN = object()  # what only `authenticate` can hand to Envelope


def _cursor(region, at, buf):
    """A cursor over what `buf` holds of the region from `at` on."""
    return Cursor(buf, 0, region.read_at(at, buf), at)


class _Members:
    """Walk over the outer map: where each member's content starts and ends. Nothing is trusted
    yet."""

    def __init__(self, region):
        self.region = region
        self.numbers = {}  # integer key -> (start of the head of the byte string, start of content, end)
        self.texts = []  # the same for text keys: (key start, key end, start, end)
        buf = bytearray(10)
        c = _cursor(region, 0, buf)
        at = 0
        if c.peek() == TAG:
            if c.tag() != TAG_SUIT_ENVELOPE:
                c.fail("not a SUIT envelope", 0, R_STRUCTURE)
            at = c.pos
        c = _cursor(region, at, buf)
        count = c.length(MAP)
        if count > _MAX_MEMBERS:
            c.fail("too many members", 0, R_LIMIT)
        at += c.pos
        last = None
        for _ in range(count):
            at, last = self._member(at, buf, last)
        if at != region.size:
            c.fail("trailing bytes", at - c.base)
        if ENV_AUTHENTICATION not in self.numbers or ENV_MANIFEST not in self.numbers:
            raise SuitError(R_STRUCTURE, "no authentication wrapper or no manifest", 0)

    def _member(self, at, buf, last):
        """One pair at `at`: returns the offset behind it and the encoded key, to be compared with
        the next one."""
        c = _cursor(self.region, at, buf)
        if c.peek() == TSTR:
            n = c.length(TSTR)
            if n > MAX_URI:
                c.fail("URI is too long", 0, R_LIMIT)
            key = bytearray(c.pos + n)
            if self.region.read_at(at, key) != len(key):
                c.fail("ends too early")
            Cursor(key, base=at).text()
            number = None
        else:
            number = c.int()
            key = bytearray(buf[: c.pos])
        if last is not None and not bytes(last) < bytes(key):
            c.fail("duplicate key or keys out of order", 0)
        value_at = at + len(key)
        c = _cursor(self.region, value_at, buf)
        n = c.length(BSTR)
        start = value_at + c.pos
        if n > self.region.size - start:
            c.fail("ends too early", 0)
        if number is None:
            self.texts.append((value_at - (len(key)), value_at, start, start + n))
        else:
            self.numbers[number] = (value_at, start, start + n)
        return start + n, key


def _hash(region, start, end, algorithm, buf):
    """Generator: the digest of region[start:end]."""
    hasher = digests.new(algorithm)
    view = memoryview(buf)
    while start < end:
        n = region.read_at(start, view[: min(len(buf), end - start)])
        if not n:
            raise SuitError(R_STRUCTURE, "the envelope became shorter", start)
        hasher.update(view[:n])
        start += n
        yield
    return hasher.digest()


def _load(region, start, end, limit):
    if end - start > limit:
        raise SuitError(R_LIMIT, end - start, start)
    data = bytearray(end - start)
    if region.read_at(start, data) != len(data):
        raise SuitError(R_STRUCTURE, "the envelope became shorter", start)
    return data


def _holds(algorithm, expected, bstr_content):
    """True when the digest over the byte string, head included (8.3, 8.4.12), is the expected
    one."""
    hasher = digests.new(algorithm)
    hasher.update(head(BSTR, len(bstr_content)))
    hasher.update(bstr_content)
    return hasher.digest() == bytes(expected)


class _Wrapper:
    """SUIT_Authentication: its SUIT_Digest, and where its blocks lie."""

    def __init__(self, region, start, end):
        if end - start > MAX_AUTHENTICATION:
            raise SuitError(R_LIMIT, "authentication wrapper", start)
        buf = bytearray(10)
        c = _cursor(region, start, buf)
        count = c.length(ARRAY)
        if count > _MAX_BLOCKS + 1:
            c.fail("too many authentication blocks", 0, R_LIMIT)
        at = start + c.pos
        self.blocks = []  # (start, end)
        self.payload = None  # the encoded SUIT_Digest: what the blocks sign
        for i in range(count):
            c = _cursor(region, at, buf)
            n = c.length(BSTR)
            at += c.pos
            if n > end - at:
                c.fail("ends too early", 0)
            if i:
                self.blocks.append((at, at + n))
            else:
                self.payload = _load(region, at, at + n, 128)
                c = Cursor(self.payload, base=at)
                self.algorithm, self.digest = read_digest(c)
                c.end()
            at += n
        if at != end:
            c.fail("trailing bytes", at - c.base)
        if self.payload is None:
            raise SuitError(R_STRUCTURE, "no digest", start)
        self.digest = bytes(self.digest)


def manifest_digest(region, algorithm):
    """Generator: the digest of the manifest in an envelope that nobody has authenticated, as the
    digest of a SUIT_Authentication is taken (trust-domains, SUIT_Dependencies)."""
    span = _Members(region).numbers[ENV_MANIFEST]
    return (yield from _hash(region, span[0], span[2], algorithm, bytearray(256)))


def authenticate(region, trust):
    """Generator -> Envelope; see above."""
    members = _Members(region)
    wrapper = _Wrapper(region, *members.numbers[ENV_AUTHENTICATION][1:])
    head_at, start, end = members.numbers[ENV_MANIFEST]
    if end - start > MAX_MANIFEST:
        raise SuitError(R_LIMIT, "manifest", head_at)
    # the cheap check first: a damaged manifest costs no signature
    found = yield from _hash(region, head_at, end, wrapper.algorithm, bytearray(256))
    if found != wrapper.digest:
        raise SuitError(R_UNAUTHORISED, "manifest digest", head_at)
    if ENV_DELEGATION in members.numbers:
        trust = yield from signers.delegated(members, trust)
    key, found = yield from signers.trusted(region, wrapper, trust)
    # signature memory is free again; now the manifest may be loaded. The digest is taken again
    # over what is in RAM: a region that changed meanwhile, or a verdict that a glitch turned
    # round, ends here
    data = _load(region, start, end, MAX_MANIFEST)
    if key not in trust.keys or signers.counting(found) is not key or not _holds(wrapper.algorithm, wrapper.digest, data):
        raise SuitError(R_UNAUTHORISED, "manifest digest", head_at)
    envelope = Envelope(_TOKEN, members, wrapper, key, Manifest(data))
    yield from envelope._check_severed()
    return envelope


class Envelope:
    """An authenticated envelope; only `authenticate` makes one."""

    def __init__(self, token, members, wrapper, key, manifest):
        if token is not _TOKEN:
            raise TypeError("use authenticate()")
        self._members = members
        self._payload = wrapper.payload
        self._wrapper_span = members.numbers[ENV_AUTHENTICATION]
        self.region = members.region
        self.digest_algorithm = wrapper.algorithm
        self.digest = wrapper.digest
        self.key = key
        self.manifest = manifest

    def _check_severed(self):
        """Every severed member that came along matches its digest (8.4.12)."""
        buf = bytearray(256)
        for number in self.manifest.severed():
            span = self._members.numbers.get(number)
            if span is None:
                continue
            algorithm, expected = self.manifest.digest_of(number)
            found = yield from _hash(self.region, span[0], span[2], algorithm, buf)
            if found != bytes(expected):
                raise SuitError(R_SEVERED_DIGEST, number, span[0])

    def has(self, number):
        """True when the manifest has this member, here or severed, and it can be had."""
        if self.manifest.digest_of(number):
            return number in self._members.numbers
        return self.manifest.member(number) is not None

    def member(self, number):
        """View of the content of a manifest member; a severed one is loaded and its digest
        checked. None when the manifest has no such member; R_MEMBER_MISSING when it is severed and
        did not come along."""
        digest = self.manifest.digest_of(number)
        if digest is None:
            return self.manifest.member(number)
        if number not in self._members.numbers:
            raise SuitError(R_MEMBER_MISSING, number)
        head_at, start, end = self._members.numbers[number]
        data = _load(self.region, start, end, MAX_MANIFEST)
        rest(self.region)
        if not _holds(digest[0], digest[1], data):
            raise SuitError(R_SEVERED_DIGEST, number, head_at)
        view = memoryview(data)
        if number in SEVERABLE and number != M_TEXT and number != M_COSWID:
            check_sequence(Cursor(view))
        return view

    def integrated(self, name):
        """The payload under text key `name` (str) as a region, or None (5.5). It is not covered by
        the signature: an image-match condition must follow."""
        wanted = name.encode()
        for key_at, value_at, start, end in self._members.texts:
            if value_at - key_at < len(wanted) + 1:
                continue
            key = bytearray(value_at - key_at)
            if self.region.read_at(key_at, key) != len(key):
                raise SuitError(R_NO_PAYLOAD, name)
            if bytes(Cursor(key).text()) == wanted:
                return SubRegion(self.region, start, end - start)
        rest(self.region)
        return None

    def write_severed(self, write):
        """Emit this envelope with nothing but what authenticates it, and the manifest (8.6),
        through `write(bytes-like)`."""
        kept = [
            number
            for number in (ENV_DELEGATION, ENV_AUTHENTICATION, ENV_MANIFEST)
            if number in self._members.numbers
        ]
        write(head(TAG, TAG_SUIT_ENVELOPE) + head(MAP, len(kept)))
        buf = bytearray(256)
        view = memoryview(buf)
        for number in kept:
            at, _, end = self._members.numbers[number]
            write(head(0, number))
            while at < end:
                n = self.region.read_at(at, view[: min(256, end - at)])
                if not n:
                    raise SuitError(R_STRUCTURE, "the envelope became shorter", at)
                write(view[:n])
                at += n
