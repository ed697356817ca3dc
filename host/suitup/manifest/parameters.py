"""Parameters as the abstract machine keeps them (suit-manifest 8.4.8, update-management): `PARAMETERS[number](value)` is the
value, checked and unwrapped, or a refusal. And the refusals of the machine."""

from suitup import cbor
from suitup import numbers as n
from suitup.manifest.verify import Refused, is_int, is_uint, read, read_digest


class ConditionFailed(Refused):
    """The only refusal that may be soft."""

    def __init__(self, why):
        super().__init__("condition-failed", why)


def operation(why):
    return Refused("operation-failed", why)


def aborted(why):
    return Refused("abort", why)


def wrong(why):
    """A value of the wrong type where a command is executed; in what is read before that it is a parse-fail."""
    return Refused("abort", why)


def _is(test, what):
    def check(value):
        if not test(value):
            raise wrong(f"{what}: wrong type")
        return value

    return check


def _uuid(value):
    return isinstance(value, bytes) and len(value) == 16


def _vendor(value):
    return _uuid(value) or (
        isinstance(value, cbor.CBORTag)
        and value.tag == n.TAG_PEN
        and isinstance(value.value, bytes)
    )


def _wrapped(sort, then=lambda item: item):
    def check(value):
        if not isinstance(value, bytes):
            raise wrong("a parameter is not a byte string")
        return then(read(value, "a parameter", sort))

    return check


def _version(item):
    good = (
        isinstance(item, list)
        and len(item) == 2
        and is_int(item[0])
        and 1 <= item[0] <= 5
        and isinstance(item[1], list)
        and item[1]
        and all(map(is_int, item[1]))
    )
    if not good:
        raise wrong("version: wrong type")
    return item


_BYTES = _is(lambda value: isinstance(value, bytes), "byte string")
_UINT = _is(is_uint, "unsigned integer")
_INT = _is(is_int, "integer")
_BOOL = _is(lambda value: isinstance(value, bool), "boolean")

PARAMETERS = {
    n.P_VENDOR_ID: _is(_vendor, "vendor-identifier"),
    n.P_CLASS_ID: _is(_uuid, "class-identifier"),
    n.P_DEVICE_ID: _is(_uuid, "device-identifier"),
    n.P_IMAGE_DIGEST: _wrapped(True, read_digest),
    n.P_IMAGE_SIZE: _UINT,
    n.P_COMPONENT_SLOT: _UINT,
    n.P_SOURCE_COMPONENT: _UINT,
    n.P_CONTENT: _BYTES,
    n.P_INVOKE_ARGS: _BYTES,
    n.P_FETCH_ARGUMENTS: _BYTES,
    n.P_URI: _is(lambda value: isinstance(value, str) and len(value.encode()) <= n.MAX_URI, "uri"),
    n.P_STRICT_ORDER: _BOOL,
    n.P_SOFT_FAILURE: _BOOL,
    n.P_ENCRYPTION_INFO: lambda value: (_wrapped(False)(value), value)[1],
    n.P_USE_BEFORE: _UINT,
    n.P_MINIMUM_BATTERY: _UINT,
    n.P_UPDATE_PRIORITY: _INT,
    n.P_VERSION: _wrapped(True, _version),
    n.P_WAIT_INFO: _wrapped(True),
    n.P_COMPONENT_METADATA: _wrapped(True),
}
