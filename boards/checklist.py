"""The hardware checklist, step by step, with a record of what came of it (boards/CHECKLIST.md explains the steps).

    .venv/bin/python boards/checklist.py --board RPI_PICO_W --port a0 [--wifi SSID --host ADDRESS] [--image FILE] [--only STEP,..]
    .venv/bin/python boards/checklist.py --board RPI_PICO_W --list

Steps with a command are run and judged by exit code and last line; the others are described and asked about: y, n, or
s for skip, and a note. The record goes to build/checklist/BOARD-TIME.json after every step: versions, what was run, what was
seen. Exit status 1 when a step failed."""

import argparse
import getpass
import json
import os
import re
import shlex
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from suitup import __version__
from suitup.boards import catalog

ROOT = Path(__file__).resolve().parents[1]
# apps that fail, for the same devices as the example
PROJECT = """name = "thermostat"
version = "1.0.0"
description = "%s"
vendor = "example.com"
class = "thermostat"
model = "Thermostat T1"
app = "app"
key = "../../../keys/dev.pem"
"""


@dataclass
class Step:
    """`run`: shell command with {board}, {port}, {host}, {image}, {wifi}, {ntp}, which must succeed, or fail when `code` is 1,
    and a line of it match `pattern` ({host} is the address there, too); without `run` the step is done by hand. `see`: for
    people. `needs`: what the board must have, see `fits`."""

    id: str
    do: str
    see: str
    run: str = ""
    pattern: str = ""
    code: int = 0
    needs: tuple = ()


