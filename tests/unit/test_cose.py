"""cose.py and trust.py: which block a key authenticates."""

import envelopes as e
from envelopes import SECRET, Tagged, item, mac0
from harness import raises
from suit import cose
from suit import numbers as n
from suit.cbor import encode
from suit.crypto.hmac256 import hmac
from suit.errors import SuitError
from suit.region import MemoryRegion
from suit.trust import Key, TrustStore

PAYLOAD = encode(e.digest_of(b"manifest"))
VECTORS = __file__.rsplit("/", 2)[0] + "/vectors/"


def verify(block, payload=PAYLOAD, trust=e.TRUST, external=b""):
    trust.tries = None  # the store is shared with other files, which count
    return cose.verify(MemoryRegion(block), payload, trust, external)


def refused(block, reason, payload=PAYLOAD, trust=e.TRUST):
    return raises(SuitError, verify, block, payload, trust, reason=reason)


def store(*keys):
    return TrustStore(encode(list(keys)))


def mac(recipients, protected=None, key=SECRET, more=None):
    protected = encode({1: 5} if protected is None else protected)
    tag = hmac(key, encode(["MAC", protected, b"", PAYLOAD]))
    return item(Tagged(97, [protected, {}, None, tag, recipients] + (more or [])))


def sign1(protected, unprotected=None, payload=None, signature=b"s" * 64, tag=18):
    return item(Tagged(tag, [protected, unprotected or {}, payload, signature]))


def test_a_mac0_over_the_detached_payload_holds():
    assert verify(mac0(PAYLOAD)) is e.TRUST.keys[0]
    refused(mac0(PAYLOAD), n.R_UNAUTHORISED, PAYLOAD + b"\0")
    refused(mac0(PAYLOAD, key=b"x" * 32), n.R_UNAUTHORISED)


def test_external_data_is_part_of_what_is_authenticated():
    protected = encode({1: 5})
    tag = hmac(SECRET, encode(["MAC0", protected, b"more", PAYLOAD]))
    block = item(Tagged(17, [protected, {}, None, tag]))
    verify(block, external=b"more")
    refused(block, n.R_UNAUTHORISED)


def test_a_mac_with_a_direct_recipient_holds():
    verify(mac([[b"", {1: -6}, b""]]))
    verify(mac([[b"", {1: -6, 4: b"kid"}, b""]]))
    verify(mac([[b"\xa0", {1: -6}, b""]]))


# RFC 3394 section 4.6 with the KEK of 256 bits: the wrapped key is 00 11 .. FF 00 01 .. 0F
KEK = bytes(range(32))
WRAPPED = bytes.fromhex("28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21")
UNWRAPPED = bytes.fromhex("00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f")


def wrapped_mac(headers=None, wrapped=WRAPPED, key=UNWRAPPED):
    return mac([[b"", headers or {1: -5}, wrapped]], key=key)


def test_a_mac_with_a_wrapped_key_is_that_of_the_key_that_unwraps_it():
    trust = store({1: 4, 3: 5, -1: SECRET}, {1: 4, 3: -5, -1: b"?" * 32}, {1: 4, 3: -5, -1: KEK})
    assert verify(wrapped_mac(), trust=trust) is trust.keys[2]
    assert verify(wrapped_mac({1: -5, 4: trust.keys[2].kid}), trust=trust) is trust.keys[2]
    assert verify(wrapped_mac({1: -5, 4: b"nobody"}), trust=trust) is trust.keys[2]
    # another MAC key, another wrapped key, another payload
    refused(wrapped_mac(key=SECRET), n.R_UNAUTHORISED, trust=trust)
    refused(wrapped_mac(key=KEK), n.R_UNAUTHORISED, trust=trust)
    refused(wrapped_mac(wrapped=b"\0" + WRAPPED[1:]), n.R_UNAUTHORISED, trust=trust)
    refused(wrapped_mac(), n.R_UNAUTHORISED, PAYLOAD + b"\0", trust=trust)


