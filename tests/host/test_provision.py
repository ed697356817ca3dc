"""Provisioning: what lands on a board, what stays, what is refused before a byte is written."""

import pytest
from suitup import cbor, desk, keys, project
from suitup import numbers as n
from suitup.boards import provision as provisioning
from suitup.boards import updater
from suitup.boards.provision import Flash, Settings, first_app, image_digests, provision
from suitup.boards.virtual import VirtualBoard
from suitup.errors import Failure
from suitup.manifest import Envelope


@pytest.fixture
def app(tmp_path):
    folder = tmp_path / "app"
    folder.mkdir()
    (folder / "main.py").write_text("print('x')\n")
    (tmp_path / "conf.txt").write_text("setting")
    keys.save(keys.generate("ESP256"), tmp_path / "key.pem")
    (tmp_path / "suitup.toml").write_text(
        'name = "demo"\nversion = "1.0.0"\nvendor = "example.com"\napp = "app"\nkey = "key.pem"\nrelease = "release"\n'
        'servers = ["coap://updates.example.com/"]\n[files]\n"conf/a.txt" = "conf.txt"\n'
    )
    return project.load(tmp_path / "suitup.toml")


@pytest.fixture
def few_modules(monkeypatch):
    """Two files stand for the updater, so that a test does not compile a hundred."""
    monkeypatch.setattr(
        updater,
        "files",
        lambda arch=None: {"/lib/suit/x.mpy": b"M\x06x", "/main.py": b"import suit\n"},
    )
    # those two files can make no key (tests/board/test_own_key.py has boards that do)
    own = keys.generate("ESP256").public()
    monkeypatch.setattr(provisioning, "_own_key", lambda target: (own, False))
    return own


def trust(app):
    return [(keys.load(app.keys[0]).public(), n.ROLE_APP)]


def test_a_first_app_lies_where_an_update_would_have_put_it(app):
    path = desk.make(app, "1.0.0")
    envelope, files = first_app(path, trust(app))
    assert set(files) == {"/suit/a/manifest.suit", "/suit/a/app.img", "/suit/a/files/conf/a.txt"}
    assert files["/suit/a/files/conf/a.txt"] == b"setting"
    stored = Envelope.decode(files["/suit/a/manifest.suit"])
    assert stored.manifest_bytes == envelope.manifest_bytes and stored.blocks == envelope.blocks
    assert not stored.members and not stored.payloads
    assert set(image_digests(envelope)) == {0, 1}


def test_an_integrated_payload_is_found_in_the_envelope(app, monkeypatch):
    from suitup import author
    from suitup.release import Release

    draft = author.draft(app, Release(app.release), 1, integrated=True)
    author.sign(draft.envelope, author.load_signers(app))
    path = author.publish(app, Release(app.release), draft)
    assert (
        first_app(path, trust(app))[1]["/suit/a/app.img"] == draft.envelope.payloads["#demo.img"]
    )


def test_a_first_app_that_would_not_boot_is_refused(app, tmp_path):
    path = desk.make(app, "1.0.0")
    with pytest.raises(Failure) as failure:
        first_app(path, [(keys.generate("ESP256").public(), n.ROLE_APP)])
    assert "not signed by a key" in str(failure.value)
    # one signature is not two, whoever made it
    alone = [keys.Anchor(key, roles, 2) for key, roles in trust(app)]
    with pytest.raises(Failure) as failure:
        first_app(path, [*alone, keys.Anchor(keys.generate("Ed25519").public(), quorum=2)])
    assert "more signatures are needed" in failure.value.why
    image = next(p for p in path.parent.iterdir() if p.name.endswith("demo.img"))
    image.write_bytes(image.read_bytes()[:-1])
    with pytest.raises(Failure) as failure:
        first_app(path, trust(app))
    assert "payload of app" in str(failure.value)
    envelope = Envelope.decode(path.read_bytes())
    envelope.manifest_bytes = envelope.manifest_bytes[:-1] + b"\0"
    path.write_bytes(envelope.encode())
    with pytest.raises(Failure) as failure:
        first_app(path, trust(app))
    assert "digest" in str(failure.value)


def test_a_board_that_would_trust_nobody_is_refused(app):
    with pytest.raises(Failure) as failure:
        provision(None, Settings(app, []))
    assert "--trust" in failure.value.hint


