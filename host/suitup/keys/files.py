"""Key files: PEM (PKCS #8 and SubjectPublicKeyInfo) where the world has a PEM form, COSE_Key elsewhere.

Private files have mode 0600 from their first byte on and never replace another file unless asked to. A development
key carries a line saying so before its PEM armour (which PEM readers skip), a COSE_Key the label KEY_DEVELOPMENT."""

import os
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization as ser

from suitup import cbor
from suitup import numbers as n
from suitup.errors import Failure
from suitup.keys import convert
from suitup.keys.model import BadKey, Key, from_cose_key

_DEVELOPMENT = b"suitup: development key, never for production\n"
_AGREEMENT = b"suitup: for ECDH-ES+A128KW\n"


class KeyFileError(Failure):
    """A key file cannot be read or written."""


def public_path(path) -> Path:
    """Where the public half of the key at `path` lies: `dev.pem` -> `dev.pub.pem`."""
    path = Path(path)
    return path.with_name(path.stem + ".pub" + path.suffix)


def _private_bytes(key: Key) -> bytes:
    """What goes into the private file."""
    if key.kty == n.KTY_SYMMETRIC:
        return key.cose_key() if not key.development else _marked(key)
    pem = convert.private_object(key).private_bytes(
        ser.Encoding.PEM, ser.PrivateFormat.PKCS8, ser.NoEncryption()
    )
    return _preamble(key) + pem


def _public_bytes(key: Key) -> bytes:
    if key.kty == n.KTY_HSS_LMS:
        return key.public().cose_key() if not key.development else _marked(key.public())
    pem = convert.public_object(key).public_bytes(
        ser.Encoding.PEM, ser.PublicFormat.SubjectPublicKeyInfo
    )
    return _preamble(key) + pem


def _marked(key):
    return cbor.encode({**key.params, n.KEY_DEVELOPMENT: True})


def _preamble(key):
    return (_DEVELOPMENT if key.development else b"") + (
        _AGREEMENT if key.alg == n.ALG_ECDH_ES_A128KW else b""
    )


def write_private(path, data: bytes, force=False):
    """Create `path` with mode 0600; an existing file is replaced only with `force`."""
    path = Path(path)
    exists = KeyFileError(
        f"{path} exists",
        "a key that is overwritten is lost, and with it every device that trusts it",
        "choose another name, or repeat with --force",
    )
    if path.exists() and not force:
        raise exists
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if force:
            os.replace(temporary, path)
        else:
            os.link(temporary, path)
    except FileExistsError:  # somebody made it meanwhile
        raise exists from None
    finally:
        if os.path.exists(temporary):
            os.unlink(temporary)


def save(key: Key, path, force=False) -> list[Path]:
    """Write the private key, and its public half beside it where there is one; returns the paths written."""
    path = Path(path)
    write_private(path, _private_bytes(key), force)
    written = [path]
    if key.kty != n.KTY_SYMMETRIC:
        written.append(save_public(key, public_path(path)))
    return written


def save_public(key: Key, path) -> Path:
    """Write the public half alone."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_public_bytes(key))
    return path


def load(path) -> Key:
    """The key in a file, private or public, whatever its form. Raises KeyFileError."""
    path = Path(path)
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise KeyFileError(f"no key at {path}", hint=f"make one: suitup keygen {path}") from None
    except OSError as error:
        raise KeyFileError(f"cannot read the key {path}", error.strerror) from None
    try:
        if b"-----BEGIN " in data:
            return _from_pem(data)
        return _from_cose(path, data)
    except (BadKey, ValueError, UnsupportedAlgorithm) as error:
        raise KeyFileError(f"{path} is not a key suitup can use", str(error)) from None
    except TypeError:
        raise KeyFileError(
            f"{path} is protected by a passphrase",
            hint="use sign --to-be-signed and --attach-signature",
        ) from None


def _from_cose(path, data: bytes) -> Key:
    from suitup.keys import hsslms

    params = cbor.decode(data, sort=False)
    return hsslms.key_of(path, params) if hsslms.is_secret(params) else from_cose_key(params)


def _from_pem(data: bytes) -> Key:
    armour = data.index(b"-----BEGIN ")
    preamble, pem = data[:armour], data[armour:]
    if b"PRIVATE KEY-----" in pem:
        obj = ser.load_pem_private_key(pem, password=None)
    else:
        obj = ser.load_pem_public_key(pem)
    alg = n.ALG_ECDH_ES_A128KW if _AGREEMENT in preamble else None
    return convert.from_object(obj, alg, _DEVELOPMENT in preamble)
