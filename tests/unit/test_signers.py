"""signers.py, delegation.py, access.py: any-of and k-of-n, chains of tokens, what a key may do."""

import envelopes as e
from envelopes import (
    POLICY,
    Board,
    Tagged,
    digest_of,
    envelope,
    item,
    mac0,
    manifest,
    opened,
    seq,
    wrapped,
    wrapper,
)
from harness import finish, raises
from suit import numbers as n
from suit.access import permit, read
from suit.cbor import encode
from suit.crypto.p256_secret import public
from suit.crypto.p256_sign import sign
from suit.errors import SuitError
from suit.processor import Processor
from suit.trust import TrustStore

A, B = b"\0", b"\1"
SECRETS = [bytes([i]) * 32 for i in range(4)]
NOW = 2000000000


def refuse(call, *args):
    return raises(SuitError, call, *args, reason=n.R_UNAUTHORISED)


# -- several blocks


def store(*quorums, **labels):
    """A store of MAC keys with these quorums."""
    keys = []
    for i in range(len(quorums)):
        key = {1: 4, 3: 5, -1: SECRETS[i], n.KEY_ROLES: labels.get("roles", {}).get(i, n.ROLE_APP)}
        if quorums[i] is not None:
            key[n.KEY_QUORUM] = quorums[i]
        keys.append(key)
    return TrustStore(encode(keys))


def signed(*signers):
    data = manifest(install=seq())
    digest = encode(digest_of(wrapped(data)))
    return envelope(
        data, auth=wrapper(data, blocks=[mac0(digest, key=SECRETS[i]) for i in signers])
    )


def test_any_one_key_is_enough_unless_it_asks_for_more():
    trust = store(None, 1, 2)
    for signers in ((0,), (1,), (3, 0), (2, 1)):
        opened(signed(*signers), trust)
    for signers in ((), (3,), (2,), (2, 3), (2, 2)):
        refuse(opened, signed(*signers), trust)


def test_two_of_three_and_the_same_key_twice_is_one():
    trust = store(2, 2, 2)
    for signers in ((0, 1), (2, 0), (3, 1, 2), (0, 1, 2)):
        opened(signed(*signers), trust)
    for signers in ((0,), (0, 0), (1, 3), (3, 3)):
        refuse(opened, signed(*signers), trust)
    twice = TrustStore(encode([{1: 4, 3: 5, -1: SECRETS[0], n.KEY_QUORUM: 2}] * 2))
    refuse(opened, signed(0, 0), twice)


def test_a_quorum_nobody_can_reach_is_reached_by_nobody():
    refuse(opened, signed(0, 1, 2), store(4, 4, 4))
    opened(signed(0), store(0))


def test_keys_of_other_roles_do_not_count():
    both = n.ROLE_APP | n.ROLE_TRUST
    trust = store(2, 2, roles={0: both, 1: n.ROLE_APP})
    assert opened(signed(0, 1), trust).key is trust.keys[1]  # what both may do
    refuse(opened, signed(0), trust)


def test_a_key_with_a_restriction_has_no_say_in_what_it_may_not():
    narrow = {n.KEY_ACCESS: {2: [3, 20]}}
    keys = [{1: 4, 3: 5, -1: each, n.KEY_QUORUM: 2} for each in SECRETS[:3]]
    keys[0].update(narrow)
    keys[2].update(narrow)
    trust = TrustStore(encode(keys))
    for signers in ((0, 1), (1, 0)):  # two signed, but only within what the first may
        assert opened(signed(*signers), trust).key is trust.keys[0]
    assert opened(signed(2, 0), trust).key.access
    refuse(opened, signed(1), trust)


def test_a_wrapper_full_of_nobodys_signatures_is_given_up_before_it_takes_minutes():
    data = manifest(install=seq())
    digest = encode(digest_of(wrapped(data)))
    blocks = [mac0(digest, key=b"\xff" * 32)] * 7 + [mac0(digest, key=SECRETS[0])]
    sealed = envelope(data, auth=wrapper(data, blocks=blocks))
    trust = store(1, 1, 1, 1)  # every key is tried for every block
    opened(sealed, trust)
    opened(sealed, trust)  # the count starts anew
    trust.keys[:0] = store(2, 2, 2, 2).keys[1:]
    raises(SuitError, opened, sealed, trust, reason=n.R_LIMIT)


# -- delegation


def cose_key(private, **labels):
    x, y = public(private)
    key = {1: 2, -1: 1, -2: x, -3: y}
    for name, value in labels.items():
        key[getattr(n, name)] = value
    return key


