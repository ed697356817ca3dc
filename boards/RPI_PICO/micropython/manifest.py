# What is frozen: the updater with its engines for the RP2040, and the two files that start it.
# MIT licence.
# ruff: noqa: F821 (names are the manifest language's)
include("../../../firmware/manifest.py", native="viper thumb")
