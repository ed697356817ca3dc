# Encrypted payloads.
# MIT licence.
"""Published examples; every way in which the structure, the key, the tag or the length can be wrong;
nothing usable before the tag holds."""

import json

from harness import raises, skip
from suit import content_key, decrypt
from suit.cbor import encode, head
from suit.crypto import engine
from suit.crypto.ctr import CTR
from suit.errors import SuitError
from suit.numbers import (
    R_ALG_UNSUPPORTED,
    R_CBOR_PARSE,
    R_COSE_UNSUPPORTED,
    R_DECRYPTION,
    R_NO_PAYLOAD,
    R_TOO_LARGE,
)
from suit.region import MemoryRegion
from suit.trust import Key

VECTORS = __file__.rsplit("/", 2)[0] + "/vectors/"
FOLDER = VECTORS + "firmware-encryption/"
TEXT = b"This is a real firmware image."

KEK = bytes(range(16))
KID = b"kid-1"


def read(path):
    with open(path, "rb") as f:
        return f.read()


def symmetric(k, kid=KID, **more):
    labels = {1: 4, -1: k}
    if kid:
        labels[2] = kid
    for name in more:
        labels[{"alg": 3, "ops": 4}[name]] = more[name]
    return Key(encode(labels))


# RFC 3394 section 4.1: this key, wrapped with KEK
CEK = bytes.fromhex("00112233445566778899aabbccddeeff")
WRAPPED = bytes.fromhex("1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5")
NONCE = bytes(range(100, 112))
BLOCK = bytes(range(100, 116))


def recipient(protected=b"", unprotected=None, wrapped=WRAPPED):
    return [protected, {1: -3, 4: KID} if unprotected is None else unprotected, wrapped]


def info(protected=b"\xa1\x01\x01", unprotected=None, recipients=None, inside=None, tag=96):
    members = [protected, {5: NONCE} if unprotected is None else unprotected, inside]
    if tag == 96:
        members.append([recipient()] if recipients is None else recipients)
    return head(6, tag) + encode(members)


def sealed(text, context="Encrypt", protected=b"\xa1\x01\x01", key=CEK):
    """AES-GCM encryption out of the device's own parts: GHASH goes over what CTR made."""
    from suit.crypto.gcm import GCM

    aad = encode([context, protected, b""])
    body = bytearray(text)
    CTR(key, NONCE + b"\x00\x00\x00\x02", 12).crypt(body)
    cipher = GCM(key, NONCE, aad)
    again = bytearray(body)
    cipher.decrypt(again)
    assert again == text
    return bytes(body) + cipher.tag()


def ctr(text, key=CEK):
    body = bytearray(text)
    CTR(key, BLOCK).crypt(body)
    return bytes(body)


CTR_INFO = dict(protected=b"", unprotected={1: -65534, 5: BLOCK})


class Component:
    """What a board's component does, and whether it was asked to keep what it got."""

    def __init__(self):
        self.data = bytearray()
        self.state = None
        self.begun = []

    def begin(self, size=None, digest=None):
        self.begun.append((size, digest))
        self.data = bytearray()
        self.state = "open"
        return 0

    def restart(self):
        self.data = bytearray()

    def write(self, view):
        assert self.state == "open"
        self.data.extend(view)

    def end(self):
        self.state = "complete"

    def abandon(self):
        self.state = "abandoned"
        self.data = bytearray()


def decryptor(*parts, component=None, keys=None, **named):
    component = component or Component()
    keys = [symmetric(KEK)] if keys is None else keys
    return decrypt.Decryptor(info(*parts, **named), keys, component), component


def refused(reason, keys=None, **named):
    return raises(
        SuitError, decrypt.Decryptor, info(**named),
        [symmetric(KEK)] if keys is None else keys, Component(), reason=reason,
    )  # fmt: skip


def curves():
    try:
        from suit.crypto import p256_secret  # noqa: F401
    except ImportError:
        skip("no ECDH in this build")


def example(stem, key):
    keys = [Key(read(VECTORS + "keys/" + key))]
    return decrypt.open(
        read(FOLDER + stem + ".info.cbor"), MemoryRegion(read(FOLDER + stem + ".payload.bin")), keys
    )


