"""What we tell people to type, and what we run ourselves, exists in the tools that are installed."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest
from mpremote import main as mpremote
from suitup import cli
from suitup.boards import catalog, flash

ROOT = Path(__file__).resolve().parents[2]
TEXTS = [
    path
    for pattern in ("README.md", "boards/*.md", "boards/*.py", "host/**/*.py", "examples/**/*.md", "firmware/*.md")
    for path in ROOT.glob(pattern)
]  # fmt: skip


def named(tool):
    """{word after `tool` in what people read: file that says so}."""
    found = {}
    for path in TEXTS:
        # in quotes as code, or as the beginning of an example's line
        for match in re.finditer(rf"(?:`|^    |\"){tool} ([a-z][a-z0-9_-]+)", path.read_text(), re.MULTILINE):
            found.setdefault(match[1], path.name)
    return found


def help_of(*arguments):
    done = subprocess.run(
        [sys.executable, "-m", *arguments], capture_output=True, text=True, timeout=60
    )
    return done.returncode, done.stdout + done.stderr


def test_mpremote_has_every_command_that_is_named():
    mpremote.prepare_command_expansions(mpremote.load_user_config())
    known = set(mpremote._COMMANDS) | set(mpremote._command_expansions)
    words = named("mpremote")
    assert "connect" in words
    assert {word: file for word, file in words.items() if word not in known} == {}


def test_esptool_has_every_command_that_is_named():
    words = named("esptool")
    assert "read-flash" in words
    for word, file in words.items():
        assert help_of("esptool", word, "--help")[0] == 0, f"{file}: esptool {word}"


def test_esptool_has_every_option_that_we_pass(tmp_path):
    plan = flash.Plan(catalog.load("ESP32_GENERIC_S3"), [(0, b"x", "x")])
    commands = flash.esptool_commands(plan, "/dev/null", tmp_path)
    general = help_of("esptool", "--help")[1]
    for arguments in commands:
        verb = next(word for word in arguments if word in ("flash-id", "write-flash"))
        at = arguments.index(verb)
        own = help_of("esptool", verb, "--help")[1]
        for word in arguments[:at]:
            assert not word.startswith("--") or word in general, word
        for word in arguments[at:]:
            assert not word.startswith("--") or word in own, word


@pytest.mark.parametrize("board", [name for name in catalog.names() if name.startswith("ESP32")])
def test_esptool_knows_the_chip_of_every_board(board):
    chip = catalog.load(board)["flash"]["chip"]
    code, said = help_of("esptool", "--chip", chip, "version")
    assert code == 0, said


def test_picotool_loads_and_starts():
    picotool = shutil.which("picotool")
    if not picotool:
        pytest.skip("no picotool here")
    said = subprocess.run([picotool, "help", "load"], capture_output=True, text=True).stdout
    assert "-x" in said and "load" in said


def spoken(tool):
    """(file, words) of every command line of `tool` in what people read, and in the steps of the checklist."""
    for path in [path for path in TEXTS if path.suffix == ".md"] + [ROOT / "boards" / "checklist.py"]:
        for match in re.finditer(rf"(?:`|^|\"|; )(?:\.venv/bin/)?{tool} ([a-z][^`\n\"#|;]*)", path.read_text(), re.MULTILINE):
            yield path.name, match[1].split()


def test_suitup_has_every_verb_and_option_that_is_named():
    seen = set()
    for file, words in spoken("suitup"):
        command, at = cli.group, 0
        while isinstance(command, click.Group) and at < len(words):
            found = command.get_command(click.Context(command), words[at])
            assert found or at, f"{file}: suitup {' '.join(words)}"
            if not found:
                break
            command, at = found, at + 1
        known = {name for each in command.params for name in (*each.opts, *each.secondary_opts)}
        for word in words[at:]:
            if word.startswith("--"):
                option = word.partition("=")[0].rstrip(".,)")
                assert option in known, f"{file}: suitup {' '.join(words)}: {option}"
                seen.add(option)
    assert {"--all", "--table", "--updater", "--template", "--host"} <= seen


def test_make_has_every_target_and_variable_that_is_named():
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z0-9-]+):", makefile, re.MULTILINE))
    seen = set()
    for file, words in spoken("make"):
        target = words[0].rstrip(".,)")
        if not re.fullmatch(r"[a-z0-9-]+", target) or "=" not in " ".join(words) and target not in targets:
            continue  # a sentence, not a command
        assert target in targets, f"{file}: make {' '.join(words)}"
        for word in words[1:]:
            variable, found, _ = word.partition("=")
            if found and variable.isupper():
                assert f"$({variable})" in makefile or variable == "MICROPYTHON", f"{file}: make {target} {variable}="
                seen.add(variable)
    assert {"BOARD", "PORT", "HOST", "TRANSPORT", "WIFI", "IMAGE"} <= seen
