# The explorer's program: plays scenarios and cuts them.
# MIT licence.
"""`EXPLORE='{"assets": DIR, "firmware": DIR, ...}' micropython -X heapsize=... explore.py`; run.py starts it and reads the
lines that begin with `@`."""

import json
import os
import sys

import vfs

_o = json.loads(os.getenv("EXPLORE"))
vfs.umount("/")
vfs.mount(vfs.VfsPosix(), "/host")
sys.path[:] = ["/host" + path for path in _o["path"]] + [".frozen"]
_posix = vfs.VfsPosix  # noqa: F841

import shim_vfs  # noqa: E402

sys.modules["vfs"] = shim_vfs

import points  # noqa: E402

points.main(_o)