def test_a_key_wraps_keys_of_macs_only_where_it_says_so():
    for key in (
        {1: 4, -1: KEK},  # it may check MACs: who knows one key of a wrap must not be able to
        {1: 4, 3: 5, -1: KEK},
        {1: 4, 3: -3, -1: KEK},
        {1: 4, 3: -5, 4: [4], -1: KEK},
        {1: 4, 3: -5, -1: KEK[:16]},
        {1: 1, 3: -5, -1: 6, -2: KEK},
    ):
        refused(wrapped_mac(), n.R_UNAUTHORISED, trust=store(key))
    verify(wrapped_mac(), trust=store({1: 4, 3: -5, 4: [6], -1: KEK}))
    # and it makes no MAC itself
    refused(mac0(PAYLOAD, key=KEK), n.R_UNAUTHORISED, trust=store({1: 4, 3: -5, -1: KEK}))


def test_recipients_that_anybody_could_write_are_refused():
    # ECDH-ES needs nothing but the public key of the board; a second recipient would know the key of the MAC
    trust = store({1: 4, 3: -5, -1: KEK}, {1: 4, 3: 5, -1: SECRET})
    for recipients in (
        [[encode({1: -29}), {-1: {1: 1, -1: 4, -2: b"x" * 32}}, WRAPPED]],
        [[b"", {1: -29}, WRAPPED]],
        [[b"", {1: -5}, WRAPPED], [b"", {1: -5}, WRAPPED]],
        [[encode({1: -5}), {}, WRAPPED]],
        [[b"", {1: "A256KW"}, WRAPPED]],
        [[b"", {1: -5}, WRAPPED[:-8]]],
        [[b"", {1: -5}, WRAPPED + bytes(8)]],
        [[b"", {1: -5}, WRAPPED + bytes(100)]],
        [[b"", {1: -5}, b""]],
    ):
        refused(mac(recipients, key=UNWRAPPED), n.R_COSE_UNSUPPORTED, trust=trust)


def test_other_recipients_are_refused():
    for recipients in (
        [],
        [[b"", {1: -6}, b""], [b"", {1: -6}, b""]],
        [[b"", {1: -3}, b"wrapped"]],
        [[b"", {}, b""]],
        [[encode({1: -6}), {}, b""]],
        [[b"", {1: -6}, b"key"]],
        [[b"", {1: -6}, None]],
        [[b"", {1: -6}]],
        [[b"", {1: -6}, b"", []]],
        [b""],
    ):
        refused(mac(recipients), n.R_COSE_UNSUPPORTED)
    refused(mac([[b"", {1: -6}, b""]], more=[0]), n.R_COSE_UNSUPPORTED)


def test_the_mac_of_another_structure_is_refused():
    # the context string keeps Mac and Mac0 apart
    protected = encode({1: 5})
    tag = hmac(SECRET, encode(["MAC0", protected, b"", PAYLOAD]))
    block = item(Tagged(97, [protected, {}, None, tag, [[b"", {1: -6}, b""]]]))
    refused(block, n.R_UNAUTHORISED)


def test_the_tag_is_required_and_must_be_one_of_four():
    untagged = mac0(PAYLOAD)[1:]
    refused(untagged, n.R_COSE_UNSUPPORTED)
    for tag in (16, 19, 61, 96, 99, 107):
        refused(mac0(PAYLOAD, tag=tag), n.R_COSE_UNSUPPORTED)
    refused(item(Tagged(17, Tagged(17, [b"", {}, None, b""]))), n.R_COSE_UNSUPPORTED)


def test_the_algorithm_is_in_the_protected_bucket():
    refused(mac0(PAYLOAD, {}, {1: 5}), n.R_COSE_UNSUPPORTED)
    refused(mac0(PAYLOAD, {4: b"k"}), n.R_COSE_UNSUPPORTED)
    refused(mac0(PAYLOAD, {1: 5}, {1: 5}), n.R_COSE_UNSUPPORTED)
    block = item(Tagged(17, [b"", {}, None, b"t" * 32]))
    refused(block, n.R_COSE_UNSUPPORTED)


