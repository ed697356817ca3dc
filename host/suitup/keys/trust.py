"""What a device trusts: a COSE_KeySet with the roles of each key, `/suit/trust.cbor` on the board; and beside the roles how
many keys have to sign together, and what a key is restricted to.

    store = trust_store([key, (key, ROLE_APP | ROLE_DELEGATE), Anchor(key, quorum=2, access=Access(commands=(...,)))])
    for anchor in read_anchors(store): ..."""

from __future__ import annotations

from dataclasses import dataclass

from suitup import cbor
from suitup import numbers as n
from suitup.errors import USAGE, Failure
from suitup.keys.comb import comb
from suitup.keys.model import BadKey, Key, X, Y, from_cose_key

ROLES = {
    "app": n.ROLE_APP,
    "firmware": n.ROLE_FIRMWARE,
    "trust": n.ROLE_TRUST,
    "updater": n.ROLE_UPDATER,
    "delegate": n.ROLE_DELEGATE,
}
_OURS = (n.KEY_ROLES, n.KEY_TABLE, n.KEY_QUORUM, n.KEY_ACCESS)
_COMPONENTS, _COMMANDS, _PARAMETERS = 1, 2, 3


def _is_int(value):
    return isinstance(value, int) and not isinstance(value, bool)


@dataclass(frozen=True)
class Access:
    """What a key may do beyond its roles (firmware/suit/access.py): `components`: prefixes of identifiers, tuples of bytes;
    `commands`, `parameters`: numbers. None restricts nothing, an empty tuple permits nothing."""

    components: tuple | None = None
    commands: tuple | None = None
    parameters: tuple | None = None

    def item(self) -> dict:
        """As it stands in the trust store."""
        found = {_COMMANDS: self.commands, _PARAMETERS: self.parameters}
        out = {number: list(value) for number, value in found.items() if value is not None}
        if self.components is not None:
            out[_COMPONENTS] = [list(prefix) for prefix in self.components]
        return out

    @classmethod
    def from_item(cls, item) -> Access:
        """Raises BadKey for a restriction that is not known: passed over, it would not be one."""
        if not isinstance(item, dict) or set(item) - {_COMPONENTS, _COMMANDS, _PARAMETERS}:
            raise BadKey("a restriction that is not known")
        for kind, listed in item.items():
            good = (lambda each: isinstance(each, list | tuple)) if kind == _COMPONENTS else _is_int
            if not isinstance(listed, list | tuple) or not all(map(good, listed)):
                raise BadKey("a restriction is a list")
        components = item.get(_COMPONENTS)
        if components is not None:
            components = tuple(tuple(prefix) for prefix in components)
        numbers = [
            None if kind not in item else tuple(item[kind]) for kind in (_COMMANDS, _PARAMETERS)
        ]
        return cls(components, *numbers)

    def component(self, identifier) -> bool:
        return self.components is None or any(
            tuple(identifier[: len(prefix)]) == tuple(prefix) for prefix in self.components
        )

    def command(self, number) -> bool:
        return self.commands is None or number in self.commands

    def parameter(self, number) -> bool:
        return self.parameters is None or number in self.parameters


