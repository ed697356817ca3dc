# Bytes on their way into a component: size, resumption, restart.
# MIT licence.
"""`transfer(stream, component, buf, size, digest, sink)` is a generator (see `wait`) that pumps a
Stream into a component and returns the number of bytes taken from the stream.

size     what the component will hold (image-size), or None
digest   (algorithm, bytes) of what it will hold, or None; with it an interrupted download is taken
         up again: what is stored already is hashed, the rest is fetched, and if the whole does
         not match, it starts once from zero
sink     the component itself, or a decryptor in front of it with the same write side
buf      memoryview to work in

Stream: `start(offset, mark)` generator, then `.total` (bytes or None), `.offset` (where the bytes
really start), `.mark` (str or None: identifies this version of the content, an ETag);
`readinto(buf)` generator -> n, 0 at the end; `close()`. SuitError R_TOO_LARGE, R_NO_PAYLOAD,
R_SERVER, R_CONTENT_CHANGED here, others from below."""

from .crypto import digest as digests
from .errors import SuitError
from .numbers import R_CONTENT_CHANGED, R_NO_PAYLOAD, R_SERVER, R_TOO_LARGE


class ComponentRegion:
    """What a component holds, as a region."""

    def __init__(self, component):
        self.size = component.size()
        self.read_at = component.read_at
        self.rest = getattr(component, "close", None)  # as PathRegion


def _rehash(component, end, algorithm, buf):
    """Generator: a hash object that has seen the first `end` bytes of what is stored."""
    hasher = digests.new(algorithm)
    at = 0
    while at < end:
        n = component.read_at(at, buf[: min(len(buf), end - at)])
        if not n:
            return None
        hasher.update(buf[:n])
        at += n
        yield
    return hasher


def _too_large(count, size):
    raise SuitError(R_TOO_LARGE, "%d bytes, image-size says %d" % (count, size))


def _pump(stream, sink, buf, count, size, hasher):
    """Generator: move the rest of the stream; returns how many bytes there are in all."""
    while True:
        n = yield from stream.readinto(buf)
        if not n:
            return count
        count += n
        if size is not None and count > size:
            _too_large(count, size)
        view = buf[:n]
        if hasher:
            hasher.update(view)
        sink.write(view)
        yield


def transfer(stream, component, buf, size=None, digest=None, sink=None):
    direct = sink is None or sink is component
    sink = sink or component
    begun = done = False
    try:
        offset = 0
        hasher = None
        if size is None or not direct:
            # the transport's length is the best guess; what is decrypted cannot be taken up in the
            # middle
            yield from stream.start(0, None)
            begun = True
            if sink.begin(stream.total if direct else size, None):
                sink.restart()
        else:
            offset = sink.begin(size, digest[1] if digest else None)
            begun = True
            if offset:
                hasher = yield from _rehash(component, offset, digest[0], buf)
                if hasher and offset == size:
                    # all of it, or a file of another version that is as long: nobody is asked to tell
                    if digests.same(hasher.digest(), digest[1]):
                        sink.end()
                        done = True
                        return offset
                    hasher = None
            if hasher is None and offset:
                sink.restart()
                offset = 0
            yield from stream.start(offset, component.mark if offset else None)
        limit = size if direct else None
        if limit is not None and stream.total is not None and stream.total > limit:
            _too_large(stream.total, limit)
        if stream.offset != offset:
            if stream.offset:
                raise SuitError(R_SERVER, "bytes from %d instead of %d" % (stream.offset, offset))
            sink.restart()
            offset = 0
            hasher = None
        component.mark = stream.mark
        count = yield from _pump(stream, sink, buf, offset, limit, hasher)
        if offset and not digests.same(hasher.digest(), digest[1]):
            # what was stored before, or the server's version, is another one: once from the
            # beginning
            sink.restart()
            yield from stream.start(0, None)
            if stream.offset:
                raise SuitError(R_SERVER, "bytes from %d instead of 0" % stream.offset)
            component.mark = stream.mark
            hasher = digests.new(digest[0])
            count = yield from _pump(stream, sink, buf, 0, limit, hasher)
            if not digests.same(hasher.digest(), digest[1]):
                raise SuitError(R_CONTENT_CHANGED, "no match after a restart")
        if limit is not None and count < limit:
            raise SuitError(R_NO_PAYLOAD, "%d bytes, image-size says %d" % (count, limit))
        sink.end()
        done = True
        return count
    finally:
        if begun and not done:
            sink.abandon()
        stream.close()
