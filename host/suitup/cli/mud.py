"""`suitup mud`: the MUD file of a project, for network gear."""

from pathlib import Path

import click

from suitup import mud
from suitup.project import load
from suitup.release import write


@click.command()
@click.option("--app", metavar="PATH", help="Folder with suitup.toml (or the file itself). [default: here]")
@click.option("--version", help="Version, instead of that in suitup.toml.")
@click.option("-o", "--output", type=click.Path(dir_okay=False), metavar="FILE", help="[default: standard output]")
def command(app, version, output):
    """Write what the device may talk to (RFC 8520): the servers in suitup.toml and what its table [mud] allows.

    Put the file where [mud] url says and sign it there (RFC 8520 section 13) with the key that [mud] names; `suitup sign`
    puts both into the manifest (suit-mud)."""
    text = mud.document(load(app, version=version)) + "\n"
    if output:
        write(Path(output), text.encode())
    else:
        click.echo(text, nl=False)
