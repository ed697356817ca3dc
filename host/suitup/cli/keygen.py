"""`suitup keygen FILE`: a new key, its public half beside it, and its key id on stdout."""

import click

from suitup import keys
from suitup.errors import USAGE, Failure

_NAMES = [*keys.ALGORITHMS, keys.STATEFUL]


@click.command()
@click.argument("path", metavar="FILE", type=click.Path(dir_okay=False))
@click.option(
    "--alg",
    default="ESP256",
    show_default=True,
    metavar="NAME",
    help="What the key is for: " + ", ".join(_NAMES) + ".",
)
@click.option(
    "--hss",
    "parameters",
    default="10/4",
    show_default=True,
    metavar="H/W[,H/W]",
    help="HSS-LMS: height and Winternitz width of each level. 10/4 makes 1024 signatures.",
)
@click.option(
    "--development", is_flag=True, help="Mark it: a board that trusts it says so at every boot."
)
@click.option(
    "--force",
    is_flag=True,
    help="Replace an existing file. Devices that trust the old key take no "
    "update from the new one.",
)
@click.option(
    "--adopt",
    is_flag=True,
    help="Make no key: go on with an HSS-LMS key that was copied or restored.",
)
@click.option(
    "--skip",
    type=click.IntRange(0),
    default=0,
    metavar="N",
    help="With --adopt: skip N more signatures than are known to be used.",
)
def command(path, alg, parameters, development, force, adopt, skip):
    """Make a key and print its key id (COSE Key Thumbprint, RFC 9679, SHA-256).

    The private file has mode 0600. The public half is written beside it (`dev.pem` -> `dev.pub.pem`);
    a symmetric key has none. An HSS-LMS key has a state file beside it that must stay with it."""
    if adopt:
        _adopt(path, skip)
        return
    alg = {name.lower(): name for name in _NAMES}.get(alg.lower(), alg)  # nobody has to know how each is spelt
    if alg == keys.STATEFUL:
        key = keys.hsslms.create(path, parameters, development, force)
        written = [path, keys.save_public(key, keys.public_path(path))]
    else:
        key = keys.generate(alg, development)
        written = keys.save(key, path, force)
    for where in written:
        click.echo(f"wrote {where}", err=True)
    if key.state:
        click.echo(
            f"{key.state.left} signatures; never copy this key, never restore it from a backup",
            err=True,
        )
    click.echo(key.kid)


def _adopt(path, skip):
    key = keys.load(path)
    if not key.state:
        raise Failure(
            f"{path} has no state", "only HSS-LMS keys count their signatures", code=USAGE
        )
    index = key.state.adopt(skip)
    click.echo(f"{path} goes on at signature {index}, {key.state.left} left")
