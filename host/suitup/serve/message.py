"""CoAP messages (RFC 7252, section 3), strictly: what is malformed is refused, nothing about a
message is kept.

    request = Message.decode(datagram)      # raises MessageError; .message_id is there even then
    when it was readable answer = Message(ACK, CONTENT, request.message_id, request.token)
    answer.add(ETAG, etag) datagram = answer.encode()

Option values are bytes; `uint()` reads and `add_uint()` writes the integer ones (3.2)."""

CON, NON, ACK, RST = range(4)

EMPTY = 0x00
GET = 0x01
POST = 0x02
CHANGED = 0x44  # 2.04
CONTENT = 0x45  # 2.05
CONTINUE = 0x5F  # 2.31
VALID = 0x43  # 2.03
BAD_REQUEST = 0x80  # 4.00
UNAUTHORIZED = 0x81  # 4.01
BAD_OPTION = 0x82  # 4.02
FORBIDDEN = 0x83  # 4.03
NOT_FOUND = 0x84  # 4.04
NOT_ALLOWED = 0x85  # 4.05
NOT_ACCEPTABLE = 0x86  # 4.06
INCOMPLETE = 0x88  # 4.08
TOO_LARGE = 0x8D  # 4.13
UNAVAILABLE = 0xA3  # 5.03
PROXYING_UNSUPPORTED = 0xA5  # 5.05

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
PROXY_URI = 35
PROXY_SCHEME = 39
ECHO = 252

FORMAT_TEXT = 0
FORMAT_LINKS = 40
FORMAT_OCTETS = 42
FORMAT_CBOR = 60

MAX_OPTIONS = 64  # in one message; a path of 512 bytes in segments of eight still fits


class MessageError(ValueError):
    """Not a CoAP message. `message_id` and `kind` are known when the header could be read, else
    None."""

    def __init__(self, text, message_id=None, kind=None):
        super().__init__(text)
        self.message_id = message_id
        self.kind = kind


class Message:
    """One message: `kind` (CON ...), `code`, `message_id`, `token`, `options` [(number, bytes)],
    `payload`."""

    def __init__(self, kind, code, message_id, token=b"", payload=b""):
        self.kind = kind
        self.code = code
        self.message_id = message_id
        self.token = token
        self.options = []
        self.payload = payload

    def add(self, number: int, value: bytes):
        self.options.append((number, value))

    def add_uint(self, number: int, value: int):
        self.options.append((number, value.to_bytes((value.bit_length() + 7) // 8, "big")))

    def all(self, number: int) -> list:
        """The values of every option of this number, in order."""
        return [value for n, value in self.options if n == number]

    def one(self, number: int):
        """The value of an option that may occur once; None without it. Of several the first counts
        (5.4.5)."""
        values = self.all(number)
        return values[0] if values else None

    def uint(self, number: int, limit: int = 4):
        """An integer option of at most `limit` bytes; None without it. Raises MessageError when it
        is longer."""
        value = self.one(number)
        if value is None:
            return None
        if len(value) > limit:
            raise MessageError(f"option {number} is too long", self.message_id, self.kind)
        return int.from_bytes(value, "big")

    @classmethod
    def decode(cls, data: bytes):
        if len(data) < 4:
            raise MessageError("shorter than a header")
        if data[0] >> 6 != 1:
            raise MessageError("not version 1")
        kind = data[0] >> 4 & 3
        message_id = int.from_bytes(data[2:4], "big")

        def wrong(text):
            return MessageError(text, message_id, kind)

        token_length = data[0] & 15
        if token_length > 8:
            raise wrong("token longer than 8 bytes")
        if data[1] == EMPTY and len(data) > 4:
            raise wrong("an empty message has nothing after its header")
        at = 4 + token_length
        if at > len(data):
            raise wrong("token cut off")
        message = cls(kind, data[1], message_id, data[4:at])
        number = 0
        while at < len(data):
            first = data[at]
            at += 1
            if first == 0xFF:
                if at == len(data):
                    raise wrong("payload marker without a payload")
                message.payload = data[at:]
                break
            values = []
            for nibble in (first >> 4, first & 15):
                if nibble == 15:
                    raise wrong("reserved option length")
                more = (0, 1, 2)[nibble - 12] if nibble > 12 else 0
                extended = data[at : at + more]
                if len(extended) < more:
                    raise wrong("option cut off")
                at += more
                base = (13, 269)[more - 1] if more else nibble
                values.append(base + int.from_bytes(extended, "big"))
            number += values[0]
            if number > 65535:
                raise wrong("option number out of range")
            if at + values[1] > len(data):
                raise wrong("option cut off")
            if len(message.options) == MAX_OPTIONS:
                raise wrong("too many options")
            message.options.append((number, data[at : at + values[1]]))
            at += values[1]
        return message

    def encode(self) -> bytes:
        data = bytearray((0x40 | self.kind << 4 | len(self.token), self.code))
        data += self.message_id.to_bytes(2, "big") + self.token
        before = 0
        for number, value in sorted(self.options, key=lambda option: option[0]):
            head = 0
            tail = b""
            for length, shift in ((number - before, 4), (len(value), 0)):
                if length < 13:
                    head |= length << shift
                elif length < 269:
                    head |= 13 << shift
                    tail += bytes((length - 13,))
                else:
                    head |= 14 << shift
                    tail += (length - 269).to_bytes(2, "big")
            data.append(head)
            data += tail + value
            before = number
        if self.payload:
            data += b"\xff" + self.payload
        return bytes(data)
