"""`suitup provision`: the updater, an identity and trust for a board."""

import sys
from pathlib import Path

import click

from suitup import keys
from suitup.cli import _board
from suitup.cli._project import project_options
from suitup.cli.trust import anchor
from suitup.errors import USAGE, Failure
from suitup.keys.trust import Anchor, check_anchors


@click.command()
@project_options
@click.option("--port", default="auto", show_default=True, metavar="PORT", help=_board.PORT_HELP)
@click.option(
    "--trust",
    multiple=True,
    metavar="KEY[:ROLES][:quorum=K][:access=FILE]",
    help="Whom it trusts, as for `suitup trust build`. [default: the project's keys, for apps]",
)
@click.option(
    "--device-name", metavar="NAME", help="How the device calls itself. [default: name of the app]"
)
@click.option(
    "--server",
    "servers",
    multiple=True,
    metavar="URL",
    help="Where it looks for updates; may be repeated.",
)
@click.option(
    "--reports",
    metavar="URL",
    help="where it brings its reports, `/reports` for the first server; see `suitup serve`",
)
@click.option(
    "--poll",
    type=click.IntRange(0),
    metavar="SECONDS",
    help="How often it looks by itself; 0: never.",
)
@click.option(
    "--trial",
    type=click.IntRange(1, 86400),
    metavar="SECONDS",
    help="How long a new app has to confirm. [60]",
)
@click.option(
    "--tries", type=click.IntRange(1, 200), metavar="N", help="How many boots it has for that. [3]"
)
@click.option(
    "--coap-port",
    type=click.IntRange(1, 65535),
    metavar="PORT",
    help="UDP port it listens on. [5683]",
)
@click.option("--bind", metavar="ADDRESS", help="Address it listens on. [all]")
@click.option(
    "--wifi",
    metavar="SSID",
    help="Wi-Fi network; the password is asked for, or taken from SUIT_WIFI_KEY.",
)
@click.option(
    "--ntp",
    metavar="HOST",
    help="Time server asked before https when the clock is not set, pool.ntp.org for example.",
)
@click.option(
    "--first",
    type=click.Path(exists=True, dir_okay=False),
    metavar="ENVELOPE",
    help="Install this app in slot a, as made at the factory. Clears both slots and the record.",
)
@click.option(
    "--own-keys",
    type=click.Path(file_okay=False),
    default="keys/boards",
    show_default=True,
    metavar="DIR",
    help="Where the public part of the board's own key is kept, as DEVICE-ID.pub.pem.",
)
def command(
    app, port, board, trust, device_name, servers, reports, poll, trial, tries, coap_port, bind, wifi, ntp,
    first, own_keys,
):
    """Make a board a device: install the updater, who it is and whom it trusts.

    What is there already is not written again, so it can be repeated at any time. The settings live in a file that
    no update touches.

    The board makes a key of its own, unless it has one, and shows its public part only: name that file to `sign
    --encrypt-to`, and to `report --key` for its reports."""
    from suitup.boards import catalog
    from suitup.boards.provision import Settings, open_target, provision
    from suitup.boards.virtual import VirtualBoard

    trusted = [anchor(text) for text in trust] or [Anchor(keys.load(path).public()) for path in app.keys]
    check_anchors(trusted)
    kind = catalog.load(board) if board else None
    options = {
        "servers": list(servers) or None, "reports": reports, "poll": poll, "trial": trial, "tries": tries, "port": coap_port,
        "bind": bind, "slot": kind.slot_size if kind else None, "wifi": _wifi(wifi), "ntp": ntp,
    }  # fmt: skip
    if Path(port).is_dir() and VirtualBoard(port).exists:
        options["port"] = options["port"] or VirtualBoard(port).coap_port
        options["bind"] = bind or "127.0.0.1"
    settings = Settings(
        app,
        trusted,
        device_name,
        kind.mpy_arch if kind else None,
        Path(first) if first else None,
        options,
        Path(own_keys),
    )
    with open_target(port) as target:
        made = provision(target, settings, _counter())
    if sys.stderr.isatty():
        click.echo(err=True)
    click.echo(made.report())


def _wifi(ssid):
    import os

    if not ssid:
        return None
    password = os.environ.get("SUIT_WIFI_KEY")
    if password is None:
        if not sys.stdin.isatty():
            raise Failure(
                f"no password for {ssid}",
                hint="set SUIT_WIFI_KEY (empty for an open network)",
                code=USAGE,
            )
        password = click.prompt(
            f"password of {ssid}", hide_input=True, default="", show_default=False
        )
    return {"ssid": ssid, "key": password}


def _counter():
    """Bytes written so far, on a terminal only."""
    if not sys.stderr.isatty():
        return None
    total = 0

    def count(size):
        nonlocal total
        total += size
        click.echo(f"\rwriting {total} bytes", nl=False, err=True)

    return count
