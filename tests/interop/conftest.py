"""Peers written by others. Python ones live in an environment of their own (`make interop-env`), because their
dependencies may differ from ours; where it is absent the tests say so and are skipped."""

from pathlib import Path

import pytest

PEERS = Path(__file__).resolve().parents[2] / ".venv-interop" / "bin" / "python"


@pytest.fixture(scope="session")
def peer_python():
    """The interpreter that has python-cwt, pyhsslms and mp-image-tool-esp32."""
    if not PEERS.exists():
        pytest.skip("no .venv-interop: `make interop-env` makes it")
    return str(PEERS)
