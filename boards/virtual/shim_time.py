# `time` whose sleep lets timers run, as on a board.
# MIT licence.
"""Stands in `sys.modules` as `time`: the Unix port's `sleep` waits in one system call, during which no soft timer runs."""

from time import *  # noqa: F403
from time import sleep_ms


def sleep(seconds):
    sleep_ms(int(seconds * 1000))
