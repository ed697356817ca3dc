"""`suitup keygen FILE`: a new key, its public half beside it, and its key id on stdout."""

import click

from suitup import keys


@click.command()
@click.argument("path", metavar="FILE")
@click.option("--alg", default="ESP256", show_default=True, metavar="NAME", help="What the key is for: "
              + ", ".join(keys.ALGORITHMS) + ".")
@click.option("--development", is_flag=True, help="Mark it: a board that trusts it says so at every boot.")
@click.option("--force", is_flag=True, help="Replace an existing file. What it signed stays trusted, but cannot "
              "be updated with the new key.")
def command(path, alg, development, force):
    """Make a key and print its key id (COSE Key Thumbprint, RFC 9679, SHA-256).

    The private file has mode 0600. The public half is written beside it (`dev.pem` -> `dev.pub.pem`);
    a symmetric key has none."""
    key = keys.generate(alg, development)
    written = keys.save(key, path, force)
    for where in written:
        click.echo(f"wrote {where}", err=True)
    click.echo(key.kid)
