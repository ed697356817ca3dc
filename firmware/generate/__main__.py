"""Write generated device code: `python -m generate [NAME...]` in firmware/; all of it without a
name."""

import importlib
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))


def names():
    return sorted(path.stem for path in HERE.glob("*.py") if not path.stem.startswith("_"))


def target(name):
    return HERE.parent / "suit" / "crypto" / (name + ".py")


if __name__ == "__main__":
    for name in sys.argv[1:] or names():
        target(name).write_text(importlib.import_module("generate." + name).text())
        print(target(name))
