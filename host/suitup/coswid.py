"""Concise software identification tags (CoSWID, RFC 9393), as an envelope carries them in suit-coswid (update-management): what
the update consists of, by name, version and digest.

    tag = write(Software(...))       bytes for the manifest
    software = read(tag)             what a tag says, whoever wrote it; raises CoswidError"""

from __future__ import annotations

from dataclasses import dataclass, field

from suitup import cbor

TAG = 1398229316
_TAG_ID, _NAME, _ENTITY, _PAYLOAD, _HASH, _VERSION, _VERSION_SCHEME = 0, 1, 2, 6, 7, 13, 14
_TAG_VERSION, _DIRECTORY, _FILE, _SIZE, _FILE_VERSION, _LOCATION, _FS_NAME = 12, 16, 17, 20, 21, 23, 24
_PATH_ELEMENTS, _ENTITY_NAME, _REG_ID, _ROLE = 26, 31, 32, 33
_TAG_CREATOR, _SOFTWARE_CREATOR = 1, 2
_SEMVER = 16384
# Named Information Hash Algorithm registry (RFC 6920), as CoSWID names hashes
HASHES = {1: ("SHA-256", 32), 7: ("SHA-384", 48), 8: ("SHA-512", 64)}
_MAX_DEPTH = 8


class CoswidError(ValueError):
    """Not a CoSWID tag; the text says why."""


@dataclass(frozen=True)
class File:
    """`hash`: (algorithm of HASHES, digest) or None; `size` in bytes or None."""

    name: str
    size: int | None = None
    hash: tuple | None = None
    version: str | None = None


@dataclass
class Software:
    """`creator`: who makes it; `tag_id`: text, or the hex of a UUID."""

    tag_id: str
    name: str
    version: str | None = None
    creator: str | None = None
    files: list = field(default_factory=list)


def write(software: Software) -> bytes:
    """A primary tag, tagged as CoSWID."""
    item = {_TAG_ID: software.tag_id, _TAG_VERSION: 0, _NAME: software.name}
    if software.version is not None:
        item[_VERSION] = software.version
        item[_VERSION_SCHEME] = _SEMVER
    domain = software.creator or "unknown"
    item[_ENTITY] = {_ENTITY_NAME: domain, _REG_ID: f"https://{domain}", _ROLE: [_TAG_CREATOR, _SOFTWARE_CREATOR]}
    files = []
    for each in software.files:
        folder, _, name = each.name.rpartition("/")
        entry = {_FS_NAME: name}
        if folder:
            entry[_LOCATION] = folder
        if each.size is not None:
            entry[_SIZE] = each.size
        if each.hash is not None:
            entry[_HASH] = list(each.hash)
        files.append(entry)
    if files:
        # one or many: a single item is not put into a list
        item[_PAYLOAD] = {_FILE: files if len(files) > 1 else files[0]}
    return cbor.encode(cbor.CBORTag(TAG, item))


def _need(truth, why):
    if not truth:
        raise CoswidError(why)


def _several(value):
    return value if isinstance(value, list) else [value]


def read(data: bytes) -> Software:
    try:
        item = cbor.decode(data, sort=False)
    except cbor.NotDeterministic as error:
        raise CoswidError(str(error)) from None
    if isinstance(item, cbor.CBORTag):
        _need(item.tag == TAG, f"tag {item.tag} is not that of CoSWID")
        item = item.value
    _need(isinstance(item, dict), "a tag is a map")
    tag_id, name, version = item.get(_TAG_ID), item.get(_NAME), item.get(_VERSION)
    _need(isinstance(tag_id, str | bytes), "no tag-id")
    _need(isinstance(name, str), "no software-name")
    _need(version is None or isinstance(version, str), "the version is not a text")
    creator = None
    for entity in _several(item.get(_ENTITY, [])):
        _need(isinstance(entity, dict) and isinstance(entity.get(_ENTITY_NAME), str), "an entity without a name")
        if creator is None or _SOFTWARE_CREATOR in _several(entity.get(_ROLE)):
            creator = entity[_ENTITY_NAME]
    payload = item.get(_PAYLOAD, {})
    _need(isinstance(payload, dict), "the payload is not a map")
    files = list(_files(payload, "", 0))
    return Software(tag_id if isinstance(tag_id, str) else tag_id.hex(), name, version, creator, files)


def _files(item, prefix, depth):
    _need(depth <= _MAX_DEPTH, "directories are nested too deep")
    for each in _several(item.get(_FILE, [])):
        _need(isinstance(each, dict) and isinstance(each.get(_FS_NAME), str), "a file without a name")
        yield _file(each, prefix)
    for each in _several(item.get(_DIRECTORY, [])):
        _need(isinstance(each, dict) and isinstance(each.get(_FS_NAME), str), "a directory without a name")
        inner = each.get(_PATH_ELEMENTS, {})
        _need(isinstance(inner, dict), "path-elements are not a map")
        yield from _files(inner, f"{prefix}{each[_FS_NAME]}/", depth + 1)


def _file(each, prefix):
    folder, size, digest, version = (each.get(label) for label in (_LOCATION, _SIZE, _HASH, _FILE_VERSION))
    _need(folder is None or isinstance(folder, str), "a location is not a text")
    _need(size is None or (isinstance(size, int) and size >= 0), "a size is not an unsigned integer")
    if digest is not None:
        good = isinstance(digest, list) and len(digest) == 2 and isinstance(digest[1], bytes)
        _need(good and HASHES.get(digest[0], (0, len(digest[1])))[1] == len(digest[1]), "not a hash")
        digest = tuple(digest)
    name = (f"{folder}/" if folder else "") + each[_FS_NAME]
    return File(prefix + name, size, digest, version if isinstance(version, str) else None)
