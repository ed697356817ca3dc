"""Options that every verb about a project shares."""

import functools
import inspect

import click

from suitup import project
from suitup.boards import catalog


def project_options(function):
    """Adds --app, --version and the like; the verb gets the loaded Project as `app`."""

    @click.option(
        "--app",
        metavar="PATH",
        help="Folder with suitup.toml (or the file itself). [default: here]",
    )
    @click.option("--name", help="Name of the app, instead of that in suitup.toml.")
    @click.option("--version", help="Version, instead of that in suitup.toml.")
    @click.option("--vendor", help="Vendor's domain name, instead of that in suitup.toml.")
    @click.option("--class", "class_name", help="Device class, instead of that in suitup.toml.")
    @click.option(
        "--arch",
        help="Architecture for native code (mpy-cross -march). [default: portable bytecode]",
    )
    @click.option(
        "--board", help="Which board it is for (boards/*): its architecture, its slot size."
    )
    @click.option("--release", type=click.Path(), help="Release folder. [default: build/release]")
    @functools.wraps(function)
    def wrapped(app, name, version, vendor, class_name, arch, board, release, **rest):
        known = catalog.load(board) if board else None
        loaded = project.load(
            app,
            name=name,
            version=version,
            vendor=vendor,
            class_name=class_name,
            arch=arch or (known.mpy_arch if known else None),
            slot_size=known.slot_size if known else None,
            release=release,
            keys=rest.pop("key", None),
        )
        if "board" in inspect.signature(function).parameters:
            rest["board"] = board
        return function(app=loaded, **rest)

    return wrapped
