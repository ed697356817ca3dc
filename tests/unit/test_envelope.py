"""envelope.py and manifest.py: what is authentic, and what is refused before anything is parsed."""

import envelopes as e
from envelopes import Tagged, envelope, item, mac0, manifest, opened, seq, wrapped, wrapper
from harness import finish, raises
from suit import numbers as n
from suit.cbor import encode, head
from suit.envelope import Envelope
from suit.errors import SuitError
from suit.region import MemoryRegion
from suit.trust import TrustStore

GOOD = manifest(install=seq(14, 15))


def refused(data, reason, trust=e.TRUST):
    return raises(SuitError, opened, data, trust, reason=reason)


def signed(manifest_bytes, **members):
    return envelope(manifest_bytes, members=members.get("members"))


def test_an_authentic_envelope_hands_out_its_manifest_key_and_digest():
    found = opened(envelope(GOOD))
    assert found.manifest.sequence_number == 1
    assert found.manifest.components == 1
    assert bytes(found.manifest.component(0)) == encode([b"\0"])
    assert found.digest == e.digest_of(wrapped(GOOD))[1]
    assert found.key is e.TRUST.keys[0]
    assert bytes(found.member(n.M_INSTALL)) == seq(14, 15)
    assert found.member(n.M_VALIDATE) is None


def test_the_tag_is_optional_but_no_other_tag_will_do():
    opened(envelope(GOOD, tagged=False))
    data = envelope(GOOD, tagged=False)
    refused(b"\xd8\x6c" + data, n.R_STRUCTURE)
    refused(b"\xd9\x04\x2e" + data, n.R_STRUCTURE)
    refused(b"\xd8\x6b\xd8\x6b" + data, n.R_STRUCTURE)


def test_an_envelope_is_made_by_authenticate_only():
    raises(TypeError, lambda: Envelope(None, None, None, None, None))
    raises(TypeError, lambda: Envelope(object(), None, None, None, None))


def test_every_changed_byte_is_refused():
    data = envelope(manifest(install=seq(14, 15), validate=seq(14, 15)))
    for i in range(len(data)):
        for bit in (1, 0x80):
            changed = bytearray(data)
            changed[i] ^= bit
            try:
                opened(bytes(changed))
            except SuitError:
                continue
            raise AssertionError("byte %d may change" % i)


def test_every_truncation_is_refused():
    data = envelope(GOOD, members={"#p": b"payload"})
    for i in range(len(data)):
        raises(SuitError, opened, data[:i])


def test_trailing_bytes_are_refused_everywhere():
    refused(envelope(GOOD) + b"\0", n.R_CBOR_PARSE)
    refused(envelope(GOOD, wrapper(GOOD) + b"\0"), n.R_CBOR_PARSE)
    refused(envelope(GOOD + b"\0"), n.R_CBOR_PARSE)
    digest = encode(e.digest_of(wrapped(GOOD)))
    refused(envelope(GOOD, wrapper(GOOD, digest=digest + b"\0")), n.R_CBOR_PARSE)
    refused(envelope(GOOD, wrapper(GOOD, [mac0(digest) + b"\0"])), n.R_CBOR_PARSE)
    refused(envelope(manifest(install=seq(14, 15) + b"\0")), n.R_CBOR_PARSE)
    common = encode({2: [[b"\0"]]}) + b"\0"
    refused(envelope(encode({1: 1, 2: 1, 3: common})), n.R_CBOR_PARSE)


def test_the_members_of_the_envelope_are_sorted_and_unique():
    auth = encode(2) + wrapped(wrapper(GOOD))
    body = encode(3) + wrapped(GOOD)
    payload = encode("#a") + wrapped(b"x")
    second = encode("#b") + wrapped(b"x")
    opened(b"\xa4" + auth + body + payload + second)
    for wrong in (body + auth, auth + body + body, auth + auth + body, payload + auth + body):
        data = head(5, 2 if wrong == body + auth else 3) + wrong
        refused(data, n.R_CBOR_PARSE)
    refused(b"\xa4" + auth + body + second + payload, n.R_CBOR_PARSE)
    refused(b"\xa4" + auth + body + payload + payload, n.R_CBOR_PARSE)


