# The conditions of suit-manifest 8.4.9: one function each, found by number.
# MIT licence.
"""`COMMANDS[number](machine, index)` checks one condition on one component: it returns None, or a
generator that is to be run (see `wait`), and raises SuitError(R_CONDITION_FAILED, what) when the
condition does not hold, a parameter that it needs was never set, or the board does not know the
property. Nothing else happens (6.4)."""

from . import numbers as n
from .crypto import digest as digests
from .errors import SuitError


def _fail(what):
    raise SuitError(n.R_CONDITION_FAILED, what)


def parameter(machine, index, number, what):
    """A parameter that a condition needs."""
    value = machine.param(index, number)
    if value is None:
        _fail(what + " is not set")
    return value


def _is(known, wanted):
    return known is not None and digests.same(known, wanted)


def _vendor_identifier(machine, index):
    if not _is(machine.board.vendor_id, parameter(machine, index, n.P_VENDOR_ID, "vendor id")):
        _fail("vendor id")


def _class_identifier(machine, index):
    wanted = parameter(machine, index, n.P_CLASS_ID, "class id")
    # a device may answer to several (8.4.8.2)
    for known in machine.board.class_ids:
        if _is(known, wanted):
            return
    _fail("class id")


def _device_identifier(machine, index):
    if not _is(machine.board.device_id, parameter(machine, index, n.P_DEVICE_ID, "device id")):
        _fail("device id")


def _component_slot(machine, index):
    wanted = parameter(machine, index, n.P_COMPONENT_SLOT, "component slot")
    if machine.component(index).slot != wanted:
        _fail("component slot")


def _abort(machine, index):
    _fail("abort")


def image_digest(component, algorithm, buf):
    """Generator: the digest of what a component holds."""
    hasher = digests.new(algorithm)
    at = 0
    while True:
        count = component.read_at(at, buf)
        if not count:
            return hasher.digest()
        hasher.update(buf[:count])
        at += count
        yield


def matches(machine, index):
    """Generator -> True when the component has the size and digest that its parameters say."""
    algorithm, wanted = parameter(machine, index, n.P_IMAGE_DIGEST, "image digest")
    component = machine.component(index)
    stored = component.size()
    size = machine.param(index, n.P_IMAGE_SIZE)
    if stored is None or (size is not None and size != stored):
        return False
    try:
        found = yield from image_digest(component, algorithm, machine.buffer)
    except SuitError as error:
        if error.reason == n.R_ALG_UNSUPPORTED:
            _fail("digest algorithm")
        raise
    machine.measured = (algorithm, found)
    # twice, against a glitch; see tests/fuzz/faults.py
    return digests.same(found, wanted) and digests.same(wanted, found)


def _image_match(machine, index):
    held = yield from machine.context.matches(machine, index)
    if not held:
        _fail("image digest")
    if held:
        machine.set_matched(index)


def _check_content(machine, index):
    """8.4.9.3: no early exit, wherever the difference is."""
    wanted = parameter(machine, index, n.P_CONTENT, "content")
    component = machine.component(index)
    buf = machine.buffer
    size = len(wanted)
    residual = 0 if component.size() == size else 1
    at = 0
    while at < size:
        count = component.read_at(at, buf[: min(len(buf), size - at)])
        if not count:
            residual = 1
            break  # the component ended: its size differs, which is no secret
        for i in range(count):
            residual |= buf[i] ^ wanted[at + i]
        at += count
        yield
    if residual:
        _fail("content")


COMMANDS = {
    n.C_VENDOR_ID: _vendor_identifier,
    n.C_CLASS_ID: _class_identifier,
    n.C_IMAGE_MATCH: _image_match,
    n.C_COMPONENT_SLOT: _component_slot,
    n.C_CHECK_CONTENT: _check_content,
    n.C_ABORT: _abort,
    n.C_DEVICE_ID: _device_identifier,
}
