"""Templates for when and how an update is installed, and what travels with it; `suitup sign --template NAME[=VALUE]`, or a
table `[template]` in suitup.toml with the same names:

    battery = 500               not below so many mWh left (minimum-battery)
    priority = 3                only when the app agrees (update-authorized); smaller is more urgent
    before = "2027-06-30"       not after that day, or moment in UTC, or seconds since 1970 (use-before)
    version = ">=1.2"           only over such a version of the app (version); > >= = <= <
    night = "02:00"             fetched at once, installed in the hour that begins then, UTC (wait)
    power = true                installed when the device is powered (wait)
    uninstall = true            with a section that removes everything again (unlink)
    owner = ["operator.suit"]   with the signed envelope of another owner as a dependency
    config-only = true          the app stays that of the last release, only files change
    part = true                 files alone, to be another's dependency; no update by itself

`parse(options)` -> Plan; `Plan.apply(manifest)` changes a manifest of `templates.update`."""

import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

from suitup import cbor, version
from suitup import numbers as n
from suitup.errors import USAGE, Failure
from suitup.manifest.model import Command, Digest, Envelope, Manifest, Sequence, StructureError
from suitup.manifest.templates import condition, directive, override, select

_COMPARISONS = {">": 1, ">=": 2, "=": 3, "<=": 4, "<": 5}
_POWER, _TIME_OF_DAY_UTC = 2, 8
# sections that a dependent has to run for its dependency (trust-domains): those before the next start, then those after it
_UPDATE = (n.M_PAYLOAD_FETCH, n.M_CANDIDATE_VERIFICATION, n.M_INSTALL)
_LATER = (n.M_VALIDATE, n.M_LOAD)


def _wrong(name, value, hint):
    return Failure(f"template {name}: {value!r} cannot be used", hint=hint, code=USAGE)


def _number(name, value, least=None):
    try:
        found = int(value)
    except (TypeError, ValueError):
        raise _wrong(name, value, "give a whole number") from None
    if isinstance(value, bool) or (least is not None and found < least):
        raise _wrong(name, value, "give a whole number that is not negative")
    return found


def _moment(name, value):
    """Seconds since 1970."""
    if isinstance(value, datetime):
        moment = value
    elif isinstance(value, date):
        moment = datetime(value.year, value.month, value.day)
    elif str(value).isdigit():
        return int(value)
    else:
        try:
            moment = datetime.fromisoformat(str(value))
        except ValueError:
            raise _wrong(name, value, "a day like 2027-06-30, a moment like 2027-06-30T12:00:00") from None
    return int(moment.replace(tzinfo=moment.tzinfo or UTC).timestamp())


def _time_of_day(name, value):
    found = re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)", str(value))
    if not found:
        raise _wrong(name, value, "a time of day like 02:00, in UTC")
    return int(found[1]) * 3600 + int(found[2]) * 60


def _comparison(name, value):
    found = re.fullmatch(r"\s*(>=|<=|>|<|=)\s*(\S+)\s*", str(value))
    numbers = version.parse(found[2]) if found else None
    if not numbers:
        raise _wrong(name, value, 'like ">=1.2"')
    return [_COMPARISONS[found[1]], list(numbers)]


def _yes(name, value):
    if value not in (True, "", "true"):
        raise _wrong(name, value, "it takes no value")
    return True


@dataclass
class Part:
    """Another owner's envelope. `payloads`: {file name: bytes} of what it fetches from beside itself."""

    name: str
    data: bytes
    payloads: dict = field(default_factory=dict)

    @property
    def envelope(self) -> Envelope:
        return Envelope.decode(self.data)

    @classmethod
    def load(cls, path) -> "Part":
        path = Path(path)
        try:
            part = cls(re.sub(r"[^0-9A-Za-z_-]", "-", path.stem)[:32], path.read_bytes())
            inside = part.envelope.manifest
        except (OSError, StructureError) as error:
            raise Failure(f"{path} is no envelope", str(error), "sign it first") from None
        if n.M_INVOKE in inside.sequences:
            raise Failure(f"{path} starts an app", "that is up to the envelope around it", "sign it with --template part")
        for uri in _uris(part.envelope):
            beside = path.parent / uri
            if uri not in part.envelope.payloads and "/" not in uri and beside.is_file():
                part.payloads[uri] = beside.read_bytes()
        return part


def _uris(envelope):
    for number in envelope.manifest.sequences:
        for command in envelope.member(number) or ():
            if isinstance(command.argument, dict) and isinstance(command.argument.get(n.P_URI), str):
                yield command.argument[n.P_URI]