def test_the_key_wrap_examples_of_the_draft():
    for stem in ("aes-kw-aes-gcm", "aes-kw-aes-ctr"):
        assert example(stem, "kid-1-a128kw.cose_key.cbor") == TEXT


def test_the_key_agreement_examples_of_the_draft():
    curves()
    for stem in ("es-ecdh-aes-gcm", "es-ecdh-aes-ctr"):
        assert example(stem, "kid-2-ecdh-p256.cose_key.cbor") == TEXT


def test_the_kdf_context_of_the_draft():
    assert content_key.kdf_context(-3, b"\xa1\x01\x38\x1c") == read(
        FOLDER + "a128kw_kdf_context.cbor"
    )


def test_every_size_around_the_pieces_in_writes_of_every_size():
    for n in (0, 1, 15, 16, 17, 1023, 1024, 1025, 1039, 1040, 1041, 2048, 2500):
        text = bytes(i * 7 & 255 for i in range(n))
        for made, named in ((sealed(text), {}), (ctr(text), CTR_INFO)):
            for step in (1, 16, 100, 1024, 1040, 5000):
                if step == 1 and n > 1100:
                    continue
                one, component = decryptor(**named)
                assert one.begin(n) == 0
                for at in range(0, len(made), step):
                    one.write(memoryview(made)[at : at + step])
                one.end()
                assert component.state == "complete" and component.data == text, (n, step)


def test_it_asks_the_component_for_the_plaintext_size_and_never_to_resume():
    one, component = decryptor()
    one.begin(100, b"digest")
    assert component.begun == [(100, None)]
    component = Component()
    component.begin = lambda size, digest: 7
    restarted = []
    component.restart = lambda: restarted.append(1)
    one, _ = decryptor(component=component)
    assert one.begin(100) == 0 and restarted


def test_restart_begins_with_the_first_byte_again():
    text = bytes(1000)
    made = sealed(text)
    one, component = decryptor()
    one.begin(1000)
    one.write(made[:700])
    one.restart()
    one.write(made)
    one.end()
    assert component.data == text


def test_a_wrong_tag_abandons_everything_and_the_last_piece_is_never_written():
    text = bytes(1200)
    made = bytearray(sealed(text))
    for at in (0, 300, 1199, 1200, 1215):
        wrong = bytearray(made)
        wrong[at] ^= 1
        one, component = decryptor()
        one.begin(1200)
        one.write(wrong)
        assert len(component.data) == 1024
        raises(SuitError, one.end, reason=R_DECRYPTION)
        assert component.state == "abandoned"


def test_a_payload_shorter_than_its_tag_is_refused():
    for n in (0, 1, 15):
        one, component = decryptor()
        one.begin(0)
        one.write(bytes(n))
        raises(SuitError, one.end, reason=R_DECRYPTION)
        assert component.state == "abandoned"


def test_more_or_less_plaintext_than_image_size_is_refused():
    for named, made in (({}, sealed(bytes(2000))), (CTR_INFO, ctr(bytes(2000)))):
        one, component = decryptor(**named)
        one.begin(400)
        raises(SuitError, one.write, made, reason=R_TOO_LARGE)
        one.abandon()
        one, component = decryptor(**named)
        one.begin(2001)
        one.write(made)
        raises(SuitError, one.end, reason=R_NO_PAYLOAD)
        assert component.state == "abandoned"


def test_the_key_is_overwritten_at_the_end():
    for finish in ("end", "abandon"):
        one, component = decryptor()
        key, buffer = one._key, one._buffer
        assert key == CEK
        one.begin(5)
        one.write(sealed(b"hello"))
        getattr(one, finish)()
        assert not any(key) and not any(buffer)
        one.abandon()  # twice does no harm
        raises(ValueError, one._start)


def test_encrypt0_and_direct_take_the_shared_key_itself():
    text = b"direct"
    made = sealed(text, "Encrypt0", key=KEK)
    keys = [symmetric(KEK)]
    assert decrypt.open(info(tag=16), MemoryRegion(made), keys) == text
    made = sealed(text, key=KEK)
    direct = [recipient(unprotected={1: -6}, wrapped=b"")]
    assert decrypt.open(info(recipients=direct), MemoryRegion(made), keys) == text
    # and it must be alone, without a wrapped key
    refused(R_COSE_UNSUPPORTED, recipients=[recipient(unprotected={1: -6})])
    refused(R_COSE_UNSUPPORTED, recipients=direct + direct)


