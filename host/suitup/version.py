"""Versions as people write them and as SUIT compares them (update-management, suit-parameter-version)."""

import re

from suitup.errors import USAGE, Failure

# pre-release classes sort below the release because they are negative
_CLASSES = {"rc": -1, "beta": -2, "alpha": -3}
_PATTERN = re.compile(
    r"^v?(\d{1,9})(?:\.(\d{1,9}))?(?:\.(\d{1,9}))?"
    r"(?:-(rc|beta|alpha)(?:\.?(\d{1,9}(?:\.\d{1,9})*))?)?(?:\+[0-9A-Za-z.-]+)?$"
)


def parse(text: str) -> tuple[int, ...] | None:
    """`1.2.3-rc.1` -> (1, 2, 3, -1, 1); None when the numbering has no such form. Build metadata is left out."""
    match = _PATTERN.match(text)
    if not match:
        return None
    major, minor, patch, kind, rest = match.groups()
    numbers = [int(part) for part in (major, minor, patch) if part is not None]
    if kind:
        numbers.append(_CLASSES[kind])
        numbers += [int(part) for part in (rest or "").split(".") if part]
    return tuple(numbers)


def show(numbers) -> str:
    """(1, 2, 3, -1, 1) -> `1.2.3-rc.1`."""
    names = {number: name for name, number in _CLASSES.items()}
    out = ""
    for number in numbers:
        if number < 0:
            out += "-" + names.get(number, str(number))
        else:
            out += ("." if out else "") + str(number)
    return out


def require(text: str) -> str:
    """A version that may be part of a file name; raises Failure."""
    if not re.fullmatch(r"[0-9A-Za-z][0-9A-Za-z.+_-]{0,63}", text):
        raise Failure(
            f"version {text!r} cannot be part of a file name",
            hint="write it like 1.2.3",
            code=USAGE,
        )
    return text
