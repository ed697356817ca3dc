"""`suitup inspect FILE`: what an envelope says, without judging it."""

import json
from pathlib import Path

import click

from suitup.errors import Failure
from suitup.manifest import Envelope, StructureError, describe, diagnostic


@click.command()
@click.argument("path", metavar="FILE", type=click.Path(exists=True, dir_okay=False))
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.option(
    "--edn",
    is_flag=True,
    help="CBOR diagnostic notation, nested CBOR as <<...>>; works on any file.",
)
def command(path, as_json, edn):
    """Show an envelope: signers, sequence number, components, commands, texts.

    Nothing is verified: what is shown may be forged. `suitup verify` judges."""
    data = Path(path).read_bytes()
    if edn:
        click.echo(diagnostic.edn(data))
        return
    try:
        envelope = Envelope.decode(data)
        shown = (
            json.dumps(describe.as_json(envelope), indent=2)
            if as_json
            else describe.tree(envelope)
        )
    except StructureError as error:
        raise Failure(
            f"{path} is not a strictly encoded envelope",
            str(error),
            "`suitup inspect --edn` shows whatever it is",
        ) from None
    click.echo(shown)
