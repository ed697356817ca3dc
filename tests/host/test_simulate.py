"""`simulate`: the device code, step by step, for a described device."""

import json

import pytest
from click.testing import CliRunner
from suitup.cli import group
from suitup.errors import Failure


def run(*arguments):
    return CliRunner().invoke(group, [str(each) for each in arguments], catch_exceptions=False)


@pytest.fixture
def release(app, micropython):
    run("sign", "--app", app)
    return app / "release" / "latest.suit"


def test_a_release_is_executed_to_its_end(app, release):
    result = run("simulate", release, "--app", app)
    lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
    assert lines[-1] == "ok: installed, valid and started"
    assert 'starts ["app"]' in lines
    assert 'holds ["file", "settings.json"] 13 bytes' in lines
    assert [line for line in lines if line.startswith("fetch ok")][1].endswith("-settings.json")


def test_a_refusal_names_the_command_and_the_reason(app, release):
    with pytest.raises(
        Failure, match="condition-failed: a condition of the manifest does not hold: class id"
    ):
        run("simulate", release, "--app", app, "--class", "another")
    with pytest.raises(Failure, match="rollback"):
        run("simulate", release, "--app", app, "--floor", "2")
    for payload in release.parent.glob("*-hello.img"):
        payload.unlink()
    with pytest.raises(Failure, match="operation-failed: the payload cannot be had"):
        run("simulate", release, "--app", app)


def test_a_device_file_describes_the_device(app, release, tmp_path):
    device = tmp_path / "device.toml"
    (tmp_path / "old.json").write_text("{}")
    device.write_text(
        'vendor = "example.com"\nclass = "hello"\nmpy = "6,6.3-armv6m"\nslot = 1\n'
        f'[components]\n"file/settings.json" = "{tmp_path / "old.json"}"\n'
    )
    result = run("simulate", release, "--key", app / "dev.pub.pem", "--device", device, "--json")
    found = json.loads(result.stdout)
    assert (result.exit_code, found["result"]) == (0, "ok")
    assert found["components"]['["file", "settings.json"]'] == 13
    device.write_text('colour = "red"\n')
    with pytest.raises(Failure, match="not a setting of a device"):
        run("simulate", release, "--key", app / "dev.pub.pem", "--device", device)


def test_an_absolute_uri_is_mapped_to_a_file(app, micropython):
    run("sign", "--app", app, "--base-url", "http://updates.example.com/x/")
    release = app / "release" / "latest.suit"
    mapped = [
        f"--payload=http://updates.example.com/x/{path.name}={path}"
        for path in (app / "release").iterdir()
        if "-hello.img" in path.name or path.name.endswith(".json")
    ]
    assert run("simulate", release, "--app", app, *mapped).exit_code == 0
    with pytest.raises(Failure, match="payload cannot be had"):
        run("simulate", release, "--app", app)
