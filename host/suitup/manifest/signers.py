"""Whose signatures count, on the workstation: any of the trusted keys, so many of them, or whom they delegate to. Written
from suit-manifest sections 8.3 and 9, suit-trust-domains (delegation) and RFC 8392/8747, apart from the device's code.

    anchor = authenticated(blocks, payload, extended(chains, anchors, names, now))"""

from suitup import cbor, cose
from suitup import numbers as n
from suitup.keys.model import BadKey
from suitup.keys.trust import Anchor

_CWT = 61
_AUDIENCE, _EXPIRY, _NOT_BEFORE, _CONFIRMATION = 3, 4, 5, 8
_COSE_KEY = 1
_MAX_CHAINS = 4


class _Broken(ValueError):
    """Why a chain leads to nobody."""


def _is_int(value):
    return isinstance(value, int) and not isinstance(value, bool)


def _enough(found) -> Anchor | None:
    """Of the anchors that signed, the first whose quorum is there."""
    for anchor in found:
        able = {each.key.thumbprint for each in found if each.may_all_of(anchor)}
        if len(able) >= anchor.quorum:
            return anchor
    return None


def authenticated(blocks, payload, anchors) -> tuple[Anchor | None, str]:
    """(the anchor that counts or None, why not) for the authentication blocks of an envelope."""
    failure, found = "nobody signed it", []
    for block in blocks:
        try:
            key = cose.verify(block, payload, [each.key for each in anchors])
        except cose.CoseError as error:
            failure = str(error)
            continue
        found.append(next(each for each in anchors if each.key is key))
        if _enough(found):
            return _enough(found), ""
    return None, "more signatures are needed" if found else failure


def extended(data, anchors, names, now) -> list[Anchor]:
    """`anchors` with those that the chains in `data` (member 1 of an envelope, or None) lead to. `names`: identifiers of
    the device; `now`: seconds since 1970 or None. A chain that does not hold leads to nobody."""
    if data is None or len(data) > n.MAX_MANIFEST:
        return list(anchors)
    try:
        chains = cbor.decode(data)
    except cbor.NotDeterministic:
        return list(anchors)
    good = (
        isinstance(chains, list)
        and 1 <= len(chains) <= _MAX_CHAINS
        and all(isinstance(chain, list) and 1 <= len(chain) <= n.MAX_DELEGATION for chain in chains)
        and all(isinstance(token, bytes) for chain in chains for token in chain)
    )
    out = list(anchors)
    for chain in chains if good else ():
        issuers = anchors
        try:
            for token in chain:
                issuers = [_delegated(token, issuers, names, now)]
        except (_Broken, cose.CoseError, cbor.NotDeterministic, BadKey):
            continue
        out += issuers
    return out


def _delegated(token, issuers, names, now) -> Anchor:
    item = cbor.decode(token, sort=False)
    if isinstance(item, cbor.CBORTag) and item.tag == _CWT:
        token = token[2:]  # the head of tag 61
    key, payload = cose.verify_attached(token, [each.key for each in issuers])
    issuer = next(each for each in issuers if each.key is key)
    if not issuer.roles & n.ROLE_DELEGATE or issuer.quorum > 1:
        raise _Broken("the issuer may not delegate")
    claims = cbor.decode(payload, sort=False)
    if not isinstance(claims, dict):
        raise _Broken("no claims")
    _judge(claims, names, now)
    confirmation = claims.get(_CONFIRMATION)
    holder = confirmation.get(_COSE_KEY) if isinstance(confirmation, dict) else None
    if not isinstance(holder, dict):
        raise _Broken("a token without a key")
    anchor = Anchor.from_params(holder)
    return Anchor(
        anchor.key,
        anchor.roles & issuer.roles,
        max(anchor.quorum, issuer.quorum),
        issuer.access + anchor.access,
    )


def _judge(claims, names, now):
    for label, holds in (
        (_EXPIRY, lambda moment: now is not None and now < moment),
        (_NOT_BEFORE, lambda moment: now is not None and moment <= now),
    ):
        if label in claims and not (_is_int(claims[label]) and holds(claims[label])):
            raise _Broken("not valid now")
    if _AUDIENCE in claims:
        audience = claims[_AUDIENCE]
        meant = audience if isinstance(audience, list) else [audience]
        if not any(name is not None and name.hex() in meant for name in names):
            raise _Broken("for others")
