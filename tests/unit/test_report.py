"""report.py: what is recorded, when, and how it is written; signing with the board's own key."""

from envelopes import CLASS, VENDOR, Board, digest_of, image_digest, machine, seq
from harness import finish
from suit import numbers as n
from suit.cbor import Cursor, encode, value
from suit.cose import verify
from suit.errors import SuitError
from suit.region import MemoryRegion
from suit.report import Recorder, base, capabilities, compose, report
from suit.sealing import fresh, inside, sealed, sealed_mac, signed
from suit.trust import TrustStore

A = b"\0"
SET = n.C_OVERRIDE_PARAMETERS
SUCCESS, FAILURE, SYSTEM_SUCCESS, SYSTEM_FAILURE = 1, 2, 4, 8


class Reported(Board):
    recorder = None
    battery = 49

    def record(self, *args):
        self.recorder.record(*args)

    def battery_mwh(self):
        return self.battery


def run(install, components=None, **members):
    """(Recorder, report as Python values) of an update with that install section."""
    board = Reported(components)
    made = machine(board, install=install, **members)
    board.recorder = Recorder(made)
    error = None
    try:
        finish(made.update())
    except SuitError as refusal:
        error = refusal
    return board.recorder, value(report(made.root.envelope, board.recorder, error))


def test_a_success_without_policies_is_short():
    recorder, told = run(seq(SET, {n.P_CONTENT: b"x"}, n.C_WRITE, 0))
    assert told[3] == [] and told[4] is True and set(told) == {3, 4, 99}
    assert told[99][0] == "" and told[99][1][0] == n.ALG_SHA256


def test_the_record_of_the_failure_holds_what_was_measured():
    install = seq(SET, {n.P_IMAGE_DIGEST: image_digest(b"new")}, n.C_IMAGE_MATCH, 0)
    recorder, told = run(install, {A: b"old"})
    result = told[4]
    assert result[5] == n.R_CONDITION_FAILED and result[7] == n.R_CONDITION_FAILED
    path, section, offset, component, properties = result[6]
    assert (path, section, component) == ([], n.M_INSTALL, 0)
    c = Cursor(install, offset)
    assert c.int() == n.C_IMAGE_MATCH
    assert properties == {n.P_IMAGE_DIGEST: encode(digest_of(b"old"))}
    assert told[3] == []  # its policy asks for no record


def test_an_image_of_another_size_is_told_by_its_size():
    params = {n.P_IMAGE_DIGEST: image_digest(b"new"), n.P_IMAGE_SIZE: 3}
    _, told = run(seq(SET, params, n.C_IMAGE_MATCH, 0), {A: b"older"})
    assert told[4][6][4] == {n.P_IMAGE_SIZE: 5}


def test_every_bit_of_a_policy_asks_for_its_own():
    for policy in range(16):
        for vendor, failed in ((VENDOR, False), (CLASS, True)):
            recorder, told = run(seq(SET, {n.P_VENDOR_ID: vendor}, n.C_VENDOR_ID, policy))
            records = [each for each in told[3] if isinstance(each, list)]
            claims = [each for each in told[3] if isinstance(each, dict)]
            assert len(records) == bool(policy & (FAILURE if failed else SUCCESS))
            assert claims == ([{0: [A], n.P_VENDOR_ID: VENDOR}] if policy & (
                SYSTEM_FAILURE if failed else SYSTEM_SUCCESS) else [])  # fmt: skip


def test_what_a_battery_had_is_told():
    _, told = run(seq(SET, {n.P_MINIMUM_BATTERY: 50}, n.C_MINIMUM_BATTERY, FAILURE))
    assert told[4][6][4] == {n.P_MINIMUM_BATTERY: 49} and told[3] == [told[4][6]]


def test_a_soft_failure_is_recorded_although_it_went_well():
    tried = [seq(n.C_ABORT, FAILURE), seq()]
    _, told = run(seq(n.C_TRY_EACH, tried))
    assert told[4] is True and told[3][0][:2] == [[], n.M_INSTALL]


def test_records_are_bounded():
    commands = [SET, {n.P_VENDOR_ID: VENDOR}] + [n.C_VENDOR_ID, SUCCESS] * 60
    recorder, told = run(seq(*commands))
    assert recorder.left_out and len(encode(told[3])) < 1200


def test_our_reasons_become_those_of_the_text():
    for reason in range(n.R_INVOKE_PENDING + 1):
        assert base(reason) == reason
    assert base(n.R_ROLLBACK) == n.R_UNAUTHORISED and base(n.R_NETWORK) == n.R_OPERATION_FAILED
    assert base(n.R_SEQUENCE) == n.R_CBOR_PARSE and base(n.R_WAITING) == n.R_CONDITION_FAILED


def test_what_is_not_supported_brings_the_capabilities():
    _, told = run(seq(99, 15))
    assert told[4][7] == n.R_COMMAND_UNSUPPORTED
    able = told[8]
    assert able == value(capabilities())
    assert n.C_WAIT in able[2] and n.C_PROCESS_DEPENDENCY in able[2] and 99 not in able[2]
    assert n.P_VERSION in able[3] and n.ALG_ESP256 in able[4] and n.ALG_SHA256 in able[4]


def test_a_nonce_is_carried():
    digest = encode(digest_of(b"m"))
    told = value(compose("coap://x/m", digest, [], None, b"nonce"))
    assert told == {2: b"nonce", 3: [], 4: True, 99: ["coap://x/m", digest_of(b"m")]}


def test_a_report_is_authenticated_with_a_shared_key_where_the_board_has_no_other():
    secret = b"of the board and of its operator"
    trust = TrustStore(encode([{1: n.KTY_SYMMETRIC, 3: n.ALG_HMAC256, -1: secret}]))
    message = sealed_mac(b"\xa0", secret)
    assert signed(message) and not signed(b"\xa0") and inside(message) == b"\xa0"
    assert verify(MemoryRegion(message), None, trust) is trust.keys[0]


def test_a_nonce_is_put_into_a_report_that_is_there():
    made = compose("", encode(digest_of(b"m")), [], None)
    assert fresh(made, b"now") == compose("", encode(digest_of(b"m")), [], None, b"now")


def test_a_report_is_signed_with_the_boards_own_key():
    from suit.crypto.p256_secret import public

    private = bytes(31) + b"\7"
    x, y = public(private)
    trust = TrustStore(encode([{1: 2, -1: 1, -2: x, -3: y}]))
    message = sealed(b"\xa0", private, b"kid")
    assert verify(MemoryRegion(message), None, trust) is trust.keys[0]
    other = bytearray(message)
    other[other.index(b"\xa0", 12)] ^= 1
    try:
        verify(MemoryRegion(bytes(other)), None, trust)
    except SuitError:
        return
    raise AssertionError("accepted")
