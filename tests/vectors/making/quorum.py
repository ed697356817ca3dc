"""Cases of several signers (suit-manifest sections 8.3 and 9): any of the trusted keys, or so many different ones of them."""

from suitup import cbor, cose
from suitup import numbers as n

from making.parts import Anchor, Case, directive, manifest, override, seal, sign, test_key

A, B, C = test_key("quorum a"), test_key("quorum b", "Ed25519"), test_key("quorum c")
MAC, STRANGER = test_key("quorum mac", "HMAC-256"), test_key("stranger")
WRITE = [override(content=b"x"), directive(n.C_WRITE)]
MANIFEST = manifest(WRITE)
SECTION = "suit-authentication-wrapper, KEY_QUORUM"


def _of(quorum, *names, roles=n.ROLE_APP):
    return [Anchor(each, roles, quorum) for each in names]


def _case(name, signers, anchors, word, note=""):
    data = sign(MANIFEST, *signers)
    return Case(name, data, word, anchors, SECTION, {"61": "78"} if word == "ok" else {}, note=note)


def _blocks(blocks):
    envelope = seal(MANIFEST)
    envelope.blocks = blocks(envelope.digest_bytes)
    return envelope.encode()


def cases():
    yield _case("any-of-first", [A], _of(1, A, B), "ok")
    yield _case("any-of-second", [STRANGER, B], _of(1, A, B), "ok")
    yield _case("any-of-none", [STRANGER], _of(1, A, B), "auth-fail")
    yield _case("nobody-signed", [], _of(1, A), "auth-fail")
    two = _of(2, A, B, C)
    for name, signers in (("a-b", [A, B]), ("b-c", [B, C]), ("c-a", [C, A]), ("all", [A, B, C])):
        yield _case(f"two-of-three-{name}", signers, two, "ok")
    for name, signers in (
        ("one", [A]), ("same-key-twice", [A, A]), ("same-key-eight-times", [B] * 8), ("and-a-stranger", [A, STRANGER]),
        ("strangers", [STRANGER, STRANGER]), ("nobody", []),
    ):  # fmt: skip
        yield _case(f"two-of-three-{name}", signers, two, "auth-fail")
    yield _case("two-of-three-stranger-between", [A, STRANGER, C], two, "ok")
    three = _of(3, A, B, C)
    yield _case("three-of-three", [C, A, B], three, "ok")
    yield _case("three-of-three-two", [C, A], three, "auth-fail")
    yield _case("three-of-two", [A, B], _of(3, A, B), "auth-fail", "a quorum nobody can reach")
    # a key of other roles is no co-signer, one of more roles is
    apart = [*_of(2, A), *_of(1, B, roles=n.ROLE_TRUST)]
    yield _case("co-signer-of-another-role", [A], apart, "auth-fail")
    wider = [*_of(2, A), *_of(2, B, roles=n.ROLE_APP | n.ROLE_FIRMWARE)]
    yield _case("co-signer-of-more-roles", [B, A], wider, "ok")
    mixed = [*_of(2, A, B), *_of(1, C)]
    yield _case("key-without-quorum-alone", [C], mixed, "ok")
    yield _case("key-with-quorum-alone", [A], mixed, "auth-fail")
    yield _case("signature-and-mac", [A, MAC], _of(2, A, MAC), "ok")
    # the same key twice in the store is one signer
    yield _case("one-key-listed-twice", [A, A], [*_of(2, A), Anchor(A, n.ROLE_APP, 2)], "auth-fail")

    def damaged(digest):
        block = cose.block(digest, B)
        return [cose.block(digest, A), block[:-1] + bytes([block[-1] ^ 1])]

    def other_manifest(digest):
        other = seal(manifest(WRITE, sequence_number=2)).digest_bytes
        return [cose.block(digest, A), cose.block(other, B)]

    def garbage(digest):
        return [b"\x00", cose.block(digest, A), cbor.encode([1, 2]), cose.block(digest, B)]

    def together(digest):
        return [cose.sign(digest, [A, B])]

    for name, blocks, word in (
        ("second-signature-damaged", damaged, "auth-fail"),
        ("second-signature-of-another-manifest", other_manifest, "auth-fail"),
        ("garbage-between", garbage, "ok"),
        ("one-block-of-two-signatures", together, "auth-fail"),
    ):
        after = {"61": "78"} if word == "ok" else {}
        note = "a block counts for one key, whatever it holds" if blocks is together else ""
        yield Case(name, _blocks(blocks), word, two, SECTION, after, note=note)
    nine = [STRANGER] * 7 + [A, B]
    yield Case("nine-blocks", sign(MANIFEST, *nine), "parse-fail", two, SECTION, {}, also=("auth-fail",), note="limit: 8")
