"""The templates of `sign --template`: what each makes is lint clean, and the device code runs it as it is meant."""

import pytest
from click.testing import CliRunner
from suitup import keys
from suitup import numbers as n
from suitup.cli import group
from suitup.errors import Failure
from suitup.manifest import Envelope, plans
from suitup.manifest.lint import lint

# 2030-03-20 00:26:40 UTC
NOW = 1900196800
MIDNIGHT = NOW - NOW % 86400


def run(*arguments):
    done = CliRunner().invoke(group, [str(each) for each in arguments])
    if isinstance(done.exception, Failure):
        raise done.exception
    return done


def sign(app, *templates, version="1.0.0", more=()):
    """Sign with templates; -> the envelope's path, lint clean."""
    chosen = [f"--template={each}" for each in templates]
    assert run("sign", "--app", app, "--version", version, *chosen, *more).exit_code == 0
    path = app / "release" / "latest.suit"
    assert lint(path.read_bytes()) == []
    return path


def simulate(app, path, device="", *more):
    """[(section, command, outcome)] of a run, and its last lines."""
    (app / "device.toml").write_text(device)
    try:
        done = run("simulate", path, "--app", app, "--device", app / "device.toml", *more)
        assert done.exit_code == 0
        return done.stdout
    except Failure as failure:
        return f"{failure} {failure.why}"


@pytest.fixture
def app(app, micropython):
    return app


def test_battery_floor(app):
    path = sign(app, "battery=500")
    assert "minimum-battery" in simulate(app, path, "battery_mwh = 500")
    refused = simulate(app, path, "battery_mwh = 499")
    assert "condition-failed" in refused and "battery" in refused
    assert "condition-failed" in simulate(app, path)


def test_only_when_the_app_agrees(app):
    path = sign(app, "priority=3")
    assert "ok: installed" in simulate(app, path, "update_authorized = true")
    assert "not authorized" in simulate(app, path)


def test_not_after_a_day(app):
    path = sign(app, "before=2030-03-21")
    assert "ok: installed" in simulate(app, path, f"now = {NOW}")
    assert "too late" in simulate(app, path, f"now = {MIDNIGHT + 86400}")


def test_only_over_a_version(app):
    path = sign(app, "version=>=1.2")
    assert "ok: installed" in simulate(app, path, '[versions]\n"app" = [1, 2, 0]')
    assert "condition-failed" in simulate(app, path, '[versions]\n"app" = [1, 1, 9]')


def test_staged_and_installed_at_night(app):
    """Everything is fetched first; what is left to the night is the wait."""
    path = sign(app, "night=02:00", "battery=100")
    at_two = simulate(app, path, f"now = {MIDNIGHT + 7200}\nbattery_mwh = 100")
    lines = [line.strip().split()[:2] for line in at_two.splitlines()]
    steps = [line[0] for line in lines if line]
    assert steps.index("payload-fetch") < steps.index("fetch") < steps.index("install") < steps.index("wait")
    assert steps.index("wait") < steps.index("minimum-battery", steps.index("wait")), "checked again after waiting"
    assert "ok: installed, valid and started" in at_two
    too_early = simulate(app, path, f"now = {MIDNIGHT + 7199}\nbattery_mwh = 100")
    assert "waits for an event" in too_early


def test_installed_when_powered(app):
    path = sign(app, "power")
    assert "ok: installed" in simulate(app, path, 'wait_events = ["power"]')
    assert "waits for an event" in simulate(app, path)


def test_a_config_only_update_keeps_the_app_of_the_last_release(app):
    first = Envelope.decode(sign(app).read_bytes())
    (app / "app" / "main.py").write_text("something else\n")
    (app / "settings.json").write_text('{"volume": 4}')
    path = sign(app, "config-only", version="1.0.1")
    second = Envelope.decode(path.read_bytes())

    def images(envelope):
        index, found = None, {}
        for command in envelope.manifest.shared:
            index = command.argument if command.number == n.C_SET_COMPONENT_INDEX else index
            if command.number == n.C_OVERRIDE_PARAMETERS and n.P_IMAGE_DIGEST in command.argument:
                found[index] = command.argument[n.P_IMAGE_DIGEST]
        return found

    assert images(first)[0] == images(second)[0] and images(first)[1] != images(second)[1]
    assert second.manifest.sequence_number == first.manifest.sequence_number + 1
    shown = simulate(app, path)
    assert 'holds ["file", "settings.json"] 13 bytes' in shown and 'starts ["app"]' in shown
    # and once more on top of it
    sign(app, "config-only", version="1.0.2")


