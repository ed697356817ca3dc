"""Keys: kinds, files, thumbprints, trust stores."""

import json
import os
import stat

import pytest
from click.testing import CliRunner
from suitup import cbor, keys
from suitup import numbers as n
from suitup.cli import group
from suitup.errors import Failure
from suitup.keys.model import BadKey, Key, from_cose_key


def test_thumbprints_are_those_of_rfc_9679(root):
    folder = root / "tests" / "vectors" / "thumbprint"
    cases = json.loads((folder / "index.json").read_text())["cases"]
    assert len(cases) == 6
    for case in cases:
        name = case["files"].get("cose_key", case["files"]["to_be_hashed"])
        key = from_cose_key((folder / name).read_bytes())
        assert key.kid == case["expect"]["sha256"], case["name"]


@pytest.mark.parametrize("algorithm", keys.ALGORITHMS)
@pytest.mark.parametrize("development", [False, True])
def test_a_key_survives_its_file(tmp_path, algorithm, development):
    key = keys.generate(algorithm, development)
    path = tmp_path / "a.pem"
    written = keys.save(key, path)
    again = keys.load(path)
    assert (again.kid, again.private, again.development) == (key.kid, True, development)
    assert again.kind == algorithm
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for public in written[1:]:
        half = keys.load(public)
        assert (half.kid, half.private, half.development) == (key.kid, False, development)
        assert half.kind == algorithm


def test_a_private_file_is_never_readable_by_others_even_with_a_lax_umask(tmp_path):
    before = os.umask(0)
    try:
        keys.save(keys.generate(), tmp_path / "a.pem")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a.pem").stat().st_mode) == 0o600


def test_keygen_prints_the_key_id_and_never_overwrites(tmp_path):
    path = str(tmp_path / "a.pem")
    run = CliRunner()
    first = run.invoke(group, ["keygen", path])
    assert first.exit_code == 0
    assert first.stdout.strip() == keys.load(path).kid
    again = run.invoke(group, ["keygen", path])
    assert isinstance(again.exception, Failure)
    assert first.stdout.strip() == keys.load(path).kid
    assert run.invoke(group, ["keygen", path, "--force"]).exit_code == 0
    assert first.stdout.strip() != keys.load(path).kid


@pytest.mark.parametrize("name", [*keys.ALGORITHMS, keys.STATEFUL])
def test_keygen_takes_the_name_of_an_algorithm_in_small_letters(tmp_path, name):
    small = ["--hss", "5/8"] if name == keys.STATEFUL else []
    assert CliRunner().invoke(group, ["keygen", str(tmp_path / "a.pem"), "--alg", name.lower(), *small]).exit_code == 0
    assert keys.load(tmp_path / "a.pem").kind == name


def test_a_trust_store_holds_roles_and_no_private_part():
    app, firmware, mac = (
        keys.generate(development=True),
        keys.generate("ML-DSA-44"),
        keys.generate("HMAC-256"),
    )
    store = keys.trust_store([app, (firmware, n.ROLE_APP | n.ROLE_FIRMWARE), mac])
    assert app.secret not in store and firmware.secret not in store
    entries = keys.read_trust_store(store)
    assert [(key.kid, roles) for key, roles in entries] == [
        (app.kid, n.ROLE_APP),
        (firmware.kid, n.ROLE_APP | n.ROLE_FIRMWARE),
        (mac.kid, n.ROLE_APP),
    ]
    assert [key.development for key, _ in entries] == [True, False, False]
    assert keys.role_names(entries[1][1]) == ["app", "firmware"]


@pytest.mark.parametrize(
    "params",
    [
        {1: 2, -1: 1, -2: b"x" * 31, -3: b"y" * 32},  # short coordinate
        {1: 2, -1: 2, -2: b"x" * 48, -3: b"y" * 48},  # P-384
        {1: 1, -1: 6},  # no x
        {1: 9, -1: b""},  # unknown type
        {1: 7, -1: b""},  # AKP without alg
    ],
)
def test_a_bad_key_is_refused(params):
    with pytest.raises(BadKey):
        Key(params)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00",
        b"-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n",
        cbor.encode([1, 2]),
        b"\xff" * 40,
    ],
)
def test_a_file_that_is_no_key_is_a_failure_not_a_crash(tmp_path, content):
    (tmp_path / "k").write_bytes(content)
    with pytest.raises(Failure):
        keys.load(tmp_path / "k")


def test_the_device_reads_the_trust_store():
    from suit.trust import TrustStore

    key = keys.generate(development=True)
    found = list(TrustStore(keys.trust_store([key])).candidates(n.ALG_ESP256, key.thumbprint))
    assert len(found) == 1
    assert bytes(found[0].kid) == key.thumbprint
    assert found[0].development and found[0].roles == n.ROLE_APP
