"""`suitup report FILE`: what a board decided and why."""

import asyncio
from pathlib import Path

import click

from suitup import keys, report_text, reports
from suitup.errors import USAGE, Failure


@click.command()
@click.argument(
    "path", metavar="FILE", required=False, type=click.Path(exists=True, dir_okay=False)
)
@click.option("--host", help="Fetch it from the board at this address instead.")
@click.option(
    "--key", "key_files", multiple=True, type=click.Path(), help="Public key of the board."
)
@click.option(
    "--envelope", type=click.Path(exists=True, dir_okay=False), help="The envelope it is about."
)
@click.option("--save", type=click.Path(dir_okay=False), help="Keep the report here.")
def command(path, host, key_files, envelope, save):
    """Verify a SUIT report and show it; with --envelope the commands behind the offsets too.

    A board keeps the report of its last attempt until the next one."""
    if bool(path) == bool(host):
        raise Failure("which report?", hint="a FILE, or --host ADDRESS of a board", code=USAGE)
    data = Path(path).read_bytes() if path else asyncio.run(_fetch(host))
    if save:
        Path(save).write_bytes(data)
    trusted = [keys.load(each) for each in key_files]
    try:
        if not trusted and reports.payload(data)[1] is not None:
            raise Failure(
                "the report is signed", hint="name the board's key with --key", code=USAGE
            )
        report = reports.read(data, trusted)
        about = Path(envelope).read_bytes() if envelope else None
        if about is not None and not report_text.matches(report, about):
            raise Failure(
                f"the report is not about {envelope}", "it names another manifest digest"
            )
        for line in report_text.lines(report, about):
            click.echo(line)
    except reports.BadReport as error:
        raise Failure("this is no report to rely on", str(error)) from None


async def _fetch(host):
    from suitup.boards.device import Device, Silent, split

    try:
        async with Device(*split(host)) as device:
            return await device.report()
    except Silent:
        raise Failure(f"no board answers at {host}") from None
