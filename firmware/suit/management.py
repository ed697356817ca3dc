# The commands and parameters of suit-update-management.
# MIT licence.
"""Loaded by `processor` and `parameters` when such a number is reached. What a board must offer:

now()                   seconds since 1970, None without a clock
battery_mwh()           energy left, None when unknown
authorized(priority)    True when the application agrees to an update of that priority
events()                names (of `EVENTS`) of what holds now
component_version(c)    integers of the version that is installed, None when unknown

A condition fails when its parameter was never set or the board does not know. `wait` does not
block: while something is missing the procedure ends with R_WAITING and its number, and whoever
started it tries again later, so that a wait takes no memory and survives a reset. Local time and
other devices' versions are known to no board by itself (their owner may add them to `events()`); to
wait for them is R_OPERATION_FAILED. A time of day is met in the hour that begins with it.

component-metadata: boards' filesystems have no owners, permissions or kinds of files, so that
anything but "a regular file" is refused before the first byte is written (R_OPERATION_FAILED)
rather than ignored.

override-multiple leaves the last component of its argument selected, as the two commands that it
stands for would. copy-params refuses (R_SEQUENCE) what its source does not have."""

from . import numbers as n
from .cbor import Cursor
from .conditions import parameter
from .errors import SuitError
from .parameters import read_parameters, wrapped

try:
    from micropython import const
except ImportError:

    def const(value):
        return value


_DAY = const(86400)  # seconds
_HOUR = const(3600)
_THURSDAY = const(4)  # 1970-01-01, in days since Sunday

_AUTHORIZATION = const(1)
_OTHER_DEVICE = const(4)
_TIME = const(5)
_TIME_OF_DAY_UTC = const(8)
_DAY_OF_WEEK_UTC = const(9)

EVENTS = {
    _AUTHORIZATION: "authorization",
    2: "power",
    3: "network",
    _OTHER_DEVICE: "other-device-version",
    _TIME: "time",
    6: "time-of-day",
    7: "day-of-week",
    _TIME_OF_DAY_UTC: "time-of-day-utc",
    _DAY_OF_WEEK_UTC: "day-of-week-utc",
}
_SIGNED = (_AUTHORIZATION, 2, 3)  # events whose argument may be negative
_UNKNOWABLE = (_OTHER_DEVICE, 6, 7)
_FILE_TYPE = const(5)
_REGULAR = const(1)


def _fail(what):
    raise SuitError(n.R_CONDITION_FAILED, what)


# -- conditions


def _use_before(machine, index):
    """Judged at update only: what was installed in time stays."""
    limit = parameter(machine, index, n.P_USE_BEFORE, "use-before")
    now = machine.board.now()
    if now is None or not now < limit:
        _fail("no clock" if now is None else "too late")


def _image_not_match(machine, index):
    held = yield from machine.context.matches(machine, index)
    if held:
        _fail("image digest")


def _minimum_battery(machine, index):
    least = parameter(machine, index, n.P_MINIMUM_BATTERY, "minimum battery")
    left = machine.board.battery_mwh()
    if left is None or left < least:
        _fail("battery")


def _update_authorized(machine, index):
    priority = parameter(machine, index, n.P_UPDATE_PRIORITY, "update priority")
    if not machine.board.authorized(priority):
        _fail("not authorized")


def _compare(installed, wanted):
    """-1, 0 or 1: how a version lies to what a manifest names, as far as that goes; an integer that
    is not there counts as 0."""
    for i in range(len(wanted)):
        have = installed[i] if i < len(installed) else 0
        if have != wanted[i]:
            return 1 if have > wanted[i] else -1
    return 0


def _holds(kind, installed, wanted):
    order = _compare(installed, wanted)
    return (order > 0, order >= 0, order == 0, order <= 0, order < 0)[kind - 1]


def _version(machine, index):
    kind, wanted = parameter(machine, index, n.P_VERSION, "version")
    installed = machine.board.component_version(machine.component(index))
    if installed is None or not _holds(kind, installed, wanted):
        _fail("version")


# -- wait


def _read_event(c):
    """(event, argument) at the cursor; that of another device is left aside."""
    at = c.pos
    event = c.int()
    if event not in EVENTS:
        raise SuitError(n.R_OPERATION_FAILED, "event %d" % event, at)
    if event == _OTHER_DEVICE:
        if c.array() != 2:
            c.fail("an identifier and versions", at, n.R_STRUCTURE)
        c.bstr()
        if not c.array():
            c.fail("no version", at, n.R_STRUCTURE)
        c.pos = at
        c.skip()
        c.skip()
        return event, None
    return event, c.int() if event in _SIGNED else c.uint()


