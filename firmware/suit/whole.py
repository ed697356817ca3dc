# Modules are read from flash in large pieces.
# MIT licence.
"""MicroPython reads a .mpy 25 bytes at a time, which on littlefs takes three quarters of the time of an
import; and it looks for a folder, for source and for .mpy first. `begin(package)` mounts a filesystem at
/.suit that shows the package's files and has them read 255 bytes at a time, and makes it the place where
the package's further modules come from.

Only the compiled updater has this (host/suitup/boards/programs.py): its files are .mpy, and lie in two
folders instead of four. A look-up takes the longer the more files a folder has, so that what every boot
needs lies in the first one and the others in more/, suit/crypto/ed25519.py as crypto.ed25519.mpy."""

from io import IOBase

import vfs

_WHERE = "/.suit"
_FOLDERS = ("/crypto", "/port", "/transports")
_NOWHERE = "/crypto/__init__.mpy"  # what it has is in core.mpy
_FOLDER = (0x4000, 0, 0, 0, 0, 0, 0, 0, 0, 0)
_FILE = (0x8000, 0, 0, 0, 0, 0, 0, 0, 0, 0)


class _File(IOBase):
    def __init__(self, file):
        self.readinto = file.readinto
        self.close = file.close

    def ioctl(self, request, argument):
        if request == 11:  # MP_STREAM_GET_BUFFER_SIZE
            return 255
        if request == 4:  # MP_STREAM_CLOSE
            self.close()
        return 0


class _Whole:
    def __init__(self, folder):
        self.folder = folder
        self.found = (None, None)  # path and file that was looked for last

    def mount(self, readonly, mkfs):
        pass

    def umount(self):
        pass

    def stat(self, path):
        if path in _FOLDERS:
            return _FOLDER
        if not path.endswith(".mpy") or path == _NOWHERE:
            raise OSError(2)
        try:
            self.found = (path, self._open(path))
        except MemoryError:
            pass  # whatever is raised here means "no such file"; `open` will say it
        return _FILE

    def open(self, path, mode):
        at, file = self.found
        self.found = (None, None)
        return _File(file if at == path else self._open(path))

    def _open(self, path):
        name = path[1:].replace("/", ".")
        try:
            return open(self.folder + "/" + name, "rb")
        except OSError:
            return open(self.folder + "/more/" + name, "rb")


def begin(package):
    try:
        vfs.umount(_WHERE)  # of a package that was dropped from memory
    except OSError:
        pass
    vfs.mount(_Whole(package.__path__), _WHERE)
    package.__path__ = _WHERE
