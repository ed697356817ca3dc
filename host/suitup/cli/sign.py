"""`suitup sign`: build, write the manifest, sign it, put everything into the release folder."""

from pathlib import Path

import click

from suitup import author, cose, keys, profiles
from suitup import numbers as n
from suitup.cli._project import project_options
from suitup.errors import USAGE, Failure
from suitup.manifest import plans
from suitup.release import Release, write


@click.command()
@project_options
@click.option(
    "--key",
    multiple=True,
    type=click.Path(),
    help="Private key; several sign one block each. With "
    "--to-be-signed and --attach-signature the public half is enough.",
)
@click.option(
    "--sequence",
    type=click.IntRange(0, 2**63 - 1),
    metavar="N",
    help="Sequence number. [default: one above the last in the release folder]",
)
@click.option("--integrated", is_flag=True, help="Carry the payloads inside the envelope.")
@click.option(
    "--base-url",
    default="",
    metavar="URL",
    help="Absolute URIs in the manifest instead of relative ones.",
)
@click.option(
    "--together", is_flag=True, help="One COSE_Sign with all signatures, not one block per key."
)
@click.option(
    "--image",
    multiple=True,
    type=click.Path(),
    metavar="FILE",
    help="Sign this app image instead of building one; given twice, the first is for slot a and "
    "the second for slot b (A/B template).",
)
@click.option(
    "--firmware",
    type=click.Path(exists=True, dir_okay=False),
    metavar="FILE",
    help="ESP32 with two firmware slots: this MicroPython (.app-bin) goes with the app, both or neither.",
)
@click.option(
    "--updater",
    "with_updater",
    is_flag=True,
    help="The updater of this suitup goes with the app, both or neither; the key needs the updater role.",
)
@click.option(
    "--encrypt-to",
    multiple=True,
    type=click.Path(),
    metavar="KEY",
    help="Encrypt the payloads to this key (A128KW, A256KW, ECDH-P256, X25519); several may be given.",
)
@click.option(
    "--content-alg",
    type=click.Choice(list(cose.CONTENT_NAMES)),
    help="Algorithm for encrypted payloads. [default: that of the profile, else A128GCM]",
)
@click.option(
    "--profile",
    type=click.Choice(list(profiles.PROFILES)),
    help="Keep to this profile of suit-mti: refuse keys of another, encrypt with its algorithm.",
)
@click.option(
    "--template",
    "templates",
    multiple=True,
    metavar="NAME[=VALUE]",
    help="battery=MWH, priority=N, before=DAY, version='>=1.2', night=HH:MM, power, uninstall, owner=ENVELOPE, "
    "config-only, part; also [template] in suitup.toml. May be repeated.",
)
@click.option(
    "--coswid", is_flag=True, help="List what the update consists of in a CoSWID tag, for `suitup sbom`."
)
@click.option(
    "--to-be-signed",
    multiple=True,
    type=click.Path(),
    metavar="FILE",
    help="Sign nothing: write what has to be signed, one FILE per --key, and keep a draft.",
)
@click.option(
    "--attach-signature",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False),
    metavar="FILE",
    help="Publish the draft with signatures made elsewhere, one FILE per --key.",
)
@click.option(
    "--draft",
    type=click.Path(),
    metavar="FILE",
    help="The draft between the two steps. [default: build/<name>-<version>.draft]",
)
def command(
    app,
    sequence,
    integrated,
    base_url,
    together,
    image,
    firmware,
    with_updater,
    encrypt_to,
    content_alg,
    profile,
    templates,
    coswid,
    to_be_signed,
    attach_signature,
    draft,
):
    """Build the app, describe and sign it, and publish it in the release folder.

    With the key elsewhere (an HSM, a colleague) sign in two steps: `--to-be-signed FILE` writes the bytes to sign,
    `--attach-signature FILE` takes the signature (raw, or DER for ECDSA) and publishes."""
    release = Release(app.release)
    draft = Path(draft or f"build/{app.name}-{app.version}.draft")
    if attach_signature:
        _attach(app, release, draft, attach_signature)
        return
    if with_updater and not app.arch:
        click.echo("note: an updater without native engines, slow on a board; name the --board", err=True)
    recipients = [keys.load(path) for path in encrypt_to]
    content = cose.CONTENT_NAMES[content_alg or "A128GCM"]
    if profile:
        if content_alg and content != profiles.PROFILES[profile][3]:
            raise Failure(f"{content_alg} is not of profile {profile}", code=USAGE)
        content = profiles.PROFILES[profile][3]
        profiles.check(profile, [keys.load(each) for each in app.keys], recipients)
    options = {
        "sequence": sequence,
        "integrated": integrated,
        "base_url": base_url,
        "recipients": recipients,
        "prebuilt": image,
        "firmware": firmware,
        "with_updater": with_updater,
        "content": content,
        "plan": _plan(app, templates),
        "coswid": coswid,
    }
    if to_be_signed:
        with release.lock():
            made = author.draft(app, release, **options)
        author.save_draft(draft, app, made)
        for path, key in _pairs(app, to_be_signed, "--to-be-signed"):
            write(Path(path), cose.to_be_signed(made.envelope.digest_bytes, key))
            click.echo(f"{path}  to be signed by {key.describe()}")
        click.echo(
            f"then: suitup sign --attach-signature FILE --key KEY --draft {draft}", err=True
        )
        return
    signers = author.load_signers(app)
    if any(key.kty == n.KTY_SYMMETRIC and key in recipients for key in signers):
        raise Failure(
            "the key that signs is one that payloads are encrypted to",
            "who knows a payload's key could sign with it",
            "make another one with suitup keygen",
            code=USAGE,
        )
    with release.lock():
        made = author.draft(app, release, **options)
        author.sign(made.envelope, signers, together)
        path = author.publish(app, release, made)
    _report(app, made, path, signers)


