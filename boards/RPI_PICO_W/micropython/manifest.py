# What is frozen: the updater with its engines for the RP2040, the two files that start it, and what the stock build brings.
# MIT licence.
# ruff: noqa: F821 (names are the manifest language's)
include("$(PORT_DIR)/boards/RPI_PICO_W/manifest.py")
include("../../../firmware/manifest.py", native="viper thumb")
