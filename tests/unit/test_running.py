"""How an app ended, and what is made of it."""

from harness import raises
from suit import decide, running, runtime
from suit import numbers as n

KEY = b"k" * 5


class Port:
    def __init__(self):
        self.resets = 0

    def reset(self):
        self.resets += 1


class Store:
    """The record in RAM."""

    def __init__(self, record):
        self.record = record
        self.saves = 0

    def load(self):
        return self.record

    def save(self, record):
        self.record = record
        self.saves += 1


class On:
    """Version 2 runs, on trial or confirmed, in `with`; `unread`: its image could not be read."""

    def __init__(self, trial, unread):
        found = ((bytes([1]) * 32, 1, KEY), None)
        record = decide.armed(
            decide.writing(decide.rebuilt(found, 3), 1), 1, bytes([2]) * 32, 2, KEY, 3
        )
        record = decide.decide(record, decide.CAUSE_OTHER, (0, 0))[2]
        self.store = Store(record if trial else decide.confirmed(record))
        self.values = {
            "trial": trial, "running": 1, "unread": unread, "root": "/nowhere",
            "store": lambda: self.store,
        }  # fmt: skip

    def __enter__(self):
        self.traceback = running._keep_traceback
        running._keep_traceback = lambda error: b"traceback"
        self.kept = {name: getattr(runtime, name) for name in self.values}
        for name in self.values:
            setattr(runtime, name, self.values[name])
        return Port(), self.store

    def __exit__(self, *error):
        running._keep_traceback = self.traceback
        for name in self.kept:
            setattr(runtime, name, self.kept[name])


def test_a_trial_whose_image_could_not_be_read_is_started_again_and_not_judged():
    for ends in (
        lambda port: running._ended(port),
        lambda port: running._crashed(ImportError("no module named 'main'"), True, port),
    ):
        with On(trial=True, unread=True) as (port, store):
            ends(port)
            assert port.resets == 1 and store.saves == 0
            assert store.record.trial == 1 and not store.record.bad


def test_a_trial_whose_image_was_read_is_judged():
    for ends, reason in (
        (lambda port: running._ended(port), n.R_BACK_ENDED),
        (lambda port: running._crashed(ValueError(), True, port), n.R_BACK_EXCEPTION),
    ):
        with On(trial=True, unread=False) as (port, store):
            ends(port)
            assert port.resets == 1 and store.record.trial is None
            assert store.record.back_reason == reason
            assert store.record.knows_bad(bytes([2]) * 32)


def test_a_confirmed_app_that_seems_to_end_since_it_could_not_be_read_starts_again():
    with On(trial=False, unread=True) as (port, _):
        running._ended(port)
        assert port.resets == 1
    with On(trial=False, unread=False) as (port, _):
        running._ended(port)
        assert port.resets == 0  # the console is next


def test_an_image_tells_that_it_could_not_be_read():
    class File:
        def seek(self, at, whence=0):
            return 100

        def readinto(self, buf):
            raise OSError(5)

    kept = runtime.unread
    try:
        image = running.Image(File())
        assert image.size == 100 and not runtime.unread
        raises(OSError, image.read_at, 0, bytearray(4))
        assert runtime.unread
    finally:
        runtime.unread = kept
