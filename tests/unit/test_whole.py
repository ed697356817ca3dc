"""whole.py: modules of the compiled updater that are there, are not, or find no memory."""

import sys

from harness import MICROPYTHON, raises

_lent = "vfs" not in sys.modules and not MICROPYTHON
if _lent:
    sys.modules["vfs"] = sys  # imported, and not used here
from suit import whole  # noqa: E402

if _lent:
    del sys.modules["vfs"]


class Starved(whole._Whole):
    def _open(self, path):
        raise MemoryError()


def test_a_module_for_which_memory_is_too_short_is_not_one_that_is_missing():
    folder = Starved("/nowhere")
    assert folder.stat("/delegation.mpy") == whole._FILE
    raises(MemoryError, folder.open, "/delegation.mpy", "rb")
    if MICROPYTHON:
        import vfs

        vfs.mount(folder, "/starved")
        sys.path.insert(0, "/starved")
        try:
            raises(MemoryError, __import__, "delegation_without_memory")
        finally:
            sys.path.pop(0)
            vfs.umount("/starved")


def test_what_is_not_there_is_missing():
    folder = whole._Whole("/nowhere")
    for path in ("/delegation.mpy", "/delegation.py", "/delegation", "/crypto/__init__.mpy"):
        assert raises(OSError, folder.stat, path).args[0] == 2
