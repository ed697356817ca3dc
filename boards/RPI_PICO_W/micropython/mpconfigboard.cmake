# RPI_PICO_W with the updater frozen in: MicroPython's own board, another manifest. In ports/rp2 of MicroPython:
#     make BOARD=RPI_PICO_W BOARD_DIR=.../boards/RPI_PICO_W/micropython
# MIT licence.
include(${MICROPY_PORT_DIR}/boards/RPI_PICO_W/mpconfigboard.cmake)
set(MICROPY_BOARD_PINS ${MICROPY_PORT_DIR}/boards/RPI_PICO_W/pins.csv)
set(MICROPY_FROZEN_MANIFEST ${MICROPY_BOARD_DIR}/manifest.py)
# newer MicroPython sets the linker's limit by this; mpconfigboard.h says what it is for
set(MICROPY_HW_ROMFS_BYTES 102400)
