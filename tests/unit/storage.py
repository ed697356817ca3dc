"""Folders for tests: a temporary one on CPython, one on a littlefs in RAM on MicroPython."""

from harness import MICROPYTHON

_n = 0


def folder(blocks=64):
    """-> the path of a fresh folder; `blocks` of 4 KiB where it is a littlefs."""
    global _n
    _n += 1
    if not MICROPYTHON:
        import tempfile

        return tempfile.mkdtemp()
    import vfs

    device = RamBlocks(blocks)
    vfs.VfsLfs2.mkfs(device)
    vfs.mount(device, "/t%d" % _n)
    return "/t%d" % _n


class RamBlocks:
    def __init__(self, blocks, size=4096):
        self.size = size
        self.data = bytearray(b"\xff" * (blocks * size))

    def readblocks(self, n, buf, offset=0):
        at = n * self.size + offset
        buf[:] = self.data[at : at + len(buf)]

    def writeblocks(self, n, buf, offset=None):
        at = n * self.size + (offset or 0)
        self.data[at : at + len(buf)] = buf

    def ioctl(self, op, arg):
        if op == 4:
            return len(self.data) // self.size
        if op == 5:
            return self.size
        if op == 6:
            at = arg * self.size
            self.data[at : at + self.size] = b"\xff" * self.size
        return 0


def read(path):
    with open(path, "rb") as f:
        return f.read()


def write(path, data):
    with open(path, "wb") as f:
        f.write(data)
