# ECDSA signing with P-256 and SHA-256, deterministic (RFC 6979), and the board's own key.
# MIT licence.
"""`sign(private, message) -> 64 bytes` (r, s); `sign_digest(private, digest)` for a SHA-256 digest
made elsewhere. `generate(host) -> bytearray`: a private key from this board's randomness and 32
bytes from the host, so that neither alone decides it. Raises SuitError(R_UNAUTHORISED, what) for a
private key outside 1 .. n - 1.

The nonce is used by regular steps (see `p256_secret.py`); the private key and the nonce meet big
integers only times a random factor. There is no protection against power analysis or faults, and
big integers leave copies in the heap."""

from hashlib import sha256
from os import urandom

from suit.crypto import p256, scalar
from suit.crypto.hkdf import derive
from suit.crypto.hmac256 import hmac
from suit.crypto.p256_secret import little, multiply_base, random_factor, wipe
from suit.errors import SuitError

_N = p256.N


def _nonces(private, digest):
    """The candidates k of RFC 6979 section 3.2, as bytes; every one is as secret as the key."""
    e = (int.from_bytes(digest, "big") % _N).to_bytes(32, "big")
    v = b"\1" * 32
    k = bytes(32)
    for step in (b"\0", b"\1"):
        k = hmac(k, v, step, private, e)
        v = hmac(k, v)
    while True:
        v = hmac(k, v)
        yield v
        k = hmac(k, v, b"\0")
        v = hmac(k, v)


def _usable(candidate):
    """A private key or nonce between 1 and n - 1, in the order of `little`; None for others."""
    try:
        return little(candidate)
    except SuitError:
        return None


def sign_digest(private, digest):
    if len(digest) != 32:
        raise ValueError("digest")
    wipe(little(private))  # refuses what is no private key
    e = int.from_bytes(digest, "big")
    for candidate in _nonces(private, digest):
        nonce = _usable(candidate)
        if nonce is None:
            continue
        factor = random_factor(_N)
        # 1 / k and d, both with the factor: s = (e f + r (d f)) / (k f)
        k = int.from_bytes(nonce, "little") * factor % _N
        d = int.from_bytes(private, "big") * factor % _N
        r = multiply_base(nonce)[0] % _N  # wipes the nonce
        s = scalar.inverse(k, _N) * (e * factor + r * d) % _N
        if r and s:
            return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def sign(private, message):
    return sign_digest(private, sha256(message).digest())


def generate(host):
    if len(host) != 32:
        raise ValueError("32 bytes from the host")
    own = bytearray(urandom(32))
    try:
        for count in range(256):
            private = derive(own, host, b"suitup device key" + bytes((count,)), 32)
            usable = _usable(private)
            if usable is not None:
                wipe(usable)
                return private
            wipe(private)
    finally:
        wipe(own)
