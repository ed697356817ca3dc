# Picks the fastest engine that works here, after it gave the known answer.
# MIT licence.
"""An algorithm keeps its logic in `NAME.py` and its inner loops in engines with one interface:

* `NAME_thumb.py`: asm_thumb, for ports whose firmware has the inline assembler (RP2040, RP2350);
* `NAME_viper.py`: native code, for ports with a native emitter;
* `NAME_plain.py`: plain Python, for everything else, CPython included.

`best("keccak", check)` imports the first that is there, that this port can run and for which
`check(module)` is true. A build may leave any of them out. `chosen` tells which one is in use.
Raises SuitError(R_ALG_UNSUPPORTED) when none is left."""

from ..errors import SuitError
from ..numbers import R_ALG_UNSUPPORTED

chosen = {}  # name -> "thumb", "viper" or "plain"
without = ()  # kinds that are not looked at: tests of the plain engines set it before the first import


def best(name, check, kinds=("thumb", "viper", "plain")):
    """The engine module of `name`; `check(module)` runs its known-answer test. `kinds` are those that
    exist: looking for a file that is nowhere takes milliseconds."""
    for kind in kinds:
        if kind in without:
            continue
        try:
            module = __import__("suit.crypto." + name + "_" + kind, None, None, ("check",))
            if not check(module):
                continue
        except ImportError:
            continue
        except (SyntaxError, ValueError, AttributeError):
            # no such emitter; .mpy of another architecture; left half imported by an earlier try
            if kind == "plain":
                raise
            continue
        chosen[name] = kind
        return module
    raise SuitError(R_ALG_UNSUPPORTED, name)
