# A report in the COSE message that says whose it is.
# MIT licence.
"""    sealed(report, private, kid)     # COSE_Sign1 (18), ESP256 by the board's own key, payload attached
    sealed_mac(report, secret, kid)  # COSE_Mac0 (17), HMAC 256/256 with a key it shares with whoever reads
    signed(data)                     # is it one of these?
    inside(data)                     # the report in it
    fresh(report, nonce)             # the same report with the nonce of whoever wants it

suit-report section 7; RFC 9052 sections 4.4 and 6.3. All bytes; signatures are deterministic."""

from . import numbers as n
from .cbor import ARRAY, BSTR, MAP, TAG, Cursor, encode, head

_NONCE = b"\x02"  # its label, the smallest that a report has


def _message(tag, alg, kid, data, prove, context):
    protected = encode({n.HDR_ALG: alg})
    proof = prove(encode([context, protected, b"", data]))
    headers = {} if kid is None else {n.HDR_KID: kid}
    start = head(TAG, tag) + head(ARRAY, 4) + encode(protected) + encode(headers)
    return start + head(BSTR, len(data)) + data + encode(proof)


def sealed(data, private, kid=None):
    from .crypto.p256_sign import sign

    prove = lambda message: sign(private, message)  # noqa: E731
    return _message(n.TAG_SIGN1, n.ALG_ESP256, kid, data, prove, "Signature1")


def sealed_mac(data, secret, kid=None):
    from .crypto.hmac256 import hmac

    prove = lambda message: hmac(secret, message)  # noqa: E731
    return _message(n.TAG_MAC0, n.ALG_HMAC256, kid, data, prove, "MAC0")


def signed(data):
    return data[0] in (0xC0 | n.TAG_SIGN1, 0xC0 | n.TAG_MAC0)


def inside(data):
    c = Cursor(data)
    c.tag()
    c.array()
    c.bstr()
    c.skip(False)
    return bytes(c.bstr())


def fresh(report, nonce):
    c = Cursor(report)
    count = c.map()
    return head(MAP, count + 1) + _NONCE + encode(nonce) + report[c.pos :]
