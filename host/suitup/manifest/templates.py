"""The templates of suit-manifest section 7, as sequences that combine.

Each function returns a Sequence; `update()` puts them together into the manifest that `suitup sign` writes."""

from dataclasses import dataclass

from suitup import numbers as n
from suitup.manifest.model import Command, Digest, Manifest, Sequence

_ALWAYS = 15  # report success, failure and system information: conditions
_FAILURE = 2  # report failure: directives


@dataclass(frozen=True)
class Image:
    """One component of an update. `identifier`: tuple of bytes; `size` in bytes; `uri` a reference resolved against the
    envelope's own URL, or `#name` for a payload inside it; `encryption_info`: of a payload that is encrypted."""

    identifier: tuple
    digest: Digest
    size: int
    uri: str | None = None
    encryption_info: bytes | None = None


def select(index) -> Command:
    """Set Component Index: an int, a list of them, or True for all."""
    return Command(n.C_SET_COMPONENT_INDEX, index)


def override(**parameters) -> Command:
    """Override Parameters; names with `_` for `-`, as in `image_digest=`."""
    names = {
        "vendor_id": n.P_VENDOR_ID,
        "class_id": n.P_CLASS_ID,
        "device_id": n.P_DEVICE_ID,
        "image_digest": n.P_IMAGE_DIGEST,
        "image_size": n.P_IMAGE_SIZE,
        "uri": n.P_URI,
        "slot": n.P_COMPONENT_SLOT,
        "source": n.P_SOURCE_COMPONENT,
        "content": n.P_CONTENT,
        "invoke_args": n.P_INVOKE_ARGS,
        "encryption_info": n.P_ENCRYPTION_INFO,
    }
    return Command(
        n.C_OVERRIDE_PARAMETERS,
        {names[name]: value for name, value in parameters.items() if value is not None},
    )


def condition(number) -> Command:
    return Command(number, _ALWAYS)


def directive(number) -> Command:
    return Command(number, _FAILURE)


def compatibility(vendor_id: bytes, class_id: bytes, index=True) -> Sequence:
    """7.1 Compatibility check, for the shared sequence."""
    return Sequence(
        [
            select(index),
            override(vendor_id=vendor_id, class_id=class_id),
            condition(n.C_VENDOR_ID),
            condition(n.C_CLASS_ID),
        ]
    )


def describe(index: int, image: Image) -> Sequence:
    """Digest and size of a component, for the shared sequence (7.2, 7.3)."""
    return Sequence([select(index), override(image_digest=image.digest, image_size=image.size)])


def download(index: int, image: Image) -> Sequence:
    """7.3 Component download and 7.5 integrated payload, for install: they differ in the URI only."""
    return Sequence(
        [
            select(index),
            override(uri=image.uri, encryption_info=image.encryption_info),
            directive(n.C_FETCH),
            condition(n.C_IMAGE_MATCH),
        ]
    )


def copy(index: int, source: int) -> Sequence:
    """7.4 Install from, and 7.6 load from, another component."""
    return Sequence(
        [select(index), override(source=source), directive(n.C_COPY), condition(n.C_IMAGE_MATCH)]
    )


def describe_ab(index: int, images: list[Image]) -> Sequence:
    """7.7 A/B, shared part: the digest and size that fit the slot."""
    branches = [
        Sequence(
            [
                override(slot=slot),
                condition(n.C_COMPONENT_SLOT),
                override(image_digest=image.digest, image_size=image.size),
            ]
        )
        for slot, image in enumerate(images)
    ]
    return Sequence([select(index), Command(n.C_TRY_EACH, branches)])


def download_ab(index: int, images: list[Image]) -> Sequence:
    """7.7 A/B, install part: the URI that fits the slot."""
    branches = [
        Sequence(
            [
                override(slot=slot),
                condition(n.C_COMPONENT_SLOT),
                override(uri=image.uri, encryption_info=image.encryption_info),
            ]
        )
        for slot, image in enumerate(images)
    ]
    return Sequence(
        [
            select(index),
            Command(n.C_TRY_EACH, branches),
            directive(n.C_FETCH),
            condition(n.C_IMAGE_MATCH),
        ]
    )


def validate(indices) -> Sequence:
    """7.2 Trusted invocation, validate: every component has its digest."""
    return Sequence(
        each for index in indices for each in (select(index), condition(n.C_IMAGE_MATCH))
    )


def invoke(index: int) -> Sequence:
    """7.2 Trusted invocation, invoke."""
    return Sequence([select(index), directive(n.C_INVOKE)])


def update(
    sequence_number: int,
    vendor_id: bytes,
    class_id: bytes,
    images: list,
    set_version=None,
    reference_uri=None,
    run=0,
) -> Manifest:
    """The manifest of an update: compatibility check, then download, validation and invocation of the components.

    `images`: one Image per component, or a list of Images with one per slot (A/B); `run`: index of the component to
    invoke, or None."""

    def first(entry):
        return entry[0] if isinstance(entry, list) else entry

    indices = range(len(images))
    shared, install = (
        compatibility(vendor_id, class_id, True if len(images) > 1 else 0),
        Sequence(),
    )
    for index, entry in enumerate(images):
        ab = isinstance(entry, list)
        shared += describe_ab(index, entry) if ab else describe(index, entry)
        install += download_ab(index, entry) if ab else download(index, entry)
    sequences = {n.M_VALIDATE: validate(indices), n.M_INSTALL: install}
    if run is not None:
        sequences[n.M_INVOKE] = invoke(run)
    return Manifest(
        sequence_number=sequence_number,
        components=[first(entry).identifier for entry in images],
        shared=shared,
        sequences=sequences,
        set_version=set_version,
        reference_uri=reference_uri,
    )


def encryption_layer(author: Manifest, digest: Digest, uri: str, infos: dict, vendor_id, class_id):
    """The manifest of a distributor around that of an author (trust-domains, Overriding Encryption Info; the model that
    firmware-encryption recommends): it gives the encryption info, everything else is the author's.

    `digest`, `uri`: of the author's manifest and envelope; `infos`: {component index: encryption info}. The author's
    envelope is the component behind its own ones, stored as ["manifest", "author"]."""
    last = len(author.components)
    enter = [select(last), condition(n.C_DEPENDENCY_INTEGRITY)]
    process = directive(n.C_PROCESS_DEPENDENCY)
    install = Sequence()
    for index, info in sorted(infos.items()):
        install += [select(index), override(encryption_info=info)]
    sequences = {
        n.M_DEPENDENCY_RESOLUTION: Sequence(
            [select(last), override(uri=uri), directive(n.C_FETCH), enter[1]]
        ),
        n.M_INSTALL: install + [select(last), process],
    }
    for number in (n.M_VALIDATE, n.M_LOAD, n.M_INVOKE):
        if number in author.sequences:
            sequences[number] = Sequence([*enter, process])
    shared = compatibility(vendor_id, class_id, list(range(last)))
    return Manifest(
        sequence_number=author.sequence_number,
        components=list(author.components),
        dependencies={last: {1: [b"manifest", b"author"]}},
        shared=shared + [select(last), override(image_digest=digest)],
        sequences=sequences,
        set_version=author.set_version,
    )
