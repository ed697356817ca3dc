"""Coverage-guided fuzzing of one target of `targets.py` with atheris (libFuzzer).

    python tests/fuzz/fuzz.py TARGET [--seconds N] [--keep]

Starts from tests/fuzz/corpus/TARGET and the seeds, runs N seconds (default 60), prints executions and coverage; exit
status 0 when it is clean, else the input that was not answered orderly lies in build/fuzz/. `--keep` adds the
smallest set of inputs with the same coverage to the corpus (at most 64 of at most 2 KiB)."""

import argparse
import contextlib
import gc
import importlib
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
for entry in (HERE, ROOT / "firmware", ROOT / "host", ROOT / "boards" / "virtual"):
    sys.path.insert(0, str(entry))
MAX_INPUT = {"processor": 600, "envelope": 4096, "cose": 2048, "lms": 4096, "mldsa": 2420}


def child(target, arguments):
    """The instrumented process."""
    import atheris

    gc.collect = lambda generation=2: 0  # the device's, which cost CPython much and give it nothing
    with atheris.instrument_imports(include=["suit"]):
        # all of them: what is imported on first use would be run without being watched
        for path in sorted((ROOT / "firmware" / "suit").rglob("*.py")):
            name = ".".join(path.relative_to(ROOT / "firmware").with_suffix("").parts)
            with contextlib.suppress(ImportError, SyntaxError, AttributeError):
                importlib.import_module(name.removesuffix(".__init__"))
        import targets

    atheris.Setup([sys.argv[0], *arguments], targets.TARGETS[target])
    atheris.Fuzz()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("target")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--child", nargs="*", help=argparse.SUPPRESS)
    options, rest = parser.parse_known_args()
    if options.child is not None:
        return child(options.target, [*options.child, *rest])
    import seeds

    corpus = HERE / "corpus" / options.target
    found = ROOT / "build" / "fuzz"
    found.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder, "corpus")
        work.mkdir()
        for number, data in enumerate(seeds.seeds(options.target)):
            Path(work, f"seed-{number}").write_bytes(data)
        size = MAX_INPUT.get(options.target, 1024)
        command = [sys.executable, __file__, options.target, "--child"]
        flags = [f"-max_total_time={options.seconds}", f"-max_len={size}", "-timeout=20", "-rss_limit_mb=2048",
                 f"-artifact_prefix={found}/{options.target}-", "-print_final_stats=1"]  # fmt: skip
        folders = [str(work)] + ([str(corpus)] if corpus.is_dir() else [])
        done = subprocess.run([*command, *flags, *folders], text=True, capture_output=True)
        lines = done.stderr.splitlines()
        last = next((line for line in reversed(lines) if "cov:" in line), "")
        runs = next(
            (line.split()[-1] for line in lines if "number_of_executed_units" in line), "?"
        )
        cov = last.split("cov:")[1].split()[0] if last else "?"
        print(f"{options.target}: {runs} executions in {options.seconds} s, coverage {cov}, "
              f"{'clean' if done.returncode == 0 else 'FOUND SOMETHING'}")  # fmt: skip
        if done.returncode:
            print("\n".join(lines[-40:]))
            return 1
        if options.keep:
            merged = Path(folder, "merged")
            merged.mkdir()
            subprocess.run(
                [*command, "-merge=1", f"-max_len={min(size, 2048)}", str(merged), *folders],
                capture_output=True,
            )
            corpus.mkdir(parents=True, exist_ok=True)
            for path in sorted(merged.iterdir(), key=lambda p: p.stat().st_size)[:64]:
                Path(corpus, path.name[:16]).write_bytes(path.read_bytes())
    return 0


if __name__ == "__main__":
    sys.exit(main())
