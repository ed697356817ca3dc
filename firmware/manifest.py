# Freezing: `make FROZEN_MANIFEST=.../firmware/manifest.py` in the port's folder of MicroPython.
# ruff: noqa: F821
include("$(PORT_DIR)/boards/manifest.py")
package("suit", base_path=".", opt=3)
module("boot.py", base_path=".")
module("main.py", base_path=".")
