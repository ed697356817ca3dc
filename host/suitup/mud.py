"""Manufacturer usage descriptions: what an app needs of the network, for the gear that grants it (RFC 8520), and the element of
a manifest that points to it (suit-mud).

In suitup.toml:

    [mud]
    url = "https://example.com/mud/thermostat.json"    # where network gear fetches the file; https
    key = "mud.pem"                                     # who signs that file; its thumbprint goes into the manifest
    allow = ["coap://time.example.com", "http://..."]   # besides the servers of the project; `local` is the local network

The draft gives no numbers to the members of its container; here suit-mud-url is 1 and suit-mud-ski 2."""

import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_address
from urllib.parse import urlsplit

from suitup import cbor
from suitup import numbers as n
from suitup.errors import USAGE, Failure
from suitup.manifest.model import Digest, StructureError

URL, SKI = 1, 2
_TAG_URI = 32
_UDP, _TCP = 17, 6
# scheme -> (IP protocol, port)
_SCHEMES = {
    "coap": (_UDP, 5683),
    "coaps": (_UDP, 5684),
    "http": (_TCP, 80),
    "https": (_TCP, 443),
    "ntp": (_UDP, 123),
    "dns": (_UDP, 53),
}
_CACHE_HOURS = 48


@dataclass(frozen=True)
class Pointer:
    """SUIT_MUD_container: where the MUD file is, and the thumbprint of the key that signs it."""

    url: str
    ski: Digest

    def encode(self) -> bytes:
        return cbor.encode({URL: cbor.CBORTag(_TAG_URI, self.url), SKI: self.ski.item()})

    @classmethod
    def decode(cls, data) -> "Pointer":
        """Raises StructureError."""
        try:
            item = cbor.decode(data)
        except (cbor.NotDeterministic, TypeError) as error:
            raise StructureError(f"mud: {error}") from None
        if not isinstance(item, dict) or set(item) != {URL, SKI}:
            raise StructureError("mud: not a URL and a key identifier")
        url = item[URL]
        if not isinstance(url, cbor.CBORTag) or url.tag != _TAG_URI or not isinstance(url.value, str):
            raise StructureError("mud: the URL is not a tagged text")
        return cls(url.value, Digest.from_item(item[SKI]))

    def faults(self):
        """What is wrong with it, in words."""
        parts = urlsplit(self.url)
        if parts.scheme != "https" or not parts.hostname:
            yield "the URL of the MUD file is not https (RFC 8520 section 1.5)"
        if self.ski.algorithm != n.ALG_SHA256 or len(self.ski.value) != 32:
            yield "the key identifier is not a SHA-256 thumbprint"


def pointer(settings: dict, base) -> Pointer:
    """The container for `[mud]` of a suitup.toml; raises Failure."""
    from suitup import keys

    for name in ("url", "key"):
        if not isinstance(settings.get(name), str):
            raise Failure(f"[mud] has no {name}", hint="url = where the file is, key = who signs it", code=USAGE)
    made = Pointer(settings["url"], Digest(keys.load(base / settings["key"]).thumbprint))
    for fault in made.faults():
        raise Failure(fault, code=USAGE)
    return made


def _peers(project):
    """[(host or None for the local network, protocol, port, who starts)] of servers and what [mud] allows."""
    found = []
    for text in [*project.servers, *project.mud.get("allow", ())]:
        if text == "local":
            # nudges and status requests of whoever is near
            found.append((None, _UDP, 5683, "to-device"))
            continue
        try:
            parts = urlsplit(text)
            protocol, port = _SCHEMES[parts.scheme]
            found.append((parts.hostname, protocol, parts.port or port, "from-device"))
        except (KeyError, ValueError):
            raise Failure(
                f"{text!r} cannot be allowed", hint="a URL of " + ", ".join(_SCHEMES) + ", or local", code=USAGE
            ) from None
        if not parts.hostname:
            raise Failure(f"{text!r} names no host", code=USAGE)
    return list(dict.fromkeys(found))


def _is_address(host):
    try:
        return ip_address(host).version
    except ValueError:
        return None


def _entry(number, peer, version, to_device):
    host, protocol, port, started = peer
    direction = "to-device" if to_device else "from-device"
    network = f"ipv{version}"
    matches, transport = {network: {"protocol": protocol}}, {}
    if host is None:
        matches["ietf-mud:mud"] = {"local-networks": [None]}
    elif _is_address(host):
        where = "source" if to_device else "destination"
        matches[network][f"{where}-{network}-network"] = f"{host}/{32 if version == 4 else 128}"
    else:
        matches[network]["ietf-acldns:" + ("src-dnsname" if to_device else "dst-dnsname")] = host
    # the port is the server's: of the peer when the device starts, else of the device
    served_by_peer = started == "from-device"
    side = "source-port" if served_by_peer == to_device else "destination-port"
    transport[side] = {"operator": "eq", "port": port}
    if protocol == _TCP:
        transport["ietf-mud:direction-initiated"] = started
    matches["tcp" if protocol == _TCP else "udp"] = transport
    return {"name": f"{direction}-{network}-{number}", "matches": matches, "actions": {"forwarding": "accept"}}


def document(project) -> str:
    """The MUD file for a project, JSON."""
    url = project.mud.get("url")
    if not isinstance(url, str) or urlsplit(url).scheme != "https":
        raise Failure("[mud] has no https URL", hint='url = "https://example.com/mud.json" in suitup.toml', code=USAGE)
    peers = _peers(project)
    lists, named = [], {"from-device": [], "to-device": []}
    for to_device in (False, True):
        direction = "to-device" if to_device else "from-device"
        for version in (4, 6):
            entries = [
                _entry(number, peer, version, to_device)
                for number, peer in enumerate(peers)
                if _is_address(peer[0] or "") in (None, version)
            ]
            if entries:
                name = f"{project.name}-{direction}-v{version}"
                named[direction].append({"name": name})
                lists.append({"name": name, "type": f"ipv{version}-acl-type", "aces": {"ace": entries}})
    seconds = os.environ.get("SOURCE_DATE_EPOCH", "")
    now = datetime.fromtimestamp(int(seconds), UTC) if seconds.isdigit() else datetime.now(UTC)
    about = {
        "mud-version": 1,
        "mud-url": url,
        "last-update": now.replace(microsecond=0).isoformat(),
        "cache-validity": _CACHE_HOURS,
        "is-supported": True,
        "systeminfo": (project.description or project.name)[:60],
        "mfg-name": project.vendor,
        "model-name": project.model,
        "firmware-rev": project.version,
    }
    for direction, found in named.items():
        about[f"{direction}-policy"] = {"access-lists": {"access-list": found}}
    return json.dumps({"ietf-mud:mud": about, "ietf-access-control-list:acls": {"acl": lists}}, indent=2)
