"""Flashing says what it erases, refuses what does not fit, and speaks the language of the real tools."""

import struct
import subprocess
import sys
from types import SimpleNamespace

import pytest
from click.testing import CliRunner
from suitup.boards import catalog, flash
from suitup.cli.flash import command
from suitup.errors import Failure
from suitup.images import partitions
from test_esp32_image import app_image

PICO = catalog.load("RPI_PICO_W")
ESP32 = catalog.load("ESP32_GENERIC")


def combined(chip_id=0, base=0x1000, payload=b"x" * 4096):
    """A release image: boot loader, table, application, as MicroPython's makeimg joins them."""
    stock = partitions.parse_csv(
        "nvs,data,nvs,0x9000,0x6000\nphy_init,data,phy,0xf000,0x1000\nfactory,app,factory,0x10000,0x1F0000"
    )
    image = app_image(chip_id, description=1).ljust(0x8000 - base, b"\xff")
    image += partitions.encode(stock)
    return image.ljust(0x10000 - base, b"\xff") + app_image(chip_id, payload)


def uf2(family=0xE48BFF56, address=0x10000000, blocks=3):
    out = b""
    for n in range(blocks):
        head = struct.pack(
            "<8I", 0x0A324655, 0x9E5D5157, 0x2000, address + 256 * n, 256, n, blocks, family
        )
        out += head + bytes(476) + struct.pack("<I", 0x0AB16F30)
    return out


@pytest.fixture
def file(tmp_path):
    def write(data):
        path = tmp_path / "image"
        path.write_bytes(data)
        return path

    return write


def test_a_combined_image_is_written_where_the_chip_starts(file):
    data = combined()
    made = flash.plan(ESP32, file(data))
    assert [(address, len(piece)) for address, piece, _ in made.pieces] == [(0x1000, len(data))]
    assert any("NVS" in line for line in made.erases)


def test_with_the_ota_table_the_application_moves_into_the_first_slot(file):
    made = flash.plan(ESP32, file(combined()), "ota")
    assert [address for address, _, _ in made.pieces] == [0x1000, 0x8000, 0xD000, 0x10000]
    table = partitions.decode(made.pieces[1][1])
    assert [p.name for p in table if p.type == 0] == ["ota_0", "ota_1"]
    assert made.pieces[2][1] == b"\xff" * 0x2000
    assert any("every file" in line for line in made.erases)


@pytest.mark.parametrize(
    "data, word",
    [
        (combined(chip_id=9), "esp32s3"),
        (app_image(), "combined"),
        (combined()[:-600], "segment"),
        (b"", "combined"),
    ],
)
def test_an_image_for_another_chip_or_of_another_kind_is_refused(file, data, word):
    with pytest.raises(Failure) as failure:
        flash.plan(ESP32, file(data))
    assert word in str(failure.value)


def test_an_application_larger_than_a_firmware_slot_is_refused(file):
    with pytest.raises(Failure) as failure:
        flash.plan(ESP32, file(combined(payload=bytes(0x180000))), "ota")
    assert "1572864" in str(failure.value)


def test_the_real_esptool_understands_every_command(file, tmp_path):
    for table in (None, "ota"):
        made = flash.plan(ESP32, file(combined()), table)
        for arguments in flash.esptool_commands(made, str(tmp_path / "no-such-port"), tmp_path):
            done = subprocess.run(
                [sys.executable, "-m", "esptool", *arguments], capture_output=True, text=True
            )
            said = done.stdout + done.stderr
            assert done.returncode and "Could not open" in said, said
            assert "Usage" not in said


@pytest.mark.parametrize(
    "data, word",
    [
        (uf2(family=0xE48BFF59), "family"),
        (uf2(address=0x10000000 + PICO["filesystem"]["offset"]), "files"),
        (uf2()[:-1], "blocks"),
        (uf2()[:512] + bytes(512), "damaged"),
        (b"", "blocks"),
    ],
)
def test_a_uf2_for_another_chip_too_large_or_damaged_is_refused(file, data, word):
    with pytest.raises(Failure) as failure:
        flash.plan(PICO, file(data))
    assert word in str(failure.value)


def test_a_uf2_is_copied_whole_to_the_boot_drive(file, tmp_path):
    drive = tmp_path / "drive"
    drive.mkdir()
    (drive / "INFO_UF2.TXT").write_text(
        "UF2 Bootloader v3.0\nModel: Raspberry Pi RP2\nBoard-ID: RPI-RP2\n"
    )
    image = file(uf2())
    done = CliRunner().invoke(
        command, [str(image), "--board", "rpi-pico-w", "--port", str(drive), "--yes"]
    )
    assert done.exit_code == 0, done.output
    assert (drive / "micropython.uf2").read_bytes() == image.read_bytes()
    assert "suitup provision --board RPI_PICO_W" in done.output


def test_a_drive_of_something_else_is_not_written(file, tmp_path):
    with pytest.raises(Failure):
        flash.uf2_flash(flash.plan(PICO, file(uf2())), tmp_path)
    assert not (tmp_path / "micropython.uf2").exists()


def test_without_a_terminal_nothing_is_erased_unasked(file, tmp_path):
    done = CliRunner().invoke(
        command, [str(file(uf2())), "--board", "RPI_PICO_W", "--port", str(tmp_path)]
    )
    assert isinstance(done.exception, Failure) and done.exception.code == 2


def test_a_dry_run_shows_the_plan_and_touches_nothing(file):
    done = CliRunner().invoke(
        command, [str(file(combined())), "--board", "ESP32_GENERIC", "--table", "ota", "--dry-run"]
    )
    assert done.exit_code == 0 and "two firmware slots" in done.output


@pytest.mark.parametrize(
    "board, image, told",
    [
        ("RPI_PICO_W", uf2(), ["write  0x10000000", "erase  MicroPython as it is", "keep   the filesystem, if"]),
        ("ESP32_GENERIC", combined(), ["write  0x00001000", "erase  boot loader, partition table, NVS", "keep   the filesystem"]),
    ],
)
def test_what_is_lost_and_what_stays_is_listed_before_it_is_asked(file, monkeypatch, board, image, told):
    touched = []
    for name in ("uf2_flash", "esptool_flash"):
        monkeypatch.setattr(flash, name, lambda *each: touched.append(each))
    terminal = SimpleNamespace(isatty=lambda: True)
    monkeypatch.setattr(sys.modules[command.callback.__module__], "sys", SimpleNamespace(stdin=terminal, stderr=sys.stderr))
    arguments = [str(file(image)), "--board", board, "--port", "/dev/ttyUSB0"]
    done = CliRunner().invoke(command, arguments, input="n\n")
    before, asked, _ = done.output.partition("flash %s?" % catalog.load(board).name)
    assert asked and not touched and isinstance(done.exception, SystemExit) and done.exit_code == 1
    assert [line for line in told if line not in before] == []
    done = CliRunner().invoke(command, arguments, input="y\n")
    assert len(touched) == 1 and done.exit_code == 0, done.output