@dataclass(frozen=True)
class Anchor:
    """A key as a trust store has it. `quorum`: how many different keys of its roles have to sign for it to count;
    `access`: restrictions that all hold; one from the store, more when others delegated to it."""

    key: Key
    roles: int = n.ROLE_APP
    quorum: int = 1
    access: tuple = ()

    def may_all_of(self, other: Anchor) -> bool:
        """Has this one the other's roles, and no restriction beyond the other's? Else it does not count for its quorum."""
        return self.roles & other.roles == other.roles and set(self.access) <= set(other.access)

    @classmethod
    def of(cls, entry) -> Anchor:
        """Of a Key (role app), a pair (Key, roles) or an Anchor."""
        if isinstance(entry, Key):
            return cls(entry)
        return entry if isinstance(entry, Anchor) else cls(*entry)

    @classmethod
    def from_params(cls, item) -> Anchor:
        """Of a COSE_Key map with our labels."""
        access = item.get(n.KEY_ACCESS)
        roles, quorum = item.get(n.KEY_ROLES, n.ROLE_APP), item.get(n.KEY_QUORUM, 1)
        if not all(_is_int(each) and each >= 0 for each in (roles, quorum)):
            raise BadKey("roles and quorum are unsigned integers")
        return cls(
            from_cose_key({label: value for label, value in item.items() if label not in _OURS}),
            roles,
            quorum,
            () if access is None else (Access.from_item(access),),
        )

    def params(self, tables=False) -> dict:
        """The COSE_Key map for a trust store: nothing private, a symmetric key excepted, because a device checks a MAC
        with the key that makes it."""
        params = {label: value for label, value in self.key.public().params.items() if label not in _OURS}
        params[n.KEY_ROLES] = self.roles
        params.pop(n.KEY_DEVELOPMENT, None)
        if self.key.development:
            params[n.KEY_DEVELOPMENT] = True
        if self.quorum != 1:
            params[n.KEY_QUORUM] = self.quorum
        if len(self.access) > 1:
            raise BadKey("a trust store has one set of restrictions for a key")
        if self.access:
            params[n.KEY_ACCESS] = self.access[0].item()
        if tables and params[n.KEY_KTY] == n.KTY_EC2:
            x, y = (int.from_bytes(params[label], "big") for label in (X, Y))
            params[n.KEY_TABLE] = comb(x, y)
        return params


def role_names(roles: int) -> list[str]:
    """The names of the roles in `roles`, a sum of ROLE_*."""
    return [name for name, bit in ROLES.items() if roles & bit]


def parse_roles(text: str) -> int:
    """`app,firmware` -> the sum of their bits; `all` is every role."""
    if text == "all":
        return sum(ROLES.values())
    total = 0
    for name in text.split(","):
        if name.strip() not in ROLES:
            raise Failure(
                f"role {name!r} is not known", hint="one of " + ", ".join(ROLES), code=USAGE
            )
        total |= ROLES[name.strip()]
    return total


def check_anchors(anchors):
    """Failure for a store that a device would refuse, or that takes nothing: a quorum nobody can reach."""
    for anchor in anchors:
        if anchor.quorum < 1:
            raise Failure("a quorum is at least 1", code=USAGE)
        able = {each.key.thumbprint for each in anchors if each.may_all_of(anchor)}
        if len(able) < anchor.quorum:
            raise Failure(
                f"{anchor.key.describe()} counts only together with {anchor.quorum - 1} others",
                f"{len(able)} keys of this store have its roles and no restriction that it has not",
                "add such keys, or lower the quorum",
            )
        if anchor.quorum > 1 and anchor.roles & n.ROLE_DELEGATE:
            raise Failure(
                f"{anchor.key.describe()} has the role delegate and a quorum",
                "a token has one signature, so that such a key delegates to nobody",
                code=USAGE,
            )


def trust_store(entries, tables=False) -> bytes:
    """The COSE_KeySet for `entries`: each a Key (role app), a pair (Key, roles) or an Anchor.

    With `tables`, a P-256 key comes with a table of 2 KiB that halves the time of a verification on the device."""
    return cbor.encode([Anchor.of(entry).params(tables) for entry in entries])


def read_anchors(data: bytes) -> list[Anchor]:
    """The keys of a trust store with everything it says about them; raises BadKey or cbor.NotDeterministic."""
    items = cbor.decode(data, sort=False)
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise BadKey("a trust store is a list of keys")
    return [Anchor.from_params(item) for item in items]


def read_trust_store(data: bytes) -> list[tuple[Key, int]]:
    """The keys of a trust store with their roles."""
    return [(anchor.key, anchor.roles) for anchor in read_anchors(data)]