STEPS = [
    Step("flash", "flash stock MicroPython", "what is written and erased is listed, then done",
         "make flash BOARD={board} PORT={port} IMAGE={image}", needs=("image",)),
    Step("provision", "install the updater, an identity and trust", "versions and hashes of what was installed",
         "make provision BOARD={board} PORT={port}"),
    Step("provision-again", "the same once more", "nothing is written: all is there already",
         "make provision BOARD={board} PORT={port}", r"\(0 written, "),
    Step("status", "ask by cable", "name, slots, floor", "make status PORT={port}"),
    Step("push-cable", "push a new version by cable", "trial, then `confirmed VERSION`",
         "make push BOARD={board} PORT={port}", r"^confirmed "),
    Step("push-cable-again", "and another: the other slot", "`confirmed VERSION`",
         "make push BOARD={board} PORT={port}", r"^confirmed "),
    Step("join", "give it the name of the Wi-Fi (password: SUIT_WIFI_KEY) and of a time server",
         "the lines of `provision`, the same `own key`",
         "make provision BOARD={board} PORT={port} WIFI={wifi} NTP={ntp}", r"^own key", needs=("wifi",)),
    Step("status-wifi", "a minute later, ask over Wi-Fi", "slot and version",
         "make status HOST={host}", r"^runs +slot", needs=("host",)),
    Step("discovery", "ask the network which boards are there", "the address of the board",
         ".venv/bin/suitup status --all", r"^{host}\b", needs=("host",)),
    Step("mdns", "ask by name", "the board is `thermostat`, MicroPython answers for it",
         ".venv/bin/suitup status --host thermostat.local", r"^runs +slot", needs=("host",)),
    Step("push-coap", "push over Wi-Fi with CoAP", "`confirmed VERSION`; the app runs on while it is fetched",
         "make push BOARD={board} HOST={host} TRANSPORT=coap", r"^confirmed ", needs=("host",)),
    Step("push-http", "push over Wi-Fi with HTTP", "`confirmed VERSION`",
         "make push BOARD={board} HOST={host} TRANSPORT=http", r"^confirmed ", needs=("host",)),
    Step("push-all", "push to every board that answers", "`confirmed VERSION`",
         ".venv/bin/suitup push --all --next --app examples/thermostat --key keys/dev.pem --board {board}", r"^confirmed ",
         needs=("host",)),
    Step("report", "the board's own account of its last attempt", "the manifest, `signed by` its own key, `result: success`",
         ".venv/bin/suitup report --host {host}", r"^signed by [0-9a-f]{64}", needs=("host",)),
    Step("stranger", "push with a key the board does not trust", "`refused: ...`, the old version runs on",
         "make push BOARD={board} PORT={port} KEY=build/checklist/stranger.pem", r"^refused: ", code=1),
    Step("crash", "push an app that raises at import", "`rolled back: ...`, the old version runs",
         "make push BOARD={board} PORT={port} APP=build/checklist/crash", r"^rolled back: .*exception", code=1),
    Step("hang", "push an app that never confirms: `while True: pass`",
         "`rolled back: ...watchdog` after the time of a trial: the chip's own watchdog ended it",
         "make push BOARD={board} PORT={port} APP=build/checklist/hang", r"^rolled back: .*watchdog", code=1),
    Step("ctrl-c", "open a terminal (mpremote) while the app runs and press Ctrl-C; wait two minutes at the prompt; then reset",
         "`suit: stopped at the console`, a prompt, no reset while you wait, the app starts again after the reset"),
    Step("ctrl-c-trial", "the same within a trial's minute, after a push with an app that does not confirm",
         "no watchdog reset at the prompt: the watchdog is disarmed (RP2: its enable bit, ESP32: a huge timeout)"),
    Step("cut-fetch", "pull the plug ten times, at any moment of ten pushes, while it fetches; push again each time",
         "the old version starts each time; the last push ends with `confirmed`, and resumes where it was cut"),
    Step("cut-trial", "pull the plug within a trial, before it confirms, as often as there are tries",
         "an app alone: tries count down, then the old version runs. With new firmware: the first time"),
    Step("brown-out", "lower the supply slowly to below the chip's minimum and raise it again, ten times while it fetches",
         "it starts each time; nothing but the old or the new version runs"),
    Step("wifi-gone", "switch the access point off in the middle of a push, and on again within ten seconds",
         "the push goes on; with the access point off for good it fails and says so", needs=("network",)),
    Step("updater", "provision with --trust KEY:app,updater; `suitup sign --updater --board {board}`; push",
         "confirmed; `suitup status` names a slot as `updater`; three resets later still", needs=()),
    Step("recovery", "erase both app images (`mpremote rm :/suit/a/app.img`, b too) and reset",
         "`suit: recovery`; push by cable, and over Wi-Fi where there is, confirms", needs=()),
    Step("reset-cause", "after `hang` and after a press of the reset button look at `make status`",
         "only the hang counts as a watchdog's: the registers tell one from the other", needs=("rp2",)),
    Step("flash-busy", "push over Wi-Fi while the app blinks an LED ten times a second",
         "pauses of at most half a second: erasing stops the core", needs=("rp2", "network")),
    Step("table", "suitup flash --table ota, then provision", "boots; `suitup status` names the firmware partition ota_0",
         needs=("esp32-stock",)),
    Step("otadata", "dump otadata with esptool after a firmware update: read-flash 0xd000 0x2000",
         "32-byte entries as platform facts have them: sequence, label, state 2 (valid) for the one that runs, CRC",
         needs=("ota",)),
    Step("firmware", "provision with --trust KEY:app,firmware; `suitup sign --firmware` another .app-bin of this chip; push",
         "it resets into the other partition, confirms; `suitup status` names it; three resets later still",
         needs=("ota",)),
    Step("firmware-reset", "the same, and press reset before it confirms",
         "the old firmware and the old app run: `the bootloader went back`", needs=("ota",)),
    Step("firmware-wrong", "push the .app-bin of another chip", "refused before a byte is written", needs=("ota",)),
    Step("firmware-panic", "push an .app-bin that crashes before Python (no filesystem driver, or a damaged segment with its "
         "checksums made anew)", "it is started twice, then the old firmware and app run", needs=("ota",)),
    Step("https", "/suit/ca.der and an https server, as CHECKLIST.md says; the time server of `join` sets the clock",
         "the update is armed; with another CA an error that says so", needs=("network",)),
    Step("clock", "after `https`: mpremote exec \"import time; print(time.gmtime())\"; then provision with an NTP= that does not "
         "answer, pull the plug, repeat `https`",
         "the time of day in UTC; then an error: the clock is not set", needs=("network",)),
]  # fmt: skip


def fits(board, step, host=None, image=None, wifi=None):
    """Does `board` have what the step needs?"""
    network = board["firmware"].get("network", False)
    have = {
        "host": bool(host) and network,
        "image": bool(image),
        "wifi": bool(wifi) and network,
        "network": network,
        "rp2": board.port == "rp2",
        "ota": board.port == "esp32" and board.firmware_slots > 1,
        "esp32-stock": board.port == "esp32" and board.firmware_slots < 2,
    }
    return all(have[need] for need in step.needs)