def test_the_payload_is_detached():
    refused(mac0(PAYLOAD, payload=PAYLOAD), n.R_COSE_UNSUPPORTED)
    refused(mac0(PAYLOAD, payload=b""), n.R_COSE_UNSUPPORTED)
    refused(mac0(PAYLOAD, payload=False), n.R_COSE_UNSUPPORTED)


def test_an_attached_payload_holds_where_it_is_asked_for():
    block = mac0(PAYLOAD, payload=PAYLOAD)
    verify(block, None)
    refused(mac0(PAYLOAD), n.R_COSE_UNSUPPORTED, None)
    changed = block.replace(PAYLOAD, PAYLOAD[:-1] + b"?")
    refused(changed, n.R_UNAUTHORISED, None)


def test_a_critical_header_must_be_understood():
    refused(mac0(PAYLOAD, {1: 5, 2: [99], 99: 1}), n.R_COSE_UNSUPPORTED)
    refused(mac0(PAYLOAD, {1: 5, 2: ["x"], "x": 1}), n.R_COSE_UNSUPPORTED)
    refused(mac0(PAYLOAD, {1: 5, 2: [4]}), n.R_COSE_UNSUPPORTED)  # named, but not there
    refused(mac0(PAYLOAD, {1: 5, 2: []}), n.R_COSE_UNSUPPORTED)
    refused(mac0(PAYLOAD, {1: 5, 2: 1}), n.R_COSE_UNSUPPORTED)
    refused(mac0(PAYLOAD, {1: 5}, {2: [1]}), n.R_COSE_UNSUPPORTED)
    verify(mac0(PAYLOAD, {1: 5, 2: [1]}))
    verify(mac0(PAYLOAD, {1: 5, 2: [4], 4: b"k"}))


def test_other_headers_are_passed_over_in_any_order():
    verify(mac0(PAYLOAD, {1: 5, 99: [1, {2: 3}]}, {"x": b"y", -7: 1}))
    # sorted or not is the producer's business (RFC 9052 section 3)
    protected = b"\xa2\x04\x41k\x01\x05"
    tag = hmac(SECRET, encode(["MAC0", protected, b"", PAYLOAD]))
    verify(item(Tagged(17, [protected, {}, None, tag])))


def test_a_header_stands_once_in_both_buckets_together():
    refused(mac0(PAYLOAD, {1: 5, 4: b"k"}, {4: b"k"}), n.R_COSE_UNSUPPORTED)
    twice = b"\xa2\x01\x05\x01\x05"
    tag = hmac(SECRET, encode(["MAC0", twice, b"", PAYLOAD]))
    refused(item(Tagged(17, [twice, {}, None, tag])), n.R_COSE_UNSUPPORTED)


def test_blocks_are_strict_cbor():
    good = mac0(PAYLOAD)
    refused(good + b"\0", n.R_CBOR_PARSE)
    refused(b"\xd8\x11" + good[1:], n.R_CBOR_PARSE)
    trailing = encode({1: 5}) + b"\0"
    refused(item(Tagged(17, [trailing, {}, None, b"t" * 32])), n.R_CBOR_PARSE)
    refused(item(Tagged(17, [b"\xa1\x01\x18\x05", {}, None, b"t" * 32])), n.R_CBOR_PARSE)
    for i in range(len(good)):
        raises(SuitError, verify, good[:i])


def test_every_changed_byte_of_a_block_is_refused():
    good = mac0(PAYLOAD, {1: 5}, {4: b"kid"})
    for i in range(len(good)):
        changed = bytearray(good)
        changed[i] ^= 1
        try:
            verify(bytes(changed))
        except SuitError:
            continue
        # only the unprotected hint may change
        assert (
            good[i - 3 : i + 4].find(b"kid") >= 0 or bytes(changed)[i - 1 : i + 1] == b"\xa1\x05"
        )