def test_doing_it_twice_writes_nothing_and_keeps_the_device_id(app, tmp_path, few_modules):
    board = VirtualBoard(tmp_path / "board").create()
    board.write_files(
        {"/lib/suit/stale.mpy": b"old", "/lib/other.py": b"mine", "/suit/state.0": b"x"}
    )
    settings = Settings(app, trust(app), options={"poll": 60, "wifi": None})
    one = provision(Flash(board), settings)
    two = provision(Flash(board), settings)
    assert set(one.written) == {
        "/lib/suit/x.mpy",
        "/main.py",
        "/suit/config.cbor",
        "/suit/trust.cbor",
    }
    assert (two.written, two.kept) == ({}, 4)
    assert one.removed == ["/lib/suit/stale.mpy"]
    files = board.list_files("/")
    assert (
        "/lib/suit/stale.mpy" not in files
        and "/lib/other.py" in files
        and "/suit/state.0" in files
    )
    config = cbor.decode(board.read_file("/suit/config.cbor"))
    assert config == one.config == two.config
    assert (
        config["vendor"] == app.vendor_id
        and app.class_id() in config["class"]
        and app.class_id("6") in config["class"]
    )
    assert (config["poll"], config["servers"]) == (60, ["coap://updates.example.com/"])
    assert "wifi" not in config
    report = two.report()
    assert (
        "0 written, 4 unchanged" in report
        and config["device"].hex() in report
        and "development" not in report
    )


def test_a_first_app_clears_the_slots_and_the_record_but_not_the_identity(
    app, tmp_path, few_modules
):
    board = VirtualBoard(tmp_path / "board").create()
    one = provision(Flash(board), Settings(app, trust(app)))
    board.write_files({"/suit/state.0": b"x", "/suit/b/app.img": b"old", "/suit/traceback": b"t"})
    two = provision(Flash(board), Settings(app, trust(app), envelope=desk.make(app, "1.0.0")))
    there = board.list_files("/suit")
    assert (
        "/suit/state.0" not in there
        and "/suit/b/app.img" not in there
        and "/suit/traceback" not in there
    )
    assert "/suit/a/app.img" in there
    assert two.config["device"] == one.config["device"]
    assert "demo 1.0.0 in slot a, sequence 1" in two.report()


def test_the_public_part_of_the_boards_key_is_kept_under_its_device_id(app, tmp_path, few_modules):
    board = VirtualBoard(tmp_path / "board").create()
    settings = Settings(app, trust(app), own_keys=tmp_path / "boards")
    made = provision(Flash(board), settings)
    assert made.key_file == tmp_path / "boards" / (made.config["device"].hex() + ".pub.pem")
    assert keys.load(made.key_file).thumbprint == few_modules.thumbprint
    assert few_modules.kid in made.report() and str(made.key_file) in made.report()
    assert "no more" not in made.report()
    # the board was erased, say, and has another one now
    keys.save_public(keys.generate("ESP256"), made.key_file)
    again = provision(Flash(board), settings)
    assert "no more" in again.report()
    assert keys.load(made.key_file).thumbprint == few_modules.thumbprint


@pytest.mark.parametrize(
    "said", [(b"", True), (b"\xa0", True), (b"\xa1\x01\x02", True), None, (7, True)]
)
def test_a_board_that_names_no_key_is_not_called_provisioned(said):
    class Board:
        def own_key(self, host):
            assert len(host) == 32
            return said

    with pytest.raises(Failure) as failure:
        provisioning._own_key(Board())
    assert "no key of its own" in str(failure.value)


def test_native_engines_go_only_where_they_run():
    def names(arch):
        return {name for _, name in updater.modules(arch)}

    assert not any("_viper" in name or "_thumb" in name for name in names(None))
    assert any("_viper" in name for name in names("xtensawin"))
    assert not any("_thumb" in name for name in names("xtensawin"))
    assert any("_thumb" in name for name in names("armv6m"))
    assert "suit/launcher.py" in names(None)


def test_every_module_of_the_updater_compiles():
    made = updater.files()
    assert made["/lib/suit/more/launcher.mpy"][:1] == b"M"
    assert {"/boot.py", "/main.py"} <= set(made)
