"""`suitup build`: app folder -> image."""

import hashlib
from pathlib import Path

import click

from suitup import author
from suitup.cli._project import project_options
from suitup.release import write


@click.command()
@project_options
@click.option("-o", "--output", type=click.Path(), help="Image file. [default: build/<name>.img]")
def command(app, output):
    """Compile the app folder and pack it into the image that a device stores and runs."""
    image = author.build(app)
    path = Path(output or f"build/{app.name}.img")
    path.parent.mkdir(parents=True, exist_ok=True)
    write(path, image.data)
    for name, data in image.files.items():
        click.echo(f"  {len(data):8} {name}", err=True)
    kind = f".mpy {image.kind}" if image.kind else "source"
    click.echo(
        f"{path}  {len(image.data)} bytes, {kind}, sha-256 {hashlib.sha256(image.data).hexdigest()}"
    )
