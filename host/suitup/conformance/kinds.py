"""Which function judges which kind of case."""

from suitup.conformance import cbor, crypto, suit

KINDS = {
    "suit": suit.judge,
    "cbor": cbor.judge,
    "wycheproof": crypto.wycheproof,
    "lms": crypto.lms,
    "mldsa": crypto.mldsa,
    "thumbprint": crypto.thumbprint,
}
