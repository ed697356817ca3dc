"""The programs of the updater, from the sources in firmware/suit: fewer, and with the registry numbers in them.

    programs(sources, numbers)      # {"suit/core.py": source}

`sources`: {path under firmware/: source}. Modules that are used together are joined (`images/bundle.py`)."""

from suitup.images import bundle, constants

# home: members, each after those it needs. What is used over the cable by name, and what stays in memory while an app
# runs, is no member of a bundle that the launcher drops before it starts the app.
BUNDLES = {
    "suit": ("suit.errors", "suit.whole", "suit"),
    "suit.core": (
        "suit.optional", "suit.region", "suit.utf8", "suit.cbor", "suit.crypto.engine", "suit.crypto",
        "suit.crypto.digest", "suit.manifest", "suit.trust", "suit.cose", "suit.signers", "suit.envelope",
        "suit.crypto.scalar", "suit.crypto.field_thumb",
    ),
    "suit.crypto.p256": ("suit.crypto.p256_data", "suit.crypto.p256"),
}  # fmt: skip
# what else is looked for first
FIRST = ("suit.crypto.p256_thumb", "suit.crypto.p256_viper", "suit.crypto.scalar_viper")
# members that exist by themselves too: for suit_start.py, which comes before the updater and loads no more of it
ALONE = ("suit.region",)
# what the package does last: apps know SuitError by the module it is documented in
_END = """
import sys
sys.modules["suit.errors"] = sys.modules["suit"]
begin(sys.modules["suit"])
"""


def programs(sources: dict, numbers: dict) -> dict:
    """See above. A bundle of which a board lacks a member has the others."""
    paths = {bundle.module(path): path for path in sources}
    known = bundle.Names(
        {name: constants.inline(sources[path], numbers) for name, path in paths.items()}, BUNDLES
    )
    made = {name: bundle.redirect(name, known) for name in known.sources if name not in known.home}
    for home in known.bundles:
        made[home] = bundle.join(home, known) + (_END if home == "suit" else "")
    for name in ALONE:
        made[name] = bundle.redirect(name, known)
    return {_file(name, known): source for name, source in made.items()}


def _file(name, known):
    """Where firmware/suit/whole.py looks for a module."""
    if name == "suit":
        return "suit/__init__.py"
    if known.is_package(name):
        name += ".__init__"
    folder = "suit/" if name in known.bundles or name in FIRST else "suit/more/"
    return folder + name.removeprefix("suit.") + ".py"
