"""`suitup conformance PATH...`: published and own cases, judged by the code that runs on boards."""

import json
import sys
from collections import Counter

import click

from suitup import conformance
from suitup.errors import DONE, REFUSED
from suitup.judge import Judge


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per case instead of a line.")
@click.option("--interpreter", metavar="FILE", help="Run the device code in this interpreter (default: MicroPython).")
@click.option("--timeout", default=300.0, show_default=True, metavar="SECONDS", help="Longest time for one question.")
def command(paths, as_json, interpreter, timeout):
    """Run every case of the index.json files under PATH through the device code.

    One line per case on stdout: ok, FAIL or unsupported, then folder/name and why. The exit code is 1 when a
    case FAILs."""
    counts = Counter()
    with Judge(interpreter, timeout=timeout) as judge:
        for verdict in conformance.run(paths, judge):
            counts[verdict.word] += 1
            if as_json:
                print(json.dumps({"result": verdict.word, "case": verdict.name, "why": verdict.why}))
            else:
                print(" ".join(str(verdict).split()))
            sys.stdout.flush()
    words = ", ".join(f"{counts[word]} {word}" for word in ("ok", "FAIL", "unsupported"))
    print(f"{sum(counts.values())} cases: {words}", file=sys.stderr)
    return REFUSED if counts["FAIL"] else DONE