def prepare(folder):
    """The apps and the key that the steps push."""
    for name, main in (("crash", "import no_such_module\n"), ("hang", "while True:\n    pass\n")):
        app = folder / name / "app"
        app.mkdir(parents=True, exist_ok=True)
        (app / "main.py").write_text(main)
        (folder / name / "suitup.toml").write_text(PROJECT % name)
    stranger = folder / "stranger.pem"
    if not stranger.exists():
        subprocess.run(
            [Path(sys.executable).with_name("suitup"), "keygen", stranger],
            check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip


def shell(command):
    """-> (exit code, lines) of a command, shown while it runs."""
    process = subprocess.Popen(
        command, shell=True, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    lines = []
    for line in process.stdout:
        print("   |", line, end="", flush=True)
        lines.append(line.rstrip())
    return process.wait(), lines


def by_command(step, places, run=shell):
    """-> (outcome, what was seen)."""
    command = step.run.format(**{name: shlex.quote(text) for name, text in places.items() if text})
    pattern = step.pattern.replace("{host}", re.escape(places.get("host") or ""))
    print("   $", command)
    code, lines = run(command)
    told = [line for line in lines if line.strip() and not line.startswith("make: ")]
    last = told[-1] if told else ""
    good = bool(code) == bool(step.code)  # make has exit codes of its own
    if step.pattern:
        good = good and any(re.search(pattern, line) for line in lines)
    return ("passed" if good else "failed"), {"command": command, "code": code, "last": last}


def by_hand(step, ask=input):
    """-> (outcome, what was seen)."""
    while True:
        answer = ask("   as described? [y/n/s] ").strip().lower()[:1]
        if answer in ("y", "n", "s"):
            break
    outcome = {"y": "passed", "n": "failed", "s": "skipped"}[answer]
    return outcome, {"note": ask("   note: ").strip()}


class Record:
    """What came of it, in a file that is whole after every step."""

    def __init__(self, path, board):
        self.path = path
        self.data = {"board": board.id, "suitup": __version__, "started": _now(), "steps": []}
        revision = subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True
        )
        self.data["revision"] = revision.stdout.strip()
        path.parent.mkdir(parents=True, exist_ok=True)

    def add(self, step, outcome, seen):
        entry = {"step": step.id, "outcome": outcome, "at": _now(), "expected": step.see, **seen}
        self.data["steps"].append(entry)
        self.path.write_text(json.dumps(self.data, indent=1) + "\n")

    def failed(self):
        return [each["step"] for each in self.data["steps"] if each["outcome"] == "failed"]


def _now():
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def play(board, steps, record, places, run=shell, ask=input):
    """Every step in turn; -> exit status."""
    for number, step in enumerate(steps, 1):
        print(f"{number}/{len(steps)} {step.id}: {step.do}\n   to be seen: {step.see}")
        if step.run:
            outcome, seen = by_command(step, places, run)
        else:
            outcome, seen = by_hand(step, ask)
        record.add(step, outcome, seen)
        print(f"   {outcome}")
    failed = record.failed()
    print(f"recorded in {record.path}" + (f"; failed: {', '.join(failed)}" if failed else ""))
    return 1 if failed else 0


def main(arguments=None):
    parser = argparse.ArgumentParser(description="hardware checklist")
    parser.add_argument("--board", required=True, help="folder under boards/")
    parser.add_argument("--port", default="auto", help="cable, as mpremote spells it")
    parser.add_argument("--host", help="address of the board on the network")
    parser.add_argument("--wifi", metavar="SSID", help="for `join`; the password is asked for, or in SUIT_WIFI_KEY")
    parser.add_argument("--ntp", default="pool.ntp.org", help="time server for `join`")
    parser.add_argument("--image", help="MicroPython for `flash`; without it that step is left out")
    parser.add_argument("--only", help="steps, separated by commas")
    parser.add_argument("--list", action="store_true", help="show the steps, as JSON")
    options = parser.parse_args(arguments)
    board = catalog.load(options.board)
    steps = [step for step in STEPS if fits(board, step, options.host, options.image, options.wifi)]
    if options.only:
        wanted = options.only.split(",")
        unknown = set(wanted) - {step.id for step in steps}
        if unknown:
            parser.error(f"no such step for {board.id}: {', '.join(sorted(unknown))}")
        steps = [step for step in steps if step.id in wanted]
    if options.list:
        print(json.dumps([asdict(step) for step in steps], indent=1))
        return 0
    if options.wifi and "SUIT_WIFI_KEY" not in os.environ and any(step.id == "join" for step in steps):
        os.environ["SUIT_WIFI_KEY"] = getpass.getpass(f"password of {options.wifi}: ")
    folder = ROOT / "build" / "checklist"
    prepare(folder)
    path = folder / time.strftime(f"{board.id}-%Y%m%d-%H%M%S.json", time.gmtime())
    places = {
        "board": board.id, "port": options.port, "host": options.host, "image": options.image,
        "wifi": options.wifi, "ntp": options.ntp,
    }  # fmt: skip
    return play(board, steps, Record(path, board), places)


if __name__ == "__main__":
    sys.exit(main())
