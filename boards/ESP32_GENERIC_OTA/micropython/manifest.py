# What is frozen: the updater with its engines in viper, the files that start it, and what the stock build brings.
# Without app slots in mapped flash, the stock board and variant will do as well:
#     make BOARD=ESP32_GENERIC BOARD_VARIANT=OTA FROZEN_MANIFEST=.../boards/ESP32_GENERIC_OTA/micropython/manifest.py
# MIT licence.
# ruff: noqa: F821 (names are the manifest language's)
include("../../../firmware/manifest.py", native="viper")
