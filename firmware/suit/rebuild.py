# When both copies of the record are lost: what the slots themselves can prove.
# MIT licence.
"""`rebuild(root, trust, tries)` is a generator; its value is a Record made from the manifests in the
slots that authenticate (decide.rebuilt says which slot is what). Images are not looked at here:
the launcher verifies whatever it runs. A manifest that is there but cannot be read (OSError) stops it:
what it would have said, a floor perhaps, must not be forgotten. `remember(config)` saves it: nothing
may be written while it is not known what runs."""

from . import decide, runtime
from .errors import SuitError
from .policy import floor_key
from .region import FileRegion
from .slots import Slot

_ENOENT = 2


def rebuild(root, trust, tries):
    found = [None, None]
    for index in (0, 1):
        try:
            with open(Slot(root, index).manifest, "rb") as file:
                found[index] = yield from _proved(FileRegion(file), trust)
        except SuitError:
            pass  # proves nothing
        except OSError as error:
            if error.args[0] != _ENOENT:
                raise
    return decide.rebuilt(found, tries)


def remember(config):
    from .config import trust_store

    trust = trust_store(runtime.root, config)
    runtime.store().save((yield from rebuild(runtime.root, trust, config.tries)))


def _proved(region, trust):
    from .envelope import authenticate

    envelope = yield from authenticate(region, trust)
    manifest = envelope.manifest
    return bytes(envelope.digest), manifest.sequence_number, floor_key(manifest)
