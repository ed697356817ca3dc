"""What an envelope consists of, for those who keep inventories: CycloneDX 1.6 and SPDX 2.3, as JSON, from its CoSWID tag and its
manifest. Needs `pip install suitup[sbom]`.

    document = cyclonedx(bill(envelope))"""

import hashlib
import json
import os
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime

from suitup import __version__, coswid, version
from suitup import numbers as n
from suitup.errors import Failure
from suitup.manifest import Digest, Envelope, Sequence, labels
from suitup.manifest.describe import component_name

# the hashes of suit-manifest and of CoSWID that both formats know
_HASHES = {n.ALG_SHA256: "SHA-256", n.ALG_SHA384: "SHA-384", n.ALG_SHA512: "SHA-512"}
# the namespace of documents: the same manifest has the same serial number
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:ietf:suit:manifest")


@dataclass
class Item:
    """`hashes`: [(name, hex)]."""

    name: str
    hashes: list = field(default_factory=list)
    size: int | None = None
    version: str | None = None


@dataclass
class Bill:
    """`digest`: of the manifest; `moment`: when the document is made; `tag`: the CoSWID tag, when there is one."""

    name: str
    version: str | None
    supplier: str | None
    digest: bytes
    moment: datetime
    items: list = field(default_factory=list)
    tag: coswid.Software | None = None

    @property
    def serial(self) -> uuid.UUID:
        return uuid.uuid5(_NAMESPACE, self.digest.hex())


def carried(envelope: Envelope) -> bytes | None:
    """The CoSWID tag in the manifest, or severed beside it; None without one. Failure when it is severed and not here."""
    held = envelope.manifest.coswid
    found = envelope.member(n.M_COSWID)
    if held is not None and not isinstance(found, bytes):
        raise Failure(
            "the CoSWID tag is severed and not in this envelope", hint="use the envelope as it was signed"
        )
    return found


def _moment():
    """Now, or what SOURCE_DATE_EPOCH says, for documents that come out the same."""
    seconds = os.environ.get("SOURCE_DATE_EPOCH", "")
    if seconds.isdigit():
        return datetime.fromtimestamp(int(seconds), UTC)
    return datetime.now(UTC).replace(microsecond=0)


def bill(envelope: Envelope) -> Bill:
    manifest, tag = envelope.manifest, None
    data = carried(envelope)
    if data is not None:
        try:
            tag = coswid.read(data)
        except coswid.CoswidError as error:
            raise Failure("the CoSWID tag cannot be read", str(error)) from None
    texts = _texts(envelope)
    shown = version.show(manifest.set_version) if manifest.set_version else None
    made = Bill(
        tag.name if tag else texts.get("model") or "update",
        (tag.version if tag else None) or shown or texts.get("version"),
        (tag.creator if tag else None) or texts.get("vendor"),
        envelope.digest.value,
        _moment(),
        tag=tag,
    )
    for index, (digest, size) in sorted(_images(envelope).items()):
        hashes = [(_HASHES[digest.algorithm], digest.value.hex())] if digest.algorithm in _HASHES else []
        made.items.append(Item(component_name(manifest.components[index]), hashes, size))
    for each in tag.files if tag else ():
        algorithm = coswid.HASHES.get(each.hash[0]) if each.hash else None
        hashes = [(algorithm[0], each.hash[1].hex())] if algorithm else []
        made.items.append(Item(each.name, hashes, each.size, each.version))
    return made


def _texts(envelope):
    text = envelope.text()
    for sections in text.languages.values() if text is not None else ():
        for component, texts in sections.items():
            if component and isinstance(texts, dict):
                names = {"vendor": 1, "model": 2, "version": 6}
                return {key: texts[label] for key, label in names.items() if isinstance(texts.get(label), str)}
    return {}


def _images(envelope) -> dict:
    """{component: (digest, size or None)}; of several for slots, the first."""
    manifest, found = envelope.manifest, {}
    count = len(manifest.components)

    def walk(sequence, selected):
        for command in sequence:
            argument = command.argument
            if command.number == n.C_SET_COMPONENT_INDEX:
                chosen = argument if isinstance(argument, list) else [argument]
                selected = list(range(count)) if argument is True else chosen
            elif command.number in (n.C_OVERRIDE_PARAMETERS, n.C_SET_PARAMETERS):
                digest = argument.get(n.P_IMAGE_DIGEST)
                for index in selected if isinstance(digest, Digest) else ():
                    if isinstance(index, int) and index < count:
                        found.setdefault(index, (digest, argument.get(n.P_IMAGE_SIZE)))
            elif command.number == n.C_TRY_EACH:
                for each in argument:
                    walk(each or (), selected)
            elif command.number == n.C_RUN_SEQUENCE:
                walk(argument, selected)

    for sequence in (manifest.shared, *(envelope.member(each) for each in labels.SEQUENCES)):
        if isinstance(sequence, Sequence):
            walk(sequence, [0])
    return found


def _missing(error):
    return Failure(
        "the library for this format is not installed", str(error), "pip install 'suitup[sbom]'"
    )


