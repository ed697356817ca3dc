"""One update by three owners, for what measures its heap: the root manifest brings the app and two dependencies, each signed on
its own and bringing a file.

    envelope, payloads = composite(7, vendor_id, class_id, key, app)    # bytes; {name: bytes} to be served beside it

    prepare(folder)                         # for tests/device/composite_board.py
    attempt(micropython, folder, 32768)     # "ok" or "memory": it with so much free heap"""

import subprocess
from pathlib import Path

from suitup import cbor, cose, keys
from suitup import numbers as n
from suitup.keys.trust import trust_store
from suitup.manifest import Digest, Envelope, seal
from suitup.manifest.model import Manifest, Sequence
from suitup.manifest.templates import (
    Image,
    compatibility,
    condition,
    describe,
    directive,
    download,
    invoke,
    override,
    select,
    update,
    validate,
)

OWNERS = ("vendor", "operator")
FILE = 3000  # bytes of each owner's file


def signed(manifest: Manifest, key, payloads=None) -> Envelope:
    envelope = seal(manifest, payloads=payloads)
    envelope.blocks.append(cose.block(envelope.digest_bytes, key))
    return envelope


def composite(number, vendor_id, class_id, key, app):
    """See above. `number`: sequence of all of them, and what makes their files new; `key`: signs for everybody."""
    payloads = {"app-%d.img" % number: app}
    dependencies = []
    for owner in OWNERS:
        data = (b"%s %d " % (owner.encode(), number) * FILE)[:FILE]
        name = "%s-%d.bin" % (owner, number)
        payloads[name] = data
        image = Image((b"file", owner.encode()), Digest.of(data), len(data), name)
        dependencies.append(signed(update(number, vendor_id, class_id, [image], run=None), key))
    image = Image((b"app",), Digest.of(app), len(app), "app-%d.img" % number)
    shared = compatibility(vendor_id, class_id, 0) + describe(0, image)
    resolution, process = Sequence(), Sequence()
    for index, (owner, envelope) in enumerate(zip(OWNERS, dependencies), 1):
        there = [select(index), condition(n.C_DEPENDENCY_INTEGRITY)]
        shared += [select(index), override(image_digest=envelope.digest)]
        resolution += [select(index), override(uri="#" + owner), directive(n.C_FETCH), there[1]]
        process += [*there, directive(n.C_PROCESS_DEPENDENCY)]
    root = Manifest(
        sequence_number=number,
        components=[image.identifier],
        dependencies={i: {1: [b"manifest", o.encode()]} for i, o in enumerate(OWNERS, 1)},
        shared=shared,
        sequences={
            n.M_VALIDATE: process + validate([0]),
            n.M_INVOKE: invoke(0),
            n.M_DEPENDENCY_RESOLUTION: resolution,
            n.M_INSTALL: process + download(0, image),
        },
    )
    inside = {"#" + o: envelope.encode() for o, envelope in zip(OWNERS, dependencies)}
    return signed(root, key, inside).encode(), payloads


def prepare(folder: Path):
    """Two updates with two dependencies each, and what the board knows."""
    key = keys.generate("ESP256", development=True)
    ids = bytes(range(16)), bytes(range(16, 32))
    for number in (1, 2):
        data, payloads = composite(number, *ids, key, bytes([number]) * 9000)
        for name, content in {"%d.suit" % number: data, **payloads}.items():
            (folder / name).write_bytes(content)
    (folder / "config.cbor").write_bytes(cbor.encode({"name": "x", "vendor": ids[0], "class": [ids[1]]}))
    (folder / "trust.cbor").write_bytes(trust_store([(key.public(), n.ROLE_APP)], tables=True))


def attempt(micropython, folder, free) -> str:
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [micropython, "-X", "heapsize=4m", str(root / "tests/device/composite_board.py"), str(folder), str(free)],
        capture_output=True, text=True, timeout=120,
        env={"MICROPYPATH": f"{root}/tests/unit:{root}/firmware:{root}/boards/virtual:.frozen"},
    )  # fmt: skip
    said = done.stdout.splitlines()
    word, _, there = said[-1].rpartition(" ") if said else ("", "", "")
    if done.returncode or said[0] != "ok" or int(there) >= free + 1024:
        raise RuntimeError(done.stdout + done.stderr)
    return word
