"""`suitup confirm`: keep the version on trial, by cable."""

import click

from suitup.cli._board import PORT_HELP, cable


@click.command()
@click.option("--port", default="auto", show_default=True, metavar="PORT", help=PORT_HELP)
def command(port):
    """Confirm the version that is on trial, as its app would. By cable only: whoever holds the board may.

    The app is interrupted for it; the board starts it again."""
    with cable(port) as board:
        done, slot = board.eval_printed("print((suit.confirm(), suit.status()['active']))")
    click.echo(f"slot {slot} is confirmed" if done else "nothing is on trial")
