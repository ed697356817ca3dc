# The manifest beside what it installed.
# MIT licence.
"""`keep(envelope, slot)` is a generator (see wait.py) that writes the severed envelope into the slot
(slots.Slot) and compares what is stored with what was written. SuitError R_STORAGE when it differs;
OSError from the storage."""

import hashlib

from .errors import SuitError
from .numbers import R_STORAGE
from .slots import make_folders


def keep(envelope, slot):
    written = hashlib.sha256()
    make_folders(slot.manifest)
    with open(slot.manifest, "wb") as file:

        def write(view):
            written.update(view)
            file.write(view)

        envelope.write_severed(write)
    yield
    stored = hashlib.sha256()
    buf = bytearray(256)
    with open(slot.manifest, "rb") as file:
        while True:
            n = file.readinto(buf)
            if not n:
                break
            stored.update(memoryview(buf)[:n])
            yield
    if stored.digest() != written.digest():
        raise SuitError(R_STORAGE, "manifest")
