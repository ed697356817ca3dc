"""Keys, signatures and envelopes for `primitives.py`, made by software that is not ours (cryptography,
pyhsslms, cbor2) where there is some; and the same work done by `cryptography`, for comparison."""

import hashlib
import os
import time
from pathlib import Path

import cbor2
import pyhsslms
from cryptography.hazmat.primitives import hashes, keywrap
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, x25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from suitup.keys.comb import comb

MESSAGE = b"what is signed here, 40 bytes, no more.."


def _envelope(key):
    """419 bytes, like example 1 of the manifest draft: the parts are what matters."""
    digest = cbor2.dumps([-16, hashlib.sha256(b"payload").digest()])
    shared = cbor2.dumps(
        [20, {1: bytes(16), 2: bytes(16), 3: digest, 14: 34768}, 1, 15, 2, 15]
    )
    manifest = {
        1: 1, 2: 1, 3: cbor2.dumps({2: [[b"\0"]], 4: shared}), 7: cbor2.dumps([3, 15]),
        20: cbor2.dumps([20, {21: "http://example.com/file.bin"}, 21, 2, 3, 15]),
        23: bytes(106),
    }
    data = cbor2.dumps(manifest)
    signed = cbor2.dumps([-16, hashlib.sha256(cbor2.dumps(data)).digest()])
    protected = cbor2.dumps({1: -9})
    to_sign = cbor2.dumps(["Signature1", protected, b"", signed])
    r, s = decode_dss_signature(key.sign(to_sign, ec.ECDSA(hashes.SHA256())))
    signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    block = cbor2.dumps(cbor2.CBORTag(18, [protected, {}, None, signature]))
    return cbor2.dumps(cbor2.CBORTag(107, {2: cbor2.dumps([signed, block]), 3: data}))


def make(folder: Path):
    """Write every file into `folder`; returns name -> function doing it with `cryptography`."""
    folder.mkdir(parents=True, exist_ok=True)

    def write(name, data):
        (folder / name).write_bytes(bytes(data))

    write("message", MESSAGE)
    reference = {}
    key = ec.generate_private_key(ec.SECP256R1())
    public = key.public_key()
    numbers = public.public_numbers()
    x, y = (value.to_bytes(32, "big") for value in (numbers.x, numbers.y))
    write("p256.x", x)
    write("p256.y", y)
    write("envelope.suit", _envelope(key))
    cose = {1: 2, 3: -9, -1: 1, -2: x, -3: y}
    write("trust.cbor", cbor2.dumps([cose]))
    write("anchor.cbor", cbor2.dumps([cose | {-70003: comb(numbers.x, numbers.y)}]))
    algorithm = ec.ECDSA(hashes.SHA256())
    der = key.sign(MESSAGE, algorithm)
    reference["ESP256 envelope, any key"] = lambda: public.verify(der, MESSAGE, algorithm)
    reference["ESP256 envelope, provisioned anchor"] = reference["ESP256 envelope, any key"]
    reference["ESP256 signing"] = lambda: key.sign(MESSAGE, algorithm)
    other = ec.generate_private_key(ec.SECP256R1())
    reference["ECDH P-256"] = lambda: other.exchange(ec.ECDH(), public)

    edwards = ed25519.Ed25519PrivateKey.generate()
    write("ed25519.pub", edwards.public_key().public_bytes_raw())
    signature = edwards.sign(MESSAGE)
    write("ed25519.sig", signature)
    reference["Ed25519"] = lambda: edwards.public_key().verify(signature, MESSAGE)
    reference["Ed25519, same key again"] = reference["Ed25519"]
    mine, peer = x25519.X25519PrivateKey.generate(), x25519.X25519PrivateKey.generate()
    reference["X25519"] = lambda: mine.exchange(peer.public_key())

    for name, width in (("lms4", pyhsslms.lmots_sha256_n32_w4),
                        ("lms8", pyhsslms.lmots_sha256_n32_w8)):
        tree = pyhsslms.HssPrivateKey(
            levels=1, lms_type=pyhsslms.lms_sha256_m32_h5, lmots_type=width
        )
        write(name + ".pub", tree.publicKey().serialize())
        write(name + ".sig", tree.sign(MESSAGE))

    lattice = mldsa.MLDSA44PrivateKey.generate()
    write("mldsa.pub", lattice.public_key().public_bytes_raw())
    proof = lattice.sign(MESSAGE)
    write("mldsa.sig", proof)
    reference["ML-DSA-44"] = lambda: lattice.public_key().verify(proof, MESSAGE)

    wrapped = keywrap.aes_key_wrap(bytes(16), bytes(16))
    write("wrapped", wrapped)
    reference["AES-128 key unwrap"] = lambda: keywrap.aes_key_unwrap(bytes(16), wrapped)
    reference["HKDF-SHA256"] = lambda: HKDF(hashes.SHA256(), 16, None, bytes(40)).derive(bytes(32))
    bulk = bytes(4096)
    reference["SHA-256, 4 KiB"] = lambda: _digest(hashes.SHA256(), bulk)
    reference["SHA-512, 4 KiB"] = lambda: _digest(hashes.SHA512(), bulk)
    reference["SHAKE256, 4 KiB"] = lambda: _digest(hashes.SHAKE256(64), bulk)
    counter = Cipher(algorithms.AES(bytes(16)), modes.CTR(bytes(16)))
    reference["AES-128-CTR, 4 KiB"] = lambda: counter.decryptor().update(bulk)
    sealed = AESGCM(bytes(16)).encrypt(bytes(12), bulk, b"")
    reference["AES-128-GCM, 4 KiB"] = lambda: AESGCM(bytes(16)).decrypt(bytes(12), sealed, b"")
    closed = ChaCha20Poly1305(bytes(32)).encrypt(bytes(12), bulk, b"")
    reference["ChaCha20/Poly1305, 4 KiB"] = lambda: ChaCha20Poly1305(bytes(32)).decrypt(
        bytes(12), closed, b""
    )
    return reference


