"""`suitup lint FILE`: what a device would refuse, and what is risky."""

import json
from dataclasses import asdict
from pathlib import Path

import click

from suitup.boards import catalog
from suitup.manifest.lint import ERROR, lint


@click.command()
@click.argument("path", metavar="FILE", type=click.Path(exists=True, dir_okay=False))
@click.option("--board", help="Check sizes against the slots of this board.")
@click.option(
    "--slot-size",
    type=click.IntRange(1),
    metavar="BYTES",
    help="Check sizes against slots of this size.",
)
@click.option(
    "--above",
    type=click.IntRange(0),
    metavar="N",
    help="The sequence number has to be higher than N.",
)
@click.option("--strict", is_flag=True, help="Warnings count as errors.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def command(path, board, slot_size, above, strict, as_json):
    """Find mistakes in an envelope before a device does. Exit code 1 when it would be refused."""
    if board:
        slot_size = catalog.load(board).slot_size
    findings = lint(Path(path).read_bytes(), slot_size, above)
    if as_json:
        click.echo(json.dumps([asdict(each) for each in findings], indent=2))
    for each in () if as_json else findings:
        click.echo(
            f"{each.level}: {each.where}: {each.what}" + (f": {each.why}" if each.why else "")
        )
        if each.hint:
            click.echo(f"  hint: {each.hint}")
    if not findings and not as_json:
        click.echo("nothing to complain about")
    return 1 if any(strict or each.level == ERROR for each in findings) else 0
