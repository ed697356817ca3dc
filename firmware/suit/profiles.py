# The algorithm profiles of suit-mti-24, in one table for the board, the workstation and reports.
# MIT licence.
"""`PROFILES` maps the registered name to (digest, authentication, key exchange, encryption), the
descriptor of section 4. `FILES` says which files of `suit/crypto` an algorithm needs;
`supported()` names the profiles of which this board has every file, for the capability report.
Plain data: the host imports it as it stands."""

from .numbers import (
    ALG_A128CTR,
    ALG_A128GCM,
    ALG_A128KW,
    ALG_A256CTR,
    ALG_A256GCM,
    ALG_A256KW,
    ALG_CHACHA20_POLY1305,
    ALG_ECDH_ES_A128KW,
    ALG_ED25519,
    ALG_ESP256,
    ALG_HMAC256,
    ALG_HSS_LMS,
    ALG_ML_DSA_44,
    ALG_ML_DSA_65,
    ALG_SHA256,
    ALG_SHA384,
    ALG_SHA512,
    ALG_SHAKE128,
    ALG_SHAKE256,
)

PROFILES = {
    "suit-sha256-hmac-a128kw-a128ctr": (ALG_SHA256, ALG_HMAC256, ALG_A128KW, ALG_A128CTR),
    "suit-sha256-esp256-ecdh-a128ctr": (
        ALG_SHA256, ALG_ESP256, ALG_ECDH_ES_A128KW, ALG_A128CTR,
    ),
    "suit-sha256-ed25519-ecdh-a128ctr": (
        ALG_SHA256, ALG_ED25519, ALG_ECDH_ES_A128KW, ALG_A128CTR,
    ),
    "suit-sha256-esp256-ecdh-a128gcm": (
        ALG_SHA256, ALG_ESP256, ALG_ECDH_ES_A128KW, ALG_A128GCM,
    ),
    "suit-sha256-ed25519-ecdh-chacha-poly": (
        ALG_SHA256, ALG_ED25519, ALG_ECDH_ES_A128KW, ALG_CHACHA20_POLY1305,
    ),
    "suit-sha256-hsslms-a256kw-a256ctr": (ALG_SHA256, ALG_HSS_LMS, ALG_A256KW, ALG_A256CTR),
}  # fmt: skip

# algorithm: files of suit/crypto (and the engines behind them); no file: the firmware has it
FILES = {
    ALG_SHA256: (),
    ALG_SHA384: ("sha512",),
    ALG_SHA512: ("sha512",),
    ALG_SHAKE128: ("keccak",),
    ALG_SHAKE256: ("keccak",),
    ALG_HMAC256: ("hmac256",),
    ALG_ESP256: ("p256",),
    ALG_ED25519: ("ed25519",),
    ALG_HSS_LMS: ("lms",),
    ALG_ML_DSA_44: ("mldsa",),
    ALG_ML_DSA_65: ("mldsa",),
    ALG_A128KW: ("keywrap", "aes"),
    ALG_A256KW: ("keywrap", "aes"),
    # both curves: either may be the board's
    ALG_ECDH_ES_A128KW: ("p256", "p256_secret", "x25519", "hmac256", "hkdf", "keywrap", "aes"),
    ALG_A128CTR: ("ctr", "aes"),
    ALG_A256CTR: ("ctr", "aes"),
    ALG_A128GCM: ("gcm", "ctr", "aes"),
    ALG_A256GCM: ("gcm", "ctr", "aes"),
    ALG_CHACHA20_POLY1305: ("chacha",),
}


def _present(alg, known):
    """True when every file of `alg` can be imported here; `known` remembers the answers."""
    from .crypto import load
    from .errors import SuitError

    for file in FILES[alg]:
        if file not in known:
            try:
                load(file, alg)
                known[file] = True
            except SuitError:
                known[file] = False
        if not known[file]:
            return False
    return True


def algorithms():
    """The algorithms of this board. It imports their files: that takes time, so not at boot."""
    known = {}
    return [alg for alg in FILES if _present(alg, known)]


def supported():
    """Names of the profiles this board serves, digest to encryption."""
    here = algorithms()
    return [name for name in PROFILES if all(alg in here for alg in PROFILES[name])]
