# `esp32.Partition`, otadata and the bootloader's choice of image, on a NOR chip.
# MIT licence.
"""A model written from ESP-IDF's documented behaviour, not an ESP32. It copies:

* the table and semantics of `esp32.Partition` of MicroPython 1.28 (ports/esp32/esp32_partition.c): label or BOOT/RUNNING,
  `info()`, erase-and-write against write-without-erase, errors as `OSError(-code, name)`;
* `set_boot` = `esp_ota_set_boot_partition`: the image is verified (magic, chip, checksum, appended SHA-256), then the *other*
  otadata sector gets the next sequence and state NEW; `mark_app_valid_cancel_rollback` rewrites the running entry VALID;
* the bootloader with rollback enabled: entries PENDING_VERIFY become ABORTED, the highest valid entry is chosen, NEW becomes
  PENDING_VERIFY, an image that does not verify is passed over down to factory, then up (bootloader_utility.c);
* IDF's default `SPI_FLASH_DANGEROUS_WRITE_ABORTS`: writing the running image aborts (`Abort`, a reset).

Every otadata sector is rewritten by an erase and a program, which may be cut; nothing else of the chip is modelled.

Facts implemented (platform.md, section 1): the table of `esp32.Partition` but for block sizes below 4096 and their cache; the
state words and CRC of otadata; "Bootloader behaviour"; "Dangerous writes"; "Native image" (magic, chip id, checksum, digest).

    chip = Chip(RamNor(bytearray(size), page=0), TABLE, chip_id=0)
    chip.boot()                 # what runs: a label, or None when nothing boots
    chip.Partition("ota_1")     # as esp32.Partition
"""

import binascii
import hashlib
import struct

_BLOCK = 4096
_ENTRY = "<L20sLL"  # sequence, label (unused), state, crc
_NEW, _PENDING, _VALID, _INVALID, _ABORTED, _UNDEFINED = 0, 1, 2, 3, 4, 0xFFFFFFFF
_APP, _DATA = 0, 1

# name: (type, subtype, offset, size), as partitions-4MiB-ota.csv has them, scaled by the caller if it wants
OTA_TABLE = (
    ("nvs", _DATA, 2, 0x9000, 0x4000),
    ("otadata", _DATA, 0, 0xD000, 0x2000),
    ("phy_init", _DATA, 1, 0xF000, 0x1000),
    ("ota_0", _APP, 0x10, 0x10000, 0x180000),
    ("ota_1", _APP, 0x11, 0x190000, 0x180000),
)


def scaled(blocks, firmware):
    """The table of a chip with a filesystem of `blocks` blocks, otadata and two partitions of `firmware` blocks behind it."""
    at = blocks * _BLOCK
    return (
        ("otadata", _DATA, 0, at, 2 * _BLOCK),
        ("ota_0", _APP, 0x10, at + 2 * _BLOCK, firmware * _BLOCK),
        ("ota_1", _APP, 0x11, at + (2 + firmware) * _BLOCK, firmware * _BLOCK),
    )


class FilesystemPart:
    """The first `blocks` blocks of a chip, as littlefs sees them."""

    def __init__(self, chip, blocks):
        self.readblocks = chip.readblocks
        self.writeblocks = chip.writeblocks
        self.page = chip.page
        self._chip = chip
        self._blocks = blocks

    def ioctl(self, op, arg):
        return self._blocks if op == 4 else self._chip.ioctl(op, arg)


class Abort(BaseException):
    """The SDK called abort(): the chip resets."""


def _crc(sequence):
    return binascii.crc32(struct.pack("<L", sequence), 0xFFFFFFFF) & 0xFFFFFFFF


def _error(code, name):
    raise OSError(code, name)


