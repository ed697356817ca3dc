"""What the explorer's board is given: keys, configuration and signed updates, made by the host tools.

`build(folder)` writes everything into `folder` and returns what the device side reads as `assets.json`. Images are tiny
but real (ROMFS with a main.py that reports to the explorer), signed with a MAC key so that a verification costs
microseconds; version 4 is signed with ESP256."""

import functools
import hashlib
import json
import operator
import struct
from pathlib import Path

from suitup import cbor, cose, identity, keys
from suitup import numbers as n
from suitup.images import romfs
from suitup.keys.trust import trust_store
from suitup.manifest import Digest, Sequence, seal, templates

VENDOR = identity.vendor_id("example.com")
CLASS = identity.class_id(VENDOR, "explorer")
VENDOR_FILE = "vendor.bin"
MAIN = "import world\nworld.app(%d)\n"


def _noise(seed, size):
    """Bytes that do not compress into sameness; the same for a seed."""
    out, state = bytearray(), seed * 2654435761 + 1
    while len(out) < size:
        state = (state * 6364136223846793005 + 1442695040888963407) & (1 << 64) - 1
        out += state.to_bytes(8, "big")
    return bytes(out[:size])


def _image(version, size):
    return romfs.write({"main.py": (MAIN % version).encode(), "data": _noise(version, size)})


class _Version:
    """One update: an app image and its file components."""

    def __init__(self, number, size, files, signer, *, payload=None, careless=False, forgetful=False,
                 firmware=None, trust=None, vendor=None, updater=None):
        self.number = number
        self.app = _image(number, size)
        self.files = files
        self.firmware = firmware  # the MicroPython image that goes with it, or None
        self.trust = trust  # the trust store it brings, or None
        self.updater = updater  # the updater it brings, or None
        self.vendor = vendor  # the file that a dependency by somebody else brings, or None
        self.signer = signer
        self.served = payload or self.app  # what the server really sends
        self.careless = careless  # the author forgot to look at what was installed
        self.forgetful = forgetful  # the author forgot to have the files validated before the app runs

    def publish(self, folder):
        parts = [((b"app",), "app", self.app, self.served)]
        for name, data in self.files.items():
            parts.append(((b"file", *(p.encode() for p in name.split("/"))), name, data, data))
        if self.firmware:
            parts.append(((b"firmware",), "firmware", self.firmware, self.firmware))
        if self.trust:
            parts.append(((b"trust",), "trust", self.trust, self.trust))
        if self.updater:
            parts.append(((b"updater",), "updater", self.updater, self.updater))
        listed = []
        for identifier, name, data, served in parts:
            uri = f"{self.number}-{name.replace('/', '-')}"
            (folder / uri).write_bytes(served)
            listed.append(templates.Image(identifier, Digest.of(data), len(data), uri))
        manifest = templates.update(self.number, VENDOR, CLASS, listed, set_version=(self.number, 0, 0))
        if self.careless:
            install = manifest.sequences[n.M_INSTALL]
            install[:] = [c for c in install if c.number != n.C_IMAGE_MATCH]
        if self.forgetful:
            manifest.sequences[n.M_VALIDATE] = templates.validate([0])
        if self.vendor:
            self._depend(folder, manifest)
        envelope = seal(manifest)
        envelope.blocks.append(cose.block(envelope.digest_bytes, self.signer))
        path = folder / f"{self.number}.suit"
        path.write_bytes(envelope.encode())
        files = {name: len(data) for name, data in self.files.items()}
        if self.vendor:
            files[VENDOR_FILE] = len(self.vendor)
        return {
            "url": f"{self.number}.suit",
            "manifests": ["vendor"] if self.vendor else [],
            "trust": len(self.trust or b""),
            "updater": len(self.updater or b""),
            "digest": envelope.digest.value.hex(),
            "app": len(self.app),
            "firmware": len(self.firmware or b""),
            "files": files,
            "plain": [str(path.name), *(f"{self.number}-{p[1].replace('/', '-')}" for p in parts)],
        }


    def _depend(self, folder, manifest):
        """A dependency (suit-trust-domains): its manifest installs one file, and is kept beside that of the version."""
        name = f"{self.number}-{VENDOR_FILE}"
        (folder / name).write_bytes(self.vendor)
        image = templates.Image((b"file", VENDOR_FILE.encode()), Digest.of(self.vendor), len(self.vendor), name)
        envelope = seal(templates.update(1, VENDOR, CLASS, [image], run=None))
        envelope.blocks.append(cose.block(envelope.digest_bytes, self.signer))
        uri = f"{self.number}-vendor.suit"
        (folder / uri).write_bytes(envelope.encode())
        last = len(manifest.components)
        enter = [templates.select(last), templates.condition(n.C_DEPENDENCY_INTEGRITY)]
        process = [*enter, templates.directive(n.C_PROCESS_DEPENDENCY)]
        manifest.dependencies = {last: {1: [b"manifest", b"vendor"]}}
        manifest.shared += [templates.select(last), templates.override(image_digest=envelope.digest, uri=uri)]
        fetch = [templates.select(last), templates.directive(n.C_FETCH), enter[1]]
        manifest.sequences[n.M_DEPENDENCY_RESOLUTION] = Sequence(fetch)
        for number in (n.M_INSTALL, n.M_VALIDATE):
            manifest.sequences[number] = Sequence([*process, *manifest.sequences[number]])


