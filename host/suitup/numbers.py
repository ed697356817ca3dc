"""The device's table of numbers, so that there is one: every name of `firmware/suit/numbers.py`."""

from suitup.paths import firmware

_PATH = firmware() / "suit" / "numbers.py"
exec(compile(_PATH.read_text(), str(_PATH), "exec"), globals())
