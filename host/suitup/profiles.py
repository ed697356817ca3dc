"""The algorithm profiles of suit-mti, from the device's own table: {name: (digest, authentication, key exchange,
encryption)}."""

import importlib
import sys
import types

from suitup import numbers as n
from suitup.cose.algorithms import default_algorithm
from suitup.errors import Failure
from suitup.manifest import labels
from suitup.paths import firmware

# the device's modules under a name of their own, without what `import suit` would start
_PACKAGE = "suitup._device"
if _PACKAGE not in sys.modules:
    sys.modules[_PACKAGE] = types.ModuleType(_PACKAGE)
    sys.modules[_PACKAGE].__path__ = [str(firmware() / "suit")]
PROFILES = importlib.import_module(_PACKAGE + ".profiles").PROFILES


def exchange_of(key) -> int:
    """The algorithm with which a content key reaches this recipient."""
    return key.alg if key.alg is not None else n.ALG_ECDH_ES_A128KW


def check(name, signers, recipients):
    """Raise Failure unless every signer and every recipient is of the profile `name`."""
    _, authentication, exchange, _ = PROFILES[name]
    for what, keys, wanted, of in (
        ("signing key", signers, authentication, default_algorithm),
        ("recipient", recipients, exchange, exchange_of),
    ):
        for key in keys:
            if of(key) != wanted:
                raise Failure(
                    f"the {what} {key.kid[:16]} is not of profile {name}",
                    f"it is for {labels.name(labels.ALGORITHMS, of(key))}, the profile has "
                    f"{labels.name(labels.ALGORITHMS, wanted)}",
                )
