"""`suitup trust`: write and show what a board trusts."""

import json
from pathlib import Path

import click

from suitup import cbor, keys
from suitup.errors import USAGE, Failure
from suitup.keys.model import BadKey
from suitup.keys.trust import (
    Anchor,
    check_anchors,
    parse_roles,
    read_anchors,
    role_names,
    trust_store,
)


@click.group()
def command():
    """Trust stores: which keys a board trusts, for what, and how many of them have to sign together."""


def anchor(text) -> Anchor:
    """`KEY[:ROLES][:quorum=K][:access=FILE]` -> Anchor."""
    path, roles, quorum, access = text, parse_roles("app"), 1, ()
    while True:
        before, _, last = path.rpartition(":")
        if not before:
            break
        if last.startswith("quorum=") and last[7:].isdigit():
            quorum = int(last[7:])
        elif last.startswith("access="):
            from suitup.keys import access_text

            access = (access_text.load(last[7:]),)
        elif last.replace(",", "").isalpha() and not Path(path).exists():
            roles = parse_roles(last)
        else:
            break
        path = before
    return Anchor(keys.load(path).public(), roles, quorum, access)


@command.command()
@click.argument("entries", nargs=-1, required=True, metavar="KEY[:ROLES][:quorum=K][:access=FILE]...")
@click.option("-o", "--output", required=True, type=click.Path(dir_okay=False), metavar="FILE")
@click.option("--tables", is_flag=True, help="With 2 KiB per P-256 key that halve the time of a verification.")
def build(entries, output, tables):
    """Write a trust store. ROLES is a list of app, firmware, trust, updater, delegate, or all.

    quorum=K: the key counts when K different keys that have its roles signed, its own signature included; give it to every
    one of them. access=FILE: a TOML file with the components, commands and parameters that are permitted."""
    anchors = [anchor(text) for text in entries]
    check_anchors(anchors)
    Path(output).write_bytes(trust_store(anchors, tables))
    _print(anchors)


@command.command()
@click.argument("path", metavar="FILE", type=click.Path(exists=True, dir_okay=False))
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def show(path, as_json):
    """Show the keys in a trust store."""
    try:
        anchors = read_anchors(Path(path).read_bytes())
    except (BadKey, cbor.NotDeterministic, TypeError) as error:
        raise Failure(f"{path} is not a trust store", str(error), code=USAGE) from None
    if as_json:
        click.echo(json.dumps([_json(each) for each in anchors], indent=2))
    else:
        _print(anchors)


def _json(anchor):
    from suitup.keys import access_text

    return {
        "key": anchor.key.kid, "kind": anchor.key.kind, "roles": role_names(anchor.roles),
        "quorum": anchor.quorum, "development": anchor.key.development,
        "access": [line for each in anchor.access for line in access_text.words(each)],
    }  # fmt: skip


def _print(anchors):
    for each in anchors:
        found = _json(each)
        more = f", with {each.quorum - 1} others" if each.quorum > 1 else ""
        click.echo(f"{each.key.describe()}, for {', '.join(found['roles']) or 'nothing'}{more}")
        for line in found["access"]:
            click.echo(f"  only {line}")
