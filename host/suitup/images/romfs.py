"""ROMFS images: MicroPython's read-only filesystem (extmod/vfs_rom.c), written deterministically.

A record is kind, length, payload, both numbers big-endian base-128. The image is a header record that holds file
records (name, then one data record) and directory records (name, then records); its total size is even."""

_HEADER = b"\xd2\xcd\x31"
_DATA, _DIRECTORY, _FILE = 2, 4, 5
MAX_NAME = 255  # bytes; what MicroPython's path buffers are made for
MAX_DEPTH = 8


class ImageError(ValueError):
    """What cannot be put into an image, or is not one."""


def _varuint(value: int) -> bytes:
    out = [value & 0x7F]
    while value := value >> 7:
        out.append(0x80 | value & 0x7F)
    return bytes(reversed(out))


def _record(kind: int, payload: bytes) -> bytes:
    return _varuint(kind) + _varuint(len(payload)) + payload


def _named(kind, name, payload):
    raw = name.encode()
    if not 0 < len(raw) <= MAX_NAME:
        raise ImageError(f"the name {name!r} is longer than {MAX_NAME} bytes")
    return _record(kind, _varuint(len(raw)) + raw + payload)


def _directory(tree: dict, depth) -> bytes:
    if depth > MAX_DEPTH:
        raise ImageError(f"folders are nested deeper than {MAX_DEPTH}")
    out = bytearray()
    for name in sorted(tree):
        entry = tree[name]
        if isinstance(entry, dict):
            out += _named(_DIRECTORY, name, _directory(entry, depth + 1))
        else:
            out += _named(_FILE, name, _record(_DATA, entry))
    return bytes(out)


def write(files: dict[str, bytes]) -> bytes:
    """The image of `files` ({path with `/`: content}); the same files always give the same bytes."""
    tree = {}
    for path, content in files.items():
        *folders, name = path.split("/")
        node = tree
        for part in [*folders, name]:
            if part in ("", ".", "..") or "\0" in part:
                raise ImageError(f"the path {path!r} cannot be stored")
        for folder in folders:
            node = node.setdefault(folder, {})
            if not isinstance(node, dict):
                raise ImageError(f"{folder} is a file and a folder")
        if isinstance(node.get(name), dict):
            raise ImageError(f"{path} is a file and a folder")
        node[name] = bytes(content)
    body = _directory(tree, 1)
    size = _varuint(len(body))
    if (len(_HEADER) + len(size) + len(body)) % 2:
        size = b"\x80" + size  # a leading zero digit makes the total even
    return _HEADER + size + body


def _read_varuint(data, pos, end):
    value = 0
    while True:
        if pos >= end:
            raise ImageError("a number runs past its record")
        byte = data[pos]
        pos += 1
        value = value << 7 | byte & 0x7F
        if not byte & 0x80:
            return value, pos


def read(data: bytes) -> dict[str, bytes]:
    """The files of an image, every length checked; raises ImageError."""
    if data[:3] != _HEADER:
        raise ImageError("no ROMFS header")
    size, pos = _read_varuint(data, 3, len(data))
    if pos + size > len(data):
        raise ImageError("the image is shorter than it says")
    files = {}
    _read_directory(data, pos, pos + size, "", files, 1)
    return files


def _read_directory(data, pos, end, prefix, files, depth):
    if depth > MAX_DEPTH:
        raise ImageError("too deep")
    while pos < end:
        kind, pos = _read_varuint(data, pos, end)
        length, pos = _read_varuint(data, pos, end)
        stop = pos + length
        if stop > end:
            raise ImageError("a record runs past its folder")
        if kind in (_FILE, _DIRECTORY):
            size, at = _read_varuint(data, pos, stop)
            if at + size > stop:
                raise ImageError("a name runs past its record")
            name = prefix + data[at : at + size].decode()
            at += size
            if kind == _DIRECTORY:
                _read_directory(data, at, stop, name + "/", files, depth + 1)
            else:
                inner, at = _read_varuint(data, at, stop)
                length, at = _read_varuint(data, at, stop)
                if inner != _DATA or at + length > stop:
                    raise ImageError(f"{name} has no content of its own")
                files[name] = bytes(data[at : at + length])
        pos = stop
