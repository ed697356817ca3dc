# Freezing: `make BOARD=... FROZEN_MANIFEST=.../firmware/manifest.py` in the port's folder of MicroPython.
# MIT licence.
# ruff: noqa: F821 (names are the manifest language's)
"""Freezes the updater and the files that start it beside what the port freezes anyway. Engines in
native code are left out unless asked for, since they must match the chip:

    include("firmware/manifest.py", native="viper thumb")    # RP2040, RP2350
    include("firmware/manifest.py", native="viper")          # ESP32 family

Frozen trust anchors: freeze a module `suit_trust` with `KEYS = b"..."` (the bytes of a trust.cbor)."""

import os

options.defaults(native="")


def _suit(folder=""):
    """Module files of `suit` below `folder`, as `package` wants them."""
    found = []
    names = sorted(os.listdir("suit/" + folder))
    for name in names:
        kind = name[:-3].rsplit("_", 1)[-1]
        if name.endswith(".py"):
            wanted = options.native.split()
            # one fast engine of each kind, and the plain one to fall back to
            slower = kind == "viper" and "thumb" in wanted and name[:-8] + "thumb.py" in names
            if kind not in ("viper", "thumb") or (kind in wanted and not slower):
                found.append(folder + name)
        elif name != "__pycache__":
            found += _suit(folder + name + "/")
    return found


include("$(PORT_DIR)/boards/manifest.py")
package("suit", files=_suit(), base_path=".", opt=3)
module("suit_start.py", base_path=".", opt=3)
module("boot.py", base_path=".", opt=3)
module("main.py", base_path=".", opt=3)
