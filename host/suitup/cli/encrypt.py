"""`suitup encrypt FILE --to KEY`: the distributor's role, a plain release encrypted for some devices."""

from pathlib import Path

import click

from suitup import author, cose, keys
from suitup.errors import USAGE, Failure
from suitup.manifest import Envelope
from suitup.manifest.verify import Device, verify
from suitup.release import Release


@click.command()
@click.argument("path", metavar="FILE", type=click.Path(exists=True, dir_okay=False))
@click.option(
    "--to",
    "recipients",
    multiple=True,
    required=True,
    type=click.Path(),
    metavar="KEY",
    help="Key of a device or a class of devices; several may be given.",
)
@click.option(
    "--author",
    "authors",
    multiple=True,
    required=True,
    type=click.Path(),
    help="Key that must have signed FILE.",
)
@click.option(
    "--key",
    "signers",
    multiple=True,
    required=True,
    type=click.Path(),
    help="Key that signs the result.",
)
@click.option(
    "--content-alg",
    type=click.Choice(list(cose.CONTENT_NAMES)),
    default="A128GCM",
    show_default=True,
)
@click.option("--release", required=True, type=click.Path(), help="Release folder for the result.")
@click.option(
    "--keep-signature",
    is_flag=True,
    help="Leave the author's manifest signed as it is and wrap it into a second one that carries the "
    "encryption info; devices need the commands of trust-domains.",
)
@click.option("--name", metavar="NAME-VERSION", help="Name in that folder. [default: that of FILE]")
def command(path, recipients, authors, signers, content_alg, release, keep_signature, name):
    """Encrypt a release that its author left plain, for the devices that hold a key.

    The distributor's manifest has the author's sequence number, conditions, sizes and digests: only URIs and encryption
    info change, and it is signed anew; devices have to trust that key. With --keep-signature the author's manifest is
    not touched: who breaks into the distributor can then encrypt something else, but devices refuse it by its digest."""
    path = Path(path)
    data = path.read_bytes()
    verdict = verify(data, Device(keys=[keys.load(each) for each in authors]), ())
    if not verdict.accepted:
        raise Failure(f"{path} is not by that author", verdict.why)
    envelope = Envelope.decode(data)

    def fetch(uri):
        if uri in envelope.payloads:
            return envelope.payloads[uri]
        beside = path.parent / uri
        if "/" in uri or not beside.is_file():
            raise Failure(
                f"no payload at {beside}", hint="keep the author's release folder together"
            )
        return beside.read_bytes()

    named = _named(name, path, envelope)
    private = [keys.load(each) for each in signers]
    if not all(key.private for key in private):
        raise Failure("a public key cannot sign", code=USAGE)
    folder = Release(release)
    with folder.lock():
        make = author.encrypt_around if keep_signature else author.encrypt_for
        made = make(
            envelope,
            fetch,
            folder,
            [keys.load(each) for each in recipients],
            cose.CONTENT_NAMES[content_alg],
        )
        author.sign(made.envelope, private)
        written = folder.publish(
            *named,
            made.sequence,
            made.envelope.encode(),
            made.envelope.digest.value,
            made.payloads,
        )
    click.echo(f"{written}  {written.stat().st_size} bytes, sequence {made.sequence}")


def _named(text, path, envelope):
    """(name, version) of the result: what `text` says, else what the folder of `path` calls it, else its file name."""
    for each in () if text else Release(path.parent).entries():
        if each["digest"] == envelope.digest.value:
            return each["name"], each["version"]
    name, _, version = (text or path.stem).rpartition("-")
    if not name or not version:
        raise Failure(f"{text or path.stem} is no name with a version", hint="--name NAME-VERSION", code=USAGE)
    return name, version
