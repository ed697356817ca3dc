"""What a device trusts: a COSE_KeySet with the roles of each key, `/suit/trust.cbor` on the board."""

from suitup import cbor
from suitup import numbers as n
from suitup.errors import USAGE, Failure
from suitup.keys.comb import comb
from suitup.keys.model import Key, X, Y, from_cose_key

ROLES = {
    "app": n.ROLE_APP,
    "firmware": n.ROLE_FIRMWARE,
    "trust": n.ROLE_TRUST,
    "updater": n.ROLE_UPDATER,
    "delegate": n.ROLE_DELEGATE,
}


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


def trust_store(entries, tables=False) -> bytes:
    """The COSE_KeySet for `entries`: each a Key (role app) or a pair (Key, roles).

    With `tables`, a P-256 key comes with a table of 2 KiB that halves the time of a verification on the device. Private
    members never go in; a symmetric key does, because a device checks a MAC with the key that makes it."""
    items = []
    for entry in entries:
        key, roles = entry if isinstance(entry, tuple) else (entry, n.ROLE_APP)
        params = {**key.public().params, n.KEY_ROLES: roles}
        params.pop(n.KEY_DEVELOPMENT, None)
        if key.development:
            params[n.KEY_DEVELOPMENT] = True
        if tables and params[n.KEY_KTY] == n.KTY_EC2:
            x, y = (int.from_bytes(params[label], "big") for label in (X, Y))
            params[n.KEY_TABLE] = comb(x, y)
        items.append(params)
    return cbor.encode(items)


def read_trust_store(data: bytes) -> list[tuple[Key, int]]:
    """The keys of a trust store with their roles."""
    return [
        (
            from_cose_key({k: v for k, v in item.items() if k not in (n.KEY_ROLES, n.KEY_TABLE)}),
            item.get(n.KEY_ROLES, n.ROLE_APP),
        )
        for item in cbor.decode(data, sort=False)
    ]
