# The ["trust"] component: another set of trust anchors, by a signed update.
# MIT licence.
"""A manifest by a key with ROLE_TRUST may write a whole new trust store, which lies in the slot
(`trust.cbor`) beside the app that comes with it and becomes the board's own in this order:

1. updater: validates the slot with the old store; then `check`: the new one must have a key with
   ROLE_APP whose algorithm this board can check, and with it alone the manifest and its
   dependencies must authenticate once more and go through all that a boot does: a key that may no
   longer load or invoke is no use. Else nothing is armed.
2. the trial runs under the old store; going back from it leaves the old one in force.
3. confirm saves the record; then `adopt`: the copy `trust.new`, read back, renamed over
   `trust.cbor` (littlefs: whole or not at all), then `trust.seen`, the digest of what was adopted.
4. a cut between those: the active slot verifies under either store. The launcher, once it has
   verified an active slot whose store is not the one seen last, adopts it.

So at every moment one whole store is in force under which the active manifest authenticates. A
store put there by cable later stays: it was not the slot's to begin with, and `trust.seen` tells.
A file `trust.cbor` in a slot is worth nothing by lying there: what is adopted is what the manifest
names, matched at this boot, under a key with ROLE_TRUST (`vouched`).
A store frozen into the firmware cannot be changed: R_COMPONENT_UNSUPPORTED."""

import hashlib
import os

from .errors import SuitError
from .numbers import R_NOT_ALLOWED, R_STORAGE, ROLE_APP, ROLE_TRUST
from .slots import exists

_MOST = 16384  # bytes of a store
_IDENTIFIER = b"\x81\x45trust"


def frozen():
    """True when the trust store is part of the firmware."""
    try:
        import suit_trust  # noqa: F401

        return True
    except ImportError:
        return False


def _read(path):
    with open(path, "rb") as file:
        return file.read(_MOST + 1)


def _usable(store):
    from .crypto import supported

    able = supported()
    for key in store.keys:
        if key.roles & ROLE_APP and any(key.serves(alg) for alg in able):
            return True
    return False


def check(envelope, slot, board, like):
    """Generator: refuse the store in `slot` unless the board could live with it. `like`: the
    present TrustStore; `board`: with the slot to be read."""
    from .envelope import authenticate
    from .policy import check as policy
    from .processor import Processor
    from .trust import TrustStore

    data = _read(slot.trust)
    if len(data) > _MOST:
        raise SuitError(R_NOT_ALLOWED, "trust store of %d bytes" % len(data))
    store = TrustStore.of(TrustStore(data).keys, like)
    if not _usable(store):
        raise SuitError(R_NOT_ALLOWED, "no usable trust anchor")
    again = yield from authenticate(envelope.region, store)
    board.judged_by(again.key, store)
    processor = Processor(again, board)
    yield from processor.invocation()
    policy(processor, again.manifest, board)


def vouched(processor, slot):
    """-> digest of the store that `slot`, just validated by `processor`, may make the board's own;
    None where no manifest whose key may do that names one."""
    found = None
    if _IDENTIFIER in processor.matched_identifiers:
        for context in processor.root.tree():
            if context.roles & ROLE_TRUST and _IDENTIFIER in context.named():
                found = context
    if found is None:
        return None
    # once more, should a decision above have been turned round
    if found.roles & ROLE_TRUST and _IDENTIFIER in found.named():
        return hashlib.sha256(_read(slot.trust)).digest()
    return None


def _seen(root):
    """-> digest of the store that was adopted last, None without one."""
    try:
        return _read(root + "/trust.seen")
    except OSError:
        return None


def adopt(root, slot, vouched):
    """Make the store of the confirmed slot the board's own, if it is the one that is `vouched` for.
    Raises OSError; then the old one is in force, and the next boot tries again."""
    if not exists(slot.trust) or frozen():
        return
    data = _read(slot.trust)
    digest = hashlib.sha256(data).digest()
    if _seen(root) == digest:
        return
    # in force already: a cut came before the note
    if _read(root + "/trust.cbor") != data:
        if digest != vouched:
            return
        with open(root + "/trust.new", "wb") as file:
            file.write(data)
        # what is stored, and once more whether it is that one
        if hashlib.sha256(_read(root + "/trust.new")).digest() != vouched:
            raise SuitError(R_STORAGE, "trust store")
        os.rename(root + "/trust.new", root + "/trust.cbor")
    with open(root + "/trust.seen", "wb") as file:
        file.write(digest)
