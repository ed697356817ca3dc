# The board as the processor sees it: who it is, what it can write, where things come from.
# MIT licence.
"""`Board(config, chip, slot, other, writable, base)`. For an update `slot` is the slot being
written and `base` the URL of the envelope; for the invocation it is the slot about to run, and
nothing can be written. `firmware` (firmware.Firmware): where there is a second partition for it.

Whatever a manifest names becomes a component of `slot` and of nothing else. `["app"]`, `["file",
...]` and `["ram", ...]` are open to keys with the application role, `["firmware"]` to
those with the firmware role, `["trust"]` and `["updater"]` likewise."""

from . import runtime
from .components import FileComponent, RamComponent, parse
from .errors import SuitError
from .numbers import (
    ALG_SHA256,
    R_COMPONENT_UNAUTHORISED,
    R_COMPONENT_UNSUPPORTED,
    R_NO_PAYLOAD,
    ROLE_APP,
    ROLE_FIRMWARE,
    ROLE_TRUST,
    ROLE_UPDATER,
)
from .rekey import frozen
from .slots import exists

_APP = b"\x81\x43app"
_ROLES = {"firmware": ROLE_FIRMWARE, "trust": ROLE_TRUST, "updater": ROLE_UPDATER}


class Board:
    def __init__(
        self, config, chip, slot, other=None, writable=False, base=None, firmware=None
    ):
        self.vendor_id = config.vendor
        self.class_ids = tuple(config.classes)
        self.device_id = config.device
        self.roles = 0  # of the key that authenticated the root; set by who made the board
        self.trust = None  # TrustStore that judges dependencies; set likewise
        self.slot = slot
        self.buffer = runtime.buffer  # for whoever moves or hashes bytes
        self.progress = None
        self.recorder = None  # report.Recorder, or None
        self._chip = chip
        self._other = other
        self._writable = writable
        self._base = base
        self._firmware = firmware
        self._components = {}

    def judged_by(self, key, trust):
        """Start anew with the rights of `key`, dependencies judged by `trust`."""
        self.close()
        self._components = {}
        self.roles = key.roles
        self.trust = trust

    def allowed(self, roles, raw):
        """Refuse the component `raw` to a manifest whose key has these roles. The processor asks for
        each manifest by itself."""
        parts = parse(raw)
        kind = parts[0]
        # who may read a store need not be able to change it: the new one may take that away
        reads = kind == "trust" and not self._writable
        if not roles & (ROLE_APP if reads else _ROLES.get(kind, ROLE_APP)):
            raise SuitError(R_COMPONENT_UNAUTHORISED, "/".join(parts))

    def component(self, raw):
        """-> the component of the identifier `raw` (CBOR); the same object every time."""
        key = raw if isinstance(raw, bytes) else bytes(raw)
        component = self._components.get(key)
        if component is None:
            parts = parse(key)
            kind = parts[0]
            if kind == "firmware" and self._firmware is None:
                raise SuitError(R_COMPONENT_UNSUPPORTED, "no second firmware partition")
            if kind == "trust" and frozen():
                raise SuitError(R_COMPONENT_UNSUPPORTED, "the trust store is frozen")
            if kind == "updater" and self._writable:
                from .renewal import changeable

                changeable()
            if kind == "firmware":
                from .firmware import FirmwareComponent

                component = FirmwareComponent(self._firmware, self.slot, self._writable)
                component.progress = self.progress
            elif kind == "ram":
                component = RamComponent(self.slot.index)
            elif kind == "app" and self._area():
                from .romslots import RomComponent

                component = RomComponent(self.slot, self._area(), self._writable)
                component.progress = self.progress
            else:
                component = FileComponent(self.slot, key, self._writable)
                component.progress = self.progress
            self._components[key] = component
        return component

    def _area(self):
        """-> romslots.Area of the slot, None where images are files (or this one is, by cable)."""
        find = getattr(self._chip, "rom_area", None)
        if find is None or (not self._writable and exists(self.slot.app)):
            return None
        return find(self.slot.index)

    def open(self, uri, args=None):
        """-> Stream of what `uri` names, relative to the envelope's URL."""
        from . import transports

        uri = uri if isinstance(uri, str) else str(uri, "utf-8")
        if self._base is not None:
            uri = transports.resolve(self._base, uri)
        elif not transports.scheme(uri):
            raise SuitError(R_NO_PAYLOAD, uri)  # relative to nothing
        return transports.open(uri)

    @property
    def decryption_keys(self):
        """The device's own keys (a COSE_KeySet), made when it was provisioned; none where there is no
        such file."""
        from .trust import TrustStore

        try:
            with open(runtime.root + "/device.cbor", "rb") as file:
                return TrustStore(file.read())
        except OSError:
            return ()

    def local_copy(self, component, digest, size=None, alg=ALG_SHA256, buf=None):
        """Generator: True when `component` holds the image of that digest without fetching: it
        was there already, or the other slot had it. `buf`: memoryview to work in."""
        if hasattr(component, "local_copy"):
            return (yield from component.local_copy(digest, size, alg))
        if not self._writable or not isinstance(component, FileComponent) or self._other is None:
            return False
        from .unchanged import copy

        return (yield from copy(self.slot, self._other, component, digest, size, alg, buf))

    def invoke(self, component, args):
        """The processor keeps the list; the launcher starts the app when the procedure has
        ended."""

    def now(self):
        """-> seconds since 1970, None while the clock is not set."""
        return self._chip.now()

    def battery_mwh(self):
        """-> energy left, None when the app never said how to ask."""
        return runtime.asked("battery")

    def authorized(self, priority):
        """Does the app agree to an update of that priority? Nobody there to ask: no."""
        return bool(runtime.asked("authorize", priority))

    def events(self):
        """-> names (management.EVENTS) of what the app says holds now."""
        return runtime.asked("events") or ()

    def component_version(self, component):
        """-> version of what runs, for the app: a file has none."""
        if component is self._components.get(_APP):
            return runtime.version
        return None

    def record(self, section, offset, command, component_index, reason):
        if self.recorder:
            self.recorder.record(section, offset, command, component_index, reason)
        if self.progress:
            self.progress.component = component_index

    def close(self):
        """Let go of every open file."""
        for component in self._components.values():
            component.close()
