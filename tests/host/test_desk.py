"""Which release is pushed next, and what a virtual board is provisioned with so that it is news."""

import pytest
from suitup import desk, keys, project
from suitup.errors import Failure
from suitup.manifest import Envelope
from suitup.release import Release


@pytest.fixture
def app(tmp_path):
    folder = tmp_path / "app"
    folder.mkdir()
    (folder / "main.py").write_text("print('x')\n")
    keys.save(keys.generate("ESP256", development=True), tmp_path / "key.pem")
    (tmp_path / "suitup.toml").write_text(
        'name = "demo"\nversion = "1.0.0"\nvendor = "example.com"\napp = "app"\nkey = "key.pem"\nrelease = "release"\n'
    )
    return project.load(tmp_path / "suitup.toml")


def pushed(path):
    desk.mark_pushed(path.parent, Envelope.decode(path.read_bytes()).digest.value)


def test_what_was_signed_is_pushed_and_nothing_else(app):
    path = desk.make(app, "1.0.0")
    before = path.read_bytes()
    assert desk.next_release(app) == path
    assert path.read_bytes() == before
    assert len(Release(app.release).entries()) == 1


def test_with_nothing_signed_there_are_two_versions_then(app):
    path = desk.next_release(app)
    assert path.name == "demo-2.0.0.suit"
    assert [e["version"] for e in Release(app.release).entries()] == ["1.0.0", "2.0.0"]
    assert desk._older(app, path).name == "demo-1.0.0.suit"


def test_after_a_push_the_next_version_is_signed(app):
    for number in ("2.0.0", "3.0.0", "4.0.0"):
        path = desk.next_release(app)
        assert path.name == f"demo-{number}.suit"
        pushed(path)
    sequences = [e["sequence"] for e in Release(app.release).entries()]
    assert sequences == sorted(set(sequences))


def test_a_release_that_was_signed_in_between_is_pushed(app):
    pushed(desk.next_release(app))
    path = desk.make(app, "2.5.0")
    assert desk.next_release(app) == path


def test_a_version_that_is_asked_for_is_signed(app):
    assert desk.next_release(app, "9.1.0").name == "demo-9.1.0.suit"


def test_two_versions_are_never_the_same_image(app):
    one = Envelope.decode(desk.make(app, "1.0.0").read_bytes())
    two = Envelope.decode(desk.make(app, "2.0.0").read_bytes())
    from suitup.boards.provision import image_digests

    assert image_digests(one) != image_digests(two)


def test_the_first_release_is_news_to_a_factory_app_below_it(app, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    path = desk.make(app, "1.0.0")
    older = desk._older(app, path)
    assert Envelope.decode(older.read_bytes()).manifest.sequence_number == 0
    assert Release(app.release).entries()[0]["envelope"] == path.name


@pytest.mark.parametrize(
    "number, then", [("1.0.0", "2.0.0"), ("0.3", "1.0.0"), ("7.1.2-rc.1", "8.0.0")]
)
def test_the_version_after(number, then):
    assert desk.after(number) == then


def test_a_numbering_that_is_not_understood_has_to_be_named():
    with pytest.raises(Failure) as failure:
        desk.after("night-build")
    assert "VERSION=" in failure.value.hint