def _firmware(seed, size=5000):
    """An ESP32 image as the bootloader takes it (esp_app_format.h): header, one segment, checksum, SHA-256."""
    body = _noise(seed, size)
    data = struct.pack("<BBBBLB3sHBHH4sB", 0xE9, 1, 2, 32, 0, 238, b"\0\0\0", 0, 0, 0, 0xFFFF, b"\0\0\0\0", 1)
    data += struct.pack("<LL", 0x3F400020, len(body)) + body
    checksum = functools.reduce(operator.xor, body, 0xEF)
    data += bytes(15 - len(data) % 16) + bytes((checksum,))
    return data + hashlib.sha256(data).digest()


def _updater(seed):
    """An image that looks like an updater; what runs in the explorer is always the code under test."""
    return romfs.write({"suit/__init__.py": b"", "suit/launcher.py": b"", "suit/rest": _noise(seed, 1500)})


def _mac_key(seed):
    """The same key in every run, so that a lost point can be played again."""
    key = keys.generate("HMAC-256")
    return keys.Key({**key.params, -1: _noise(seed, 32)})


def build(folder: Path) -> dict:
    folder.mkdir(parents=True, exist_ok=True)
    mac, other = (_mac_key(seed) for seed in (1001, 1002))
    ec = keys.generate("ESP256")
    same = _noise(77, 700)  # a file that no version changes
    roles = n.ROLE_APP | n.ROLE_FIRMWARE
    stores = {
        "trust.cbor": trust_store([(mac, roles | n.ROLE_TRUST | n.ROLE_UPDATER), (ec, roles)]),
        "trust2.cbor": trust_store([(key, roles) for key in (mac, ec, other)]),
        # what version 11 brings: the other key's, and with it the first one may not change the store any more
        "trust3.cbor": trust_store([(mac, roles), (other, roles | n.ROLE_TRUST)]),
    }
    broken = bytearray(_image(6, 2000))
    broken[1500] ^= 4
    versions = [
        _Version(1, 1800, {"settings.json": b'{"v":1}', "same.bin": same}, mac),
        _Version(2, 2200, {"settings.json": b'{"v":2}' * 3, "same.bin": same, "lib/new.txt": b"new" * 50}, mac),
        _Version(3, 1500, {"settings.json": b'{"v":3}'}, mac),
        _Version(4, 1200, {"settings.json": b'{"v":4}'}, ec),
        _Version(5, 60000, {"settings.json": b'{"v":5}'}, mac),
        _Version(6, 2000, {"settings.json": b'{"v":6}'}, mac, payload=bytes(broken), careless=True),
        _Version(8, 1000, {"settings.json": b'{"v":8}'}, mac, forgetful=True),
        _Version(9, 1100, {"settings.json": b'{"v":9}'}, mac),
        _Version(10, 1300, {"settings.json": b'{"v":10}'}, mac, firmware=_firmware(10)),
        _Version(7, 900, {"settings.json": b'{"v":7}'}, other),
        _Version(11, 1000, {"settings.json": b'{"v":11}'}, mac, trust=stores["trust3.cbor"]),
        _Version(12, 1100, {"settings.json": b'{"v":12}'}, other),
        _Version(13, 1400, {"settings.json": b'{"v":13}', "same.bin": same}, mac, vendor=_noise(13, 900)),
        _Version(14, 1200, {"settings.json": b'{"v":14}', "same.bin": same}, mac, vendor=_noise(14, 400)),
        _Version(15, 1300, {"settings.json": b'{"v":15}'}, mac, updater=_updater(15)),
        _Version(16, 1200, {"settings.json": b'{"v":16}'}, mac),
    ]
    made = {version.number: version.publish(folder) for version in versions}
    config = {"name": "explorer", "vendor": VENDOR, "class": [CLASS], "device": bytes(16), "trial": 60}
    (folder / "config.cbor").write_bytes(cbor.encode(config))
    (folder / "factory-firmware").write_bytes(_firmware(1))
    for name, store in stores.items():
        (folder / name).write_bytes(store)
    assets = {"versions": made}
    (folder / "assets.json").write_text(json.dumps(assets))
    return assets
