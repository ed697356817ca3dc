"""Which function judges which kind of case."""

from suitup.conformance import cbor, cose, crypto, report, suit

KINDS = {
    "suit": suit.judge,
    "report": report.judge,
    "cbor": cbor.judge,
    "cose": cose.judge,
    "wycheproof": crypto.wycheproof,
    "lms": crypto.lms,
    "mldsa": crypto.mldsa,
    "thumbprint": crypto.thumbprint,
    "encryption-info": crypto.encryption_info,
    "kdf-context": crypto.kdf_context,
}
