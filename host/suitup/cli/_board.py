"""How verbs name boards: --host on the network, --port by cable, or a virtual one."""

import contextlib
import functools
from pathlib import Path

import click

from suitup.errors import USAGE, Failure

PORT_HELP = "Cable, as mpremote spells it: auto, a0, u0, c3, id:SERIAL, a device; or the folder of a virtual board."
HOST_HELP = "Address or name (as the system resolves it) on the network, perhaps with :PORT; may be repeated."


def where_options(function):
    """Adds --host, which the verb gets as the tuple `hosts`, and --port."""

    @click.option("--host", "hosts", multiple=True, metavar="HOST", help=HOST_HELP)
    @click.option("--port", metavar="PORT", help=PORT_HELP)
    @functools.wraps(function)
    def wrapped(hosts, port, **rest):
        if hosts and port:
            raise Failure(
                "--host and --port both name a board", hint="give one of them", code=USAGE
            )
        if len(set(hosts)) < len(hosts):
            raise Failure("the same --host twice", code=USAGE)
        return function(hosts=hosts, port=port, **rest)

    return wrapped


def all_option(function):
    """Adds --all: `hosts` are then the boards that answer."""

    @click.option(
        "--all", "everyone", is_flag=True, help="Every board that answers on the networks of this machine (CoAP multicast)."
    )
    @functools.wraps(function)
    def wrapped(everyone, hosts, port, **rest):
        if everyone:
            from suitup.boards.discovery import all_hosts

            if hosts or port:
                raise Failure("--all names the boards", hint="without --host and --port", code=USAGE)
            hosts = all_hosts()
        return function(hosts=hosts, port=port, **rest)

    return wrapped


_PATH = "import sys\nif '/lib' not in sys.path: sys.path.append('/lib')\nimport suit\n"


@contextlib.contextmanager
def cable(port, reset=True):
    """The board at `port` (or the one that is found) with `suit` imported; `reset`: start its app again at the end."""
    from suitup.boards import serial
    from suitup.boards.virtual import VirtualBoard

    port = port or "auto"
    if Path(port).is_dir() and VirtualBoard(port).exists:
        port = VirtualBoard(port).console_url
    with serial.connect(port) as board:
        try:
            board.run(_PATH)
        except Failure as failure:
            if "no module named 'suit'" in str(failure):
                raise Failure(
                    "there is no suit on this board", hint="`suitup provision` puts it there"
                ) from None
            raise
        yield board
        if reset:
            board.reset()
