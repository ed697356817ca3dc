"""What the cases of this project are made of: keys, manifests, signatures, and the entries of an index.

Everything comes out the same in every run: keys from their names, ECDSA with nonces of RFC 6979."""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path

from suitup import cbor, cose, keys
from suitup import numbers as n
from suitup.keys import convert
from suitup.keys.trust import Anchor
from suitup.manifest import Command, Digest, Manifest, Sequence, seal
from suitup.manifest.templates import condition, directive, override, select

VENDOR, CLASS, DEVICE = b"vendor of cases!", b"a class of cases", b"one device of it"
ENVIRONMENT = {"vendor_id": VENDOR.hex(), "class_id": CLASS.hex(), "device_id": DEVICE.hex()}
# 2030-03-20 00:26:40 UTC, a Wednesday
NOW = 1900196800
SOURCE = "made by tests/vectors/make.py from the text"

__all__ = [
    "CLASS", "DEVICE", "NOW", "VENDOR", "Anchor", "Case", "Command", "Digest", "Manifest", "Sequence", "condition",
    "directive", "manifest", "override", "parameters", "seal", "select", "sign", "test_key", "write_folder",
]  # fmt: skip


def test_key(name: str, alg="ESP256") -> keys.Key:
    """The key pair of a name: anybody can make it again, so that nobody may trust it."""
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519

    secret = hashlib.sha256(b"suitup test key " + name.encode()).digest()
    if alg == "HMAC-256":
        return keys.Key({1: n.KTY_SYMMETRIC, 3: n.ALG_HMAC256, -1: secret})
    if alg == "Ed25519":
        return convert.from_object(ed25519.Ed25519PrivateKey.from_private_bytes(secret), None, False)
    number = int.from_bytes(secret, "big") % (2**256 - 2**225) + 1
    return convert.from_object(ec.derive_private_key(number, ec.SECP256R1()), None, False)


def parameters(values: dict) -> Command:
    """Override-parameters by number; what stands in a byte string is given as it is inside."""
    return Command(n.C_OVERRIDE_PARAMETERS, values)


def manifest(install=(), components=((b"a",),), shared=(), **more) -> Manifest:
    """Vendor and class are checked, then `install` is run. `more`: fields of Manifest, or sections by name."""
    names = {"resolve": 15, "fetch": 16, "verify": 18, "validate": 7, "load": 8, "invoke": 9, "uninstall": 24}
    sequences = {number: Sequence(more.pop(name)) for name, number in names.items() if name in more}
    if install:
        sequences[n.M_INSTALL] = Sequence(install)
    several = len(components) + len(more.get("dependencies", ())) > 1
    check = [select(0)] if several else []
    check += [
        override(vendor_id=VENDOR, class_id=CLASS),
        condition(n.C_VENDOR_ID),
        condition(n.C_CLASS_ID),
    ]
    return Manifest(
        sequence_number=more.pop("sequence_number", 1),
        components=list(components),
        shared=Sequence([*check, *shared]),
        sequences=sequences,
        **more,
    )


def sign(made: Manifest, *signers, payloads=None, sever=(), chains=None) -> bytes:
    """A signed envelope. `chains`: member 1 as its bytes, or a list of chains of tokens."""
    envelope = seal(made, sever, payloads)
    envelope.blocks = [cose.block(envelope.digest_bytes, each) for each in signers]
    if chains is not None:
        envelope.delegation = chains if isinstance(chains, bytes) else cbor.encode(chains)
    return envelope.encode()


@dataclass
class Case:
    """One case. `word`: the result, `ok` for what is accepted; `after`, `invoked`: as in the README; `keys`: anchors."""

    name: str
    data: bytes
    word: str
    keys: list
    section: str
    after: dict | None = None
    invoked: list | None = None
    environment: dict = field(default_factory=dict)
    also: tuple = ()
    note: str = ""

    def item(self, key_files) -> dict:
        expect = {"accept": self.word == "ok", "result": self.word}
        if self.also:
            expect["result_also"] = list(self.also)
        if self.after is not None:
            expect["components_after"] = self.after
        elif self.word != "ok":
            expect["components_after"] = self.environment.get("components_before", {})
        if self.invoked is not None:
            expect["invoked"] = self.invoked
        return {
            "name": self.name,
            "kind": "suit",
            "files": {"envelope": f"{self.name}.suit"},
            "key": key_files[0],
            "more_keys": key_files[1:],
            "environment": {**ENVIRONMENT, **self.environment},
            "expect": expect,
            "source": SOURCE,
            "section": self.section,
            "derived": True,
            **({"note": self.note} if self.note else {}),
        }


def write_folder(root: Path, folder: str, cases):
    """The folder with its index, its envelopes and the keys it needs."""
    target = root / folder
    target.mkdir(parents=True, exist_ok=True)
    entries, written = [], {}
    for case in cases:
        if case.name in {each["name"] for each in entries}:
            raise ValueError(f"two cases named {case.name}")
        files = []
        for anchor in case.keys:
            data = cbor.encode(Anchor.of(anchor).params())
            name = hashlib.sha256(data).hexdigest()[:12]
            written[f"{name}.cose_key.cbor"] = data
            files.append(f"{folder}/{name}.cose_key.cbor")
        written[f"{case.name}.suit"] = case.data
        entries.append(case.item(files))
    for name, data in written.items():
        (target / name).write_bytes(data)
    index = {"folder": folder, "count": len(entries), "cases": entries}
    (target / "index.json").write_text(json.dumps(index, indent=1) + "\n")
