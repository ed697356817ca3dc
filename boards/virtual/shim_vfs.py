# `vfs` as ESP32 and RP2 firmware has it: without VfsRom, and without the host's files.
# MIT licence.
"""Stands in `sys.modules` as `vfs` unless the board is created with `rom = true` (platform.md, section 0, finding 1)."""

from vfs import VfsFat, VfsLfs2, mount, umount  # noqa: F401
