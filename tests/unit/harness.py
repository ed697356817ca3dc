"""What unit tests need on both interpreters: `raises`, `run`, `vectors`. A test file holds plain functions
`test_<sentence>()` with asserts; pytest runs them on CPython, `tests/unit/run.py` on MicroPython."""

import sys

MICROPYTHON = sys.implementation.name == "micropython"


class Skip(Exception):
    """Raised by a test that cannot run here; the reason is printed."""


def raises(kind, call, *args, reason=None):
    """Call and expect an exception of `kind` (with `.reason == reason` when given); returns it."""
    try:
        call(*args)
    except kind as error:
        if reason is not None:
            assert error.reason == reason, "reason %r, expected %r" % (error.reason, reason)
        return error
    raise AssertionError("nothing was raised")


def finish(gen):
    """Drive a generator that never really waits; returns its value."""
    try:
        while True:
            next(gen)
    except StopIteration as done:
        return done.value


def skip(why):
    if MICROPYTHON:
        raise Skip(why)
    import pytest

    pytest.skip(why)
