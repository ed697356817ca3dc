"""App images: what is in them, that they are always the same, what is refused."""

import pytest
from suitup import images
from suitup.errors import Failure
from suitup.images import romfs


def test_an_image_holds_compiled_modules_and_other_files_as_they_are(app):
    image = images.build(app / "app")
    assert sorted(image.files) == ["lib/helper.mpy", "main.mpy", "words.txt"]
    assert image.files["words.txt"] == b"hello\n"
    assert image.files["main.mpy"][:2] == b"M\x06"
    assert romfs.read(image.data) == image.files
    assert image.kind == "6"


def test_the_same_sources_give_the_same_bytes_wherever_they_lie(app, tmp_path):
    first = images.build(app / "app").data
    (app / "app").rename(tmp_path / "elsewhere")
    assert images.build(tmp_path / "elsewhere").data == first
    assert str(tmp_path).encode() not in first


def test_native_code_binds_the_image_to_its_architecture(app):
    (app / "app" / "fast.py").write_text(
        "import micropython\n@micropython.native\ndef f(x):\n    return x + 1\n"
    )
    assert images.build(app / "app", arch="armv6m").kind == "6.3-armv6m"
    assert images.build(app / "app", arch="xtensawin").kind == "6.3-xtensawin"
    with pytest.raises(Failure):  # no architecture was named
        images.build(app / "app")


def test_sources_can_be_stored_uncompiled(app):
    image = images.build(app / "app", compiled=False)
    assert sorted(image.files) == ["lib/helper.py", "main.py", "words.txt"]
    assert image.kind is None


def test_a_syntax_error_is_reported_with_its_file(app):
    (app / "app" / "main.py").write_text("def broken(:\n")
    with pytest.raises(Failure, match=r"main\.py does not compile"):
        images.build(app / "app")


def test_an_app_without_main_is_refused(app):
    (app / "app" / "main.py").unlink()
    with pytest.raises(Failure, match=r"no main\.py"):
        images.build(app / "app")


def test_a_link_that_leaves_the_folder_is_refused(app):
    (app / "app" / "secret.txt").symlink_to("/etc/hostname")
    with pytest.raises(Failure, match="leads out"):
        images.build(app / "app")


def test_the_writer_agrees_with_mpremote(app):
    from mpremote.romfs import VfsRomWriter

    image = images.build(app / "app")
    writer = VfsRomWriter()
    writer.opendir("lib")
    writer.mkfile("helper.mpy", image.files["lib/helper.mpy"])
    writer.closedir()
    writer.mkfile("main.mpy", image.files["main.mpy"])
    writer.mkfile("words.txt", image.files["words.txt"])
    assert writer.finalise() == image.data


@pytest.mark.parametrize("size", [0, 1, 127, 128, 129, 16383, 16384, 70000])
def test_every_size_survives_and_the_total_is_even(size):
    data = romfs.write({"a": b"x" * size, "d/b": b""})
    assert len(data) % 2 == 0
    assert romfs.read(data) == {"a": b"x" * size, "d/b": b""}


@pytest.mark.parametrize("path", ["", "/a", "a/", "a//b", "../a", "a/./b", "a\0", "x" * 256])
def test_a_path_that_cannot_be_stored_is_refused(path):
    with pytest.raises(romfs.ImageError):
        romfs.write({path: b""})


def test_a_cut_image_is_never_read_as_a_whole_one():
    data = romfs.write({"a": b"x" * 300, "d/b": b"yy"})
    for end in range(len(data)):
        with pytest.raises(romfs.ImageError):
            romfs.read(data[:end])


def test_micropython_mounts_and_runs_the_image(app, micropython, tmp_path):
    import subprocess

    (tmp_path / "app.img").write_bytes(images.build(app / "app").data)
    script = (
        "import sys, vfs; vfs.mount(vfs.VfsRom(open('app.img', 'rb').read()), '/app'); "
        "sys.path[:] = ['/app', '/app/lib']; import main"
    )
    done = subprocess.run(
        [micropython, "-c", script], cwd=tmp_path, capture_output=True, text=True
    )
    assert (done.stdout, done.returncode) == ("hello world\n", 0), done.stderr


def test_an_image_larger_than_the_slot_of_its_board_is_refused(app):
    from suitup import author, project

    loaded = project.load(app, slot_size=100)
    with pytest.raises(Failure, match="a slot|slot of that board holds 100"):
        author.build(loaded)
