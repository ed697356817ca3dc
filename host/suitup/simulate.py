"""An envelope executed by the device code in MicroPython, for a device that is described in a few words.

Nothing of this workstation is changed: components live in the memory of the simulation, payloads are read from beside
the envelope."""

import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from suitup import identity, keys
from suitup import numbers as n
from suitup.errors import USAGE, Failure
from suitup.judge import Judge
from suitup.manifest import Envelope, Sequence, StructureError, describe, labels

# what a device file may say, with the type of each
_SETTINGS = {
    "vendor": str,
    "class": str,
    "device": str,
    "mpy": str,
    "slot": int,
    "floor": int,
    "now": int,
    "battery_mwh": int,
    "update_authorized": bool,
    "wait_events": list,
    "components": dict,
    "versions": dict,
    "procedures": list,
}


@dataclass
class Outcome:
    """`result`: result word; `reason`, `detail`: of a refusal; `steps`: [(section, command, component, URI, reason)];
    `components`: {name: size in bytes}; `invoked`: [(name, arguments)]."""

    result: str
    reason: int = 0
    detail: object = None
    steps: list = field(default_factory=list)
    components: dict = field(default_factory=dict)
    invoked: list = field(default_factory=list)


def read_device(path) -> dict:
    """The settings in a device file (TOML); raises Failure for what it does not know."""
    try:
        data = tomllib.loads(Path(path).read_text())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Failure(f"{path} is not TOML", str(error), code=USAGE) from None
    for key, value in data.items():
        if key not in _SETTINGS or not isinstance(value, _SETTINGS[key]):
            raise Failure(
                f"{path}: {key!r} is not a setting of a device, or of another type",
                hint="known are " + ", ".join(_SETTINGS),
                code=USAGE,
            )
    return data


def _name(identifier):
    """How judge.py names components: the hex of the segments, joined by `/`."""
    return "/".join(part.hex() for part in identifier)


def _words(name):
    """A component name of judge.py for people: `["file", "settings.json"]`."""
    return describe.component_name([bytes.fromhex(part) for part in name.split("/")] if name else ())


def _identifier(text):
    """`file/settings.json` -> its component name in judge.py."""
    return _name(tuple(part.encode() for part in text.split("/")))


def environment(device: dict) -> dict:
    """The `environment` of a case (tests/vectors/README.md) for a described device."""
    out = {"slot": device.get("slot", 0), "current_sequence_number": device.get("floor", 0)}
    if "vendor" in device:
        vendor = identity.vendor_id(device["vendor"])
        out["vendor_id"] = vendor.hex()
        if "class" in device:
            names = [device["class"]]
            names += [f"{device['class']}/{kind}" for kind in device.get("mpy", "6").split(",")]
            out["class_ids"] = [identity.class_id(vendor, each).hex() for each in names]
    if "device" in device:
        out["device_id"] = device["device"].replace("-", "")
    for key in ("now", "battery_mwh", "update_authorized", "wait_events", "procedures"):
        if key in device:
            out[key] = device[key]
    if "versions" in device:
        out["component_versions"] = {
            _identifier(name): value for name, value in device["versions"].items()
        }
    if "components" in device:
        out["components_before"] = {
            _identifier(name): Path(file).read_bytes().hex()
            for name, file in device["components"].items()
        }
    return out


def uris(envelope: Envelope, depth=0) -> set[str]:
    """Every URI the manifest sets, severed sequences and dependencies inside the envelope included."""
    out = set()
    for data in envelope.payloads.values() if depth < n.MAX_DEPENDENCY_DEPTH else ():
        try:
            out |= uris(Envelope.decode(data), depth + 1)
        except StructureError:
            pass  # an image
    manifest = envelope.manifest
    for held in [manifest.shared, *(envelope.member(number) for number in manifest.sequences)]:
        for command in held.walk() if isinstance(held, Sequence) else ():
            if isinstance(command.argument, dict):
                for each in [command.argument, *command.argument.values()]:
                    if isinstance(each, dict) and isinstance(each.get(n.P_URI), str):
                        out.add(each[n.P_URI])
    return out


def simulate(path, trusted, device: dict, secrets=(), payloads=None) -> Outcome:
    """Execute the envelope at `path` on a device that trusts `trusted`: keys for everything, or anchors. `payloads`: {URI:
    file} besides what lies beside the envelope."""
    path = Path(path)
    try:
        envelope = Envelope.decode(path.read_bytes())
        wanted = uris(envelope)
    except StructureError:
        wanted = set()
    found = {uri: str(file) for uri, file in (payloads or {}).items()}
    for uri in wanted:
        beside = path.parent / uri
        if "/" not in uri and uri not in ("", ".", "..") and beside.is_file():
            found.setdefault(uri, str(beside))
    everything = sum((n.ROLE_APP, n.ROLE_FIRMWARE, n.ROLE_TRUST, n.ROLE_UPDATER, n.ROLE_DELEGATE))
    with Judge() as judge:
        answer = judge.ask(
            {
                "kind": "suit",
                "envelope": str(path),
                "payloads": found,
                "environment": environment(device),
                "trust": keys.trust_store(
                    [(each, everything) if isinstance(each, keys.Key) else each for each in trusted]
                ).hex(),
                "secrets": b"".join(
                    [bytes([0x80 | len(secrets)]), *(each.cose_key() for each in secrets)]
                ).hex(),
            }
        )
    if answer["result"] in ("crash", "hang"):
        raise Failure(
            "the device code failed", str(answer.get("detail")), "this is a bug of suitup"
        )
    steps = [
        (
            each["sequence"],
            labels.name(labels.COMMANDS, each["command"]),
            None if each["component"] is None else _words(each["component"]),
            each["uri"],
            each["reason"],
        )
        for each in answer["trace"]
    ]
    return Outcome(
        answer["result"],
        answer.get("reason", 0),
        answer.get("detail"),
        steps,
        {
            _words(name): len(content) // 2
            for name, content in answer["components_after"].items()
        },
        [
            (_words(each["component"]), bytes.fromhex(each["args"]))
            for each in answer["invoked"]
        ],
    )