class Chip:
    """The flash, its partition table and which image runs."""

    def __init__(self, nor, table=OTA_TABLE, chip_id=0):
        self.nor = nor
        self.table = table
        self.chip_id = chip_id
        self.running = None
        self.Partition = _partition_class(self)

    # -- flash ------------------------------------------------------------------------------------------------

    def read(self, address, n):
        out = bytearray(n)
        done = 0
        while done < n:
            step = min(n - done, _BLOCK)
            if self.nor.readblocks(0, memoryview(out)[done : done + step], address + done):
                _error(-0x105, "ESP_ERR_NOT_FOUND")
            done += step
        return out

    def _write_sector(self, address, data):
        block = address // _BLOCK
        for answer in (self.nor.ioctl(6, block), self.nor.writeblocks(block, data, 0)):
            if answer:
                _error(-0x107, "ESP_ERR_TIMEOUT")

    # -- otadata ----------------------------------------------------------------------------------------------

    def _find(self, name):
        for part in self.table:
            if part[0] == name:
                return part
        return None

    def _slots(self):
        return [part for part in self.table if part[1] == _APP and 0x10 <= part[2] < 0x20]

    def _entries(self):
        """[(sequence, state, valid)] of the two sectors."""
        otadata = self._find("otadata")
        out = []
        for sector in (0, 1):
            raw = self.read(otadata[3] + sector * _BLOCK, 32)
            sequence, _, state, crc = struct.unpack(_ENTRY, raw)
            usable = sequence != 0xFFFFFFFF and state not in (_INVALID, _ABORTED)
            out.append((sequence, state, usable and crc == _crc(sequence)))
        return out

    def _write_entry(self, sector, sequence, state):
        raw = struct.pack(_ENTRY, sequence, b"\xff" * 20, state, _crc(sequence))
        self._write_sector(self._find("otadata")[3] + sector * _BLOCK, raw)

    @staticmethod
    def _active(entries):
        """Index of the entry the bootloader would take, None when neither counts."""
        (a, _, a_ok), (b, _, b_ok) = entries
        if a_ok and b_ok:
            return 0 if a >= b else 1
        return 0 if a_ok else 1 if b_ok else None

    # -- images -----------------------------------------------------------------------------------------------

    def verify(self, part):
        """Whether the bootloader would start the image in this partition (checksum and appended digest)."""
        _, _, _, offset, size = part
        head = self.read(offset, 24)
        if head[0] != 0xE9 or struct.unpack_from("<H", head, 12)[0] != self.chip_id:
            return False
        at, checksum = 24, 0xEF
        digest = hashlib.sha256(bytes(head))
        for _ in range(head[1]):
            if at + 8 > size:
                return False
            segment = self.read(offset + at, 8)
            length = struct.unpack_from("<L", segment, 4)[0]
            digest.update(segment)
            at += 8
            if length % 4 or at + length > size:
                return False
            while length:
                data = self.read(offset + at, min(length, _BLOCK))
                for byte in data:
                    checksum ^= byte
                digest.update(data)
                at += len(data)
                length -= len(data)
        tail = self.read(offset + at, 16 - at % 16)
        digest.update(tail)
        at += len(tail)
        if tail[-1] != checksum:
            return False
        return not head[23] or self.read(offset + at, 32) == digest.digest()

    # -- what the ROM and the second-stage bootloader do at every reset -----------------------------------------------

    def boot(self):
        """Choose and start an image; its label, None when the chip stays dark."""
        slots = self._slots()
        start = -1  # factory
        if self._find("otadata") and slots:
            entries = self._entries()
            for sector in (0, 1):
                sequence, state, valid = entries[sector]
                if valid and state == _PENDING:
                    self._write_entry(sector, sequence, _ABORTED)
                    entries[sector] = (sequence, _ABORTED, False)
            active = self._active(entries)
            if active is not None:
                sequence, state, _ = entries[active]
                start = (sequence - 1) % len(slots)
                if state == _NEW:
                    self._write_entry(active, sequence, _PENDING)
            elif not self._factory():
                start = 0
        order = list(range(start, -1, -1)) + [-1] + list(range(start + 1, len(slots)))
        for index in order:
            part = slots[index] if index >= 0 else self._factory()
            if part and self.verify(part):
                self.running = part[0]
                return self.running
        self.running = None
        return None

    def resume(self):
        """A soft reset starts no image: what ran goes on."""
        entries = [(n, s, ok and s != _NEW) for n, s, ok in self._entries()]
        active = self._active(entries)
        slots = self._slots()
        self.running = slots[(entries[active][0] - 1) % len(slots)][0] if active is not None else slots[0][0]

    def _factory(self):
        for part in self.table:
            if part[1] == _APP and part[2] == 0:
                return part
        return None

    # -- what esp_ota_ops.c does --------------------------------------------------------------------------------

    def set_boot(self, part):
        if part[1] != _APP:
            _error(-0x102, "ESP_ERR_INVALID_ARG")
        if not self.verify(part):
            _error(-5379, "ESP_ERR_OTA_VALIDATE_FAILED")
        otadata = self._find("otadata")
        if not otadata:
            _error(-0x105, "ESP_ERR_NOT_FOUND")
        if part[2] == 0:
            for sector in (0, 1):
                self.nor.ioctl(6, otadata[3] // _BLOCK + sector)
            return
        count = len(self._slots())
        index = part[2] - 0x10
        entries = self._entries()
        active = self._active(entries)
        if active is None:
            self._write_entry(0, index + 1, _NEW)
            return
        sequence = (index + 1) % count
        while entries[active][0] > sequence:
            sequence += count
        self._write_entry(1 - active, sequence, _NEW)

    def mark_valid(self):
        if not self._find("otadata"):
            _error(-261, "ESP_ERR_NOT_FOUND")
        entries = self._entries()
        active = self._active(entries)
        if active is None:
            _error(-1, "ESP_FAIL")
        sequence, state, _ = entries[active]
        if state != _VALID:
            self._write_entry(active, sequence, _VALID)


def _partition_class(chip):
    class Partition:
        BOOT = 0
        RUNNING = 1
        TYPE_APP = _APP
        TYPE_DATA = _DATA

        def __init__(self, which, block_size=_BLOCK):
            self._size = block_size
            if which == self.RUNNING:
                which = chip.running
            elif which == self.BOOT:
                entries = chip._entries()
                active = chip._active(entries)
                slots = chip._slots()
                which = slots[(entries[active][0] - 1) % len(slots)][0] if active is not None else slots[0][0]
            elif not isinstance(which, str):
                raise ValueError(which)
            self._part = chip._find(which)
            if not self._part:
                raise OSError(2)

        @classmethod
        def find(cls, type=_APP, subtype=0xFF, label=None, block_size=_BLOCK):
            return [
                cls(part[0], block_size)
                for part in chip.table
                if part[1] == type and subtype in (0xFF, part[2]) and label in (None, part[0])
            ]

        def info(self):
            name, type_, subtype, offset, size = self._part
            return (type_, subtype, offset, size, name, False)

        def _check(self, offset, n):
            if offset < 0 or offset + n > self._part[4]:
                _error(-0x104, "ESP_ERR_INVALID_SIZE")

        def readblocks(self, block, buf, offset=0):
            at = block * self._size + offset
            self._check(at, len(buf))
            buf[:] = chip.read(self._part[3] + at, len(buf))

        def writeblocks(self, block, buf, offset=None):
            if self._part[0] == chip.running:
                raise Abort("dangerous write")
            at = block * self._size + (offset or 0)
            self._check(at, len(buf))
            address = self._part[3] + at
            if offset is None:
                if len(buf) % _BLOCK:
                    _error(-0x104, "ESP_ERR_INVALID_SIZE")
                for n in range(address, address + len(buf), _BLOCK):
                    chip.nor.ioctl(6, n // _BLOCK)
            chip.nor.writeblocks(0, buf, address)

        def ioctl(self, op, arg):
            if op == 4:
                return self._part[4] // self._size
            if op == 5:
                return self._size
            if op == 6:
                if self._part[0] == chip.running:
                    raise Abort("dangerous write")
                return chip.nor.ioctl(6, self._part[3] // _BLOCK + arg)
            return 0

        def set_boot(self):
            chip.set_boot(self._part)

        def get_next_update(self):
            slots = chip._slots()
            if not slots:
                raise OSError(2)
            names = [part[0] for part in slots]
            at = names.index(self._part[0]) if self._part[0] in names else -1
            return Partition(names[(at + 1) % len(names)], self._size)

        @classmethod
        def mark_app_valid_cancel_rollback(cls):
            chip.mark_valid()

    return Partition
