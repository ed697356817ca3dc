"""`suitup serve [DIR]`: a release folder over HTTP and CoAP."""

import asyncio
import signal
import time
from pathlib import Path

import click


@click.command()
@click.argument("folder", metavar="[DIR]", default="build/release")
@click.option(
    "--http",
    type=click.IntRange(0, 65535),
    default=8080,
    show_default=True,
    metavar="PORT",
    help="TCP port; 0: any free one",
)
@click.option(
    "--coap",
    type=click.IntRange(0, 65535),
    default=5683,
    show_default=True,
    metavar="PORT",
    help="UDP port; 0: any free one",
)
@click.option(
    "--bind",
    default="0.0.0.0",
    show_default=True,
    metavar="ADDRESS",
    help="serve on this address only; 127.0.0.1 for virtual boards",
)
@click.option(
    "--echo",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    show_default=True,
    help="who must show that it is where it says (RFC 9175); auto: addresses from outside",
)
@click.option(
    "--reports",
    metavar="DIR",
    type=click.Path(file_okay=False),
    help="keep the reports of boards here [below the release folder]",
)
@click.option(
    "--board-keys",
    metavar="DIR",
    type=click.Path(file_okay=False),
    default="keys/boards",
    show_default=True,
    help="whose reports are taken: the keys that `provision` put there",
)
@click.option("-q", "--quiet", is_flag=True, help="do not log requests")
def command(folder, http, coap, bind, echo, reports, board_keys, quiet):
    """Serve a release folder over HTTP and CoAP until Ctrl-C.

    The files need no protection on the way: devices believe the signature, not the server. Devices
    that observe latest.suit over CoAP, as those behind NAT do, hear of a release as soon as it is
    put there. Boards that are provisioned with `reports` bring theirs to /reports, and `suitup report` shows them."""
    asyncio.run(_serve(folder, http, coap, bind, echo, reports, board_keys, quiet))


async def _serve(folder, http, coap, bind, echo, reports, board_keys, quiet):
    from suitup.serve.inbox import FOLDER, Inbox
    from suitup.serve.server import LATEST, ReleaseServer

    def log(protocol, peer, text):
        if not quiet:
            print(f"{time.strftime('%H:%M:%S')} {protocol} {peer} {text}", flush=True)

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    inbox = Inbox(reports or Path(folder) / FOLDER, board_keys)
    async with ReleaseServer(folder, bind, http, coap, log, echo, inbox) as server:
        print(f"serving {server.store.folder}: {len(server.store.names())} files")
        for url in server.urls():
            print(f"  {url}")
        if server.store.etag(LATEST) is None:
            print(f"  (no {LATEST} yet: `suitup sign` puts it there)")
        print(f"  reports of {len(inbox.keys())} known boards to {inbox.folder}")
        print("Ctrl-C stops", flush=True)
        await stop.wait()
    print("stopped")
