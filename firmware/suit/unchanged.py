# What is unchanged is copied from the other slot by digest instead of fetched.
# MIT licence.
"""`copy(slot, other, component, digest, size, alg, buf)` looks for the image that `component` (of
`slot`, being written) shall hold, with memoryview `buf` to work in: first where it shall be, then
among the files of `other`, the component of the same name before the rest. A candidate counts when
its bytes have the digest, whatever it is called. A generator; its value is True when the component holds the image
afterwards. Reading errors of a candidate only disqualify it."""

from .numbers import ALG_SHA256
from .slots import file_size

_BUFFER = 1024  # bytes


def copy(slot, other, component, digest, size=None, alg=ALG_SHA256, buf=None):
    digest = bytes(digest)
    buf = buf or memoryview(bytearray(_BUFFER))
    stored = component.size()
    if stored is not None and size in (None, stored):
        if (yield from _matches(component.path, digest, alg, buf)):
            return True
    same_name = other.path + component.path[len(slot.path) :]
    paths = other.walk()[0]
    paths.sort(key=lambda path: path != same_name)
    for path in paths:
        if path == other.manifest:
            continue
        # without a size to go by, only the file of the same name is worth the reading
        if path != same_name if size is None else file_size(path) != size:
            continue
        if (yield from _matches(path, digest, alg, buf)):
            yield from _write(path, component, file_size(path), buf)
            return True
    return False


def _matches(path, digest, alg, buf):
    from .crypto.digest import new

    hasher = new(alg)
    try:
        with open(path, "rb") as file:
            while True:
                n = file.readinto(buf)
                if not n:
                    break
                hasher.update(buf[:n] if n < len(buf) else buf)
                yield
    except OSError:
        return False
    return hasher.digest() == digest


def _write(path, component, size, buf):
    component.begin(size)
    try:
        with open(path, "rb") as file:
            while True:
                n = file.readinto(buf)
                if not n:
                    break
                component.write(buf[:n] if n < len(buf) else buf)
                yield
        component.end()
    finally:
        component.abandon()  # nothing to do after end
