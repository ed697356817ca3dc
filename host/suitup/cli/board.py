"""`suitup board create|start|stop|reset|cut|console|log|status DIR`: virtual boards.

A virtual board is real MicroPython on a flash image, with a watchdog and a power switch; everything that takes a port
takes its console (`socket://127.0.0.1:PORT`) too."""

import json
import os
import select
import socket
import sys
import time

import click

from suitup.boards.virtual import VirtualBoard, geometries
from suitup.errors import REFUSED

_LEAVE = b"\x1d"  # Ctrl-], as in mpremote and miniterm


@click.group(help="Create, start and watch virtual boards (no hardware needed).")
def command():
    pass


def _verb(function):
    """A subcommand with the board's directory as its argument."""
    return command.command()(click.argument("directory", type=click.Path(file_okay=False))(function))


def _say_running(board):
    print(f"on, console {board.console_url}, CoAP port {board.coap_port}")


@_verb
@click.option(
    "--geometry", default="rp2040", show_default=True,
    type=click.Choice(sorted(geometries())), help="which board's flash and heap it has",
)
@click.option("--coap-port", type=int, help="UDP port for its configuration (default: a free one)")
@click.option("--rom/--no-rom", default=False, help="keep vfs.VfsRom, which stock boards lack")
def create(directory, geometry, coap_port, rom):
    """Make a board with blank flash in DIRECTORY."""
    board = VirtualBoard(directory).create(geometry, coap_port=coap_port, rom=rom)
    print(f"{directory}: {board.settings['description']}, CoAP port {board.coap_port}")


@_verb
def start(directory):
    """Power on; the board runs until `stop`."""
    board = VirtualBoard(directory).start()
    _say_running(board)


@_verb
def stop(directory):
    """Power off; its flash stays."""
    VirtualBoard(directory).stop()
    print("off")


@_verb
def reset(directory):
    """Press its reset button."""
    VirtualBoard(directory).reset()


@_verb
def cut(directory):
    """Cut the power and give it back at once."""
    VirtualBoard(directory).power_cut()


@_verb
@click.option("--json", "as_json", is_flag=True, help="for programs")
def status(directory, as_json):
    """Is it on, and where is its console? Exit code 1 when it is off."""
    board = VirtualBoard(directory)
    running = board.status()
    if as_json:
        print(json.dumps(board.settings | (running or {"up": False})))
    elif running:
        _say_running(board)
    else:
        print("off")
    return 0 if running else REFUSED


@_verb
@click.option("--follow", "-f", is_flag=True, help="go on until Ctrl-C")
def log(directory, follow):
    """What its console showed and what happened to it."""
    board = VirtualBoard(directory)
    board.settings  # noqa: B018 - a folder that is no board is an error
    with open(board.directory / "board.log", errors="replace") as file:
        try:
            while True:
                text = file.read()
                if text:
                    sys.stdout.write(text)
                    sys.stdout.flush()
                elif not follow:
                    break
                else:
                    time.sleep(0.1)
        except KeyboardInterrupt:
            pass


def _forward(link, keyboard, screen):
    """Both ways until the board's end closes, or Ctrl-] or the end of input here."""
    while True:
        ready, _, _ = select.select([link, keyboard], [], [])
        if link in ready:
            data = link.recv(65536)
            if not data:
                return
            os.write(screen, data)
        if keyboard in ready:
            data = os.read(keyboard, 4096)
            head, leave, _ = data.partition(_LEAVE)
            link.sendall(head)
            if leave or not data:
                return


@_verb
def console(directory):
    """Attach this terminal to its REPL; Ctrl-] leaves, Ctrl-C interrupts the app, Ctrl-D is a soft reset."""
    board = VirtualBoard(directory)
    link = socket.create_connection(("127.0.0.1", board.console_port))
    keyboard, screen = sys.stdin.fileno(), sys.stdout.fileno()
    with link:
        if not os.isatty(keyboard):
            _forward(link, keyboard, screen)
            return
        import termios
        import tty

        before = termios.tcgetattr(keyboard)
        print(f"console of {directory}, Ctrl-] to leave")
        try:
            tty.setraw(keyboard)
            _forward(link, keyboard, screen)
        finally:
            termios.tcsetattr(keyboard, termios.TCSADRAIN, before)
            print()