@dataclass
class Plan:
    """What was asked for; see the head of this file."""

    battery: int | None = None  # mWh
    priority: int | None = None
    before: int | None = None  # seconds since 1970
    version: list | None = None  # [comparison, [int, ...]]
    events: dict = field(default_factory=dict)  # what is waited for
    uninstall: bool = False
    owners: list = field(default_factory=list)  # of Part
    config_only: bool = False
    part: bool = False

    def checks(self) -> Sequence:
        """The conditions under which anything is done at all, on component 0."""
        wanted = (
            (n.C_USE_BEFORE, n.P_USE_BEFORE, self.before),
            (n.C_VERSION, n.P_VERSION, None if self.version is None else cbor.encode(self.version)),
            (n.C_MINIMUM_BATTERY, n.P_MINIMUM_BATTERY, self.battery),
            (n.C_UPDATE_AUTHORIZED, n.P_UPDATE_PRIORITY, self.priority),
        )
        wanted = [each for each in wanted if each[2] is not None]
        if not wanted:
            return Sequence()
        values = {parameter: value for _, parameter, value in wanted}
        return Sequence(
            [select(0), Command(n.C_OVERRIDE_PARAMETERS, values), *(condition(number) for number, _, _ in wanted)]
        )

    def apply(self, manifest: Manifest) -> dict:
        """Change `manifest`; -> {URI: bytes} that it carries besides."""
        sequences, checks = manifest.sequences, self.checks()
        if self.events:
            # fetched now; a device that waits keeps what it has, and looks again
            sequences[n.M_PAYLOAD_FETCH] = checks + sequences[n.M_INSTALL]
            wait = [select(0), Command(n.C_OVERRIDE_PARAMETERS, {n.P_WAIT_INFO: cbor.encode(self.events)})]
            sequences[n.M_INSTALL] = Sequence([*wait, directive(n.C_WAIT), *checks])
        else:
            sequences[n.M_INSTALL] = checks + sequences[n.M_INSTALL]
        carried = self._depend(manifest)
        if self.uninstall:
            own = Sequence([select(list(range(len(manifest.components)))), directive(n.C_UNLINK)])
            check = condition(n.C_DEPENDENCY_INTEGRITY)
            others = [step for index in manifest.dependencies for step in (select(index), check, directive(n.C_UNLINK))]
            sequences[n.M_UNINSTALL] = Sequence([*others, *own])
        return carried

    def _depend(self, manifest) -> dict:
        """One dependency per owner: each answers for its own components, this manifest for the whole."""
        carried = {}
        integrity, process = condition(n.C_DEPENDENCY_INTEGRITY), directive(n.C_PROCESS_DEPENDENCY)
        resolve, first = Sequence(), len(manifest.components)
        for index, part in enumerate(self.owners, first):
            inside, uri = part.envelope.manifest, f"#{part.name}"
            if uri in carried:
                raise Failure(f"two owners are called {part.name}", hint="rename one of the files", code=USAGE)
            carried[uri] = part.data
            manifest.dependencies[index] = {1: [b"manifest", part.name.encode()]}
            digest = Digest.of(cbor.encode(part.envelope.manifest_bytes))
            manifest.shared += [select(index), override(image_digest=digest)]
            resolve += [select(index), override(uri=uri), directive(n.C_FETCH), integrity]
            if n.M_DEPENDENCY_RESOLUTION in inside.sequences:
                resolve.append(process)
            for number in (*_UPDATE, *_LATER):
                if number in inside.sequences:
                    steps = [select(index), integrity, process] if number in _LATER else [select(index), process]
                    manifest.sequences[number] = Sequence([*manifest.sequences.get(number, ()), *steps])
        if resolve:
            manifest.sequences[n.M_DEPENDENCY_RESOLUTION] = resolve
            # what was said to all components is meant for this owner's only
            manifest.shared = Sequence(
                select(list(range(first))) if each.argument is True else each for each in manifest.shared
            )
        return carried


def parse(options, base=Path(".")) -> Plan:
    """The Plan of [(name, value)]; paths are relative to `base`. Raises Failure."""
    plan = Plan()
    for name, value in options:
        if name == "battery":
            plan.battery = _number(name, value, 0)
        elif name == "priority":
            plan.priority = _number(name, value)
        elif name == "before":
            plan.before = _moment(name, value)
        elif name == "version":
            plan.version = _comparison(name, value)
        elif name == "night":
            plan.events[_TIME_OF_DAY_UTC] = _time_of_day(name, value)
        elif name == "power":
            plan.events[_POWER] = int(_yes(name, value))
        elif name == "owner":
            plan.owners += [Part.load(base / each) for each in (value if isinstance(value, list) else [value])]
        elif name in ("uninstall", "config-only", "part"):
            setattr(plan, name.replace("-", "_"), _yes(name, value))
        else:
            known = "battery, priority, before, version, night, power, owner, uninstall, config-only, part"
            raise Failure(f"template {name!r} is not known", hint=f"known are {known}", code=USAGE)
    if plan.part and (plan.config_only or plan.owners):
        raise Failure("a part has no app and no other owners", code=USAGE)
    return plan
