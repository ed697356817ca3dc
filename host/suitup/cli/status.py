"""`suitup status`: what a board runs, what its slots hold, how the last update went."""

import asyncio
import json
from pathlib import Path

import click

from suitup.cli._board import all_option, cable, where_options
from suitup.errors import DONE, REFUSED, USAGE, Failure
from suitup.terminal import plain


@click.command()
@where_options
@all_option
@click.option("--json", "as_json", is_flag=True, help="All of it, for programs.")
def command(hosts, port, as_json):
    """Ask a board how it is, over the network (--host) or by cable (--port).

    By cable the running app is interrupted and started again afterwards; over the network nothing is disturbed.
    Several --host, or those found with --all, are asked at the same time; with --json they are one map by host then,
    null where nothing answers. The exit code is 0 when all have answered."""
    from suitup import watch

    if len(hosts) > 1 or click.get_current_context().params["everyone"]:
        return _several(hosts, as_json)
    status, stopped = _ask(hosts[0] if hosts else None, port)
    if as_json:
        click.echo(_json(status))
    else:
        click.echo("\n".join(watch.describe(status, stopped)))
    return DONE


def _json(told):
    return json.dumps(told, indent=1, default=lambda value: bytes(value).hex())


def _several(hosts, as_json):
    from suitup import watch

    async def ask():
        return await asyncio.gather(*(_over_network(host) for host in hosts), return_exceptions=True)

    found = dict(zip(hosts, asyncio.run(ask())))
    for each in found.values():
        if isinstance(each, BaseException) and not isinstance(each, Failure):
            raise each
    silent = [host for host, each in found.items() if isinstance(each, Failure)]
    if as_json:
        click.echo(_json({host: None if host in silent else found[host] for host in hosts}))
    for host in hosts:
        if host in silent:
            click.echo(f"error: {found[host]}", err=True)
        elif not as_json:
            click.echo(f"{host}\n  " + "\n  ".join(watch.describe(found[host])))
    return REFUSED if silent else DONE


async def _over_network(host):
    from suitup.boards.device import Device, Silent, split

    try:
        async with Device(*split(host)) as device:
            return await device.status()
    except Silent:
        raise Failure(
            f"no board answers at {host}",
            hint="is it on, and does its app call suit.listen()? by cable: suitup status --port auto",
        ) from None


def _ask(host, port):
    """-> (status, whether the app was stopped for it)."""
    from suitup.boards.virtual import VirtualBoard

    if not host and port and Path(port).is_dir() and VirtualBoard(port).exists:
        if not VirtualBoard(port).running:
            raise Failure(f"the board in {port} is off", hint=f"suitup board start {port}")
        host = f"127.0.0.1:{VirtualBoard(port).coap_port}"
    if host:
        return asyncio.run(_over_network(host)), False
    if not port:
        raise Failure(
            "which board?",
            hint="--host ADDRESS over the network, --port a0 by cable, --port build/board for the virtual one "
            "(`suitup board start build/board`)",
            code=USAGE,
        )
    with cable(port) as board:
        return plain(board.eval_printed("print(suit.status())")), True
