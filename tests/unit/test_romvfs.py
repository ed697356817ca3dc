"""The pure-Python ROMFS: finds what is there, and never reads outside a record."""

import sys

from harness import MICROPYTHON, raises, skip
from suit.region import MemoryRegion
from suit.romvfs import RomVfs


def uint(value, pad=0):
    out = [value & 0x7F]
    value >>= 7
    while value:
        out.insert(0, 0x80 | value & 0x7F)
        value >>= 7
    return bytes([0x80] * pad + out)


def record(kind, payload):
    return uint(kind) + uint(len(payload)) + payload


def file(name, data):
    return record(5, uint(len(name)) + name.encode() + record(2, data))


def folder(name, *entries):
    return record(4, uint(len(name)) + name.encode() + b"".join(entries))


def image(*entries):
    body = b"".join(entries)
    head = b"\xd2\xcd\x31"
    size = uint(len(body))
    if (len(head) + len(size) + len(body)) % 2:
        size = uint(len(body), 1)
    return head + size + body


SAMPLE = image(
    record(1, b"\0" * 5),
    file("main.py", b"VALUE = 41\n"),
    folder("lib", file("empty", b""), folder("deep", file("x.txt", b"one\ntwo\nthree"))),
    file("big.bin", bytes(range(256)) * 8),
)


def rom(data=SAMPLE):
    return RomVfs(MemoryRegion(data))


def oserror(code, call, *args):
    error = raises(OSError, call, *args)
    assert error.args[0] == code, error


def test_files_and_folders_are_found_with_their_sizes():
    v = rom()
    assert v.stat("/main.py")[0] == 0x8000 and v.stat("/main.py")[6] == 11
    assert v.stat("/lib/deep")[0] == 0x4000
    assert v.stat("/")[0] == 0x4000
    assert v.stat("/lib/empty")[6] == 0
    assert sorted(v.ilistdir("/")) == [
        ("big.bin", 0x8000, 0, 2048),
        ("lib", 0x4000, 0, 0),
        ("main.py", 0x8000, 0, 11),
    ]


def test_what_is_not_there_is_enoent_and_a_file_is_no_folder():
    v = rom()
    oserror(2, v.stat, "/none")
    oserror(2, v.stat, "/lib/../main.py")
    oserror(20, v.stat, "/main.py/x")
    oserror(20, v.ilistdir, "/main.py")
    oserror(21, v.open, "/lib", "r")


def test_nothing_can_be_written():
    v = rom()
    for mode in ("w", "wb", "a", "r+", "x"):
        oserror(30, v.open, "/main.py", mode)
    oserror(30, v.remove, "/main.py")
    oserror(30, v.mkdir, "/x")
    oserror(30, v.rename, "/main.py", "/x")


def test_reading_text_and_bytes_by_pieces_lines_and_seeks():
    v = rom()
    assert v.open("/main.py", "r").read() == "VALUE = 41\n"
    f = v.open("/lib/deep/x.txt", "rb")
    assert f.readline() == b"one\n" and f.read(2) == b"tw" and f.readline() == b"o\n"
    assert f.tell() == 8 and f.seek(0) == 0 and f.read() == b"one\ntwo\nthree"
    assert list(v.open("/lib/deep/x.txt", "r")) == ["one\n", "two\n", "three"]
    f = v.open("/big.bin", "rb")
    buf = bytearray(300)
    total = 0
    while True:
        n = f.readinto(buf)
        if not n:
            break
        assert buf[0] == total & 0xFF
        total += n
    assert total == 2048


def test_relative_paths_follow_chdir():
    v = rom()
    v.chdir("/lib")
    assert v.getcwd() == "/lib" and v.stat("deep/x.txt")[6] == 13
    oserror(20, v.chdir, "/main.py")


def test_a_pointer_record_is_followed_inside_the_image_only():
    data = record(2, b"shared")
    body = data + record(5, uint(1) + b"p" + record(3, uint(6) + uint(2)))
    assert rom(image(body)).open("/p", "rb").read() == b"shared"
    for size, offset in ((6, 60), (600, 2), (1 << 40, 0), (0, 1 << 33)):
        body = data + record(5, uint(1) + b"p" + record(3, uint(size) + uint(offset)))
        oserror(5, rom(image(body)).stat, "/p")


