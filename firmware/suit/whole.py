# Modules are read from flash in one piece.
# MIT licence.
"""MicroPython reads a .mpy 25 bytes at a time, which on littlefs takes three quarters of the time of an
import. `begin(package)` mounts a filesystem at /.suit that shows the package's folder with every file
as a buffer in RAM, and makes it the place where the package's further modules come from. The buffer is
garbage as soon as the module is loaded.

Only the compiled updater has this (host/suitup/boards/updater.py): the file must be .mpy. A firmware
without the module `vfs` (before 1.22) imports as ever."""

from io import BytesIO

_WHERE = "/.suit"
_FOLDERS = ("/crypto", "/port", "/transports")
_FOLDER = (0x4000, 0, 0, 0, 0, 0, 0, 0, 0, 0)
_FILE = (0x8000, 0, 0, 0, 0, 0, 0, 0, 0, 0)


class _Whole:
    def __init__(self, folder):
        self.folder = folder
        self.found = (None, None)  # path and content of the file that was looked for last

    def mount(self, readonly, mkfs):
        pass

    def umount(self):
        pass

    def stat(self, path):
        # an import asks for a folder, for source, for .mpy, and opens that; a look-up in flash takes
        # milliseconds, so there is one for all of this
        if path in _FOLDERS:
            return _FOLDER
        if not path.endswith(".mpy"):
            raise OSError(2)
        self.found = (path, self._read(path))
        return _FILE

    def open(self, path, mode):
        at, data = self.found
        self.found = (None, None)
        return BytesIO(data if at == path else self._read(path))

    def _read(self, path):
        with open(self.folder + path, "rb") as f:
            size = f.seek(0, 2)
            f.seek(0)
            return f.read(size)


def begin(package):
    try:
        import vfs
    except ImportError:
        return
    try:
        vfs.umount(_WHERE)  # of a package that was dropped from memory
    except OSError:
        pass
    vfs.mount(_Whole(package.__path__), _WHERE)
    package.__path__ = _WHERE