def test_an_envelope_needs_authentication_and_manifest():
    refused(encode({2: wrapper(GOOD)}), n.R_STRUCTURE)
    refused(encode({3: GOOD}), n.R_STRUCTURE)
    refused(b"\xa0", n.R_STRUCTURE)
    refused(b"\x80", n.R_STRUCTURE)
    refused(b"", n.R_CBOR_PARSE)


def test_every_member_is_a_byte_string():
    refused(envelope(GOOD, members={16: [1]}), n.R_STRUCTURE)
    refused(envelope(GOOD, members={"#a": "text"}), n.R_STRUCTURE)
    refused(encode({2: [1], 3: GOOD}), n.R_STRUCTURE)
    refused(encode({2: wrapper(GOOD), 3: {1: 1}}), n.R_STRUCTURE)


def test_members_that_nothing_refers_to_are_passed_over():
    found = opened(
        envelope(GOOD, members={1: b"", 99: b"??", -300: b"", n.M_PAYLOAD_FETCH: seq(14, 15)})
    )
    # what no digest covers is never handed out
    assert found.member(n.M_PAYLOAD_FETCH) is None
    assert bytes(found.member(n.M_INSTALL)) == seq(14, 15)
    other = opened(envelope(GOOD, members={n.M_INSTALL: seq(21, 15)}))
    assert bytes(other.member(n.M_INSTALL)) == seq(14, 15)


def test_text_keys_are_utf_8_and_not_longer_than_a_uri():
    refused(envelope(GOOD)[:2] + b"\xa3" + envelope(GOOD)[3:] + b"\x61\xff\x40", n.R_CBOR_PARSE)
    opened(envelope(GOOD, members={"u" * 512: b""}))
    refused(envelope(GOOD, members={"u" * 513: b""}), n.R_LIMIT)