def test_a_ciphertext_inside_is_for_open_only():
    made = sealed(b"inside")
    inside = info(inside=made)
    assert decrypt.open(inside, None, [symmetric(KEK)]) == b"inside"
    refused(R_COSE_UNSUPPORTED, inside=made)
    raises(
        SuitError, decrypt.open, inside, MemoryRegion(made), [symmetric(KEK)],
        reason=R_COSE_UNSUPPORTED,
    )  # fmt: skip
    raises(SuitError, decrypt.open, info(), None, [symmetric(KEK)], reason=R_COSE_UNSUPPORTED)


def test_the_right_key_is_found_among_recipients_and_keys():
    wrong = recipient(wrapped=bytes(24))
    other = recipient(unprotected={1: -3, 4: b"other"}, wrapped=bytes(24))
    unknown = recipient(unprotected={1: -4711, 4: KID})
    mine = recipient()
    made = sealed(b"x")
    several = [symmetric(bytes(16), b"zero"), symmetric(bytes(32), KID), symmetric(KEK)]
    for recipients in ([other, mine], [wrong, mine], [unknown, mine], [mine, other, unknown]):
        text = decrypt.open(info(recipients=recipients), MemoryRegion(made), several)
        assert text == b"x"
    # a kid is a hint: without it, or with another one, the key serves as well
    for kid in (None, b"another"):
        assert decrypt.open(info(), MemoryRegion(made), [symmetric(KEK, kid)]) == b"x"


def test_a_board_without_the_key_is_told_so():
    refused(R_DECRYPTION, keys=[])
    raises(SuitError, decrypt.Decryptor, info(), None, Component(), reason=R_DECRYPTION)
    refused(R_DECRYPTION, keys=[symmetric(bytes(16))])
    refused(R_DECRYPTION, keys=[symmetric(bytes(32))])
    refused(R_DECRYPTION, recipients=[recipient(wrapped=WRAPPED[:16])])
    refused(R_DECRYPTION, recipients=[recipient(wrapped=WRAPPED + bytes(8))])
    refused(R_DECRYPTION, recipients=[recipient(wrapped=b"")])


def test_a_key_for_something_else_is_not_used():
    refused(R_DECRYPTION, keys=[symmetric(KEK, alg=5)])
    refused(R_DECRYPTION, keys=[symmetric(KEK, ops=[10])])
    decryptor(keys=[symmetric(KEK, alg=-3, ops=[6])])


def test_algorithms_of_others_are_unsupported():
    refused(R_ALG_UNSUPPORTED, protected=b"\xa1\x01\x02")  # A192GCM
    refused(R_ALG_UNSUPPORTED, protected=b"\xa1\x01\x0a")  # AES-CCM-16-64-128
    refused(R_ALG_UNSUPPORTED, protected=b"\xa1\x01\x61x")
    refused(R_ALG_UNSUPPORTED, recipients=[recipient(unprotected={1: -40})])


def test_hpke_is_refused_as_an_algorithm_nobody_here_has():
    for suite in range(46, 54):  # HPKE-0-KE to HPKE-7-KE: a recipient
        one = recipient(protected=encode({1: suite}), unprotected={-4: bytes(65)})
        refused(R_ALG_UNSUPPORTED, recipients=[one])
    for suite in (35, 37, 39, 41, 42, 43, 44, 45):  # integrated encryption: the content
        refused(R_ALG_UNSUPPORTED, protected=encode({1: suite}))
    # beside a recipient of another kind it does no harm
    decryptor(recipients=[recipient(protected=encode({1: 46}), unprotected={-4: bytes(65)}), recipient()])


