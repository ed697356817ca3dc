"""Folders for tests: a temporary one on CPython, one on a littlefs in RAM on MicroPython."""

from harness import MICROPYTHON

_ERASED = b"\xff" * 4096
_mounted = None  # the device behind /t, one at a time


def folder(blocks=64):
    """-> the path of a fresh folder; `blocks` of 4 KiB where it is a littlefs. On MicroPython the one
    before it is gone then."""
    if not MICROPYTHON:
        import tempfile

        return tempfile.mkdtemp()
    import gc

    import vfs

    global _mounted
    if _mounted:
        vfs.umount("/t")
        _mounted = None
        gc.collect()
    _mounted = RamBlocks(bytearray(b"\xff" * (blocks * 4096)))
    vfs.VfsLfs2.mkfs(_mounted)
    vfs.mount(_mounted, "/t")
    return "/t"


def power_cut():
    """What is on the flash stays, what is in open files is gone (littlefs only)."""
    global _mounted
    if _mounted:
        import vfs

        vfs.umount("/t")
        # files that are still open have no flash any more
        data = _mounted.data
        _mounted.data = b""
        _mounted = RamBlocks(data)
        vfs.mount(_mounted, "/t")


class RamBlocks:
    """A block device of 4 KiB blocks over a bytearray."""

    def __init__(self, data):
        self.data = data

    def readblocks(self, n, buf, offset=0):
        at = n * 4096 + offset
        buf[:] = memoryview(self.data)[at : at + len(buf)]

    def writeblocks(self, n, buf, offset=0):
        at = n * 4096 + offset
        self.data[at : at + len(buf)] = buf

    def ioctl(self, op, arg):
        if op == 4:
            return len(self.data) // 4096
        if op == 5:
            return 4096
        if op == 6:
            at = arg * 4096
            self.data[at : at + 4096] = _ERASED
        return 0


def read(path):
    with open(path, "rb") as f:
        return f.read()


def write(path, data):
    with open(path, "wb") as f:
        f.write(data)
