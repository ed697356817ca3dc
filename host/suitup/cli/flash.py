"""`suitup flash`: MicroPython onto a board, after saying what that erases."""

import sys
from pathlib import Path

import click

from suitup.boards import catalog, flash
from suitup.errors import USAGE, Failure


@click.command()
@click.argument(
    "image", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=False
)
@click.option(
    "--board", required=True, help="Which board: a folder under boards/, such as RPI_PICO_W."
)
@click.option(
    "--port",
    metavar="PORT",
    help="ESP32: serial port. RP2: folder of the boot drive. [default: found]",
)
@click.option(
    "--table",
    type=click.Choice(["ota"]),
    help="ESP32: two firmware slots instead of the stock table.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
def command(image, board, port, table, yes, dry_run):
    """Flash MicroPython (IMAGE: the .uf2 or combined .bin of the release) to a board.

    Says first what is written where, and what is lost by it.
    """
    board = catalog.load(board)
    if image is None:
        if board.port == "unix":
            raise Failure(
                "a virtual board is not flashed", hint="suitup board create DIR", code=USAGE
            )
        page = f"micropython.org/download/{board['firmware']['download']}"
        raise Failure(
            "which MicroPython?",
            hint=f"download the .{board['firmware']['file']} from {page}",
            code=USAGE,
        )
    made = flash.plan(board, image, table)
    for address, data, what in made.pieces:
        click.echo(f"write  {address:#010x}  {len(data):>8} bytes  {what}")
    for line in made.erases:
        click.echo(f"erase  {line}")
    for line in made.keeps:
        click.echo(f"keep   {line}")
    if dry_run:
        return
    if not yes:
        if not sys.stdin.isatty():
            raise Failure(
                "nobody to ask whether this may be erased", hint="--yes answers", code=USAGE
            )
        click.confirm(f"flash {board.name}?", abort=True)
    if board["flash"]["method"] == "uf2":
        with click.progressbar(length=made.size, label="copying", file=sys.stderr) as bar:
            where = flash.uf2_flash(made, port, lambda done: bar.update(done - bar.pos))
        click.echo(f"flashed {board.name} by {where}; it restarts by itself")
    else:
        if not port:
            raise Failure(
                "which serial port?",
                hint="--port /dev/ttyUSB0, COM3 ...; `mpremote devs` lists them",
                code=USAGE,
            )
        flash.esptool_flash(made, port)
        click.echo(f"flashed {board.name}")
    click.echo(
        f"next: suitup provision --board {board.id}"
        + (f" --port {port}" if board.port == "esp32" else "")
    )
