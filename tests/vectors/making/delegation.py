"""Cases of delegation (envelope member 1 of suit-trust-domains): chains of CWTs (RFC 8392, RFC 8747) that lead from an anchor
to whoever signed, and what can be wrong with each link."""

from suitup import cbor
from suitup import numbers as n
from suitup.cose import algorithms
from suitup.keys.trust import Access

from making.parts import (
    CLASS,
    DEVICE,
    NOW,
    VENDOR,
    Anchor,
    Case,
    condition,
    directive,
    manifest,
    override,
    sign,
    test_key,
)

ANCHOR, AUTHOR, STRANGER = test_key("issuer"), test_key("author", "Ed25519"), test_key("stranger")
ROLES = n.ROLE_APP | n.ROLE_DELEGATE
KEYS = [Anchor(ANCHOR, ROLES)]
AUD, EXP, NBF, CNF = 3, 4, 5, 8
WRITE = [override(content=b"x"), directive(n.C_WRITE)]
SECTION = "SUIT_Delegation"


def token(issuer, holder, claims=(), tagged=True, roles=ROLES, quorum=1, access=(), drop=()) -> bytes:
    """A CWT by which `issuer` says that the key of `holder` is to be trusted."""
    claims = {CNF: {1: Anchor(holder, roles, quorum, access).params()}, **dict(claims)}
    payload = cbor.encode({label: value for label, value in claims.items() if label not in drop})
    alg = n.ALG_ED25519 if issuer.kty == n.KTY_OKP else n.ALG_ESP256
    protected = cbor.encode({n.HDR_ALG: alg})
    chosen = algorithms.ED25519 if alg == n.ALG_ED25519 else algorithms.ESP256
    signature = chosen.sign(issuer, cbor.encode(["Signature1", protected, b"", payload]))
    parts = [protected, {n.HDR_KID: issuer.thumbprint}, payload, signature]
    signed = cbor.CBORTag(n.TAG_SIGN1, parts)
    return cbor.encode(cbor.CBORTag(61, signed) if tagged else signed)


def chain(*holders):
    """Tokens from the anchor through each holder."""
    issuers = [ANCHOR, *holders]
    return [token(issuer, holder) for issuer, holder in zip(issuers, holders)]


def _case(name, chains, word, signer=AUTHOR, keys=KEYS, environment=None, note="", commands=WRITE, after=None):
    data = sign(manifest(commands), signer, chains=chains)
    if word == "ok":
        after = {"61": "78"}
    return Case(name, data, word, keys, SECTION, after or {}, None, environment or {}, note=note)


def _links():
    middle = [test_key(f"link {i}") for i in range(4)]
    for count in (1, 2, 4):
        yield _case(f"chain-of-{count}", [chain(*middle[: count - 1], AUTHOR)], "ok")
    yield _case("chain-of-5", [chain(*middle, AUTHOR)], "auth-fail", note="limit: 4")
    yield _case("second-of-two-chains", [chain(STRANGER), chain(AUTHOR)], "ok")
    broken = [token(STRANGER, AUTHOR)]
    yield _case("good-chain-behind-a-broken-one", [broken, chain(AUTHOR)], "ok")
    yield _case("five-chains", [chain(AUTHOR)] * 5, "auth-fail", note="limit: 4")
    yield _case("untagged-token", [[token(ANCHOR, AUTHOR, tagged=False)]], "ok")
    yield _case("anchor-needs-no-chain", [broken], "ok", signer=ANCHOR)
    yield _case("no-chain", None, "auth-fail")


def _claims():
    clock = {"now": NOW}

    def one(name, claims, word, environment):
        return _case(name, [[token(ANCHOR, AUTHOR, claims)]], word, environment=environment)

    yield one("expires-later", {EXP: NOW + 1}, "ok", clock)
    yield one("expires-now", {EXP: NOW}, "auth-fail", clock)
    yield one("expired", {EXP: NOW - 1}, "auth-fail", clock)
    yield one("expires-without-clock", {EXP: NOW + 1}, "auth-fail", {})
    yield one("expires-far", {EXP: 2**40}, "ok", clock)
    yield one("begins-now", {NBF: NOW}, "ok", clock)
    yield one("begins-later", {NBF: NOW + 1}, "auth-fail", clock)
    yield one("begins-without-clock", {NBF: NOW}, "auth-fail", {})
    yield one("expiry-is-text", {EXP: "tomorrow"}, "auth-fail", clock)
    for what, value in (("vendor", VENDOR), ("class", CLASS), ("device", DEVICE)):
        yield one(f"audience-{what}", {AUD: value.hex()}, "ok", {})
    yield one("audience-another", {AUD: bytes(16).hex()}, "auth-fail", {})
    yield one("audience-list", {AUD: [bytes(16).hex(), CLASS.hex()]}, "ok", {})
    yield one("audience-empty-list", {AUD: []}, "auth-fail", {})
    yield one("audience-number", {AUD: 5}, "auth-fail", {})
    yield one("other-claims", {1: "issuer", 2: "subject", 6: NOW, 7: b"id", "name": [1, {2: 3}]}, "ok", {})
    first = token(ANCHOR, STRANGER, {EXP: NOW - 1})
    yield _case("first-link-expired", [[first, token(STRANGER, AUTHOR)]], "auth-fail", environment=clock)
    second = token(STRANGER, AUTHOR, {AUD: bytes(16).hex()})
    yield _case("second-link-for-others", [[token(ANCHOR, STRANGER), second]], "auth-fail")


