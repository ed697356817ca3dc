# Whose signatures count: any of the trusted keys, or so many of them, or whom they delegate to.
# MIT licence.
"""`trusted(region, wrapper, trust)` is a generator over the authentication blocks of an envelope; its
value is (the key that counts, all keys whose blocks held). `counting(found)` is that decision alone,
for whoever wants it twice. `delegated(members, trust)` is a generator that makes keys trusted which
the envelope brings along with a chain of tokens (delegation.py).

KEY_QUORUM of a key says how many different trusted keys that have all of its roles must have signed
for it to count, its own signature included: 1 is any-of, 2 on each of three keys is two of three.
No signature covers the wrapper: whoever is on the way may fill it with signatures of nobody, to be
stored with the manifest and tried at every boot. After MAX_TRIES an update is refused (R_LIMIT).
Sections 8.3 and 9 of suit-manifest."""

try:
    from micropython import const
except ImportError:

    def const(value):
        return value


from . import cose
from .errors import SuitError
from .numbers import ENV_DELEGATION, MAX_MANIFEST, MAX_TRIES, R_STRUCTURE, R_UNAUTHORISED
from .optional import optional
from .region import MemoryRegion, SubRegion, rest

_SMALL = const(256)  # bytes of a block that is copied, so that its file need not be open meanwhile
_ROOM = const(8192)  # bytes, more than any signature here needs


def counting(found):
    """Of the keys that signed, the one whose quorum is there: so many different keys, all with its
    roles and free to do what it may. None as long as there is none."""
    for key in found:
        if key.quorum <= 1:
            return key
        names = [other.kid for other in found if _able(other, key)]
        if len(set(names)) >= key.quorum:
            return key
    return None


def _able(other, key):
    if other.roles & key.roles != key.roles:
        return False
    for each in other.access:
        if each not in key.access:
            return False
    return True


def _tries(trust):
    """At boot as many as it takes: what was found good must not be refused because there are more keys by
    now, or tokens that count again where nothing expires."""
    return None if trust.moment is False else MAX_TRIES


def _make_room():
    """Collect garbage where memory is short: on an RP2040 it takes 10 ms, and an allocation that fails
    does it by itself."""
    try:
        bytearray(_ROOM)
    except MemoryError:
        pass


def _copied(region):
    data = bytearray(region.size)
    if region.read_at(0, data) != len(data):
        raise SuitError(R_STRUCTURE, "the envelope became shorter", None)
    return data


def trusted(region, wrapper, trust):
    """Generator: the key that counts, see above. A block this board cannot judge does not spoil the
    others."""
    trust.tries = _tries(trust)
    failure = None
    found = []
    for start, end in wrapper.blocks:
        block = SubRegion(region, start, end - start)
        if block.size <= _SMALL:
            block = MemoryRegion(_copied(block))
            rest(region)
        _make_room()  # verifying needs its buffers in one piece
        try:
            found.append(cose.verify(block, wrapper.payload, trust))
            if counting(found) is not None:
                break
        except SuitError as error:
            if error.offset is not None:
                error.offset += start
            # malformed, of an unknown kind or not by anyone here: another block may still hold
            if error.reason > R_UNAUTHORISED:
                raise
            if failure is None or error.reason == R_UNAUTHORISED:
                failure = error
        yield
    if not found:
        raise failure or SuitError(R_UNAUTHORISED, "not signed", None)
    key = counting(found)
    if key is None:
        raise SuitError(R_UNAUTHORISED, "more signatures are needed", None)
    _make_room()  # and the manifest, which stays, shall not lie in the middle of what they leave
    return key, found


def delegated(members, trust):
    """Generator: `trust` with the keys that the envelope's own chains lead to. No signature covers
    member 1, so that one which makes no sense makes nobody trusted, and nothing else."""
    span = members.numbers.get(ENV_DELEGATION)
    delegation = optional("delegation") if span else None
    if delegation is None or span[2] - span[1] > MAX_MANIFEST:
        return trust
    data = bytearray(span[2] - span[1])
    members.region.read_at(span[1], data)
    trust.tries = _tries(trust)
    try:
        return (yield from delegation.extended(memoryview(data), trust))
    except SuitError:
        return trust
