"""No single skipped statement and no single inverted branch lets a forged envelope through."""

import subprocess
import sys
from pathlib import Path

FAULTS = Path(__file__).with_name("faults.py")


def test_no_single_fault_lets_a_forged_envelope_through(record_property):
    done = subprocess.run(
        [sys.executable, str(FAULTS)], capture_output=True, text=True, timeout=600
    )
    record_property("counted", "fault injector: " + (done.stdout.splitlines() or ["nothing"])[-1])
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
