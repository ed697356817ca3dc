"""`suitup sign`: build, write the manifest, sign it, put everything into the release folder."""

import click

from suitup import author
from suitup.cli._project import project_options
from suitup.release import Release


@click.command()
@project_options
@click.option("--key", multiple=True, type=click.Path(), help="Private key; several sign one block each.")
@click.option("--sequence", type=click.IntRange(0, 2**63 - 1), metavar="N",
              help="Sequence number. [default: one above the last in the release folder]")
@click.option("--integrated", is_flag=True, help="Carry the payloads inside the envelope.")
@click.option("--base-url", default="", metavar="URL", help="Absolute URIs in the manifest instead of relative ones.")
@click.option("--together", is_flag=True, help="One COSE_Sign with all signatures, not one block per key.")
def command(app, sequence, integrated, base_url, together):
    """Build the app, describe and sign it, and publish it in the release folder."""
    release = Release(app.release)
    signers = author.load_signers(app)
    with release.lock():
        made = author.draft(app, release, sequence, integrated, base_url)
        author.sign(made.envelope, signers, together)
        path = author.publish(app, release, made)
    for key in signers:
        click.echo(f"signed by {key.describe()}", err=True)
    for file, data in made.payloads.items():
        click.echo(f"  {len(data):8} {file}", err=True)
    click.echo(f"{path}  {path.stat().st_size} bytes, {app.name} {app.version}, sequence {made.sequence}, "
               f"manifest {made.envelope.digest.value.hex()[:16]}")
