"""From a project to a signed envelope: build, describe, sever the text, sign, publish."""

from dataclasses import dataclass, field
from pathlib import Path

from suitup import cbor, cose, images, keys, mud, sbom, version
from suitup import numbers as n
from suitup.errors import USAGE, Failure
from suitup.images import esp32
from suitup.manifest import Digest, Envelope, StructureError, Text, labels, plans, seal, templates
from suitup.project import Project
from suitup.release import Release, write

APP = (b"app",)
FIRMWARE = (b"firmware",)
UPDATER = (b"updater",)


@dataclass
class Draft:
    """An envelope before it is signed. `payloads`: {file name: bytes} that a server has to serve beside it."""

    envelope: Envelope
    sequence: int
    payloads: dict = field(default_factory=dict)


def file_component(name: str) -> tuple:
    """`conf/settings.json` -> the identifier ["file", "conf", "settings.json"]."""
    return (b"file", *(part.encode() for part in name.split("/")))


def components(project: Project, apps: list[images.AppImage]) -> list[tuple]:
    """(identifier, [(file name, content) per slot]) of every component, the app first: one entry when the same bytes
    serve every slot. Without apps the files alone."""
    names = [f"{project.name}.img"]
    if len(apps) > 1:
        names = [f"{project.name}-{chr(ord('a') + slot)}.img" for slot in range(len(apps))]
    out = [(APP, [(name, app.data) for name, app in zip(names, apps)])] if apps else []
    for name, path in sorted(project.files.items()):
        try:
            out.append((file_component(name), [(name, path.read_bytes())]))
        except FileNotFoundError:
            raise Failure(f"no file at {path}", f"suitup.toml names it as {name}") from None
    if len(out) > n.MAX_COMPONENTS:
        raise Failure(
            f"{len(out)} components",
            f"a manifest has at most {n.MAX_COMPONENTS}",
            "put files that change together with the app into its folder",
        )
    return out


def build(project: Project) -> images.AppImage:
    """The app image, with its version as `version.txt`; file components that lie in the app folder are left out of it."""
    app = project.app.resolve()
    inside = [
        path.resolve().relative_to(app).as_posix()
        for path in project.files.values()
        if path.resolve().is_relative_to(app)
    ]
    # what an app shows as its version without a look at the manifest; and no two versions are the same image
    extra = {"version.txt": project.version.encode() + b"\n"}
    return _fits(project, images.build(app, project.compiled, project.arch, inside, extra))


def _fits(project, image):
    if project.slot_size and len(image.data) > project.slot_size:
        raise Failure(
            f"the app image is {len(image.data)} bytes",
            f"an app slot of that board holds {project.slot_size}",
            "make the app smaller, or use a board with larger slots",
        )
    return image


def text(project: Project, app=True) -> Text:
    """What people read; severed, since a device does not."""
    sections = {"": {1: f"{project.name} {project.version}"}}
    if project.description:
        sections[""][2] = project.description
    if not app:
        return Text({"en": sections})
    sections[APP] = {
        1: project.vendor,
        2: project.model,
        3: project.vendor,
        4: project.class_name,
        5: "application",
        6: project.version,
    }
    return Text({"en": sections})


@dataclass
class _Carrier:
    """How payloads travel: inside the envelope or as files beside it; encrypted to `recipients` or not."""

    release: Release
    integrated: bool = False
    base_url: str = ""
    recipients: list = field(default_factory=list)
    content: int = n.ALG_A128GCM
    payloads: dict = field(default_factory=dict)  # {file name: bytes}
    carried: dict = field(default_factory=dict)  # {URI: bytes}

    def put(self, name, data) -> tuple[str, bytes | None]:
        """(URI, encryption info or None) under which a device finds `data`."""
        info = None
        if self.recipients:
            info, data = cose.encrypt(data, self.recipients, self.content)
            name += ".enc"
        if self.integrated:
            uri = "#" + name
            self.carried[uri] = data
        else:
            file = self.release.payload_name(name, data)
            self.payloads[file] = data
            uri = (self.base_url.rstrip("/") + "/" if self.base_url else "") + file
        if len(uri.encode()) > n.MAX_URI:
            raise Failure(f"the URI of {name} is longer than {n.MAX_URI} bytes")
        return uri, info