def test_padded_varuints_are_read_and_endless_ones_refused():
    body = uint(5, 3) + uint(5, 2) + uint(1) + b"q" + uint(2, 1) + uint(0, 0)
    assert rom(image(body)).stat("/q")[6] == 0
    oserror(5, rom, b"\xd2\xcd\x31" + b"\x80" * 40)


def test_every_shortened_or_altered_image_fails_cleanly_or_reads_inside():
    def walk(v):
        stack = ["/"]
        while stack:
            at = stack.pop()
            assert len(at) < 200
            for entry in v.ilistdir(at):
                path = at + entry[0]
                if entry[1] == 0x4000:
                    stack.append(path + "/")
                else:
                    v.open(path, "rb").read()

    pointer = record(5, b"\x01c" + record(3, b"\x01\x02"))
    small = image(file("a", b"12345"), folder("d", file("b", b"678")), pointer)
    for cut in range(len(small)):
        try:
            walk(rom(small[:cut]))
        except OSError:
            continue
        raise AssertionError("a cut image was taken whole")
    for i in range(len(small)):
        for value in (0, 1, 0x7F, 0x80, 0xFF, small[i] ^ 1, small[i] ^ 0x40):
            bad = bytearray(small)
            bad[i] = value
            try:
                walk(rom(bad))
            except (OSError, UnicodeError):
                pass


def test_a_read_error_of_the_storage_is_not_taken_for_data():
    class Short(MemoryRegion):
        def read_at(self, offset, buf):
            n = MemoryRegion.read_at(self, offset, buf)
            return n if len(buf) <= 24 else max(n - 1, 0)

    oserror(5, RomVfs(Short(SAMPLE)).open("/big.bin", "rb").read)


def test_modules_are_imported_from_a_mounted_image():
    if not MICROPYTHON:
        skip("mounting is MicroPython's")
    import vfs

    files = file("__init__.py", b"A = 1"), file("sub.py", b"B = 2")
    vfs.mount(rom(image(folder("pkg", *files))), "/rt")
    sys.path.insert(0, "/rt")
    try:
        import pkg.sub

        assert pkg.A == 1 and pkg.sub.B == 2
        with open("/rt/pkg/sub.py") as f:
            assert f.read() == "B = 2"
        import os

        assert os.listdir("/rt") == ["pkg"]
    finally:
        sys.path.pop(0)
        vfs.umount("/rt")


def test_the_native_one_reads_the_same_image_alike():
    try:
        from vfs import VfsRom
    except ImportError:
        skip("no native VfsRom here")
    native = VfsRom(SAMPLE)
    ours = rom()
    assert native.stat("/lib")[0] == ours.stat("/lib")[0]
    for path in ("/main.py", "/lib/deep/x.txt", "/big.bin"):
        assert native.stat(path)[0] == ours.stat(path)[0]
        assert native.stat(path)[6] == ours.stat(path)[6]
    assert native.open("/big.bin", "rb").read() == ours.open("/big.bin", "rb").read()


def test_what_a_failed_reading_left_is_not_taken_for_the_image():
    class Failing(MemoryRegion):
        fail = False

        def read_at(self, offset, buf):
            if self.fail:
                buf[:] = b"\x05" * len(buf)
                raise OSError(5)
            return MemoryRegion.read_at(self, offset, buf)

    region = Failing(SAMPLE)
    v = RomVfs(region)
    for path in ("/main.py", "/lib/deep/x.txt", "/big.bin"):
        before = v.stat(path)
        region.fail = True
        oserror(5, v.stat, path)
        region.fail = False
        assert v.stat(path) == before


def test_an_entry_is_found_with_one_reading_for_each_before_it():
    class Counting(MemoryRegion):
        count = 0

        def read_at(self, offset, buf):
            Counting.count += 1
            return MemoryRegion.read_at(self, offset, buf)

    many = image(*[file("module%02d.mpy" % i, bytes(300)) for i in range(50)])
    v = RomVfs(Counting(many))
    Counting.count = 0
    v.stat("/module49.mpy")
    assert Counting.count <= 2 * 50 + 10  # its head, and its name where that is as long