def test_a_huge_count_of_members_or_blocks_is_refused_at_once():
    refused(b"\xbb\xff\xff\xff\xff\xff\xff\xff\xff", n.R_LIMIT)
    refused(envelope(GOOD, members=dict((i, b"") for i in range(100, 200))), n.R_LIMIT)
    refused(envelope(GOOD, wrapper(GOOD, [b""] * 9)), n.R_LIMIT)
    refused(envelope(GOOD, b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff"), n.R_LIMIT)


def test_a_length_beyond_the_envelope_is_refused():
    refused(b"\xa2\x02\x5b\xff\xff\xff\xff\xff\xff\xff\xff\x00", n.R_CBOR_PARSE)
    refused(b"\xa2\x7b\xff\xff\xff\xff\xff\xff\xff\xff\x00", n.R_LIMIT)


def test_a_manifest_of_8_kib_is_taken_and_one_byte_more_is_not():
    def sized(size):
        made = manifest(install=seq(14, 15), text=b"t" * 7900)
        return manifest(install=seq(14, 15), text=b"t" * (7900 + size - len(made)))

    assert len(sized(8192)) == 8192
    opened(envelope(sized(8192)))
    refused(envelope(sized(8193)), n.R_LIMIT)


def test_an_authentication_wrapper_over_80_kib_is_refused():
    digest = encode(e.digest_of(wrapped(GOOD)))
    refused(envelope(GOOD, encode([digest, b"x" * 81920])), n.R_LIMIT)


def test_without_a_block_nothing_is_authentic():
    refused(envelope(GOOD, wrapper(GOOD, [])), n.R_UNAUTHORISED)
    refused(envelope(GOOD, b"\x80"), n.R_STRUCTURE)


def test_the_digest_covers_the_byte_string_with_its_head():
    bare = encode(e.digest_of(GOOD))
    refused(envelope(GOOD, wrapper(GOOD, [mac0(bare)], bare)), n.R_UNAUTHORISED)


def test_the_digest_of_the_manifest_is_a_whole_sha_256():
    full = e.digest_of(wrapped(GOOD))
    for wrong in ([-16, full[1][:31]], [-16, full[1] + b"\0"], [-16, b""]):
        data = encode(wrong)
        refused(envelope(GOOD, wrapper(GOOD, [mac0(data)], data)), n.R_UNAUTHORISED)
    for wrong, reason in (
        ([-17, full[1]], n.R_ALG_UNSUPPORTED),
        ([-16, full[1], 0], n.R_STRUCTURE),
        ([-16], n.R_STRUCTURE),
        (["x", full[1]], n.R_STRUCTURE),
        ({-16: full[1]}, n.R_STRUCTURE),
    ):
        data = encode(wrong)
        refused(envelope(GOOD, wrapper(GOOD, [mac0(data)], data)), reason)


def test_one_block_that_holds_is_enough_wherever_it_stands():
    digest = encode(e.digest_of(wrapped(GOOD)))
    good = mac0(digest)
    other = mac0(digest, key=b"x" * 32)
    unknown = mac0(digest, {1: -999})
    untagged = good[1:]
    for blocks in (
        [good, other],
        [other, good],
        [unknown, good],
        [untagged, good],
        [other, unknown, good],
    ):
        opened(envelope(GOOD, wrapper(GOOD, blocks)))
    refused(envelope(GOOD, wrapper(GOOD, [other, unknown])), n.R_UNAUTHORISED)
    refused(envelope(GOOD, wrapper(GOOD, [unknown])), n.R_ALG_UNSUPPORTED)
    refused(envelope(GOOD, wrapper(GOOD, [untagged])), n.R_COSE_UNSUPPORTED)


def test_a_block_over_another_digest_is_refused():
    other = encode(e.digest_of(b"other"))
    refused(envelope(GOOD, wrapper(GOOD, [mac0(other)])), n.R_UNAUTHORISED)


def test_nothing_is_trusted_by_an_empty_store():
    refused(envelope(GOOD), n.R_UNAUTHORISED, TrustStore(b"\x80"))


def test_severed_members_are_handed_out_when_their_digest_holds():
    install = seq(18, 15)
    data = manifest(install=e.digest_of(wrapped(install)))
    found = opened(envelope(data, members={n.M_INSTALL: install}))
    assert bytes(found.member(n.M_INSTALL)) == install
    assert found.has(n.M_INSTALL)


def test_a_severed_member_that_does_not_match_is_refused_even_if_nobody_needs_it():
    text = b"\xa0"
    data = manifest(install=seq(14, 15), text=e.digest_of(wrapped(text)))
    opened(envelope(data, members={n.M_TEXT: text}))
    opened(envelope(data))
    error = refused(envelope(data, members={n.M_TEXT: b"\xa1"}), n.R_SEVERED_DIGEST)
    assert error.detail == n.M_TEXT
    # the digest is that of the byte string with its head
    bare = manifest(install=seq(14, 15), text=e.digest_of(text))
    refused(envelope(bare, members={n.M_TEXT: text}), n.R_SEVERED_DIGEST)


def test_a_severed_member_that_is_missing_is_refused_when_asked_for():
    found = opened(envelope(manifest(install=e.digest_of(b"x"))))
    assert not found.has(n.M_INSTALL)
    raises(SuitError, found.member, n.M_INSTALL, reason=n.R_MEMBER_MISSING)


def test_a_text_of_any_size_may_be_severed():
    text = b"t" * 20000
    data = manifest(install=seq(14, 15), text=e.digest_of(wrapped(text)))
    opened(envelope(data, members={n.M_TEXT: text}))


def test_a_severed_sequence_is_strict_cbor_and_at_most_8_kib():
    for wrong, reason in (
        (b"\x82\x18\x0e\x0f", n.R_CBOR_PARSE),
        (seq(14, 15) + b"\0", n.R_CBOR_PARSE),
        (b"\x81\x0e", n.R_SEQUENCE),
        (b"\x82\x0e\x59\x20\x00" + b"x" * 8192, n.R_LIMIT),
    ):
        data = manifest(install=e.digest_of(wrapped(wrong)))
        found = opened(envelope(data, members={n.M_INSTALL: wrong}))
        raises(SuitError, found.member, n.M_INSTALL, reason=reason)


def test_integrated_payloads_are_found_by_their_whole_name():
    found = opened(envelope(GOOD, members={"#a": b"first", "#\xe4": b"second", "http://h/x": b""}))
    buf = bytearray(10)
    region = found.integrated("#a")
    assert region.size == 5 and region.read_at(0, buf) == 5 and bytes(buf[:5]) == b"first"
    assert found.integrated("#\xe4").size == 6
    assert found.integrated("http://h/x").size == 0
    for name in ("#", "#ab", "a", "", "#A"):
        assert found.integrated(name) is None


def test_the_severed_envelope_is_authentic_and_has_nothing_else():
    install = seq(18, 15)
    data = manifest(install=e.digest_of(wrapped(install)))
    out = bytearray()
    first = opened(envelope(data, members={n.M_INSTALL: install, "#p": b"payload"}))
    first.write_severed(out.extend)
    again = opened(bytes(out))
    assert again.digest == first.digest
    assert not again.has(n.M_INSTALL)
    assert again.integrated("#p") is None


def test_a_region_that_changes_after_its_digest_was_checked_is_refused():
    data = envelope(GOOD)
    evil = bytearray(data)
    evil[-4] ^= 1

    class Changing(MemoryRegion):
        reads = 0

        def read_at(self, offset, buf):
            count = MemoryRegion.read_at(self, offset, buf)
            if offset == len(data) - len(GOOD) and count == len(GOOD):
                buf[count - 4] ^= 1
            return count

    from suit.envelope import authenticate

    raises(
        SuitError, lambda: finish(authenticate(Changing(data), e.TRUST)), reason=n.R_UNAUTHORISED
    )


def test_the_version_is_looked_at_before_everything_else():
    assert refused(envelope(manifest(version=2)), n.R_VERSION).detail == 2
    refused(envelope(manifest(version=0)), n.R_VERSION)
    # another version may look different in all the rest
    refused(envelope(encode({1: 7, 55: "?"})), n.R_VERSION)
    refused(envelope(encode({2: 1, 3: b"\xa0"})), n.R_STRUCTURE)


def test_a_manifest_has_version_number_and_common():
    common = encode({2: [[b"\0"]]})
    opened(envelope(encode({1: 1, 2: 1, 3: common})))
    for wrong in (
        {1: 1},
        {1: 1, 2: 1},
        {1: 1, 3: common},
        {1: 1, 2: 1, 4: "u"},
        {1: 1, 2: -1, 3: common},
        {1: 1, 2: 1, 3: {2: [[b"\0"]]}},
        [1, 1, common],
        {1: "1", 2: 1, 3: common},
    ):
        refused(envelope(encode(wrong)), n.R_STRUCTURE)


def test_sequence_numbers_have_up_to_64_bits():
    for number in (0, 1 << 30, 1 << 31, 1 << 32, (1 << 63) - 1, 1 << 63, (1 << 64) - 1):
        assert opened(envelope(manifest(sequence=number))).manifest.sequence_number == number


def test_unknown_members_of_manifest_and_common_are_refused():
    for number in (0, 10, 13, 17, 19, 21, 26, 100):
        refused(envelope(manifest(**{"m%d" % number: b""})), n.R_STRUCTURE)
    refused(envelope(encode({1: 1, 2: 1, 3: manifest_common({3: b""}), -1: 0})), n.R_STRUCTURE)
    refused(envelope(manifest(common={2: [[b"\0"]], 3: b"\x80"})), n.R_STRUCTURE)
    refused(envelope(manifest(common={2: [[b"\0"]], 5: 1})), n.R_STRUCTURE)


def manifest_common(more):
    common = {2: [[b"\0"]]}
    common.update(more)
    return encode(common)


def test_keys_of_the_manifest_are_sorted_and_unique():
    common = wrapped(encode({2: [[b"\0"]]}))
    refused(envelope(b"\xa3\x01\x01\x03" + common + b"\x02\x01"), n.R_CBOR_PARSE)
    refused(envelope(b"\xa4\x01\x01\x02\x01\x02\x01\x03" + common), n.R_CBOR_PARSE)
    swapped = wrapped(b"\xa2\x04" + wrapped(seq(14, 15)) + b"\x02\x81\x81\x41\x00")
    refused(envelope(b"\xa3\x01\x01\x02\x01\x03" + swapped), n.R_CBOR_PARSE)


def test_the_component_list_has_1_to_16_arrays_of_byte_strings():
    opened(envelope(manifest(components=[(b"%d" % i,) for i in range(16)])))
    opened(envelope(manifest(components=[()])))
    refused(envelope(manifest(components=[(b"%d" % i,) for i in range(17)])), n.R_LIMIT)
    refused(envelope(manifest(components=[])), n.R_STRUCTURE)
    refused(envelope(manifest(components=[("text",)])), n.R_STRUCTURE)
    refused(envelope(manifest(common={2: [b"\0"]})), n.R_STRUCTURE)
    assert opened(envelope(manifest(common={}))).manifest.components == 0


def test_the_reference_uri_is_text_of_at_most_512_bytes():
    assert opened(envelope(manifest(uri="u" * 512))).manifest.reference_uri == "u" * 512
    refused(envelope(manifest(uri="u" * 513)), n.R_LIMIT)
    refused(envelope(manifest(uri=b"u")), n.R_STRUCTURE)


def test_what_can_not_be_severed_has_no_digest():
    for name in ("validate", "load", "invoke", "uninstall"):
        refused(envelope(manifest(**{name: e.digest_of(b"")})), n.R_STRUCTURE)
    for name in ("fetch", "install", "resolution", "candidate", "text"):
        opened(envelope(manifest(**{name: e.digest_of(b"")})))
        refused(envelope(manifest(**{name: [-16]})), n.R_STRUCTURE)


def test_sequences_are_checked_to_their_last_nested_one_before_any_is_executed():
    odd = b"\x81\x0e"
    long_head = b"\x82\x18\x0e\x0f"
    unsorted = b"\x82\x14\xa2\x15\x61\x61\x0e\x01"
    for wrong, reason in (
        (odd, n.R_SEQUENCE),
        (long_head, n.R_CBOR_PARSE),
        (unsorted, n.R_CBOR_PARSE),
        (b"\xa0", n.R_STRUCTURE),
        (b"\x82\x61\x61\x00", n.R_STRUCTURE),
    ):
        refused(envelope(manifest(install=wrong)), reason)
        refused(envelope(manifest(shared=wrong)), reason)
        refused(envelope(manifest(install=seq(14, 15), load=wrong)), reason)
        refused(envelope(manifest(install=seq(32, seq(32, wrong)))), reason)
        refused(envelope(manifest(install=seq(15, [seq(14, 15), seq(15, [wrong, None])]))), reason)


def test_eight_nested_sequences_are_taken_and_nine_are_not():
    def nested(depth):
        inner = seq(14, 15)
        for i in range(depth):
            inner = seq(32, inner) if i & 1 else seq(15, [inner, None])
        return inner

    opened(envelope(manifest(install=nested(8))))
    refused(envelope(manifest(install=nested(9))), n.R_SEQUENCE)
    refused(envelope(manifest(install=nested(100))), n.R_SEQUENCE)


def test_a_try_each_has_one_to_eight_sequences_and_nil_only_at_its_end():
    one = seq(14, 15)
    opened(envelope(manifest(install=seq(15, [one] * 8 + [None]))))
    refused(envelope(manifest(install=seq(15, [one] * 9))), n.R_LIMIT)
    refused(envelope(manifest(install=seq(15, []))), n.R_STRUCTURE)
    refused(envelope(manifest(install=seq(15, [None, one]))), n.R_STRUCTURE)
    refused(envelope(manifest(install=seq(15, [one, 1]))), n.R_STRUCTURE)
    refused(envelope(manifest(install=seq(15, one))), n.R_STRUCTURE)
    refused(envelope(manifest(install=seq(32, [one]))), n.R_STRUCTURE)


def test_offsets_tell_where_in_the_envelope():
    data = envelope(GOOD) + b"\0"
    assert refused(data, n.R_CBOR_PARSE).offset == len(data) - 1
    digest = encode(e.digest_of(wrapped(GOOD)))
    untagged = item([encode({1: 5}), {}, None, b"x" * 32])
    data = envelope(GOOD, wrapper(GOOD, [untagged]))
    assert refused(data, n.R_COSE_UNSUPPORTED).offset == data.index(untagged)
    assert Tagged and digest
