# Encrypted payloads: COSE_Encrypt and COSE_Encrypt0 around what a component will hold.
# MIT licence.
"""`Decryptor(encryption_info, keys, component)` stands before a component with the same write side
(begin, restart, write, end, abandon): ciphertext goes in, plaintext goes through, 1 KiB at a
time. An AEAD's tag is the last 16 bytes written; `end` compares it before the last plaintext is
written and before the component is told that it is complete. When it is wrong, everything is
abandoned: SuitError R_DECRYPTION. Until `end` has returned, what was written is nobody's; with
AES-CTR, which has no tag, the image digest alone decides (suit-firmware-encryption-25, section
7.2; RFC 9459).

`encryption_info` is the tagged object with a detached ciphertext (or an `Info` of it); `keys` a trust.TrustStore (or
list of trust.Key) with the secret keys of this board. Refused when made: R_CBOR_PARSE,
R_COSE_UNSUPPORTED, R_ALG_UNSUPPORTED, R_DECRYPTION (`encryption_info.py`, `content_key.py`).
`open` does the same in RAM, for tests and tools."""

try:
    from micropython import const
except ImportError:

    def const(value):
        return value


from .content_key import SUIT, find
from .crypto import load
from .crypto.digest import same
from .encryption_info import CONTENT, Info
from .errors import SuitError
from .numbers import R_COSE_UNSUPPORTED, R_DECRYPTION, R_NO_PAYLOAD, R_TOO_LARGE
from .region import MemoryRegion

_PIECE = const(1024)  # bytes; whole blocks of every cipher


class Decryptor:
    """See above. `size` given to `begin` is that of the plaintext, or None."""

    def __init__(self, encryption_info, keys, component, other=SUIT, inside=False):
        info = encryption_info if isinstance(encryption_info, Info) else Info(encryption_info)
        if inside != (info.attached is not None):
            raise SuitError(R_COSE_UNSUPPORTED, "ciphertext is inside, or should be")
        self._info = info
        size, _, self._held, file, name = CONTENT[info.alg]
        keys = getattr(keys, "keys", keys) or ()
        self._key = find(info.recipients, info.alg, size, keys, other)
        self._make = getattr(load(file, info.alg), name)
        self._component = component
        self._buffer = bytearray(_PIECE + self._held)
        self._view = memoryview(self._buffer)
        self._cipher = None

    def begin(self, size=None, digest=None):
        """-> 0: what is stored cannot be continued, since the cipher starts at the first byte."""
        self._size = size
        if self._component.begin(size, None):
            self._component.restart()
        self._start()
        return 0

    def restart(self):
        self._component.restart()
        self._start()

    def _start(self):
        if self._key is None:
            raise ValueError("ended")
        if self._held:
            self._cipher = self._make(self._key, self._info.nonce, self._info.aad)
            self._work = self._cipher.decrypt
        else:
            self._cipher = self._make(self._key, self._info.nonce)
            self._work = self._cipher.crypt
        self._fill = 0  # bytes in the buffer; the last `_held` of all are the tag
        self._count = 0  # bytes of plaintext given on

    def write(self, data):
        at = 0
        n = len(data)
        while at < n:
            take = min(n - at, len(self._buffer) - self._fill)
            self._view[self._fill : self._fill + take] = data[at : at + take]
            self._fill += take
            at += take
            if self._fill == len(self._buffer):
                piece = self._view[:_PIECE]
                self._work(piece)
                self._emit(piece)
                self._view[: self._held] = self._view[_PIECE:]
                self._fill = self._held

    def _emit(self, piece):
        self._count += len(piece)
        if self._size is not None and self._count > self._size:
            raise SuitError(R_TOO_LARGE, "image-size says %d bytes, there are more" % self._size)
        if piece:
            self._component.write(piece)

    def end(self):
        """Raises SuitError(R_DECRYPTION) when the tag is wrong; then nothing is left."""
        try:
            self._finish()
        except SuitError:
            self.abandon()
            raise
        self._forget()

    def _finish(self):
        rest = self._fill - self._held
        if rest < 0:
            raise SuitError(R_DECRYPTION, "shorter than its tag")
        piece = self._view[:rest]
        self._work(piece)
        # the tag first, the last plaintext after it
        if self._held and not same(self._cipher.tag(), self._view[rest : self._fill]):
            raise SuitError(R_DECRYPTION, "tag")
        self._emit(piece)
        if self._size is not None and self._count != self._size:
            raise SuitError(
                R_NO_PAYLOAD, "%d bytes, image-size says %d" % (self._count, self._size)
            )
        self._component.end()

    def abandon(self):
        self._component.abandon()
        self._forget()

    def _forget(self):
        """Overwrite the key and what the cipher made of it. Copies inside the firmware's AES
        stay."""
        if self._key is not None:
            for buffer in (self._key, self._buffer):
                for i in range(len(buffer)):
                    buffer[i] = 0
        if self._cipher:
            self._cipher.wipe()
        self._key = self._cipher = None


class _Memory:
    """The write side of a component, in RAM."""

    def begin(self, size=None, digest=None):
        self.data = bytearray()
        return 0

    restart = begin

    def write(self, view):
        self.data.extend(view)

    def end(self):
        pass

    def abandon(self):
        self.data = bytearray()


def open(encryption_info, ciphertext, keys, external=b"", other=SUIT, *known):
    """The plaintext of `ciphertext` (a region, or None when it is inside), as bytes. `known`: tag,
    open_alg and nonce of `Info`."""
    memory = _Memory()
    info = Info(encryption_info, external, *known)
    one = Decryptor(info, keys, memory, other, ciphertext is None)
    if ciphertext is None:
        ciphertext = MemoryRegion(info.attached)
    one.begin()
    piece = memoryview(bytearray(256))
    at = 0
    while at < ciphertext.size:
        n = ciphertext.read_at(at, piece)
        one.write(piece[:n])
        at += n
    one.end()
    return bytes(memory.data)
