# CoAP messages on the wire: a reader that copies nothing and a writer into one buffer.
# MIT licence.
"""RFC 7252 section 3. `Message(buffer)` reads a datagram that lies in `buffer`; options are walked
in place:

    message.parse(0, n)                # type, code, mid, token; SuitError(R_SERVER, what, offset)
    while message.next():              # number, and the value at buffer[message.at:message.end]
        if message.number == OBSERVE:
            sequence = message.uint()
    payload = buffer[message.payload:message.stop]

`Writer(buffer)` puts one together; options in ascending order, SuitError(R_LIMIT) when it is full:

    writer.begin(CON, GET, mid, token); writer.option(URI_PATH, b"x"); writer.uint(BLOCK2, 6)
    writer.body(b"..."); datagram = buffer[:writer.size]"""

from ..errors import SuitError
from ..numbers import R_LIMIT, R_SERVER

CON, NON, ACK, RST = 0, 1, 2, 3

# method codes (RFC 7252 12.1.1); response codes are class * 32 + detail, see `status`
EMPTY, GET, POST = 0, 1, 2

# options (RFC 7252 12.2, RFC 7641, RFC 7959, RFC 9175)
URI_HOST = 3
ETAG = 4
OBSERVE = 6
URI_PORT = 7
URI_PATH = 11
CONTENT_FORMAT = 12
MAX_AGE = 14
URI_QUERY = 15
ACCEPT = 17
BLOCK2 = 23
BLOCK1 = 27
SIZE2 = 28
ECHO = 252

# response codes (RFC 7252 12.1.2)
CHANGED = 68
VALID = 67
CONTENT = 69
BAD_REQUEST = 128
UNAUTHORIZED = 129
BAD_OPTION = 130
FORBIDDEN = 131
NOT_FOUND = 132
NOT_ALLOWED = 133
NOT_ACCEPTABLE = 134
TOO_MANY = 157  # RFC 8516
UNAVAILABLE = 163


def status(code):
    """A response code as people write it, without the dot: 4.04 is 404."""
    return (code >> 5) * 100 + (code & 31)


class Message:
    """The datagram read last. `token`, `at`, `end`, `payload` and `stop` are places in the buffer."""

    def __init__(self, buffer):
        self._buf = buffer
        self.type = self.code = self.mid = self.token = self.token_size = self._first = 0
        self.number = self.at = self.end = self.payload = self.stop = 0

    def parse(self, start, stop):
        """Check buffer[start:stop] from end to end and stand before its first option."""
        buf = self._buf
        if stop - start < 4 or buf[start] >> 6 != 1:
            raise SuitError(R_SERVER, "version", 0)
        length = buf[start] & 15
        self.type = buf[start] >> 4 & 3
        self.code = buf[start + 1]
        self.mid = buf[start + 2] << 8 | buf[start + 3]
        self.stop = self.payload = stop
        self._first = start + 4 + length
        if length > 8 or self._first > stop:
            raise SuitError(R_SERVER, "token", 4)
        if self.code == EMPTY and (length or stop > start + 4):
            raise SuitError(R_SERVER, "not empty", 4)
        self.token = self._first - length  # where it begins
        self.token_size = length
        self.rewind()
        while self.next():
            pass
        self.rewind()

    def rewind(self):
        self.number = 0
        self.end = self._first

    def next(self):
        """Go to the next option; False when there is none left."""
        buf = self._buf
        at = self.end
        if at >= self.payload:
            return False
        head = buf[at]
        if head == 255:
            if at + 1 >= self.stop:
                raise SuitError(R_SERVER, "payload", at)
            self.payload = at + 1
            self.end = self.payload
            return False
        at += 1
        delta, at = self._extended(head >> 4, at)
        size, at = self._extended(head & 15, at)
        if at + size > self.stop:
            raise SuitError(R_SERVER, "option", at)
        self.number += delta
        self.at = at
        self.end = at + size
        return True

    def _extended(self, value, at):
        if value == 15 or at + value - 12 > self.stop and value > 12:
            raise SuitError(R_SERVER, "option", at)
        if value == 13:
            return self._buf[at] + 13, at + 1
        if value == 14:
            return (self._buf[at] << 8 | self._buf[at + 1]) + 269, at + 2
        return value, at

    def uint(self):
        """The option's value as a number (RFC 7252 section 3.2)."""
        value = 0
        for i in range(self.at, self.end):
            value = value << 8 | self._buf[i]
        return value

    def value(self):
        """The option's value, copied."""
        return bytes(self._buf[self.at : self.end])


class Writer:
    """`size`: bytes of the message so far."""

    def __init__(self, buffer):
        self._buf = buffer

    def begin(self, kind, code, mid, token=b""):
        buf = self._buf
        buf[0] = 0x40 | kind << 4 | len(token)
        buf[1] = code
        buf[2] = mid >> 8
        buf[3] = mid & 255
        self.size = 4
        self._number = 0
        self._add(token)

    def option(self, number, value):
        self._head(number, len(value))
        self._add(value)

    def uint(self, number, value):
        n = 0
        while value >> 8 * n:
            n += 1
        self._head(number, n)
        while n:
            n -= 1
            self._byte(value >> 8 * n & 255)

    def body(self, payload):
        if len(payload):
            self._byte(255)
            self._add(payload)

    def _head(self, number, size):
        delta = number - self._number
        self._number = number
        a = delta if delta < 13 else 13 if delta < 269 else 14
        b = size if size < 13 else 13 if size < 269 else 14
        self._byte(a << 4 | b)
        self._extend(a, delta)
        self._extend(b, size)

    def _extend(self, nibble, value):
        if nibble == 13:
            self._byte(value - 13)
        elif nibble == 14:
            self._byte(value - 269 >> 8)
            self._byte(value - 269 & 255)

    def _byte(self, value):
        if self.size >= len(self._buf):
            raise SuitError(R_LIMIT, "message")
        self._buf[self.size] = value
        self.size += 1

    def _add(self, data):
        if self.size + len(data) > len(self._buf):
            raise SuitError(R_LIMIT, "message")
        self._buf[self.size : self.size + len(data)] = data
        self.size += len(data)