def test_structure_that_is_not_cose_is_refused():
    good = info()
    for wrong in (b"", b"\x84", b"\xd8\x60", good[:-1], good + b"\x00", b"\xd8\x60" + good):
        error = raises(SuitError, decrypt.Decryptor, wrong, [symmetric(KEK)], Component())
        assert error.reason in (R_CBOR_PARSE, R_COSE_UNSUPPORTED), error.args
    for n in range(len(good)):
        raises(SuitError, decrypt.Decryptor, good[:n], [symmetric(KEK)], Component())
    refused(R_COSE_UNSUPPORTED, tag=18)
    refused(R_COSE_UNSUPPORTED, recipients=[])
    refused(R_COSE_UNSUPPORTED, recipients=[recipient()] * 33)
    refused(R_COSE_UNSUPPORTED, protected=b"")
    refused(R_COSE_UNSUPPORTED, recipients=[recipient(unprotected={})])
    refused(R_COSE_UNSUPPORTED, recipients=[recipient(protected=b"\xa1\x01\x22", unprotected={})])
    refused(R_CBOR_PARSE, protected=b"\xa1\x01\x01", unprotected={1: 1, 5: NONCE})
    refused(R_CBOR_PARSE, protected=b"\xa2\x01\x01\x01\x01")


def test_alg_must_be_protected_where_there_is_a_tag_and_nothing_where_there_is_none():
    refused(R_COSE_UNSUPPORTED, protected=b"", unprotected={1: 1, 5: NONCE})
    refused(R_COSE_UNSUPPORTED, protected=encode({1: -65534}), unprotected={5: BLOCK})
    refused(R_COSE_UNSUPPORTED, protected=encode({3: 0}), unprotected={1: -65534, 5: BLOCK})
    refused(R_COSE_UNSUPPORTED, recipients=[recipient(unprotected={1: -29})])


def test_a_nonce_of_another_length_is_refused():
    for nonce in (b"", NONCE[:11], NONCE + b"\0", BLOCK):
        refused(R_COSE_UNSUPPORTED, unprotected={5: nonce})
    refused(R_COSE_UNSUPPORTED, unprotected={})
    refused(R_COSE_UNSUPPORTED, protected=b"", unprotected={1: -65534, 5: NONCE})


def test_critical_headers_nobody_here_knows_are_refused():
    refused(R_COSE_UNSUPPORTED, protected=encode({1: 1, 2: [100], 100: 0}))
    refused(R_COSE_UNSUPPORTED, protected=encode({1: 1, 2: [5]}))
    refused(R_COSE_UNSUPPORTED, protected=encode({1: 1, 2: []}))
    refused(R_COSE_UNSUPPORTED, unprotected={2: [5], 5: NONCE})
    protected = encode({1: 1, 2: [1]})
    made = sealed(b"known", protected=protected)
    assert decrypt.open(info(protected), MemoryRegion(made), [symmetric(KEK)]) == b"known"


def test_an_ephemeral_key_that_is_no_point_or_of_another_curve_is_refused():
    private = Key(read(VECTORS + "keys/kid-2-ecdh-p256.cose_key.cbor"))
    good = {1: 2, -1: 1, -2: bytes(private.x), -3: bytes(private.y)}
    for change in (
        {-1: 2}, {1: 1}, {-2: bytes(31)}, {-2: bytes(33)}, {-3: bytes(31)}, {-2: None}, {-3: None},
        {-1: None},
    ):  # fmt: skip
        key = dict(good)
        for label in change:
            if change[label] is None:
                del key[label]
            else:
                key[label] = change[label]
        one = recipient(protected=b"\xa1\x01\x38\x1c", unprotected={-1: key})
        refused(R_DECRYPTION, keys=[private], recipients=[one])
    compressed = dict(good)
    compressed[-3] = True
    one = recipient(protected=b"\xa1\x01\x38\x1c", unprotected={-1: compressed})
    refused(R_ALG_UNSUPPORTED, keys=[private], recipients=[one])
    refused(R_DECRYPTION, keys=[private], recipients=[recipient(b"\xa1\x01\x38\x1c", {})])


def test_a_point_off_the_curve_is_refused():
    curves()
    private = Key(read(VECTORS + "keys/kid-2-ecdh-p256.cose_key.cbor"))
    for y in (bytes(32), b"\xff" * 32, bytes(private.x)):
        key = {1: 2, -1: 1, -2: bytes(private.x), -3: y}
        one = recipient(protected=b"\xa1\x01\x38\x1c", unprotected={-1: key})
        refused(R_DECRYPTION, keys=[private], recipients=[one])


def test_an_engine_that_was_tested_is_in_use():
    assert engine.chosen["ctr"] in ("viper", "plain")


def test_the_case_list_is_the_published_one():
    with open(FOLDER + "index.json") as f:
        names = [case["name"] for case in json.load(f)["cases"]]
    assert len(names) == 10
