"""Writes the cases of this project that the published ones lack: `python tests/vectors/make.py [FOLDER]`.

A test compares what is written with what is committed. The cases say what is expected from the texts; the device code
judges them in `suitup conformance`, the workstation's own implementation in tests/host/test_own_vectors.py."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from making import access, delegation, domains, management, parts, quorum  # noqa: E402

FOLDERS = {
    "access": access.cases,
    "delegation": delegation.cases,
    "domains": domains.cases,
    "management": management.cases,
    "quorum": quorum.cases,
}


def make(root=HERE):
    for folder, cases in FOLDERS.items():
        parts.write_folder(Path(root), folder, cases())


if __name__ == "__main__":
    make(*sys.argv[1:])
