"""The example app: it builds, its release is clean, and its logic does what the README says."""

import subprocess

import pytest
from click.testing import CliRunner
from suitup import keys, project
from suitup.cli import group


def run(*arguments):
    result = CliRunner().invoke(group, [str(each) for each in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result


@pytest.fixture
def thermostat(root):
    return root / "examples" / "thermostat"


def test_its_release_is_clean_authentic_and_executable(thermostat, tmp_path, micropython):
    keys.save(keys.generate(), tmp_path / "k.pem")
    common = ["--app", thermostat]
    run("sign", *common, "--key", tmp_path / "k.pem", "--release", tmp_path / "release")
    release = tmp_path / "release" / "latest.suit"
    device = ["--key", tmp_path / "k.pem", "--vendor", "example.com", "--class", "thermostat"]
    assert (
        run("lint", release, "--strict", "--board", "RPI_PICO_W").output
        == "nothing to complain about\n"
    )
    assert run("verify", release, *device).output.startswith("ok: authentic and executable")
    assert run("simulate", release, *device).output.endswith("ok: installed, valid and started\n")


def test_its_suitup_toml_names_what_is_there(thermostat):
    loaded = project.load(thermostat)
    assert (loaded.app / "main.py").is_file()
    assert [path.is_file() for path in loaded.files.values()] == [True]


PROGRAM = """
import sys
sys.path[:0] = ["{app}"]

class suit:
    confirmed = []
    path = staticmethod(lambda name: "{settings}")
    confirm = staticmethod(lambda: suit.confirmed.append(1))

    @staticmethod
    async def listen():
        raise SystemExit  # the update server would run for ever

sys.modules["suit"] = suit
try:
    import main
except SystemExit:
    pass
except AssertionError as error:
    print("self-test:", error)
print("confirmed", len(suit.confirmed))
"""


@pytest.mark.parametrize(
    ("settings", "shown"),
    [
        ('{"setpoint_c": 21.0, "hysteresis_c": 0.5, "interval_ms": 500}', "confirmed 1"),
        ('{"setpoint_c": 99.0, "hysteresis_c": 0.5, "interval_ms": 500}', "confirmed 0"),
    ],
)
def test_it_confirms_only_when_its_self_test_passes(
    thermostat, tmp_path, micropython, settings, shown
):
    (tmp_path / "settings.json").write_text(settings)
    program = PROGRAM.format(app=thermostat / "app", settings=tmp_path / "settings.json")
    done = subprocess.run([micropython, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines()[-1] == shown, done.stdout + done.stderr


ROOM = """
import sys
sys.path[:0] = ["{app}"]
import sensor

now = 0

class clock:
    ticks_ms = staticmethod(lambda: now)
    ticks_diff = staticmethod(lambda a, b: a - b)

sensor.time = clock
room = sensor.Room()
for heating in (True, False):
    room.heating = heating
    before = room.celsius()
    for _ in range(10):
        now += 5000
        after = room.celsius()
    print(heating, after > before)
"""


def test_the_simulated_room_warms_while_it_heats(thermostat, micropython):
    program = ROOM.format(app=thermostat / "app")
    done = subprocess.run([micropython, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == ["True", "True", "False", "False"], done.stderr
