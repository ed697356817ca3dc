"""Deterministic CBOR (RFC 8949 section 4.2.1: map keys sorted by their encoded bytes) on top of cbor2.

`cbor2.dumps(canonical=True)` sorts shorter keys first (RFC 7049), which is not the order SUIT asks for."""

import struct
from collections.abc import Mapping

import cbor2
from cbor2 import CBORSimpleValue, CBORTag, undefined

__all__ = ["CBORTag", "NotDeterministic", "decode", "encode", "head"]


class NotDeterministic(ValueError):
    """Well-formed, but not in the one encoding that may stand in an envelope; or not well-formed at all."""


def head(major: int, value: int) -> bytes:
    """Initial byte and argument, in the shortest form."""
    if value < 24:
        return bytes([major << 5 | value])
    for size, code in ((1, "B"), (2, ">H"), (4, ">I"), (8, ">Q")):
        if value < 1 << 8 * size:
            return bytes([major << 5 | 24 + size.bit_length() - 1]) + struct.pack(code, value)
    raise OverflowError("more than 64 bits")


def encode(item, sort=True) -> bytes:
    """Bytes of `item`; maps are sorted, or keep their order when `sort` is False."""
    kind = type(item)  # the four that there are most of, and quickly: cbor2 sets up an encoder for each
    if kind is bytes:
        return head(2, len(item)) + item
    if kind is str:
        data = item.encode()
        return head(3, len(data)) + data
    if kind is int and -(1 << 64) <= item < 1 << 64:
        return head(0, item) if item >= 0 else head(1, -1 - item)
    if isinstance(item, dict):
        pairs = [(encode(key, sort), encode(value, sort)) for key, value in item.items()]
        if sort:
            pairs.sort()
        return head(5, len(pairs)) + b"".join(key + value for key, value in pairs)
    if isinstance(item, CBORSimpleValue):  # a tuple of one, so before tuples
        return cbor2.dumps(item)
    if isinstance(item, list | tuple):
        return head(4, len(item)) + b"".join(encode(value, sort) for value in item)
    if isinstance(item, CBORTag):
        return head(6, item.tag) + encode(item.value, sort)
    if isinstance(item, memoryview | bytearray):
        item = bytes(item)
    if item is None or isinstance(item, bytes | str | bool | int | type(undefined)):
        return cbor2.dumps(item)
    if isinstance(item, Mapping):  # a map that is itself a key
        return encode(dict(item), sort)
    raise TypeError(
        f"no {type(item).__name__} in SUIT"
    )  # floats, dates, and what else cbor2 makes of tags


def decode(data: bytes, sort=True):
    """The one item in `data`; raises NotDeterministic unless `data` is exactly its deterministic encoding
    (with `sort` False: unless it is, up to the order of map keys)."""
    try:
        item = cbor2.loads(bytes(data))
        again = encode(item, sort)
    except (cbor2.CBORError, ValueError, TypeError, OverflowError, RecursionError) as error:
        raise NotDeterministic(str(error) or type(error).__name__) from None
    if again != bytes(data):
        at = next(
            (i for i, (a, b) in enumerate(zip(again, data)) if a != b), min(len(again), len(data))
        )
        raise NotDeterministic(f"not deterministic at byte {at}")
    return item