def test_config_only_needs_a_release_to_start_from(app):
    with pytest.raises(Failure, match="no release of hello"):
        run("sign", "--app", app, "--template", "config-only")


def test_uninstall_removes_what_was_installed(app):
    path = sign(app, "uninstall")
    assert "ok: installed" in simulate(app, path)
    (app / "old").write_text("old")
    device = f'[components]\n"app" = "{app}/old"\n"file/settings.json" = "{app}/old"\n'
    gone = simulate(app, path, device, "--procedure", "uninstall")
    assert gone.count("unlink") == 2 and "holds" not in gone and gone.endswith("ok: uninstalled\n")


@pytest.fixture
def operator(app):
    """The operator's project: settings alone, under a key of their own."""
    folder = app.parent / "operator"
    folder.mkdir()
    (folder / "site.json").write_text('{"site": 7}')
    keys.save(keys.generate("Ed25519"), folder / "operator.pem")
    (folder / "suitup.toml").write_text(
        'name = "operator"\nversion = "3"\nvendor = "example.com"\nclass = "hello"\nkey = "operator.pem"\n'
        'release = "release"\n[files]\n"site.json" = "site.json"\n[template]\npart = true\n'
    )
    return folder


@pytest.mark.parametrize("integrated", [(), ("--integrated",)], ids=["beside", "inside"])
def test_one_dependency_per_owner(app, operator, integrated):
    part = sign(operator, version="3", more=integrated)
    access = app / "operator.toml"
    access.write_text('components = ["file/site.json"]\n')
    store = app / "trust.cbor"
    operator_key = f"{operator}/operator.pub.pem:app:access={access}"
    run("trust", "build", "-o", store, app / "dev.pub.pem", operator_key)
    path = sign(app, f"owner={part}", "uninstall", "battery=10")
    shown = simulate(app, path, "battery_mwh = 10", "--trust", store)
    for line in ('holds ["file", "site.json"] 11 bytes', 'starts ["app"]', 'holds ["manifest", "latest"]'):
        assert line in shown, shown
    assert "process-dependency" in shown and shown.endswith("ok: installed, valid and started\n")


def test_an_owner_keeps_to_what_is_theirs(app, operator):
    """The operator's key is restricted to another file: refused, whatever the vendor signed around it."""
    part = sign(operator, version="3")
    access = app / "operator.toml"
    access.write_text('components = ["file/elsewhere"]\n')
    store = app / "trust.cbor"
    run("trust", "build", "-o", store, app / "dev.pub.pem", f"{operator}/operator.pub.pem:app:access={access}")
    path = sign(app, f"owner={part}")
    (app / "device.toml").write_text('vendor = "example.com"\nclass = "hello"\n')
    with pytest.raises(Failure, match="abort"):
        run("simulate", path, "--trust", store, "--device", app / "device.toml")


def test_the_project_file_asks_for_the_same(app):
    toml = app / "suitup.toml"
    toml.write_text(toml.read_text() + '[template]\nbattery = 500\nnight = "02:00"\nuninstall = true\n')
    wanted = plans.parse([("battery", "500"), ("night", "02:00"), ("uninstall", "")])
    from suitup.project import load

    assert plans.parse(load(app).template) == wanted
    shown = simulate(app, sign(app), f"battery_mwh = 500\nnow = {MIDNIGHT + 7300}")
    assert "minimum-battery" in shown and "wait" in shown
    # and the command line has the last word
    assert "battery" in simulate(app, sign(app, "battery=900"), f"battery_mwh = 500\nnow = {MIDNIGHT + 7300}")


@pytest.mark.parametrize(
    "template",
    [
        "battery=much", "battery=-1", "priority=", "before=soon", "version=1.2", "version=>x", "night=25:00", "power=no",
        "uninstall=later", "part", "fly", "owner=none.suit",
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(app, template):
    chosen = [template, "config-only"] if template == "part" else [template]
    with pytest.raises(Failure):
        run("sign", "--app", app, *[f"--template={each}" for each in chosen])


def test_an_owner_that_starts_an_app_is_no_part(app):
    sign(app)
    (app / "other.suit").write_bytes((app / "release" / "latest.suit").read_bytes())
    with pytest.raises(Failure, match="starts an app"):
        run("sign", "--app", app, f"--template=owner={app}/other.suit")