def _damage():
    good = token(ANCHOR, AUTHOR)
    yield _case("wrong-issuer", [[token(STRANGER, AUTHOR)]], "auth-fail")
    yield _case("wrong-holder", [[token(ANCHOR, STRANGER)]], "auth-fail")
    yield _case("second-link-by-the-anchor", [[token(ANCHOR, STRANGER), token(ANCHOR, AUTHOR)]], "auth-fail")
    yield _case("links-in-wrong-order", [[token(STRANGER, AUTHOR), token(ANCHOR, STRANGER)]], "auth-fail")
    yield _case("changed-signature", [[good[:-1] + bytes([good[-1] ^ 1])]], "auth-fail")
    at = good.index(AUTHOR.params[-2]) + 5
    yield _case("changed-key", [[good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :]]], "auth-fail")
    yield _case("cut-off", [[good[:-5]]], "auth-fail")
    yield _case("trailing-byte", [[good + b"\x00"]], "auth-fail")
    yield _case("no-key-in-it", [[token(ANCHOR, AUTHOR, drop=[CNF])]], "auth-fail")
    yield _case("key-by-name-only", [[token(ANCHOR, AUTHOR, {CNF: {3: AUTHOR.thumbprint}})]], "auth-fail")
    mac = cbor.encode(cbor.CBORTag(n.TAG_MAC0, cbor.decode(token(ANCHOR, AUTHOR, tagged=False), sort=False).value))
    yield _case("token-is-a-mac", [[mac]], "auth-fail")
    yield _case("empty-chain", [[]], "auth-fail")
    yield _case("no-chains", [], "auth-fail")
    yield _case("not-cbor", b"\xff\x00", "auth-fail")
    yield _case("not-a-list", cbor.encode({}), "auth-fail")
    yield _case("not-cbor-but-signed-by-the-anchor", b"\xff\x00", "ok", signer=ANCHOR)


def _rights():
    plain = [Anchor(ANCHOR, n.ROLE_APP)]
    yield _case("anchor-may-not-delegate", [chain(AUTHOR)], "auth-fail", keys=plain)
    first = token(ANCHOR, STRANGER, roles=n.ROLE_APP)
    yield _case("holder-may-not-delegate", [[first, token(STRANGER, AUTHOR)]], "auth-fail")
    others = [Anchor(ANCHOR, ROLES, 2), Anchor(STRANGER, ROLES, 2)]
    yield _case("anchor-under-a-quorum", [chain(AUTHOR)], "auth-fail", keys=others)
    wants_two = token(ANCHOR, AUTHOR, quorum=2, roles=n.ROLE_APP)
    yield _case("holder-under-a-quorum", [[wants_two]], "auth-fail")
    data = sign(manifest(WRITE), AUTHOR, ANCHOR, chains=[[wants_two]])
    yield Case("holder-and-anchor-are-two", data, "ok", KEYS, SECTION, {"61": "78"})
    only = Access(components=((b"b",),))
    bound = token(ANCHOR, AUTHOR, access=(only,))
    yield _case("restricted-by-the-token", [[bound]], "abort")
    restricted = [Anchor(ANCHOR, ROLES, 1, (only,))]
    yield _case("restricted-by-the-anchor", [chain(AUTHOR)], "abort", keys=restricted)
    wider = token(ANCHOR, AUTHOR, access=(Access(components=((),)),))
    yield _case("restriction-is-not-widened", [[wider]], "abort", keys=restricted)
    # two restrictions that leave nothing in common
    both = [Anchor(ANCHOR, ROLES, 1, (Access(components=((b"a",),)),))]
    yield _case("restrictions-add-up", [[bound]], "abort", keys=both)
    allowed = token(ANCHOR, AUTHOR, access=(Access(components=((b"a",),)),))
    yield _case("restricted-and-permitted", [[allowed]], "ok")
    unknown = dict(Anchor(AUTHOR, ROLES).params())
    unknown[n.KEY_ACCESS] = {9: []}
    yield _case("unknown-restriction", [[token(ANCHOR, AUTHOR, {CNF: {1: unknown}})]], "auth-fail")
    made = manifest([*WRITE, condition(n.C_ABORT)])
    data = sign(made, AUTHOR, chains=[chain(AUTHOR)])
    yield Case("delegated-and-refused", data, "condition-failed", KEYS, SECTION, {"61": "78"})


def cases():
    for part in (_links, _claims, _damage, _rights):
        yield from part()
