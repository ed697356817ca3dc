"""`suitup verify FILE --key KEY`: the workstation's own verdict on an envelope."""

from pathlib import Path

import click

from suitup import identity, keys
from suitup.errors import Failure
from suitup.manifest import describe, labels
from suitup.manifest.verify import Device, verify
from suitup.project import load

_HINTS = {
    "parse-fail": "it was damaged, or not made by a tool that encodes deterministically",
    "auth-fail": "`suitup inspect` shows the key id of the signer",
    "rollback": "sign it again with a higher sequence number",
    "severed-digest-fail": "it was changed after signing; get it again from the release folder",
    "condition-failed": "it is for other devices, or a payload does not match",
    "operation-failed": "are the payloads beside the envelope?",
    "abort": "`suitup lint` shows what is wrong",
}


@click.command()
@click.argument("path", metavar="FILE", type=click.Path(exists=True, dir_okay=False))
@click.option(
    "--key",
    "key_files",
    multiple=True,
    type=click.Path(),
    help="Trusted key (private or public); several may be given.",
)
@click.option(
    "--trust", type=click.Path(exists=True), help="Trust store (COSE_KeySet), as on a device."
)
@click.option(
    "--app",
    metavar="PATH",
    help="Take the identity from this project, and its key unless --key or --trust is given.",
)
@click.option(
    "--vendor", help="Vendor's domain name: execute it too, for a device of this vendor and class."
)
@click.option("--class", "class_name", help="Class of the device.")
@click.option("--mpy", default="6", show_default=True, help="Kind of .mpy the device loads.")
@click.option("--floor", default=0, help="Lowest sequence number the device takes.")
@click.option(
    "--decrypt",
    multiple=True,
    type=click.Path(),
    help="Key of the device that opens encrypted payloads.",
)
def command(path, key_files, trust, app, vendor, class_name, mpy, floor, decrypt):
    """Verify an envelope: strict encoding, signature, severed members, structure; with a vendor and class also execute
    it against the payloads beside it. Independent of the device code, which `suitup simulate` runs."""
    trusted = [keys.load(each) for each in key_files]
    if trust:
        trusted += keys.read_anchors(Path(trust).read_bytes())
    if app:
        project = load(app)
        if not key_files and not trust:
            trusted = [keys.load(each) for each in project.keys]
        vendor, class_name = vendor or project.vendor, class_name or project.class_name
    if not trusted:
        raise Failure(
            "no key to trust",
            hint="name one with --key, a trust store with --trust or a project with --app",
            code=2,
        )
    device = Device(
        keys=trusted, floor=floor, decryption_keys=[keys.load(each) for each in decrypt]
    )
    procedures = ()
    if vendor and class_name:
        procedures = ("update", "invocation")
        device.vendor_id = identity.vendor_id(vendor)
        names = [class_name, *(f"{class_name}/{kind}" for kind in mpy.split(","))]
        device.class_ids = tuple(identity.class_id(device.vendor_id, each) for each in names)
        folder = Path(path).parent
        device.payloads = _Folder(folder)
    verdict = verify(Path(path).read_bytes(), device, procedures)
    if verdict.accepted:
        done = "authentic and executable" if procedures else "authentic"
        click.echo(f"ok: {done}, by {verdict.key.describe()}")
        for identifier, content in verdict.components.items():
            click.echo(f"  {describe.component_name(identifier)} {len(content)} bytes")
        return
    section, number, _ = verdict.where
    where = ""
    if number is not None:
        name = "shared" if section == 3 else labels.name(labels.MANIFEST, section)
        where = f" ({labels.name(labels.COMMANDS, number)} in {name})"
    raise Failure(
        f"{path} is refused, {verdict.word}", verdict.why + where, _HINTS.get(verdict.word)
    )


class _Folder(dict):
    """Payloads that lie beside the envelope: relative URIs of one segment."""

    def __init__(self, folder):
        super().__init__()
        self._folder = folder

    def get(self, uri, default=None):
        path = self._folder / uri
        if "/" in uri or uri in ("", ".", "..") or not path.is_file():
            return default
        return path.read_bytes()