def draft(
    project: Project,
    release: Release,
    sequence=None,
    integrated=False,
    base_url="",
    recipients=(),
    content=n.ALG_A128GCM,
    prebuilt=(),
    firmware=None,
    with_updater=False,
    plan=None,
    coswid=False,
) -> Draft:
    """The unsigned envelope of the project as it is now, or of the app images in the files `prebuilt`: one for every slot, or
    one per slot for code that is tied to its place (the A/B template).

    `integrated` puts the payloads into the envelope; `base_url` makes their URIs absolute, else they are relative to
    where the envelope comes from; `sequence`: one above the last in the release folder unless given; `recipients`: keys the
    payloads are encrypted to with the algorithm `content`; `firmware`: file of an ESP32 application image that goes with the
    app, both or neither; `with_updater`: so does the updater of this suitup; `plan`: templates beside the
    usual one (manifest/plans.py); `coswid`: with a tag that lists what it consists of. Digest and size are always those
    of the plaintext."""
    plan = plan or plans.Plan()
    apps = [_fits(project, images.load(path)) for path in prebuilt]
    if not apps and not plan.part and not plan.config_only:
        apps = [build(project)]
    if len({app.kind for app in apps}) > 1:
        raise Failure("the images are for different interpreters", hint="sign them separately")
    if sequence is None:
        sequence = release.last_sequence() + 1
    carrier = _Carrier(release, integrated, base_url, list(recipients), content)
    listed = []
    class_id = kind = None
    if plan.config_only and not apps:
        kept, class_id = _app_of_last_release(project, release, carrier)
        listed.append(kept)
    wanted = components(project, apps)
    if not wanted and not listed:
        raise Failure("there is no file to sign", hint="name files in suitup.toml", code=USAGE)
    if firmware:
        wanted.append((FIRMWARE, [("micropython.app-bin", _firmware(firmware))]))
    if apps:
        kind = apps[0].kind
    if with_updater and not apps:
        raise Failure("the updater travels with an app that is built for the same board", code=USAGE)
    if with_updater:
        data, kind = _updater(project, kind)
        wanted.append((UPDATER, [("updater.img", data)]))
    for identifier, contents in wanted:
        entry = [
            templates.Image(identifier, Digest.of(data), len(data), *carrier.put(name, data))
            for name, data in contents
        ]
        listed.append(entry if len(entry) > 1 else entry[0])
    manifest = templates.update(
        sequence,
        project.vendor_id,
        class_id or project.class_id(kind),
        listed,
        set_version=version.parse(project.version),
        run=None if plan.part else 0,
    )
    manifest.text = text(project, app=not plan.part)
    carrier.carried.update(plan.apply(manifest))
    for part in plan.owners:
        carrier.payloads.update(part.payloads)
    # a text that is shorter than the digest which would stand for it stays where it is (8.6)
    sever = [n.M_TEXT] if len(manifest.text.encode()) >= len(Digest.of(b"").encode()) else []
    if coswid:
        manifest.coswid = sbom.tag_of(project, wanted)
        sever.append(n.M_COSWID)
    if project.mud:
        manifest.other[n.M_MUD] = mud.pointer(project.mud, project.base).encode()
    return _sealed(manifest, sever, sequence, carrier)


def _app_of_last_release(project, release, carrier):
    """(Image, class id) of the app as it was published last; its payload stays where it is."""
    entries = release.entries(project.name)
    if not entries:
        raise Failure(f"no release of {project.name} whose app could stay", hint="sign without config-only first")
    last = Envelope.decode((release.path / entries[-1]["envelope"]).read_bytes())
    manifest = last.manifest
    if not manifest.components or manifest.components[0] != APP:
        raise Failure(f"{entries[-1]['envelope']} has no app", hint="sign without config-only")
    values = {}
    sequences = [manifest.shared, *(last.member(number) for number in (n.M_PAYLOAD_FETCH, n.M_INSTALL))]
    for sequence in sequences:
        index = 0
        for command in sequence or ():
            if command.number == n.C_SET_COMPONENT_INDEX:
                index = command.argument
            elif command.number == n.C_OVERRIDE_PARAMETERS and type(index) is int and index == 0:
                values.update(command.argument)
    if not {n.P_IMAGE_DIGEST, n.P_IMAGE_SIZE, n.P_URI} <= set(values) or n.P_ENCRYPTION_INFO in values:
        raise Failure(
            f"the app of {entries[-1]['envelope']} is not one plain image", hint="sign without config-only"
        )
    uri = values[n.P_URI]
    if uri in last.payloads:
        carrier.carried[uri] = last.payloads[uri]
    image = templates.Image(APP, values[n.P_IMAGE_DIGEST], values[n.P_IMAGE_SIZE], uri)
    return image, _identities(manifest)[1]


