"""One update by three owners, for what measures its heap: the root manifest brings the app and two dependencies, each signed on
its own and bringing a file.

    envelope, payloads = composite(7, vendor_id, class_id, key, app)    # bytes; {name: bytes} to be served beside it"""

from suitup import cose
from suitup import numbers as n
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