ANCHOR, MIDDLE, LAST = (bytes(31) + bytes([i]) for i in (5, 6, 7))


def sign1(private, payload, attached=True):
    protected = encode({1: n.ALG_ESP256})
    signature = sign(private, encode(["Signature1", protected, b"", payload]))
    return item(Tagged(n.TAG_SIGN1, [protected, {}, payload if attached else None, signature]))


def token(issuer, private, more=None, **labels):
    claims = {8: {1: cose_key(private, **labels)}}
    claims.update(more or {})
    return sign1(issuer, encode(claims))


def delegated(tokens, signer=LAST, roles=n.ROLE_APP | n.ROLE_DELEGATE, moment=NOW, more=()):
    """The authenticated envelope by `signer` with one chain."""
    data = manifest(install=seq())
    digest = encode(digest_of(wrapped(data)))
    members = {1: encode([list(tokens)] + list(more))} if tokens is not None else {}
    sealed = envelope(
        data, auth=wrapper(data, blocks=[sign1(signer, digest, False)]), members=members
    )
    trust = TrustStore(encode([cose_key(ANCHOR, KEY_ROLES=roles)])).judges(
        [e.DEVICE, None], moment
    )
    return opened(sealed, trust)


def test_a_key_that_an_anchor_delegates_to_is_trusted():
    found = delegated([token(ANCHOR, LAST)])
    assert found.key.roles == n.ROLE_APP
    refuse(delegated, None)
    refuse(delegated, [token(MIDDLE, LAST)])
    refuse(delegated, [token(ANCHOR, MIDDLE)])
    refuse(lambda: delegated([token(ANCHOR, LAST)], roles=n.ROLE_APP))


def test_a_key_that_needs_another_signature_cannot_make_the_other_signer_up():
    both = n.ROLE_APP | n.ROLE_DELEGATE
    for quorum, fine in ((1, True), (2, False)):
        data = manifest(install=seq())
        digest = encode(digest_of(wrapped(data)))
        # one holder of one anchor: delegates to a key of its own, signs with both
        blocks = [sign1(private, digest, False) for private in (ANCHOR, LAST)]
        members = {1: encode([[token(ANCHOR, LAST, KEY_ROLES=both)]])}
        sealed = envelope(data, auth=wrapper(data, blocks=blocks), members=members)
        anchors = [cose_key(key, KEY_ROLES=both, KEY_QUORUM=quorum) for key in (ANCHOR, MIDDLE)]
        trust = TrustStore(encode(anchors)).judges([e.DEVICE], NOW)
        if fine:
            opened(sealed, trust)
        else:
            refuse(opened, sealed, trust)


def test_a_chain_hands_on_no_more_than_it_has():
    both = n.ROLE_APP | n.ROLE_DELEGATE | n.ROLE_TRUST
    through = token(ANCHOR, MIDDLE, KEY_ROLES=both)
    assert (
        delegated([through, token(MIDDLE, LAST, KEY_ROLES=both)]).key.roles
        == n.ROLE_APP | n.ROLE_DELEGATE
    )
    # who was not told that it may delegate may not
    refuse(delegated, [token(ANCHOR, MIDDLE), token(MIDDLE, LAST)])
    limited = token(ANCHOR, MIDDLE, KEY_ROLES=both, KEY_ACCESS={2: [n.C_WRITE]})
    key = delegated([limited, token(MIDDLE, LAST, KEY_ACCESS={3: [18]})]).key
    assert key.access == ({2: (n.C_WRITE,)}, {3: (18,)})


def test_a_chain_has_at_most_four_tokens():
    both = {"KEY_ROLES": n.ROLE_APP | n.ROLE_DELEGATE}
    chain = (
        [token(ANCHOR, MIDDLE, **both)]
        + [token(MIDDLE, MIDDLE, **both)] * 2
        + [token(MIDDLE, LAST)]
    )
    delegated(chain)
    refuse(
        delegated,
        [token(ANCHOR, MIDDLE, **both)]
        + [token(MIDDLE, MIDDLE, **both)] * 3
        + [token(MIDDLE, LAST)],
    )


def test_what_expired_is_refused_at_an_update_and_stays_at_boot():
    for claims, moment, good in (
        ({4: NOW + 1}, NOW, True), ({4: NOW}, NOW, False), ({4: NOW + 1}, None, False), ({4: 1}, False, True),
        ({5: NOW}, NOW, True), ({5: NOW + 1}, NOW, False), ({5: 1}, None, False), ({}, None, True),
    ):  # fmt: skip
        chain = [token(ANCHOR, LAST, claims)]
        if good:
            delegated(chain, moment=moment)
        else:
            refuse(lambda chain=chain, moment=moment: delegated(chain, moment=moment))


