# `esp32` for the explorer: the partitions of the chip that is being explored.
# MIT licence.
"""Stands in `sys.modules` as `esp32`. The chip behind it (boards/virtual/shim_esp32.py) keeps its otadata and its firmware on
the same flash as the filesystem, behind it, so that one count of operations covers both."""

import nor
import shim_esp32

SLOT = 4  # blocks of a firmware partition
BLOCKS = 2 + 2 * SLOT  # otadata and two partitions


class FilesystemPart:
    """The first `blocks` blocks of a chip, as littlefs sees them."""

    def __init__(self, chip, blocks):
        self.readblocks = chip.readblocks
        self.writeblocks = chip.writeblocks
        self._chip = chip
        self._blocks = blocks

    def ioctl(self, op, arg):
        return self._blocks if op == 4 else self._chip.ioctl(op, arg)


def table(blocks):
    """The partitions behind a filesystem of so many blocks."""
    at = blocks * nor.BLOCK
    return (
        ("otadata", 1, 0, at, 2 * nor.BLOCK),
        ("ota_0", 0, 0x10, at + 2 * nor.BLOCK, SLOT * nor.BLOCK),
        ("ota_1", 0, 0x11, at + (2 + SLOT) * nor.BLOCK, SLOT * nor.BLOCK),
    )


chip = shim_esp32.Chip(None)
Partition = chip.Partition
