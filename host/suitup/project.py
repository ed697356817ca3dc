"""`suitup.toml`: what an app is called, who makes it, for which devices, with which files and which key.

name = "thermostat"
version = "1.0.0"
app = "app"                     # folder that holds main.py; paths are relative to this file
vendor = "example.com"          # domain name: the vendor id is UUID5 of it
class = "thermostat"            # the class id is UUID5 of it in the vendor's namespace
key = "keys/dev.pem"

[files]                         # files that travel beside the app: suit.path("settings.json")
"settings.json" = "settings.json"

[template]                      # when it is installed, what travels with it: manifest/plans.py
battery = 500
"""

import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from suitup import identity, version
from suitup.errors import USAGE, Failure

CONFIG = "suitup.toml"
_TEXT = {
    "name": str,
    "version": str,
    "app": str,
    "vendor": str,
    "class": str,
    "key": str,
    "arch": str,
    "release": str,
    "description": str,
    "model": str,
}
_OTHER = {"compile": bool, "servers": list, "files": dict, "keys": list, "template": dict, "mud": dict}


@dataclass
class Project:
    """One app. Paths are absolute; `files`: {name on the device: path}; `arch`: of native code, or None."""

    name: str
    version: str
    app: Path
    vendor: str
    class_name: str
    keys: list = field(default_factory=list)
    files: dict = field(default_factory=dict)
    servers: list = field(default_factory=list)
    compiled: bool = True
    arch: str | None = None
    release: Path = Path("build/release")
    description: str = ""
    model: str = ""
    slot_size: int | None = None  # bytes an app image may have, when the board is known
    template: list = field(default_factory=list)  # [(name, value)]
    mud: dict = field(default_factory=dict)  # mud.py
    base: Path = Path(".")  # what paths in `template` and `mud` are relative to

    @property
    def vendor_id(self) -> bytes:
        return identity.vendor_id(self.vendor)

    def class_id(self, kind=None) -> bytes:
        """Of devices of this class; of those that load `kind` of `.mpy` when given."""
        return identity.class_id(self.vendor_id, self.class_name + (f"/{kind}" if kind else ""))


def _check(data: dict, path):
    for key, value in data.items():
        kind = _TEXT.get(key) or _OTHER.get(key)
        if kind is None:
            known = ", ".join(sorted({**_TEXT, **_OTHER}))
            raise Failure(
                f"{path}: {key!r} is not a setting", hint=f"known are {known}", code=USAGE
            )
        if not isinstance(value, kind):
            raise Failure(
                f"{path}: {key!r} is a {kind.__name__}",
                f"this is a {type(value).__name__}",
                code=USAGE,
            )


def find(app=None) -> Path | None:
    """The suitup.toml meant: `app` itself, inside the folder `app`, or in the current folder; None without one."""
    start = Path(app) if app else Path.cwd()
    if start.is_file():
        return start
    for candidate in (start / CONFIG, start.parent / CONFIG):
        if candidate.is_file() and (app or candidate.parent == start):
            return candidate
    return None


def load(app=None, **overrides) -> Project:
    """The project of `app` (a suitup.toml, or a folder with one, or an app folder beside one), else that of the current
    folder. `overrides` that are not None replace what the file says: name, version, vendor, class_name, keys, arch,
    release, slot_size.

    Raises Failure when there is none or it says something wrong."""
    path = find(app)
    data, base = {}, Path(app or ".").absolute()
    if path:
        try:
            data = tomllib.loads(path.read_text())
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise Failure(f"{path} is not TOML", str(error), code=USAGE) from None
        _check(data, path)
        base = path.parent.absolute()
    elif not app:
        raise Failure(
            f"no {CONFIG} here",
            hint="go to the folder of an app, or name one with --app",
            code=USAGE,
        )
    elif not base.is_dir():
        raise Failure(
            f"no app at {base}", hint="name a folder that holds main.py or suitup.toml", code=USAGE
        )
    name = overrides.get("name") or data.get("name") or base.name
    if not re.fullmatch(r"[0-9A-Za-z][0-9A-Za-z_-]{0,63}", name):
        raise Failure(f"name {name!r} cannot be part of a file name", code=USAGE)
    vendor = overrides.get("vendor") or data.get("vendor")
    class_name = overrides.get("class_name") or data.get("class") or name
    if not vendor:
        raise Failure(
            f"{path or app}: no vendor",
            "devices take updates only from their vendor, for their class",
            'put vendor = "example.com" into suitup.toml, or give --vendor',
            code=USAGE,
        )
    keys = list(overrides.get("keys") or ())
    if not keys:
        named = data.get("keys") or ([data["key"]] if "key" in data else [])
        keys = [base / each for each in named]
    files = {each: base / source for each, source in data.get("files", {}).items()}
    for each in files:
        if any(part in ("", ".", "..") or "\0" in part for part in each.split("/")):
            raise Failure(
                f"{path}: the file name {each!r} cannot be stored on a device", code=USAGE
            )
    release = overrides.get("release") or (
        base / data["release"] if "release" in data else "build/release"
    )
    return Project(
        name=name,
        version=version.require(overrides.get("version") or data.get("version", "0.1.0")),
        app=base / data.get("app", "."),
        vendor=vendor,
        class_name=class_name,
        keys=[Path(each) for each in keys],
        files=files,
        servers=data.get("servers", []),
        compiled=data.get("compile", True),
        arch=overrides.get("arch") or data.get("arch"),
        release=Path(release),
        description=data.get("description", ""),
        model=data.get("model", class_name),
        slot_size=overrides.get("slot_size"),
        template=list(data.get("template", {}).items()),
        mud=data.get("mud", {}),
        base=base,
    )