def _firmware(path):
    data = Path(path).read_bytes()
    size = esp32.inspect(data).size
    if size != len(data):
        raise Failure(f"the firmware image is {size} bytes, {path} has {len(data)}")
    return data


def _updater(project, kind):
    """(image of the updater, the kind of `.mpy` that it and the app, of `kind`, need)."""
    from suitup.boards import updater

    files = updater.package(project.arch)
    kinds = {images.app.mpy_kind(data) for data in files.values()} | {kind or None} - {None}
    native = {each for each in kinds if "-" in each}
    if len(native) > 1 or len({each.split(".")[0] for each in kinds}) > 1:
        raise Failure("app and updater are for different interpreters", ", ".join(sorted(kinds)))
    return images.romfs.write(files), (native or kinds).pop()


def _sealed(manifest, sever, sequence, carrier) -> Draft:
    envelope = seal(manifest, sever, carrier.carried)
    if len(envelope.manifest_bytes) > n.MAX_MANIFEST:
        raise Failure(
            f"the manifest is {len(envelope.manifest_bytes)} bytes",
            f"devices take at most {n.MAX_MANIFEST}",
            "use fewer file components or shorter URIs",
        )
    return Draft(envelope, sequence, carrier.payloads)


def encrypt_for(
    envelope: Envelope, fetch, release: Release, recipients, content=n.ALG_A128GCM
) -> Draft:
    """The distributor's role (firmware-encryption section 4): the author's manifest with its payloads encrypted to
    `recipients`, to be signed anew. `fetch(uri)` gives a payload of the author's envelope; nothing but URIs and encryption info
    changes, so a distributor cannot pass off another image under the author's digest without signing that too."""
    manifest = envelope.manifest
    inside = bool(envelope.payloads)
    carrier = _Carrier(release, inside, "", list(recipients), content)
    done = {}
    for number in list(manifest.sequences):
        sequence = envelope.member(number)
        if sequence is None:
            raise Failure(f"{labels.MANIFEST[number]} is severed and not in the envelope")
        manifest.sequences[number] = sequence
        for command in sequence.walk():
            if (
                command.number not in (n.C_OVERRIDE_PARAMETERS, n.C_SET_PARAMETERS)
                or n.P_URI not in command.argument
            ):
                continue
            if n.P_ENCRYPTION_INFO in command.argument:
                raise Failure(
                    "a payload is encrypted already", hint="start from the author's plain release"
                )
            uri = command.argument[n.P_URI]
            if uri not in done:
                done[uri] = carrier.put(uri.lstrip("#").split("-", 1)[-1], fetch(uri))
            command.argument[n.P_URI], command.argument[n.P_ENCRYPTION_INFO] = done[uri]
    if not done:
        raise Failure("the manifest fetches nothing", "there is nothing to encrypt")
    sever = [number for number in envelope.manifest.severed() if number in labels.SEQUENCES]
    if isinstance(manifest.text, Digest) and envelope.member(n.M_TEXT) is not None:
        manifest.text = envelope.member(n.M_TEXT)
        sever.append(n.M_TEXT)
    return _sealed(manifest, sever, manifest.sequence_number, carrier)


def load_signers(project: Project) -> list:
    """The private keys that sign, from --key or suitup.toml."""
    if not project.keys:
        raise Failure(
            "no key to sign with",
            hint="make one with `suitup keygen`, name it with --key or in suitup.toml",
            code=USAGE,
        )
    signers = [keys.load(path) for path in project.keys]
    for path, key in zip(project.keys, signers):
        if not key.private:
            raise Failure(
                f"{path} is a public key",
                hint="sign with the private one, or in two steps: "
                "--to-be-signed, then --attach-signature",
            )
    return signers


