"""Keys of every kind suitup signs, MACs, encrypts and trusts with: `Key`, files, trust stores.

`load(path)` and `save(key, path)` go to and from files, `generate(algorithm)` makes one, `trust_store([...])` writes
what a device trusts."""

from suitup.keys.files import KeyFileError, load, public_path, save
from suitup.keys.generate import ALGORITHMS, generate
from suitup.keys.model import Key
from suitup.keys.trust import ROLES, read_trust_store, role_names, trust_store

__all__ = [
    "ALGORITHMS", "ROLES", "Key", "KeyFileError", "generate", "load", "public_path",
    "read_trust_store", "role_names", "save", "trust_store",
]
