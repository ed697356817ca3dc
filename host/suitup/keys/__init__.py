"""Keys of every kind suitup signs, MACs, encrypts and trusts with: `Key`, files, trust stores.

`load(path)` and `save(key, path)` go to and from files, `generate(algorithm)` makes one, `trust_store([...])` writes
what a device trusts."""

from suitup.keys import hsslms
from suitup.keys.files import KeyFileError, load, public_path, save, save_public
from suitup.keys.generate import ALGORITHMS, STATEFUL, generate
from suitup.keys.model import Key
from suitup.keys.trust import (
    ROLES,
    Access,
    Anchor,
    read_anchors,
    read_trust_store,
    role_names,
    trust_store,
)

__all__ = [
    "ALGORITHMS",
    "ROLES",
    "STATEFUL",
    "Access",
    "Anchor",
    "Key",
    "KeyFileError",
    "generate",
    "hsslms",
    "load",
    "public_path",
    "read_anchors",
    "read_trust_store",
    "role_names",
    "save",
    "save_public",
    "trust_store",
]
