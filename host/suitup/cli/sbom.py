"""`suitup sbom ENVELOPE`: what an update consists of, as CycloneDX, SPDX or CoSWID."""

import sys
from pathlib import Path

import click

from suitup import sbom
from suitup.errors import Failure
from suitup.manifest import Envelope, StructureError
from suitup.release import write


@click.command()
@click.argument("path", metavar="ENVELOPE", type=click.Path(exists=True, dir_okay=False))
@click.option(
    "--format",
    "form",
    type=click.Choice(["cyclonedx", "spdx", "coswid"]),
    default="cyclonedx",
    show_default=True,
    help="CycloneDX 1.6 or SPDX 2.3 as JSON (pip install suitup[sbom]), or the CoSWID tag as it is carried.",
)
@click.option("-o", "--output", type=click.Path(dir_okay=False), metavar="FILE", help="[default: standard output]")
def command(path, form, output):
    """Show what the components of an update and the files in its app are: names, versions, digests.

    They come from the CoSWID tag that `sign --coswid` puts in, and from the manifest. SOURCE_DATE_EPOCH fixes the date.
    Nothing is verified: `suitup verify` does that."""
    try:
        envelope = Envelope.decode(Path(path).read_bytes())
        if form == "coswid":
            found = sbom.carried(envelope)
            if found is None:
                raise Failure(f"{path} carries no CoSWID tag", hint="sign --coswid puts one in")
        else:
            made = sbom.bill(envelope)
            found = (sbom.cyclonedx(made) if form == "cyclonedx" else sbom.spdx(made)).encode() + b"\n"
    except StructureError as error:
        raise Failure(f"{path} is not a strictly encoded envelope", str(error)) from None
    if output:
        write(Path(output), found)
    else:
        sys.stdout.buffer.write(found)
