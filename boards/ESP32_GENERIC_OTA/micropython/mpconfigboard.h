// ESP32 with the updater frozen in, two firmware slots and two app slots in mapped flash.
// MIT licence.
#define MICROPY_HW_BOARD_NAME "Generic ESP32 module with OTA"
#include "boards/ESP32_GENERIC/mpconfigboard.h"
// Native VfsRom over the partition `romfs` of partitions.csv: a block that stays erased, so that MicroPython mounts nothing from
// it by itself, and two app slots (firmware/suit/romslots.py).
#define MICROPY_VFS_ROM (1)