def _happened(board, event, argument):
    if EVENTS[event] in board.events():
        return True
    if event == _AUTHORIZATION:
        return board.authorized(argument)
    now = board.now()
    if now is None:
        return False
    if event == _TIME:
        return argument <= now
    if event == _TIME_OF_DAY_UTC:
        return 0 <= now % _DAY - argument < _HOUR
    return event == _DAY_OF_WEEK_UTC and (now // _DAY + _THURSDAY) % 7 == argument


def _wait(machine, index):
    info = machine.param(index, n.P_WAIT_INFO)
    if info is None:
        raise SuitError(n.R_OPERATION_FAILED, "wait info is not set")
    c = Cursor(info)
    at = c.pos
    count = c.map()
    if not count:
        c.fail("no event", at, n.R_STRUCTURE)
    found = [_read_event(c) for _ in range(count)]
    for event, argument in found:
        if not _happened(machine.board, event, argument):
            if event in _UNKNOWABLE:
                raise SuitError(n.R_OPERATION_FAILED, "event %d" % event)
            raise SuitError(n.R_WAITING, event)


# -- parameters of several components


def _override_multiple(machine, frame, c):
    at = c.pos
    if frame.locked:
        c.fail("override-multiple is not allowed here", at, n.R_SEQUENCE)
    count = c.map()
    if not count:
        c.fail("no component", at, n.R_STRUCTURE)
    index = 0
    for _ in range(count):
        at = c.pos
        index = c.uint()
        frame.context.identifier(index, at)
        for number, value in read_parameters(c):
            if number == n.P_SOFT_FAILURE or number == n.P_STRICT_ORDER:
                c.fail("not a parameter of a component", at, n.R_SEQUENCE)
            machine.step(at)
            machine.set_param(index, number, value)
    frame.targets = (index,)
    frame.single = True
    frame.everything = False


def _copy_params(machine, frame, c):
    at = c.pos
    count = c.map()
    if not count:
        c.fail("no component", at, n.R_STRUCTURE)
    for _ in range(count):
        at = c.pos
        source = c.uint()
        frame.context.identifier(source, at)
        wanted = c.array()
        if not wanted:
            c.fail("no parameter", at, n.R_STRUCTURE)
        for _ in range(wanted):
            number = c.int()
            value = machine.param(source, number)
            if value is None:
                c.fail("parameter %d is not set" % number, at, n.R_SEQUENCE)
            for index in frame.targets:
                machine.step(at)
                machine.set_param(index, number, value)


# -- what parameters hold


def _read_version(c):
    """(comparison, integers)."""
    inner = c.inner()
    at = inner.pos
    kind = inner.int() if inner.array() == 2 else 0
    if not 1 <= kind <= 5:
        inner.fail("no comparison", at, n.R_STRUCTURE)
    count = inner.array()
    if not count:
        inner.fail("no version", at, n.R_STRUCTURE)
    wanted = tuple([inner.int() for _ in range(count)])
    inner.end()
    return kind, wanted


def _sorted_item(c):
    return wrapped(c, True)


def check_metadata(info):
    """Refuse what this board cannot give a component that is about to be written."""
    c = Cursor(info)
    at = c.pos
    count = c.map()
    for _ in range(count):
        at = c.pos
        label = c.int()
        kind = c.uint() if label == _FILE_TYPE else 0
        if kind != _REGULAR:
            raise SuitError(n.R_OPERATION_FAILED, "component metadata %d" % label, at)


COMMANDS = {
    n.C_USE_BEFORE: _use_before,
    n.C_IMAGE_NOT_MATCH: _image_not_match,
    n.C_MINIMUM_BATTERY: _minimum_battery,
    n.C_UPDATE_AUTHORIZED: _update_authorized,
    n.C_VERSION: _version,
    n.C_WAIT: _wait,
    n.C_OVERRIDE_MULTIPLE: _override_multiple,
    n.C_COPY_PARAMS: _copy_params,
}
STEERING = (n.C_OVERRIDE_MULTIPLE, n.C_COPY_PARAMS)
# conditions may stand in the shared sequence, and what only sets parameters
SHARED = tuple([number for number in COMMANDS if number != n.C_WAIT])
PARAMETERS = {
    n.P_USE_BEFORE: Cursor.uint,
    n.P_MINIMUM_BATTERY: Cursor.uint,
    n.P_UPDATE_PRIORITY: Cursor.int,
    n.P_VERSION: _read_version,
    n.P_WAIT_INFO: _sorted_item,
    n.P_COMPONENT_METADATA: _sorted_item,
}
