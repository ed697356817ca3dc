"""Restrictions of a key as people write them, in an access file (TOML) for `suitup trust build` and `provision --trust`:

    components = ["app", "file/config"]        # identifiers that begin with one of them; "" is any
    commands = ["set-component-index", "override-parameters", "fetch", "image-match"]
    parameters = ["uri", "image-digest", "image-size"]

Names are those of `suitup inspect`, numbers serve too. What is not listed is not permitted; a line that is not there
restricts nothing. And back into words: `words(access)`."""

import tomllib
from pathlib import Path

from suitup.errors import USAGE, Failure
from suitup.keys.trust import Access
from suitup.manifest import labels
from suitup.manifest.describe import component_name

_TABLES = {"commands": labels.COMMANDS, "parameters": labels.PARAMETERS}


def _wrong(path, why):
    raise Failure(f"{path}: {why}", hint="known are components, commands, parameters: lists", code=USAGE)


def load(path) -> Access:
    """The restrictions in an access file; raises Failure."""
    try:
        data = tomllib.loads(Path(path).read_text())
    except OSError as error:
        raise Failure(
            f"no access file at {path}",
            error.strerror,
            hint='a TOML file, one line of it: components = ["file/settings.json"]',
            code=USAGE,
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Failure(f"{path} is no access file", str(error), code=USAGE) from None
    found = {}
    for name, listed in data.items():
        if not isinstance(listed, list) or (name != "components" and name not in _TABLES):
            _wrong(path, f"{name!r} is not a restriction")
        if name == "components":
            if not all(isinstance(each, str) for each in listed):
                _wrong(path, "a component prefix is a text")
            found[name] = tuple(tuple(part.encode() for part in each.split("/")) if each else () for each in listed)
        else:
            found[name] = tuple(_number(path, _TABLES[name], each) for each in listed)
    if not found:
        _wrong(path, "it restricts nothing")
    return Access(**found)


def _number(path, table, name):
    if isinstance(name, int) and not isinstance(name, bool):
        return name
    try:
        return labels.number(table, name)
    except KeyError:
        _wrong(path, f"{name!r} is not known")


def words(access: Access) -> list[str]:
    """One line for each restriction."""
    out = []
    if access.components is not None:
        out.append("components " + (", ".join(component_name(each) for each in access.components) or "none"))
    for name, table in _TABLES.items():
        listed = getattr(access, name)
        if listed is not None:
            out.append(f"{name} " + (", ".join(labels.name(table, each) for each in listed) or "none"))
    return out