def test_wrong_structures_are_refused():
    protected = encode({1: 5})
    for members in (
        [],
        [protected, {}, None],
        [protected, {}, None, b"t" * 32, 0],
        [{1: 5}, {}, None, b"t" * 32],
        [protected, [], None, b"t" * 32],
        [protected, {}, None, None],
        [protected, {}, None, [b"t" * 32]],
        [b"\x80", {}, None, b"t" * 32],
    ):
        refused(item(Tagged(17, members)), n.R_COSE_UNSUPPORTED)
    refused(encode(PAYLOAD), n.R_COSE_UNSUPPORTED)
    refused(b"\xd1\xf6", n.R_COSE_UNSUPPORTED)


def test_tags_of_a_wrong_length_are_refused():
    protected = encode({1: 5})
    tag = hmac(SECRET, encode(["MAC0", protected, b"", PAYLOAD]))
    for wrong in (b"", tag[:31], tag[:8], tag + b"\0"):
        refused(item(Tagged(17, [protected, {}, None, wrong])), n.R_UNAUTHORISED)


def test_a_kid_orders_the_keys_and_excludes_none():
    other = {1: 4, 3: 5, 2: b"other", -1: b"o" * 32}
    mine = {1: 4, 3: 5, 2: b"mine", -1: SECRET}
    trust = store(other, mine)
    for kid in (b"mine", b"other", b"unknown", trust.keys[0].kid, trust.keys[1].kid):
        assert verify(mac0(PAYLOAD, {1: 5}, {4: kid}), trust=trust) is trust.keys[1]
        assert verify(mac0(PAYLOAD, {1: 5, 4: kid}), trust=trust) is trust.keys[1]
    assert verify(mac0(PAYLOAD), trust=trust) is trust.keys[1]
    assert trust.candidates(5, b"mine")[0] is trust.keys[1]
    assert trust.candidates(5, trust.keys[1].kid)[0] is trust.keys[1]
    assert trust.candidates(5, b"?")[0] is trust.keys[0]


def test_a_key_serves_its_own_algorithm_only():
    x = b"x" * 32
    any_p256 = Key(encode({1: 2, -1: 1, -2: x, -3: x}))
    assert any_p256.serves(-7) and any_p256.serves(-9) and not any_p256.serves(5)
    bound = Key(encode({1: 2, 3: -9, -1: 1, -2: x, -3: x}))
    assert bound.serves(-9) and not bound.serves(-7)
    p384 = Key(encode({1: 2, -1: 2, -2: x, -3: x}))
    assert not p384.serves(-9)
    ed25519 = Key(encode({1: 1, -1: 6, -2: x}))
    assert ed25519.serves(-8) and ed25519.serves(-19) and not ed25519.serves(-9)
    assert not Key(encode({1: 1, -1: 4, -2: x})).serves(-19)
    secret = Key(encode({1: 4, -1: x}))
    assert secret.serves(5) and not secret.serves(-9)
    # a key that wraps keys authenticates nothing
    assert not Key(encode({1: 4, 3: -3, -1: x})).serves(5)
    assert Key(encode({1: 5, -1: x})).serves(-46)
    assert Key(encode({1: 7, 3: -48, -1: x})).serves(-48)
    assert not Key(encode({1: 7, 3: -48, -1: x})).serves(-49)


def test_a_symmetric_key_that_is_someones_public_key_verifies_no_mac():
    x = b"x" * 32
    protected = encode({1: 5})
    tag = hmac(x, encode(["MAC0", protected, b"", PAYLOAD]))
    block = item(Tagged(17, [protected, {}, None, tag]))
    refused(
        block, n.R_UNAUTHORISED, trust=store({1: 2, -1: 1, -2: x, -3: x}, {1: 1, -1: 6, -2: x})
    )


def test_key_ops_without_verify_rule_a_key_out():
    assert not Key(encode({1: 4, 3: 5, 4: [9], -1: SECRET})).serves(5)
    assert Key(encode({1: 4, 3: 5, 4: [9, 10], -1: SECRET})).serves(5)
    assert Key(encode({1: 4, 3: 5, 4: [2], -1: SECRET})).serves(5)


def test_a_compressed_point_is_of_no_use():
    assert not Key(encode({1: 2, -1: 1, -2: b"x" * 32, -3: True})).serves(-9)


