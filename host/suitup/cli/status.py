"""`suitup status`: what a board runs, what its slots hold, how the last update went."""

import asyncio
import json
from pathlib import Path

import click

from suitup.cli._board import cable, where_options
from suitup.errors import USAGE, Failure


@click.command()
@where_options
@click.option("--json", "as_json", is_flag=True, help="All of it, for programs.")
def command(host, port, as_json):
    """Ask a board how it is, over the network (--host) or by cable (--port).

    By cable the running app is interrupted and started again afterwards; over the network nothing is disturbed."""
    from suitup import watch

    status = _ask(host, port)
    if as_json:
        click.echo(json.dumps(status, indent=1, default=lambda value: bytes(value).hex()))
    else:
        click.echo("\n".join(watch.describe(status)))


def _ask(host, port):
    from suitup.boards.device import Device, Silent, split
    from suitup.boards.virtual import VirtualBoard

    if not host and port and Path(port).is_dir() and VirtualBoard(port).exists:
        host = f"127.0.0.1:{VirtualBoard(port).coap_port}"
    if host:

        async def ask():
            async with Device(*split(host)) as device:
                return await device.status()

        try:
            return asyncio.run(ask())
        except Silent:
            raise Failure(
                f"no board answers at {host}",
                hint="is it on, and does its app call suit.listen()? by cable: suitup status --port auto",
            ) from None
    if not port:
        raise Failure(
            "which board?", hint="--host ADDRESS over the network, --port a0 by cable", code=USAGE
        )
    with cable(port) as board:
        return board.eval_printed("print(suit.status())")
