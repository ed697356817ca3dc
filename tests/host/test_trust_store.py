"""Trust stores with quorum and restrictions: written, shown, and read by the device code as they were meant."""

import json

import pytest
from click.testing import CliRunner
from suitup import cbor, keys
from suitup import numbers as n
from suitup.cli import group
from suitup.errors import Failure
from suitup.keys.model import BadKey
from suitup.keys.trust import Access, Anchor, check_anchors

ACCESS = """\
components = ["app", "file/config"]
commands = ["set-component-index", "fetch", 3]
parameters = []
"""


def run(*arguments):
    done = CliRunner().invoke(group, [str(each) for each in arguments])
    if isinstance(done.exception, Failure):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.output


@pytest.fixture
def desk(tmp_path):
    for name, alg in (("a", "ESP256"), ("b", "Ed25519"), ("c", "ESP256")):
        keys.save(keys.generate(alg), tmp_path / f"{name}.pem")
    (tmp_path / "access.toml").write_text(ACCESS)
    return tmp_path


def build(desk, *entries):
    store = desk / "trust.cbor"
    shown = run("trust", "build", "-o", store, *[f"{desk}/{each}" for each in entries])
    return store, shown


def test_the_device_reads_quorum_and_restrictions_as_they_were_written(desk):
    from suit import access
    from suit.errors import SuitError
    from suit.trust import TrustStore

    store, _ = build(
        desk, "a.pub.pem:app,firmware:quorum=2", "b.pub.pem:all:quorum=1",
        f"c.pub.pem:app:access={desk}/access.toml",
    )  # fmt: skip
    a, b, c = TrustStore(store.read_bytes()).keys
    assert (a.roles, a.quorum, a.access) == (n.ROLE_APP | n.ROLE_FIRMWARE, 2, ())
    assert (b.roles, b.quorum) == (31, 1)
    permitted = cbor.encode([b"file", b"config", b"x"])
    access.permit(c.access, access.COMPONENT, permitted)
    access.permit(c.access, access.COMMAND, n.C_IMAGE_MATCH)
    for kind, value in (
        (access.COMPONENT, cbor.encode([b"file", b"other"])),
        (access.COMMAND, n.C_WRITE),
        (access.PARAMETER, n.P_URI),
    ):
        with pytest.raises(SuitError):
            access.permit(c.access, kind, value)


def test_show_says_what_build_was_told(desk):
    store, built = build(desk, "a.pub.pem:quorum=2", "b.pub.pem:quorum=2", f"c.pub.pem:access={desk}/access.toml")
    assert run("trust", "show", store) == built
    assert "for app, with 1 others" in built and "only commands set-component-index, fetch, image-match" in built
    assert 'only components ["app"], ["file", "config"]' in built and "only parameters none" in built
    found = json.loads(run("trust", "show", "--json", store))
    assert [each["quorum"] for each in found] == [2, 2, 1] and len(found[2]["access"]) == 3


def test_a_store_comes_back_as_it_went_in():
    access = Access(((b"app",), ()), (), (n.P_URI,))
    anchors = [Anchor(keys.generate().public(), n.ROLE_TRUST, 3, (access,)), Anchor(keys.generate("Ed25519").public())]
    assert keys.read_anchors(keys.trust_store(anchors)) == anchors
    assert access.component((b"anything",)) and not access.command(1) and not access.parameter(n.P_CONTENT)
    assert Access().component(()) and Access().command(99)


@pytest.mark.parametrize(
    "anchors",
    [
        [Anchor(keys.generate(), n.ROLE_APP, 2)],
        [Anchor(keys.generate(), n.ROLE_APP, 0)],
        [Anchor(keys.generate(), n.ROLE_APP, 2), Anchor(keys.generate(), n.ROLE_TRUST)],
        [Anchor(keys.generate(), n.ROLE_APP | n.ROLE_DELEGATE, 2), Anchor(keys.generate(), 31)],
    ],
    ids=["alone", "none", "other roles", "delegates"],
)
def test_a_quorum_that_cannot_work_is_refused_before_a_board_has_it(anchors):
    with pytest.raises(Failure):
        check_anchors(anchors)


@pytest.mark.parametrize("text", ["", "colours = []", "commands = ['fly']", "commands = 'fetch'", "components = [1]", "="])
def test_a_restriction_nobody_knows_is_refused(desk, text):
    (desk / "access.toml").write_text(text)
    with pytest.raises(Failure):
        build(desk, f"a.pub.pem:access={desk}/access.toml")


@pytest.mark.parametrize("item", [{4: []}, {1: 0}, {2: ["x"]}, {3: {}}, [], {1: [0]}])
def test_an_unknown_restriction_in_a_store_is_not_passed_over(item):
    params = {**keys.generate().public().params, n.KEY_ACCESS: item}
    with pytest.raises(BadKey):
        keys.read_anchors(cbor.encode([params]))


def test_provision_takes_the_same_words(desk):
    from suitup.cli.trust import anchor

    found = anchor(f"{desk}/a.pub.pem:firmware,trust:quorum=2:access={desk}/access.toml")
    assert (found.roles, found.quorum, len(found.access)) == (n.ROLE_FIRMWARE | n.ROLE_TRUST, 2, 1)
    assert anchor(f"{desk}/a.pem") == Anchor(keys.load(desk / "a.pub.pem"))
