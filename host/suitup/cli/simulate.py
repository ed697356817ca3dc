"""`suitup simulate FILE`: the device code on an envelope, step by step."""

import json
from dataclasses import asdict
from pathlib import Path

import click

from suitup import keys, reasons
from suitup import simulate as simulation
from suitup.errors import USAGE, Failure
from suitup.project import load


@click.command()
@click.argument("path", metavar="FILE", type=click.Path(exists=True, dir_okay=False))
@click.option(
    "--key", "key_files", multiple=True, type=click.Path(), help="Key the device trusts."
)
@click.option(
    "--trust",
    type=click.Path(exists=True, dir_okay=False),
    help="Trust store of the device, with roles, quorums and restrictions (`suitup trust`).",
)
@click.option(
    "--app",
    metavar="PATH",
    help="Take vendor and class from this project, and its key unless --key or --trust is given.",
)
@click.option(
    "--device",
    "device_file",
    type=click.Path(exists=True, dir_okay=False),
    help="TOML file that describes the device: vendor, class, mpy, device, slot, floor, now, battery_mwh, "
    "update_authorized, wait_events, procedures, [components] name = file, [versions] name = [1, 2].",
)
@click.option("--vendor", help="Vendor's domain name.")
@click.option("--class", "class_name", help="Class of the device.")
@click.option("--slot", type=click.IntRange(0), help="Index of the slot that is written.")
@click.option("--floor", type=click.IntRange(0), help="Lowest sequence number the device takes.")
@click.option(
    "--decrypt",
    multiple=True,
    type=click.Path(),
    help="Key of the device that opens encrypted payloads.",
)
@click.option(
    "--payload", "payload_files", multiple=True, metavar="URI=FILE", help="Where a URI leads."
)
@click.option(
    "--procedure",
    "procedures",
    multiple=True,
    type=click.Choice(["update", "invocation", "uninstall"]),
    help="What to run, in this order. [default: update, then invocation]",
)
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def command(
    path,
    key_files,
    trust,
    app,
    device_file,
    vendor,
    class_name,
    slot,
    floor,
    decrypt,
    payload_files,
    procedures,
    as_json,
):
    """Run the device code in MicroPython on an envelope, for a described device, and print each command with its outcome:
    the update procedure, then the invocation. Dependencies that it carries are run too, payloads of theirs taken from
    beside the envelope. Nothing is sent or installed anywhere."""
    device = simulation.read_device(device_file) if device_file else {}
    trusted = [keys.load(each) for each in key_files]
    if trust:
        trusted += keys.read_anchors(Path(trust).read_bytes())
    if app:
        project = load(app)
        if not key_files and not trust:
            trusted = [keys.load(each) for each in project.keys]
        device.setdefault("vendor", project.vendor)
        device.setdefault("class", project.class_name)
    given = {"vendor": vendor, "class": class_name, "slot": slot, "floor": floor}
    device.update({key: value for key, value in given.items() if value is not None})
    if not trusted:
        raise Failure(
            "no key the device trusts",
            hint="name one with --key, or a project with --app",
            code=USAGE,
        )
    if procedures:
        device["procedures"] = list(procedures)
    payloads = {}
    for each in payload_files:
        uri, equals, file = each.rpartition("=")
        if not equals:
            raise Failure(f"--payload {each}: no `=`", hint="--payload URI=FILE", code=USAGE)
        payloads[uri] = file
    outcome = simulation.simulate(
        path, trusted, device, [keys.load(each) for each in decrypt], payloads
    )
    if as_json:
        click.echo(json.dumps(asdict(outcome), indent=2, default=lambda value: value.hex()))
        return 0 if outcome.result == "ok" else 1
    _print(outcome)
    if outcome.result == "ok":
        ran = device.get("procedures", ["update", "invocation"])
        done = {"update": "installed", "invocation": "valid and started", "uninstall": "uninstalled"}
        click.echo("ok: " + ", ".join(done.get(each, each) for each in ran))
        return 0
    what, hint = reasons.explain(outcome.reason, outcome.detail)
    raise Failure(f"refused, {outcome.result}", what, hint)


def _print(outcome):
    section = None
    for where, name, component, uri, reason in outcome.steps:
        if where != section:
            section = where
            click.echo(where)
        result = "ok" if reason == 0 else reasons.name(reason)
        about = " ".join(each for each in (component, uri) if each)
        click.echo(f"  {name:24} {result:20} {about}".rstrip())
    for name, size in outcome.components.items():
        click.echo(f"holds {name} {size} bytes")
    for name, arguments in outcome.invoked:
        click.echo(f"starts {name}" + (f" with {arguments.hex()}" if arguments else ""))
