"""What a device can wait for, and what it can be told about a file: the arguments of suit-directive-wait and of
suit-parameter-component-metadata (suit-update-management), written from the text."""

from datetime import UTC, datetime

from suitup.manifest.verify import Refused, is_int, is_uint

_FILE_TYPE, _REGULAR = 5, 1


def _wrong(why):
    return Refused("abort", why)


def _operation(why):
    return Refused("operation-failed", why)


def _is_other_device(value):
    return (
        isinstance(value, list)
        and len(value) == 2
        and isinstance(value[0], bytes)
        and isinstance(value[1], list)
        and bool(value[1])
    )


# number -> (name, test of the argument)
EVENTS = {
    1: ("authorization", is_int),
    2: ("power", is_int),
    3: ("network", is_int),
    4: ("other-device-version", _is_other_device),
    5: ("time", is_uint),
    6: ("time-of-day", is_uint),
    7: ("day-of-week", is_uint),
    8: ("time-of-day-utc", is_uint),
    9: ("day-of-week-utc", is_uint),
}


def wait(info, device):
    """Refused unless every event in `info` has happened on `device`."""
    if not isinstance(info, dict) or not info:
        raise _wrong("not a map of events")
    for event, argument in info.items():
        if not is_int(event):
            raise _wrong("an event is not an integer")
        if event not in EVENTS:
            raise _operation(f"event {event} is not known")
        if not EVENTS[event][1](argument):
            raise _wrong("wait-info: wrong type")
    for event, argument in info.items():
        name = EVENTS[event][0]
        if name not in device.wait_events and not _happened(name, argument, device):
            raise _operation(f"event {name} does not happen")


def _happened(name, argument, device):
    """What follows from the clock and from the user's consent."""
    if name == "authorization":
        return device.authorized
    if device.now is None:
        return False
    moment = datetime.fromtimestamp(device.now, UTC)
    if name == "time":
        return argument <= device.now
    if name == "time-of-day-utc":
        # the hour that begins with it
        seconds = moment.hour * 3600 + moment.minute * 60 + moment.second
        return argument <= seconds < argument + 3600
    return name == "day-of-week-utc" and moment.isoweekday() % 7 == argument


def check_metadata(item):
    """Devices have no owners, permissions or kinds of files: nothing but a regular file can be asked for."""
    if not isinstance(item, dict):
        raise _wrong("component-metadata is not a map")
    for label, value in item.items():
        if not is_int(label) or (label == _FILE_TYPE and not is_uint(value)):
            raise _wrong("component-metadata: wrong type")
        if (label, value) != (_FILE_TYPE, _REGULAR):
            raise _operation(f"component-metadata {label} cannot be applied")
