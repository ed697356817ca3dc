"""`suitup rollback`: go back from the version on trial, by cable."""

import click

from suitup.cli._board import PORT_HELP, cable
from suitup.errors import Failure


@click.command()
@click.option("--port", default="auto", show_default=True, metavar="PORT", help=PORT_HELP)
def command(port):
    """Go back from the version that is on trial. By cable only: whoever holds the board may.

    What was confirmed stays: to get an older app back, publish it again under a higher number."""
    with cable(port, reset=False) as board:
        trial, active = board.eval_printed(
            "_s = suit.status()\nprint((_s['trial'], _s['active']))"
        )
        if trial is None:
            board.reset()
            raise Failure(
                "nothing is on trial",
                hint="publish the old app again under a higher sequence number",
            )
        board.leave("suit.rollback()")  # saves the record, then resets
    click.echo(f"slot {trial} is given up; the board restarts into slot {active}")
