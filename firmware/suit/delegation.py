# Keys that are trusted because a trusted key says so: CWT chains in the envelope.
# MIT licence.
"""`extended(data, trust)` is a generator; its value is a TrustStore with the keys of `trust` and
those that the chains in `data` lead to (the content of envelope member 1):

    SUIT_Delegation = [ + [ + bstr .cbor CWT ] ]      CWT = COSE_Sign1 (18), perhaps in tag 61

The first token of a chain is signed by an anchor with ROLE_DELEGATE, each further one by the key of
the token before it; `cnf` (8) holds that key as a COSE_Key (RFC 8747). A key gets the roles that its
own KEY_ROLES and its issuer's have in common, and every restriction of both. A key with KEY_QUORUM
above 1 delegates to nobody: alone it does not count. A chain has at most MAX_DELEGATION tokens. One
that does not hold is passed over, as if it were not there.

exp (4) and nbf (5) are judged against `trust.moment`: seconds since 1970; None: no clock, so that
what expires is refused; False: not judged, as at boot, where what was installed in time stays. aud
(3) must be one of `trust.audience` (hex texts of the board's identifiers). Claims this file does
not know are left aside (RFC 8392 section 3)."""

try:
    from micropython import const
except ImportError:

    def const(value):
        return value


from binascii import hexlify

from . import cose
from .cbor import ARRAY, NINT, Cursor
from .errors import SuitError
from .numbers import MAX_DELEGATION, R_LIMIT, R_STRUCTURE, R_UNAUTHORISED, ROLE_DELEGATE, TAG_SIGN1
from .region import MemoryRegion
from .trust import Key, TrustStore

_TAG_CWT = const(61)
_AUD = const(3)
_EXP = const(4)
_NBF = const(5)
_CNF = const(8)
_CNF_KEY = const(1)
_MAX_CHAINS = const(4)


def _refuse(what):
    raise SuitError(R_UNAUTHORISED, what)


def _claims(data):
    """(expiry, not before, audience, raw COSE_Key) of a token that was verified."""
    c = Cursor(data)
    c.tag()
    c.array()
    c.bstr()
    c.skip(False)
    c = c.inner()
    start = c.pos
    c.skip(False)
    c.end()
    c.pos = start
    expiry = begin = audience = key = None
    for _ in range(c.map()):
        label = c.int() if c.peek() <= NINT else c.tstr()
        if label == _EXP:
            expiry = c.int()
        elif label == _NBF:
            begin = c.int()
        elif label == _AUD:
            count = c.array() if c.peek() == ARRAY else 1
            audience = [c.tstr() for _ in range(count)]
        elif label == _CNF:
            for _ in range(c.map()):
                if c.int() == _CNF_KEY:
                    key = c.raw(False)
                else:
                    c.skip(False)
        else:
            c.skip(False)
    return expiry, begin, audience, key


def _judge(expiry, begin, audience, trust):
    moment = trust.moment
    if moment is not False:
        if expiry is not None and (moment is None or moment >= expiry):
            _refuse("delegation expired")
        if begin is not None and (moment is None or moment < begin):
            _refuse("delegation not valid yet")
    names = [hexlify(name).decode() for name in trust.audience if name is not None]
    if audience is not None and not any(each in names for each in audience):
        _refuse("delegation to others")


def _may_delegate(issuer):
    # a token has one signature; who needs others to sign must not make them up
    return issuer.roles & ROLE_DELEGATE and issuer.quorum <= 1


def _named(token, issuer, trust):
    """The key that a token names, with no more rights than its issuer has; refused where it does not
    count here and now."""
    expiry, begin, audience, raw = _claims(token)
    _judge(expiry, begin, audience, trust)
    if raw is None:
        _refuse("a token without a key")
    key = Key(raw)
    key.roles &= issuer.roles
    key.quorum = max(key.quorum, issuer.quorum)
    key.access = issuer.access + key.access
    return key


def _delegated(token, issuers, trust):
    """The key that a token hands the trust of its issuer to."""
    c = Cursor(token)
    if c.tag() == _TAG_CWT:
        token = token[c.pos :]
        c = Cursor(token)
        c.tag()
    if token[0] != 0xC0 | TAG_SIGN1:
        _refuse("not a signed token")
    issuer = cose.verify(MemoryRegion(token), None, issuers, window=1024)
    if not _may_delegate(issuer):
        _refuse("the issuer may not delegate")
    key = _named(token, issuer, trust)
    # all of it once more: one glitch must not make a key of a token, nor give it more rights
    again = _named(token, issuer, trust)
    alike = key.roles == again.roles and key.quorum == again.quorum and key.access == again.access
    if alike and issuer in issuers.keys and _may_delegate(issuer):
        return key
    _refuse("the issuer may not delegate")


def _chain(tokens, trust):
    """Generator: the key at the end of a chain."""
    issuers = trust
    for token in tokens:
        key = _delegated(token, issuers, trust)
        issuers = TrustStore.of((key,))
        yield
    return key


def extended(data, trust):
    c = Cursor(data)
    count = c.array()
    if not 1 <= count <= _MAX_CHAINS:
        c.fail("number of chains", 0, R_LIMIT)
    keys = list(trust.keys)
    for _ in range(count):
        at = c.pos
        size = c.array()
        if size > MAX_DELEGATION:
            c.fail("delegated too often", at, R_LIMIT)
        if not size:
            c.fail("an empty chain", at, R_STRUCTURE)
        tokens = [c.bstr() for _ in range(size)]
        try:
            keys.append((yield from _chain(tokens, trust)))
        except SuitError:
            continue
    c.end()
    return TrustStore.of(keys, trust)