def cyclonedx(made: Bill) -> str:
    """CycloneDX 1.6."""
    try:
        from cyclonedx.model import HashAlgorithm, HashType, Property
        from cyclonedx.model.bom import Bom, BomMetaData
        from cyclonedx.model.component import Component, ComponentType, Swid
        from cyclonedx.model.contact import OrganizationalEntity
        from cyclonedx.output.json import JsonV1Dot6
    except ImportError as error:
        raise _missing(error) from None
    supplier = OrganizationalEntity(name=made.supplier) if made.supplier else None
    swid = Swid(tag_id=made.tag.tag_id, name=made.tag.name, version=made.tag.version) if made.tag else None
    root = Component(
        name=made.name,
        type=ComponentType.FIRMWARE,
        version=made.version,
        supplier=supplier,
        swid=swid,
        bom_ref="update",
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=made.digest.hex())] if len(made.digest) == 32 else (),
    )
    components = [
        Component(
            name=item.name,
            type=ComponentType.FILE,
            version=item.version,
            bom_ref=f"item-{number}",
            hashes=[HashType(alg=HashAlgorithm(name), content=value) for name, value in item.hashes],
            properties=[] if item.size is None else [Property(name="suitup:size", value=str(item.size))],
        )
        for number, item in enumerate(made.items)
    ]
    tool = Component(name="suitup", type=ComponentType.APPLICATION, version=__version__)
    metadata = BomMetaData(component=root, supplier=supplier, timestamp=made.moment, tools=None)
    metadata.tools.components.add(tool)
    bom = Bom(serial_number=made.serial, metadata=metadata, components=components)
    bom.register_dependency(root, components)
    return json.dumps(json.loads(JsonV1Dot6(bom).output_as_string()), indent=2)


def spdx(made: Bill) -> str:
    """SPDX 2.3. Files are packages, because a file of SPDX 2.3 has to have a SHA-1."""
    import io

    try:
        from spdx_tools.spdx.model import (
            Actor,
            ActorType,
            Checksum,
            ChecksumAlgorithm,
            CreationInfo,
            Document,
            Package,
            Relationship,
            RelationshipType,
            SpdxNoAssertion,
        )
        from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document
        from spdx_tools.spdx.writer.json.json_writer import write_document_to_stream
    except ImportError as error:
        raise _missing(error) from None

    def package(identifier, name, version, hashes, comment=None):
        return Package(
            identifier,
            name,
            SpdxNoAssertion(),
            version=version,
            supplier=Actor(ActorType.ORGANIZATION, made.supplier) if made.supplier else None,
            files_analyzed=False,
            checksums=[Checksum(ChecksumAlgorithm[name.replace("-", "")], value) for name, value in hashes],
            license_concluded=SpdxNoAssertion(),
            license_declared=SpdxNoAssertion(),
            copyright_text=SpdxNoAssertion(),
            comment=comment,
        )

    own = [("SHA-256", made.digest.hex())] if len(made.digest) == 32 else []
    packages = [package("SPDXRef-update", made.name, made.version, own, "the checksum is that of the SUIT manifest")]
    related = [Relationship("SPDXRef-DOCUMENT", RelationshipType.DESCRIBES, "SPDXRef-update")]
    for number, item in enumerate(made.items):
        size = None if item.size is None else f"{item.size} bytes"
        packages.append(package(f"SPDXRef-item-{number}", item.name, item.version, item.hashes, size))
        related.append(Relationship("SPDXRef-update", RelationshipType.CONTAINS, f"SPDXRef-item-{number}"))
    name = f"{made.name} {made.version or ''}".strip()
    about = CreationInfo(
        "SPDX-2.3",
        "SPDXRef-DOCUMENT",
        name,
        f"urn:uuid:{made.serial}",
        [Actor(ActorType.TOOL, f"suitup-{__version__}")],
        made.moment.replace(tzinfo=None),
    )
    document = Document(about, packages=packages, relationships=related)
    wrong = validate_full_spdx_document(document)
    if wrong:
        raise Failure("this cannot be said in SPDX", wrong[0].validation_message)
    out = io.StringIO()
    write_document_to_stream(document, out, validate=False)
    return out.getvalue()


def tag_of(project, contents) -> bytes:
    """The CoSWID tag for a project whose components are `contents`: [(identifier, [(file name, content) per slot])]; an app
    image is listed file by file."""
    from suitup.images import romfs

    files = []
    for identifier, slots in contents:
        data = slots[0][1]
        inside = {}
        if identifier == (b"app",):
            inside = {f"app/{name}": content for name, content in romfs.read(data).items()}
        else:
            inside["/".join(part.decode() for part in identifier)] = data
        files += [
            coswid.File(name, len(content), (1, hashlib.sha256(content).digest()))
            for name, content in sorted(inside.items())
        ]
    tag_id = f"{project.vendor}/{project.name}-{project.version}"
    return coswid.write(coswid.Software(tag_id, project.name, project.version, project.vendor, files))