def test_a_delegation_to_another_audience_does_not_count():
    ours = "".join(["%02x" % each for each in e.DEVICE])
    delegated([token(ANCHOR, LAST, {3: ours})])
    delegated([token(ANCHOR, LAST, {3: ["somebody", ours]})])
    refuse(delegated, [token(ANCHOR, LAST, {3: "somebody"})])


def test_a_delegation_that_makes_no_sense_does_not_spoil_others():
    good = [token(ANCHOR, LAST)]
    for bad in (
        [b""],
        [b"\xd2\x80"],
        [sign1(ANCHOR, b"\xa0")],
        [mac0(b"x")],
        [token(ANCHOR, LAST)[:-1] + b"x"],
    ):
        refuse(delegated, bad)
        delegated(bad, more=[good])


def test_the_stored_envelope_keeps_its_delegation():
    found = delegated([token(ANCHOR, LAST)])
    kept = bytearray()
    found.write_severed(kept.extend)
    trust = TrustStore(encode([cose_key(ANCHOR, KEY_ROLES=n.ROLE_APP | n.ROLE_DELEGATE)])).judges(
        [], False
    )
    assert opened(bytes(kept), trust).digest == found.digest


# -- access


def limited(access, **members):
    """Run an update by a key with these restrictions; -> board."""
    key = {1: 4, 3: 5, -1: e.SECRET, n.KEY_ACCESS: access}
    board = Board()
    found = opened(envelope(manifest(**members)), TrustStore(encode([key])))
    finish(Processor(found, board).update())
    return board


WRITES = seq(
    n.C_SET_COMPONENT_INDEX, 0, n.C_OVERRIDE_PARAMETERS, {n.P_CONTENT: b"x"}, n.C_WRITE, POLICY
)


def test_a_key_writes_within_its_prefixes_only():
    for prefixes, reason in (([[A]], 0), ([[]], 0), ([[B], [A]], 0), ([[B]], n.R_COMPONENT_UNAUTHORISED),
                             ([], n.R_COMPONENT_UNAUTHORISED), ([[A, B]], n.R_COMPONENT_UNAUTHORISED)):  # fmt: skip
        if reason:
            raises(SuitError, lambda p=prefixes: limited({1: p}, install=WRITES), reason=reason)
        else:
            assert limited({1: prefixes}, install=WRITES).holds(A) == b"x"


def test_a_key_uses_its_commands_and_parameters_only():
    used = [n.C_SET_COMPONENT_INDEX, n.C_OVERRIDE_PARAMETERS, n.C_WRITE]
    limited({2: used, 3: [n.P_CONTENT]}, install=WRITES)
    for missing in used:
        access = {2: [each for each in used if each != missing]}
        error = raises(
            SuitError, lambda a=access: limited(a, install=WRITES), reason=n.R_NOT_PERMITTED
        )
        assert error.detail == "command %d" % missing
    raises(SuitError, lambda: limited({3: [n.P_URI]}, install=WRITES), reason=n.R_NOT_PERMITTED)


def test_a_restriction_that_the_board_does_not_know_is_refused():
    raises(SuitError, read, encode({4: [1]}), reason=n.R_STRUCTURE)
    raises(SuitError, permit, (read(encode({2: []})),), 2, 1, reason=n.R_NOT_PERMITTED)
    permit((), 2, 1)


def test_what_an_update_found_good_is_good_at_boot_however_many_keys_there_are_by_then():
    """Somebody on the way filled the wrapper with signers of nobody; each is tried with each key."""
    data = manifest(install=seq())
    digest = encode(digest_of(wrapped(data)))
    good = sign1(ANCHOR, digest, False)
    signer = [encode({1: n.ALG_ESP256}), {}, good[-64:-1] + b"x"]
    junk = item(Tagged(n.TAG_SIGN, [b"", {}, None, [signer] * 8]))
    padded = envelope(data, auth=wrapper(data, blocks=[junk] * 3 + [good]))
    one, two = cose_key(ANCHOR), cose_key(MIDDLE)
    assert opened(padded, TrustStore(encode([one])).judges([e.DEVICE], NOW)).key
    both = TrustStore(encode([two, one]))
    assert raises(SuitError, opened, padded, both.judges([e.DEVICE], NOW)).reason == n.R_LIMIT
    assert opened(padded, both.judges([e.DEVICE], False)).key
