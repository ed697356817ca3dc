# ESP32 with the updater frozen in, two firmware slots and two app slots in mapped flash: MicroPython's own board with another
# manifest and partition table. In ports/esp32 of MicroPython:
#     make BOARD=ESP32_GENERIC_OTA BOARD_DIR=.../boards/ESP32_GENERIC_OTA/micropython
# Written for MicroPython 1.28; not built by the authors.
# MIT licence.
include(boards/ESP32_GENERIC/mpconfigboard.cmake)
# the table lies here, and ESP-IDF would look for it in the port's folder
file(WRITE ${CMAKE_BINARY_DIR}/sdkconfig.partitions
    "CONFIG_PARTITION_TABLE_CUSTOM_FILENAME=\"${MICROPY_BOARD_DIR}/partitions.csv\"\n")
list(APPEND SDKCONFIG_DEFAULTS
    boards/ESP32_GENERIC/sdkconfig.ota
    ${CMAKE_BINARY_DIR}/sdkconfig.partitions
)
set(MICROPY_FROZEN_MANIFEST ${MICROPY_BOARD_DIR}/manifest.py)
