"""`suitup push`: publish, serve, nudge, follow the board to its verdict."""

import asyncio
import contextlib
import sys
import time
from pathlib import Path

import click

from suitup.cli import colour
from suitup.cli._board import all_option, where_options
from suitup.errors import DONE, REFUSED, Failure


@click.command()
@click.argument("envelope", required=False, type=click.Path(exists=True, dir_okay=False))
@where_options
@all_option
@click.option("--app", metavar="PATH", help="Folder with suitup.toml. [default: here]")
@click.option("--vendor", help="Vendor's domain name, instead of that in suitup.toml.")
@click.option("--class", "class_name", help="Device class, instead of that in suitup.toml.")
@click.option(
    "--release",
    type=click.Path(file_okay=False),
    metavar="DIR",
    help="Release folder. [build/release]",
)
@click.option("--version", metavar="VERSION", help="Version to sign, with --next.")
@click.option(
    "--board", metavar="BOARD", help="Which board to build native code for, with --next."
)
@click.option(
    "--key", multiple=True, type=click.Path(), help="Private key that signs, with --next."
)
@click.option(
    "--transport",
    type=click.Choice(["coap", "http"]),
    default="coap",
    show_default=True,
    help="How the board fetches.",
)
@click.option(
    "--bind", metavar="ADDRESS", help="Serve on this address. [the one that faces the board]"
)
@click.option(
    "--next",
    "sign_next",
    is_flag=True,
    help="When the latest release was pushed before, sign the next version first (what `make push` does).",
)
def command(
    envelope,
    hosts,
    port,
    app,
    vendor,
    class_name,
    release,
    version,
    board,
    key,
    transport,
    bind,
    sign_next,
):
    """Offer an update to a board and wait until it is confirmed, refused or gone back from.

    Pushed is ENVELOPE, else the latest of the release folder. The board is named by --host, or by --port for a cable
    or a virtual board's folder; without either a virtual board in build/board is made, started, and stopped again.
    The last line is `confirmed VERSION`, `rolled back: REASON` or `refused: REASON`; the exit code is 0 only when it
    is confirmed.

    With several --host they come one after the other, and the first that does not confirm is the last to be offered
    anything: what fails on one board should not reach all of them."""
    from suitup import desk, project
    from suitup.boards import catalog
    from suitup.boards.virtual import VirtualBoard
    from suitup.manifest import Envelope

    virtual = not hosts and not port
    made = None
    if sign_next or virtual:
        arch = catalog.load(board).mpy_arch if board else None
        made = project.load(
            app, vendor=vendor, class_name=class_name, release=release, keys=key, arch=arch
        )
    if envelope:
        path = Path(envelope)
    elif sign_next:
        path = desk.next_release(made, version)
    else:
        path = latest(release or "build/release")
    show = Shown()
    if hosts:
        verdict = to_each(
            hosts, lambda host: asyncio.run(over_network(path, host, transport, bind, show)), show.step
        )
    elif port and not (Path(port).is_dir() and VirtualBoard(port).exists):
        from suitup.cable_push import push_by_cable

        verdict = push_by_cable(path, port, show)
    else:
        there = VirtualBoard(port) if port else desk.virtual(made, path, say=show.step)
        host = f"127.0.0.1:{there.coap_port}"
        with contextlib.nullcontext() if port else desk.powered(there):
            if not there.running:
                raise Failure(f"the board in {port} is off", hint=f"suitup board start {port}")
            verdict = asyncio.run(over_network(path, host, transport, bind, show))
    with contextlib.suppress(ValueError):
        desk.mark_pushed(path.parent, Envelope.decode(path.read_bytes()).digest.value)
    return finish(verdict)


def latest(release) -> Path:
    """The newest envelope of a release folder."""
    from suitup.release import LATEST, Release

    folder = Path(release)
    name = Release(folder).index()["latest"]
    path = folder / (name or LATEST)
    if not path.is_file():
        raise Failure(
            f"nothing to push in {release}",
            hint="`suitup sign` (or `make sign`) puts a release there",
        )
    return path


def to_each(hosts, push_to, say):
    """`push_to(host)` for one after the other; returns the first Verdict that is not `confirmed`, else the last one."""
    for number, host in enumerate(hosts, 1):
        rest = ", ".join(hosts[number:])
        try:
            verdict = push_to(host)
        except Failure:
            if rest:
                say(f"{host} failed; not offered to {rest}")
            raise
        if len(hosts) > 1:
            say(f"{host} ({number} of {len(hosts)}): {verdict.line}")
        if verdict.word != "confirmed":
            if rest:
                say(f"not offered to {rest}")
            break
    return verdict


async def over_network(path, host, transport, bind, show):
    """Serve the folder of `path` and push it to `host`; returns the Verdict."""
    from suitup.boards.device import Device, split
    from suitup.boards.discovery import resolve
    from suitup.push import push, read_offer
    from suitup.serve.server import ReleaseServer, own_address

    name, port = split(host)
    offer = read_offer(path)
    async with Device(name, port) as device:
        bind = bind or own_address(await resolve(device.host))
        ports = (
            {"http_port": 0, "coap_port": None}
            if transport == "http"
            else {"http_port": None, "coap_port": 0}
        )
        async with ReleaseServer(path.parent, bind, log=show.log, **ports) as server:
            url = server.url(transport, path.name)
            show.step(f"offering {offer.version} (sequence {offer.sequence}) at {url}")
            return await push(device, url, offer, show)


def finish(verdict) -> int:
    """Print the verdict; returns the exit code."""
    if verdict.traceback:
        for line in verdict.traceback.rstrip().splitlines():
            click.echo(f"  {line}")
    if verdict.hint and verdict.word != "confirmed":
        click.echo(f"hint: {verdict.hint}", err=True)
    click.echo(verdict.line)
    sys.stdout.flush()
    return DONE if verdict.word == "confirmed" else REFUSED


class Shown:
    """Steps as lines; bytes as a bar on a terminal, one line per 10 % elsewhere."""

    def __init__(self, stream=None):
        self._stream = stream or sys.stdout
        self._tty = self._stream.isatty()
        self._bar = None
        self._task = None
        self._what = None
        self._tenth = -1

    def step(self, text):
        self._end()
        stamp = time.strftime("%H:%M:%S")
        if self._tty and colour(self._stream):
            stamp = click.style(stamp, dim=True)
        print(f"{stamp} {text}", file=self._stream, flush=True)

    def log(self, protocol, peer, text):
        """What the board asks of the server; only the ends of transfers say more than the bar does."""
        if "begins" not in text and not self._bar:
            self.step(f"board: {protocol} {text}")

    def progress(self, done, total, what):
        if not total:
            return
        if self._tty:
            self._show_bar(done, total, what)
            return
        tenth = 10 * done // total
        if what != self._what:
            self._what, self._tenth = what, -1
        if tenth > self._tenth:
            self._tenth = tenth
            self.step(f"fetching {what}: {10 * tenth} % of {total} bytes")

    def _show_bar(self, done, total, what):
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            Progress,
            TextColumn,
            TransferSpeedColumn,
        )

        if self._bar is None:
            self._bar = Progress(
                TextColumn("fetching {task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn(),
                transient=True,
            )  # fmt: skip
            self._bar.start()
            self._task = self._bar.add_task(what, total=total)
        self._bar.update(self._task, description=what, completed=done, total=total)

    def _end(self):
        if self._bar:
            self._bar.stop()
            self._bar = None
