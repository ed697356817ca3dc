"""transfer.py: sizes, resumption, restart, and what is left when something goes wrong."""

from envelopes import Component, digest_of
from harness import finish, raises
from suit import numbers as n
from suit.errors import SuitError
from suit.region import MemoryRegion
from suit.transfer import ComponentRegion, transfer
from suit.transports.local import RegionStream

CONTENT = bytes(range(256)) * 5
DIGEST = digest_of(CONTENT)


class Stream:
    """A server that can begin in the middle. `versions`: content for the first start, the second ..."""

    def __init__(self, *versions, **o):
        self.versions = list(versions)
        self.known = o.get("known", True)  # tells its length
        self.ranges = o.get("ranges", True)  # can begin in the middle
        self.cut = o.get("cut")  # fails at this byte, once
        self.starts = []
        self.closed = False
        self.mark = None

    def start(self, offset, mark):
        self.starts.append((offset, mark))
        self._data = self.versions.pop(0) if len(self.versions) > 1 else self.versions[0]
        self.offset = self._at = offset if self.ranges else 0
        self.total = len(self._data) if self.known else None
        self.mark = "tag-%d" % len(self.starts)
        yield

    def readinto(self, buf):
        yield 1
        if self.cut is not None and self._at >= self.cut:
            self.cut = None
            raise SuitError(n.R_NETWORK, "gone")
        count = min(len(buf), len(self._data) - self._at)
        if self.cut is not None:
            count = min(count, self.cut - self._at)
        buf[:count] = self._data[self._at : self._at + count]
        self._at += count
        return count

    def close(self):
        self.closed = True


def pump(stream, component, size=None, digest=None, sink=None):
    return finish(transfer(stream, component, memoryview(bytearray(100)), size, digest, sink))


def test_a_stream_goes_into_a_component():
    for size in (None, len(CONTENT)):
        for known in (True, False):
            component = Component()
            stream = Stream(CONTENT, known=known)
            assert pump(stream, component, size) == len(CONTENT)
            assert component.content == CONTENT and stream.closed
            assert component.mark == "tag-1"


def test_what_does_not_fit_is_refused_before_the_first_byte():
    component = Component(b"old")
    component.room = 10
    stream = Stream(CONTENT)
    raises(SuitError, pump, stream, component, len(CONTENT), reason=n.R_TOO_LARGE)
    assert stream.starts == [] and component.content == b"old" and stream.closed
    stream = Stream(CONTENT)
    # without image-size the server's length is what must fit
    raises(SuitError, pump, stream, component, None, reason=n.R_TOO_LARGE)
    assert component.content == b"old"


def test_a_payload_longer_or_shorter_than_image_size_is_not_kept():
    for known in (True, False):
        for size, reason in (
            (len(CONTENT) - 1, n.R_TOO_LARGE),
            (len(CONTENT) + 1, n.R_NO_PAYLOAD),
        ):
            component = Component(b"old")
            stream = Stream(CONTENT, known=known)
            raises(SuitError, pump, stream, component, size, reason=reason)
            assert component.content == b"old" and component.calls[-1] == "abandon"
            assert stream.closed


def test_an_interrupted_download_is_abandoned_and_its_error_told():
    component = Component()
    stream = Stream(CONTENT, cut=300)
    raises(SuitError, pump, stream, component, len(CONTENT), DIGEST, reason=n.R_NETWORK)
    assert component.content is None and component.calls[-1] == "abandon" and stream.closed


def test_a_download_goes_on_where_it_was_cut():
    component = Component()
    component.partial = CONTENT[:300]
    component.mark = "tag-1"
    stream = Stream(CONTENT)
    pump(stream, component, len(CONTENT), DIGEST)
    assert stream.starts == [(300, "tag-1")]
    assert component.content == CONTENT and "restart" not in component.calls


def test_a_server_that_begins_anew_makes_the_component_begin_anew():
    component = Component()
    component.partial = CONTENT[:300]
    stream = Stream(CONTENT, ranges=False)
    pump(stream, component, len(CONTENT), DIGEST)
    assert component.content == CONTENT and component.calls.count("restart") == 1


def test_a_stored_prefix_that_does_not_belong_is_thrown_away_once():
    component = Component()
    component.partial = b"?" * 300
    stream = Stream(CONTENT)
    pump(stream, component, len(CONTENT), DIGEST)
    assert stream.starts[1] == (0, None) and len(stream.starts) == 2
    assert component.content == CONTENT


def test_content_that_changed_for_good_is_refused_after_one_restart():
    component = Component()
    component.partial = CONTENT[:300]
    other = b"!" * len(CONTENT)
    stream = Stream(other)
    raises(SuitError, pump, stream, component, len(CONTENT), DIGEST, reason=n.R_CONTENT_CHANGED)
    assert len(stream.starts) == 2 and component.content is None


def test_without_a_digest_nothing_is_taken_up_in_the_middle():
    component = Component()
    component.partial = b"?" * 10
    stream = Stream(CONTENT)
    pump(stream, component, None)
    assert component.content == CONTENT


def test_a_stream_that_begins_elsewhere_is_refused():
    class Odd(Stream):
        def start(self, offset, mark):
            yield from Stream.start(self, offset, mark)
            self.offset = 7

    component = Component()
    component.partial = CONTENT[:300]
    raises(SuitError, pump, Odd(CONTENT), component, len(CONTENT), DIGEST, reason=n.R_SERVER)


def test_a_sink_in_front_sees_the_bytes_and_the_component_the_rest():
    component = Component()

    class Upper:
        """Stands for a decryptor: what comes out differs in length from what goes in."""

        def begin(self, size, digest):
            return component.begin(size, digest)

        def write(self, view):
            component.write(view[: len(view) // 2])

        def end(self):
            component.end()

        def abandon(self):
            component.abandon()

    pump(Stream(CONTENT), component, len(CONTENT) // 2, DIGEST, Upper())
    assert len(component.content) == len(CONTENT) // 2
    assert component.calls[0] == "begin %d" % (len(CONTENT) // 2)


def test_a_generator_that_is_closed_abandons():
    component = Component()
    stream = Stream(CONTENT)
    running = transfer(stream, component, memoryview(bytearray(100)), len(CONTENT), DIGEST)
    for _ in range(5):
        next(running)
    running.close()
    assert component.calls[-1] == "abandon" and stream.closed


def test_what_a_component_holds_is_a_stream():
    source = Component(CONTENT)
    component = Component()
    pump(RegionStream(ComponentRegion(source)), component)
    assert component.content == CONTENT
    component = Component()
    assert pump(RegionStream(MemoryRegion(b"")), component) == 0
    assert component.content == b""
