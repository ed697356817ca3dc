"""`suitup report`: what boards decided and why."""

import asyncio
import time
from pathlib import Path

import click

from suitup import keys, reasons, report_text, reports
from suitup.errors import USAGE, Failure
from suitup.release import LATEST
from suitup.serve import inbox

_WHOSE = (
    "name the board's key with --key: `provision` put it into keys/boards as DEVICE-ID.pub.pem, "
    "`push` into the folder keys of the virtual board it made"
)


@click.command()
@click.argument(
    "path", metavar="FILE", required=False, type=click.Path(exists=True, dir_okay=False)
)
@click.option("--host", help="Fetch the last one from the board at this address instead.")
@click.option(
    "--key", "key_files", multiple=True, type=click.Path(), help="Public key of the board [those in --board-keys]."
)
@click.option(
    "--envelope",
    type=click.Path(exists=True, dir_okay=False),
    help="The envelope it is about [the one in --release].",
)
@click.option("--save", type=click.Path(dir_okay=False), help="Keep the report here.")
@click.option(
    "--reports", "folder", type=click.Path(file_okay=False), help="Where `serve` keeps them [below --release]."
)
@click.option(
    "--release", default="build/release", show_default=True, type=click.Path(file_okay=False), help="Release folder."
)
@click.option(
    "--board-keys", default="keys/boards", show_default=True, type=click.Path(file_okay=False), help="Keys of known boards."
)
def command(path, host, key_files, envelope, save, folder, release, board_keys):
    """Verify a SUIT report and show the run behind it: each command that is told of, what it wanted and what it found.

    Without FILE and --host: a list of the reports that boards brought to `suitup serve`, the newest first. A board keeps
    the report of its last attempt until the next one, and those that nobody took yet."""
    if path and host:
        raise Failure("which report?", hint="a FILE, or --host ADDRESS of a board", code=USAGE)
    if not path and not host:
        return _list(Path(folder or Path(release) / inbox.FOLDER), Path(release), Path(board_keys))
    data = Path(path).read_bytes() if path else asyncio.run(_fetch(host))
    if save:
        Path(save).write_bytes(data)
    trusted = [keys.load(each) for each in key_files] or inbox.known(board_keys)
    try:
        if not trusted and reports.payload(data)[1] is not None:
            raise Failure(
                "the report is signed, and the board's key is not known",
                hint=_WHOSE,
                code=USAGE,
            )
        report = reports.read(data, trusted)
        about = Path(envelope).read_bytes() if envelope else _about(report, release)
        if envelope and not report_text.matches(report, about):
            raise Failure(
                f"the report is not about {envelope}", "it names another manifest digest"
            )
        for line in report_text.lines(report, about):
            click.echo(line)
    except reports.BadReport as error:
        unknown = not key_files and "nobody trusted" in str(error)
        raise Failure("this is no report to rely on", str(error), _WHOSE if unknown else None) from None


def _envelopes(release):
    """{manifest digest: path} of the envelopes in a release folder."""
    from suitup.manifest import Envelope, StructureError

    found = {}
    # a copy under the name of the newest one is not what it is called
    for path in sorted(Path(release).glob("*.suit"), key=lambda each: each.name != LATEST):
        try:
            found[Envelope.decode(path.read_bytes()).digest.value] = path
        except (StructureError, OSError):
            continue
    return found


def _about(report, release):
    path = _envelopes(release).get(report.digest[1])
    return path.read_bytes() if path else None


def _list(folder, release, board_keys):
    known = inbox.known(board_keys)
    names = {each.thumbprint: path.name.split(".")[0] for path, each in _named(board_keys)}
    envelopes = _envelopes(release)
    found = inbox.received(folder)
    for path in found:
        when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(path.stat().st_mtime))
        try:
            report = reports.read(path.read_bytes(), known)
        except (reports.BadReport, OSError) as error:
            click.echo(f"{when}  {path}: no report to rely on: {error}")
            continue
        about = envelopes.get(report.digest[1])
        who = names.get(report.key.thumbprint, "?")[:8] if report.key else "NOT SIGNED"
        what = about.stem if about else "manifest " + report.digest[1].hex()[:16]
        click.echo(f"{when}  board {who}  {what}  {_result(report)}\n    {path}")
    if not found:
        click.echo(f"no report in {folder}")


def _named(board_keys):
    for path in sorted(Path(board_keys).glob("*.pem")):
        for key in inbox.known_file(path):
            yield path, key


def _result(report):
    if report.result is None:
        return "success"
    code, _, reason = report.result
    return f"{reports.REASONS[reason]} ({reasons.name(code)})"


async def _fetch(host):
    from suitup.boards.device import Device, Silent, split

    try:
        async with Device(*split(host)) as device:
            return await device.report()
    except Silent:
        raise Failure(f"no board answers at {host}") from None
