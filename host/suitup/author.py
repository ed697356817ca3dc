"""From a project to a signed envelope: build, describe, sever the text, sign, publish."""

from dataclasses import dataclass, field

from suitup import cose, images, keys, version
from suitup import numbers as n
from suitup.errors import USAGE, Failure
from suitup.manifest import Digest, Envelope, Text, seal, templates
from suitup.project import Project
from suitup.release import Release

APP = (b"app",)


@dataclass
class Draft:
    """An envelope before it is signed. `payloads`: {file name: bytes} that a server has to serve beside it."""

    envelope: Envelope
    sequence: int
    payloads: dict = field(default_factory=dict)


def file_component(name: str) -> tuple:
    """`conf/settings.json` -> the identifier ["file", "conf", "settings.json"]."""
    return (b"file", *(part.encode() for part in name.split("/")))


def components(project: Project, app: images.AppImage) -> list[tuple]:
    """(identifier, file name, content) of every component, the app first."""
    out = [(APP, f"{project.name}.img", app.data)]
    for name, path in sorted(project.files.items()):
        try:
            out.append((file_component(name), name, path.read_bytes()))
        except FileNotFoundError:
            raise Failure(f"no file at {path}", f"suitup.toml names it as {name}") from None
    if len(out) > n.MAX_COMPONENTS:
        raise Failure(f"{len(out)} components", f"a manifest has at most {n.MAX_COMPONENTS}",
                      "put files that change together with the app into its folder")
    return out


def build(project: Project) -> images.AppImage:
    """The app image, with its version as `version.txt`; file components that lie in the app folder are left out of it."""
    app = project.app.resolve()
    inside = [path.resolve().relative_to(app).as_posix() for path in project.files.values()
              if path.resolve().is_relative_to(app)]
    # what an app shows as its version without a look at the manifest; and no two versions are the same image
    extra = {"version.txt": project.version.encode() + b"\n"}
    return images.build(app, project.compiled, project.arch, inside, extra)


def text(project: Project) -> Text:
    """What people read; severed, since a device does not."""
    sections = {"": {1: f"{project.name} {project.version}"}}
    if project.description:
        sections[""][2] = project.description
    sections[APP] = {1: project.vendor, 2: project.model, 3: project.vendor, 4: project.class_name,
                     5: "application", 6: project.version}
    return Text({"en": sections})


def draft(project: Project, release: Release, sequence=None, integrated=False, base_url="") -> Draft:
    """The unsigned envelope of the project as it is now.

    `integrated` puts the payloads into the envelope; `base_url` makes their URIs absolute, else they are relative to
    where the envelope comes from; `sequence`: one above the last in the release folder unless given."""
    app = build(project)
    if sequence is None:
        sequence = release.last_sequence() + 1
    listed, payloads, carried = [], {}, {}
    for identifier, name, data in components(project, app):
        if integrated:
            uri = "#" + name
            carried[uri] = data
        else:
            file = release.payload_name(name, data)
            payloads[file] = data
            uri = (base_url.rstrip("/") + "/" if base_url else "") + file
        if len(uri.encode()) > n.MAX_URI:
            raise Failure(f"the URI of {name} is longer than {n.MAX_URI} bytes")
        listed.append(templates.Image(identifier, Digest.of(data), len(data), uri))
    manifest = templates.update(
        sequence, project.vendor_id, project.class_id(app.kind), listed,
        set_version=version.parse(project.version))
    manifest.text = text(project)
    envelope = seal(manifest, sever=[n.M_TEXT], payloads=carried)
    if len(envelope.manifest_bytes) > n.MAX_MANIFEST:
        raise Failure(f"the manifest is {len(envelope.manifest_bytes)} bytes",
                      f"devices take at most {n.MAX_MANIFEST}", "use fewer file components or shorter URIs")
    return Draft(envelope, sequence, payloads)


def load_signers(project: Project) -> list:
    """The private keys that sign, from --key or suitup.toml."""
    if not project.keys:
        raise Failure("no key to sign with", hint="make one with `suitup keygen`, name it with --key or in "
                      "suitup.toml", code=USAGE)
    signers = [keys.load(path) for path in project.keys]
    for path, key in zip(project.keys, signers):
        if not key.private:
            raise Failure(f"{path} is a public key", hint="sign with the private one, or in two steps: "
                          "--to-be-signed, then --attach-signature")
    return signers


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
    return release.publish(project.name, project.version, made.sequence, made.envelope.encode(),
                           made.envelope.digest.value, made.payloads)
