# A slot is a folder: the app image, the manifest that installed it, this version's files.
# MIT licence.
"""`Slot(root, index)`: `root`/a (0) or `root`/b (1), with

    app.img         the ROMFS image
    manifest.suit   the envelope that installed it, severed: authentication and manifest
    manifests/NAME  the envelopes of its dependencies
    trust.cbor      the trust store it brings, if it does (rekey.py)
    updater.img     its own updater, and `updater.ok` when that may start (renewal.py)
    files/NAME...   the file components
    part            while a download is interrupted: which file, of which digest, with which ETag

Nothing here looks at the record: who calls has made sure that the slot may be written. Errors of
the storage stay OSError. Sizes are bytes."""

import os

try:
    from micropython import const
except ImportError:

    def const(value):
        return value


from .cbor import encode, value
from .errors import SuitError

NAMES = "ab"
_IFDIR = const(0x4000)
_ENOENT = const(2)
_ENOTDIR = const(20)
# blocks kept free for folders, the record and the last block of a file written once more
_RESERVE = const(6)
_MOST = const(1024)  # bytes of `part`


def exists(path):
    """Raises OSError for what cannot be read: that is not absent."""
    try:
        os.stat(path)
        return True
    except OSError as error:
        if error.args[0] in (_ENOENT, _ENOTDIR):
            return False
        raise


def file_size(path):
    """-> bytes, None when there is no such file."""
    try:
        info = os.stat(path)
    except OSError as error:
        if error.args[0] in (_ENOENT, _ENOTDIR):
            return None
        raise
    return None if info[0] & _IFDIR else info[6]


def remove(path):
    """Remove a file if it is there."""
    try:
        os.remove(path)
    except OSError as error:
        if error.args[0] != _ENOENT:
            raise


def make_folders(path):
    """Make the folders above the file `path`."""
    at = path.find("/", 1)
    while at > 0:
        try:
            os.mkdir(path[:at])
        except OSError:
            if not exists(path[:at]):
                raise
        at = path.find("/", at + 1)


class Slot:
    def __init__(self, root, index, limit=None):
        self.index = index
        self.name = NAMES[index]
        self.path = "%s/%s" % (root, self.name)
        self._limit = limit  # of all its components together, or None

    # made when they are asked for: an update has little memory and needs few of them

    @property
    def app(self):
        return self.path + "/app.img"

    @property
    def manifest(self):
        return self.path + "/manifest.suit"

    @property
    def files(self):
        return self.path + "/files"

    @property
    def trust(self):
        return self.path + "/trust.cbor"

    @property
    def updater(self):
        return self.path + "/updater.img"

    @property
    def vouch(self):
        return self.path + "/updater.ok"

    @property
    def _part(self):
        return self.path + "/part"

    def component(self, parts):
        """-> the path of what components.parse made of an identifier."""
        if parts[0] == "app":
            return self.app
        if parts[0] == "trust":
            return self.trust
        if parts[0] == "updater":
            return self.updater
        if parts[0] == "manifest":
            return self.path + "/manifests/" + parts[1]
        return self.file(parts[1:])

    def file(self, names):
        """-> the path of the file component `names`."""
        return self.files + "/" + "/".join(names)

    def walk(self):
        """-> the paths of all files in the slot, and of all folders in `folders` order: (paths,
        folders)."""
        paths = []
        folders = []
        todo = [self.path]
        while todo:
            folder = todo.pop()
            try:
                names = os.listdir(folder)
            except OSError as error:
                # one that cannot be read is not one that is not there
                if error.args[0] not in (_ENOENT, _ENOTDIR):
                    raise
                continue
            folders.append(folder)
            for name in names:
                path = folder + "/" + name
                if os.stat(path)[0] & _IFDIR:
                    todo.append(path)
                else:
                    paths.append(path)
        return paths, folders

    def tidy(self, keep):
        """Remove every file whose path is not in `keep`, and every folder that is empty then."""
        paths, folders = self.walk()
        for path in paths:
            if path not in keep:
                os.remove(path)
        for folder in reversed(folders):
            if folder != self.path and not os.listdir(folder):
                os.rmdir(folder)

    def room(self, path):
        """-> bytes that may be stored at `path`, whose present content would go."""
        stored = file_size(path) or 0
        folder = self.path
        while not exists(folder):
            folder = folder[: folder.rfind("/")] or "/"
        info = os.statvfs(folder)
        block = info[1]
        blocks = info[3] - _RESERVE + (stored + block - 1) // block
        # littlefs keeps pointers in every block of a large file
        free = max(blocks, 0) * (block - 8)
        if self._limit is not None:
            used = sum(file_size(p) or 0 for p in self.walk()[0] if p != self.manifest)
            free = min(free, max(self._limit - used + stored, 0))
        return free

    # the interrupted download

    def part(self):
        """-> [path, digest, mark] of the interrupted download, or None."""
        try:
            with open(self._part, "rb") as file:
                # `read` makes room for all it was told, and memory may be short
                size = min(file.seek(0, 2), _MOST)
                file.seek(0)
                part = value(memoryview(file.read(size)))
        except (OSError, SuitError):
            return None
        return part if isinstance(part, list) and len(part) == 3 else None

    def set_part(self, path, digest, mark):
        make_folders(self._part)
        with open(self._part, "wb") as file:
            file.write(encode([path, digest, mark]))

    def end_part(self, path=None):
        """The download to `path` is over; None: whichever there was."""
        part = self.part() if path is not None else None
        if part is None or part[0] == path:
            remove(self._part)

    # the manifest

    def drop_manifest(self):
        """From here on nothing boots from this slot."""
        remove(self.manifest)
        remove(self.vouch)