def test_malformed_keys_and_stores_are_refused():
    for wrong in (
        {1: 2, -1: 1, -2: b"x"},
        {1: 4},
        {1: 5, -1: "x"},
        {1: 7, -1: b"x"},
        {1: "OKP", -1: 6, -2: b"x"},
        {1: 2, -1: "P-256", -2: b"", -3: b""},
    ):
        raises(SuitError, Key, encode(wrong), reason=n.R_STRUCTURE)
    raises(SuitError, Key, b"\xa2\x01\x04\x01\x04", reason=n.R_CBOR_PARSE)
    raises(SuitError, TrustStore, b"\xa0", reason=n.R_STRUCTURE)
    raises(SuitError, TrustStore, b"\x80\x00", reason=n.R_CBOR_PARSE)
    raises(SuitError, TrustStore, b"", reason=n.R_CBOR_PARSE)


def test_roles_and_development_marks_are_read():
    trust = store(
        {1: 4, -1: SECRET, n.KEY_ROLES: 5, n.KEY_DEVELOPMENT: True}, {1: 4, -1: b"x" * 32}
    )
    assert trust.keys[0].roles == n.ROLE_APP + n.ROLE_TRUST and trust.keys[0].development
    assert trust.keys[1].roles == n.ROLE_APP and not trust.keys[1].development
    assert trust.development
    assert not store({1: 4, -1: SECRET}).development


def test_keys_need_not_be_sorted():
    key = Key(b"\xa3\x20\x41k\x03\x05\x01\x04")
    assert key.serves(5) and bytes(key.k) == b"k"


def test_of_several_signers_one_is_enough():
    from hashlib import sha256

    assert sha256  # the signature itself is checked by the vectors; here it is the walk
    signer = [encode({1: -9}), {}, b"s" * 64]
    unknown = [encode({1: -999}), {}, b"s"]
    block = item(Tagged(98, [b"", {}, None, [unknown, signer]]))
    refused(block, n.R_UNAUTHORISED, trust=store({1: 2, -1: 1, -2: b"x" * 32, -3: b"y" * 32}))
    refused(item(Tagged(98, [b"", {}, None, [unknown]])), n.R_ALG_UNSUPPORTED)
    for signers in ([], [b""], [[b"", {}]], [signer + [0]], [signer] * 9):
        refused(item(Tagged(98, [b"", {}, None, signers])), n.R_COSE_UNSUPPORTED)
    open_alg = [b"", {1: -9}, b"s" * 64]
    refused(item(Tagged(98, [b"", {}, None, [open_alg]])), n.R_COSE_UNSUPPORTED)


def test_an_unknown_algorithm_is_said_to_be_unsupported():
    assert refused(mac0(PAYLOAD, {1: -7777}), n.R_ALG_UNSUPPORTED).detail == -7777
    refused(mac0(PAYLOAD, {1: "HS256"}), n.R_ALG_UNSUPPORTED)
    refused(sign1(encode({1: -37})), n.R_ALG_UNSUPPORTED)


def test_headers_larger_than_the_window_are_refused_not_read():
    refused(mac0(PAYLOAD, {1: 5}, {33: b"x" * 600}), n.R_CBOR_PARSE)
    refused(mac0(PAYLOAD, {1: 5, 99: b"x" * 600}), n.R_CBOR_PARSE)


def test_the_signature_of_the_published_example_holds():
    with open(VECTORS + "suit-manifest/example1-signed.suit", "rb") as f:
        data = f.read()
    with open(VECTORS + "keys/suit-draft-p256.cose_key.cbor", "rb") as f:
        key = f.read()
    # the draft signs with ES256: the key must not be bound to ESP256
    raises(SuitError, e.opened, data, TrustStore(b"\x81" + key), reason=n.R_UNAUTHORISED)
    assert key[:1] == b"\xa6" and key[3:5] == b"\x03\x28"
    free = b"\xa5" + key[1:3] + key[5:]
    found = e.opened(data, TrustStore(b"\x81" + free))
    assert found.manifest.sequence_number == 1
    assert found.key.kty == n.KTY_EC2
