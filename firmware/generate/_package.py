"""firmware/package.json, for `mpremote mip install`: every module that is no native engine.

    python firmware/generate/_package.py         # write it

A test keeps it equal to what this would write. boot.py and main.py are not in it: mip installs under
/lib, and starting the updater is `suitup provision`'s business."""

import json
from pathlib import Path

FIRMWARE = Path(__file__).resolve().parents[1]


def package() -> str:
    """The content of package.json."""
    urls = []
    for path in sorted((FIRMWARE / "suit").rglob("*.py")):
        if not path.stem.endswith(("_viper", "_thumb")):
            name = path.relative_to(FIRMWARE).as_posix()
            urls.append([name, name])
    urls.append(["suit_start.py", "suit_start.py"])
    lines = ",\n".join("    " + json.dumps(url) for url in urls)
    return '{\n  "urls": [\n%s\n  ],\n  "deps": [],\n  "version": "%s"\n}\n' % (lines, version())


def version() -> str:
    """The project's."""
    for line in (FIRMWARE.parent / "pyproject.toml").read_text().splitlines():
        if line.startswith("version"):
            return line.split('"')[1]
    raise ValueError("pyproject.toml has no version")


if __name__ == "__main__":
    (FIRMWARE / "package.json").write_text(package())
