"""Several --host: all are asked how they are, an update goes from one to the next and no further than it is confirmed."""

import json
import socket

import pytest
from click.testing import CliRunner
from fake_device import FakeDevice, status
from suitup.cli.push import to_each
from suitup.cli.status import command
from suitup.errors import Failure
from suitup.push import Verdict


def ask(*arguments):
    return CliRunner().invoke(command, arguments, standalone_mode=False)


@pytest.fixture
def two():
    """Addresses of two boards."""
    one, other = (FakeDevice([], before=status(name=name)) for name in ("hall", "attic"))
    with one.running() as first, other.running() as second:
        yield f"127.0.0.1:{first}", f"127.0.0.1:{second}"


def test_every_board_is_asked(two):
    said = ask("--host", two[0], "--host", two[1])
    assert said.return_value == 0
    assert said.output.index(two[0]) < said.output.index("hall") < said.output.index(two[1])
    assert "attic" in said.output
    told = json.loads(ask("--host", two[0], "--host", two[1], "--json").output)
    assert {host: each["name"] for host, each in told.items()} == {two[0]: "hall", two[1]: "attic"}


def test_one_board_alone_is_told_as_ever(two):
    assert json.loads(ask("--host", two[0], "--json").output)["name"] == "hall"


def test_a_silent_one_does_not_hide_the_others(two):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deaf:
        deaf.bind(("127.0.0.1", 0))
        silent = f"127.0.0.1:{deaf.getsockname()[1]}"
        said = ask("--host", silent, "--host", two[1], "--json")
        assert said.return_value == 1
        assert f"error: no board answers at {silent}" in said.stderr
        told = json.loads(said.stdout)
        assert told[silent] is None and told[two[1]]["name"] == "attic"


def test_the_same_board_twice_is_a_slip():
    assert "twice" in str(ask("--host", "a", "--host", "a").exception)


def pushed(verdicts):
    """(hosts that were offered it, what was said, the verdict or Failure)."""
    offered, said = [], []

    def push_to(host):
        offered.append(host)
        if isinstance(verdicts[host], Failure):
            raise verdicts[host]
        return verdicts[host]

    try:
        end = to_each(tuple(verdicts), push_to, said.append)
    except Failure as failure:
        end = failure
    return offered, said, end


GOOD, BAD = Verdict("confirmed", "2.0.0"), Verdict("rolled back", "it crashed")


def test_an_update_goes_from_board_to_board():
    offered, said, end = pushed({"a": GOOD, "b": GOOD, "c": GOOD})
    assert offered == ["a", "b", "c"] and end is GOOD
    assert said[1] == "b (2 of 3): confirmed 2.0.0" and len(said) == 3


def test_it_stops_at_the_first_that_does_not_confirm():
    offered, said, end = pushed({"a": GOOD, "b": BAD, "c": GOOD, "d": GOOD})
    assert offered == ["a", "b"] and end is BAD
    assert said[-1] == "not offered to c, d"
    silent = Failure("no board answers at a")
    offered, said, end = pushed({"a": silent, "b": GOOD})
    assert offered == ["a"] and end is silent and said == ["a failed; not offered to b"]


def test_one_board_alone_gets_no_heading():
    assert pushed({"a": GOOD}) == (["a"], [], GOOD)
