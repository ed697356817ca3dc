"""Run unit test files under MicroPython: `micropython tests/unit/run.py [--plain] FILE...`; with `--plain` as
on a port without native code. Prints one line per failure and `N passed, N failed, N skipped`; exit status 1 on a failure."""

import gc
import sys


def main(files):
    root = sys.argv[0].rsplit("/", 3)[0] if sys.argv[0].count("/") >= 3 else "."
    sys.path[:] = [root + "/tests/unit", root + "/firmware", root + "/boards/virtual", ".frozen"]
    from harness import Skip

    if "--plain" in files:
        files.remove("--plain")
        from suit.crypto import engine

        engine.without = ("thumb", "viper")
    passed = failed = skipped = 0
    for name in files:
        module = __import__(name.rsplit("/", 1)[-1][:-3])
        for test in sorted(dir(module)):
            if not test.startswith("test_"):
                continue
            gc.collect()
            try:
                getattr(module, test)()
                passed += 1
            except Skip as why:
                skipped += 1
                print("SKIP", test, why)
            except Exception as error:
                failed += 1
                print("FAIL", name, test)
                sys.print_exception(error)
    print("%d passed, %d failed, %d skipped" % (passed, failed, skipped))
    return 1 if failed else 0


sys.exit(main(sys.argv[1:]))
