// RPI_PICO_W with the updater frozen in. The filesystem keeps the size of the stock build, or stock MicroPython would format it.
// MIT licence.
#include "boards/RPI_PICO_W/mpconfigboard.h"
// Native VfsRom over the end of the code space, just below the filesystem: a block that stays erased and two app slots of
// 48 KiB each (firmware/suit/romslots.py).
#ifndef MICROPY_HW_ROMFS_BYTES
#define MICROPY_HW_ROMFS_BYTES (25 * 4096)
#endif