def _digest(algorithm, data):
    one = hashes.Hash(algorithm)
    one.update(data)
    return one.finalize()


def microseconds(call):
    """The least of many runs."""
    best = None
    end = time.perf_counter() + 0.05
    while best is None or time.perf_counter() < end:
        start = time.perf_counter()
        call()
        took = time.perf_counter() - start
        best = took if best is None else min(best, took)
    return best * 1e6


# modules of suit/crypto that each primitive needs; @ is the kind of engine
_P256 = ["engine", "scalar", "scalar_#", "p256", "p256_data", "p256_@", "field_@"]
_C25519 = ["engine", "scalar", "scalar_#", "c25519_@", "field_@"]
MODULES = {
    "ESP256 envelope, any key": _P256,
    "ESP256 envelope, provisioned anchor": _P256,
    "Ed25519": [*_C25519, "ed25519", "ed25519_data", "sha512", "sha512_#"],
    "X25519": [*_C25519, "x25519", "x25519_data"],
    "ECDH P-256": [*_P256, "p256_secret"],
    "ESP256 signing": [*_P256, "p256_secret", "p256_sign", "hkdf", "hmac256", "digest"],
    "HSS-LMS W4": ["engine", "lms", "lms_@"],
    "HSS-LMS W8": ["engine", "lms", "lms_@"],
    "ML-DSA-44": ["engine", "mldsa", "mldsa_#", "keccak", "keccak_@"],
    "SHA-512, 4 KiB": ["engine", "sha512", "sha512_#"],
    "SHAKE256, 4 KiB": ["engine", "keccak", "keccak_@"],
    "AES-128-CTR, 4 KiB": ["engine", "ctr", "ctr_#", "aes"],
    "AES-128-GCM, 4 KiB": ["engine", "gcm", "gcm_#", "ctr", "ctr_#", "aes", "digest"],
    "ChaCha20/Poly1305, 4 KiB": ["engine", "chacha", "chacha_#", "digest"],
    "AES-128 key unwrap": ["keywrap", "aes", "digest"],
    "HKDF-SHA256": ["hkdf", "hmac256", "digest"],
}
MODULES["Ed25519, same key again"] = MODULES["Ed25519"]


def module_bytes(name, kind, sizes):
    """Bytes of .mpy that `name` needs with engines of `kind`; `sizes`: module -> bytes."""
    total = 0
    for module in MODULES.get(name, ()):
        for kinds, mark in (([kind, "viper", "plain"], "@"), (
                ["plain" if kind == "plain" else "viper", "plain"], "#")):
            if mark in module:
                module = next(
                    (m for m in (module.replace(mark, k) for k in kinds) if m in sizes), None
                )
                break
        total += sizes.get(module, 0)
    return total


if __name__ == "__main__":
    import sys

    make(Path(sys.argv[1] if len(sys.argv) > 1 else os.curdir))
