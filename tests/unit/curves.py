"""What the tests of the curves share: vectors, keys, and every engine that runs here in turn."""

import json

from harness import MICROPYTHON
from suit.crypto import scalar, scalar_plain

VECTORS = __file__.rsplit("/", 2)[0] + "/vectors/"


def wycheproof(name):
    with open(VECTORS + "wycheproof/" + name + "_test.json") as f:
        return json.load(f)["testGroups"]


def _module(name):
    try:
        return __import__("suit.crypto." + name, None, None, ("x",))
    except (ImportError, SyntaxError, AttributeError):
        return None


def engines(user, name):
    """Kinds of engine that run here; while one is handed out, `user` (a module) works with it."""
    before = user._engine
    kinds = []
    for kind in ("thumb", "viper", "plain"):
        field = _module(name + "_" + kind)
        if field is None:
            continue
        digits = scalar_plain if kind == "plain" else _module("scalar_viper")
        for function in ("regular", "wnaf", "trace", "ladder", "inverse"):
            setattr(scalar, function, getattr(digits, function))
        user._engine = field
        kinds.append(kind)
        yield kind
    user._engine = before
    assert kinds == ["viper", "plain"] if MICROPYTHON else kinds == ["plain"], kinds
