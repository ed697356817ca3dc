# What is frozen: the updater with its engines in viper, and the two files that start it. Stock board and variant:
#     make BOARD=ESP32_GENERIC BOARD_VARIANT=OTA FROZEN_MANIFEST=.../boards/ESP32_GENERIC_OTA/micropython/manifest.py
# MIT licence.
# ruff: noqa: F821 (names are the manifest language's)
include("../../../firmware/manifest.py", native="viper")