def encrypt_around(
    envelope: Envelope, fetch, release: Release, recipients, content=n.ALG_A128GCM
) -> Draft:
    """The distributor's role without the author's authority: the author's envelope stays signed as it is and goes into a second
    manifest that carries the encryption info. Ciphertexts take the place and the names of the plain payloads."""
    manifest = envelope.manifest
    infos, payloads = {}, {}
    inner = Envelope.decode(envelope.encode())
    for index, uri in _fetched(envelope):
        infos[index], data = cose.encrypt(fetch(uri), recipients, content)
        if uri in inner.payloads:
            inner.payloads[uri] = data
        else:
            payloads[uri] = data
    ids = _identities(manifest)
    name = "#author.suit"
    outer = templates.encryption_layer(manifest, envelope.digest, name, infos, *ids)
    carrier = _Carrier(release)
    carrier.payloads, carrier.carried = payloads, {name: inner.encode()}
    return _sealed(outer, [], manifest.sequence_number, carrier)


def _fetched(envelope):
    """[(component index, URI)] of a manifest that fetches one payload per component, as `sign` writes it."""
    found, index = {}, None
    for command in envelope.member(n.M_INSTALL) or ():
        if command.number == n.C_SET_COMPONENT_INDEX:
            index = command.argument
        elif command.number == n.C_OVERRIDE_PARAMETERS and n.P_URI in command.argument:
            if n.P_ENCRYPTION_INFO in command.argument:
                raise Failure(
                    "a payload is encrypted already", hint="start from the plain release"
                )
            found[index] = command.argument[n.P_URI]
    if not found or not all(type(each) is int for each in found):
        raise Failure(
            "the install section does not fetch one payload per component",
            hint="`suitup encrypt` without --keep-signature takes other manifests too",
        )
    return list(found.items())


def _identities(manifest):
    """(vendor id, class id) that the shared sequence of a manifest sets."""
    values = {}
    for command in manifest.shared or ():
        if command.number == n.C_OVERRIDE_PARAMETERS:
            values.update(command.argument)
    try:
        return values[n.P_VENDOR_ID], values[n.P_CLASS_ID]
    except KeyError:
        raise Failure("the manifest names no vendor and class", hint="`suitup lint` it") from None


def save_draft(path, project: Project, made: Draft):
    """Keep a draft until its signature comes from elsewhere."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write(
        path,
        cbor.encode(
            {
                "name": project.name,
                "version": project.version,
                "sequence": made.sequence,
                "envelope": made.envelope.encode(),
                "payloads": made.payloads,
            }
        ),
    )


def load_draft(path) -> tuple[str, str, Draft]:
    """(name, version, Draft) of a saved draft."""
    try:
        item = cbor.decode(path.read_bytes())
        return (
            item["name"],
            item["version"],
            Draft(Envelope.decode(item["envelope"]), item["sequence"], item["payloads"]),
        )
    except FileNotFoundError:
        raise Failure(
            f"no draft at {path}", hint="make one first: suitup sign --to-be-signed FILE"
        ) from None
    except (cbor.NotDeterministic, StructureError, TypeError, KeyError) as error:
        raise Failure(f"{path} is not a draft", str(error)) from None


def sign(envelope: Envelope, signers, together=False):
    """Add an authentication block per signer, or one COSE_Sign with all signatures (`together`)."""
    if not envelope.digest_matches():
        raise Failure("the manifest does not have the digest that would be signed")
    if together:
        envelope.blocks.append(cose.sign(envelope.digest_bytes, signers))
    else:
        envelope.blocks += [cose.block(envelope.digest_bytes, key) for key in signers]


def publish(project: Project, release: Release, made: Draft):
    """Put a signed draft into the release folder; returns the path of its envelope."""
    return release.publish(
        project.name,
        project.version,
        made.sequence,
        made.envelope.encode(),
        made.envelope.digest.value,
        made.payloads,
    )
