"""The release store finds what was published and nothing else."""

import os

import pytest
from suitup.errors import Failure
from suitup.serve.store import MAX_DEPTH, MAX_KNOWN, NotThere, ReleaseStore, publish


@pytest.fixture
def store(tmp_path):
    folder = tmp_path / "release"
    publish(folder, "latest.suit", b"envelope")
    (tmp_path / "secret").write_bytes(b"not for devices")
    return ReleaseStore(folder)


def test_a_file_is_read_by_the_block_and_ends_where_it_ends(store):
    with store.open("latest.suit") as item:
        assert item.size == 8
        assert item.read(0, 3) == b"env"
        assert item.read(6, 100) == b"pe"
        assert item.read(8, 1) == b""


@pytest.mark.parametrize(
    "name",
    [
        "", "/", ".", "..", "../secret", "a/../../secret", "/etc/passwd", "//etc/passwd", "./latest.suit",
        "latest.suit/", "%2e%2e/secret", "..%2fsecret", "..\\secret", "latest.suit\0", ".hidden", "a/.hidden",
        "latest.suit\n", "C:/secret", "a" * 600, "/".join("a" * (MAX_DEPTH + 1)), "\udcff",
    ],
)  # fmt: skip
def test_a_name_that_could_lead_elsewhere_is_not_there(store, name):
    (store.folder / ".hidden").write_bytes(b"x")
    with pytest.raises(NotThere):
        store.open(name)


def test_a_link_out_of_the_folder_is_not_followed_and_one_inside_is(store, tmp_path):
    (store.folder / "out").symlink_to(tmp_path / "secret")
    (store.folder / "up").symlink_to(tmp_path)
    (store.folder / "in.suit").symlink_to("latest.suit")
    for name in ("out", "up/secret"):
        with pytest.raises(NotThere):
            store.open(name)
    with store.open("in.suit") as item:
        assert item.size == 8


def test_folders_and_pipes_are_not_files(store):
    (store.folder / "sub").mkdir()
    os.mkfifo(store.folder / "pipe")
    for name in ("sub", "pipe"):
        with pytest.raises(NotThere):
            store.open(name)


def test_the_etag_follows_the_content_and_nothing_else(store):
    first = store.etag("latest.suit")
    publish(store.folder, "copy.suit", b"envelope")
    os.utime(store.folder / "latest.suit", (1, 1))
    assert store.etag("copy.suit") == store.etag("latest.suit") == first
    publish(store.folder, "latest.suit", b"envelopE")
    assert store.etag("latest.suit") != first


def test_a_reader_keeps_the_version_it_opened(store):
    with store.open("latest.suit") as old:
        publish(store.folder, "latest.suit", b"something longer")
        assert old.read(0, 100) == b"envelope"
        assert old.etag != store.etag("latest.suit")


def test_publishing_is_whole_or_not_at_all(store, monkeypatch):
    def full(fd):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError):
        publish(store.folder, "latest.suit", b"half")
    assert sorted(os.listdir(store.folder)) == ["latest.suit"]
    assert (store.folder / "latest.suit").read_bytes() == b"envelope"


def test_a_name_that_could_not_be_served_is_not_published(store):
    for name in ("../x", ".x", "a/b", "", "a b"):
        with pytest.raises(Failure):
            publish(store.folder, name, b"x")


def test_what_is_remembered_of_files_is_bounded(store):
    for number in range(MAX_KNOWN + 10):
        (store.folder / "f").write_bytes(b"%d" % number * (number + 1))
        store.etag("f")
    assert len(store._known) == MAX_KNOWN


def test_a_folder_that_is_not_there_is_a_failure_with_a_hint(tmp_path):
    with pytest.raises(Failure) as failure:
        ReleaseStore(tmp_path / "none")
    assert "sign" in failure.value.hint


def test_names_lists_what_can_be_opened(store, tmp_path):
    (store.folder / "out").symlink_to(tmp_path / "secret")
    (store.folder / "sub").mkdir()
    (store.folder / "sub" / "x.suit").write_bytes(b"1")
    assert store.names() == ["latest.suit", "sub/x.suit"]
