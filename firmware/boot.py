# Modules come from the firmware, the updater and /lib; the folder /suit at the root holds data, no code.
import sys

# without the root: MicroPython looks for a file before it takes a module of its own
sys.path[:] = [".frozen", "/lib"]

import suit_start  # noqa: E402

suit_start.path()