def _plan(app, templates):
    """What suitup.toml and then the command line ask for."""
    plan = plans.parse(app.template, app.base)
    given = plans.parse([each.partition("=")[::2] for each in templates])
    for name, value in vars(given).items():
        if value or (value is not None and not isinstance(value, bool | dict | list)):
            setattr(plan, name, value)
    return plan


def _pairs(app, paths, option):
    """(path, public key) for the two-step options."""
    if len(paths) != len(app.keys):
        raise Failure(
            f"{len(app.keys)} keys, {len(paths)} times {option}",
            hint="give one --key (the public half will do) per file",
            code=USAGE,
        )
    return [(path, keys.load(key)) for path, key in zip(paths, app.keys)]


def _attach(app, release, draft, paths):
    name, version, made = author.load_draft(draft)
    signers = []
    with release.lock():
        last = max((each["sequence"] for each in release.entries(name)), default=-1)
        if made.sequence <= last:
            raise Failure(
                f"the draft has sequence number {made.sequence}, {last} is published already",
                hint="make the draft anew",
            )
        for path, key in _pairs(app, paths, "--attach-signature"):
            made.envelope.blocks.append(
                cose.attach(made.envelope.digest_bytes, key, Path(path).read_bytes())
            )
            signers.append(key)
        app.name, app.version = name, version
        path = author.publish(app, release, made)
    _report(app, made, path, signers)
    draft.unlink()


def _report(app, made, path, signers):
    for key in signers:
        click.echo(f"signed by {key.describe()}", err=True)
        if key.state:
            click.echo(f"  {key.state.left} of {key.state.total} signatures left", err=True)
    for file, data in made.payloads.items():
        click.echo(f"  {len(data):8} {file}", err=True)
    click.echo(
        f"{path}  {path.stat().st_size} bytes, {app.name} {app.version}, sequence {made.sequence}, "
        f"manifest {made.envelope.digest.value.hex()[:16]}"
    )
