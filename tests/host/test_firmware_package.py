"""What installs the updater without us: the freeze manifest and mip's package.json."""

import importlib.util
import json
import os
import types
from pathlib import Path

from suitup.boards import updater

FIRMWARE = Path(__file__).resolve().parents[2] / "firmware"


def generator():
    spec = importlib.util.spec_from_file_location("package", FIRMWARE / "generate" / "_package.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_package_json_lists_every_module():
    wanted = generator().package()
    written = (FIRMWARE / "package.json").read_text()
    assert written == wanted, "run: python firmware/generate/_package.py"
    names = [url[0] for url in json.loads(written)["urls"]]
    assert "suit/launcher.py" in names and all((FIRMWARE / name).exists() for name in names)


def frozen(native):
    """The files that the freeze manifest asks for."""
    asked = []
    options = types.SimpleNamespace(native=native, defaults=lambda **o: None)
    names = {
        "options": options,
        "include": lambda path: None,
        "package": lambda name, files, base_path, opt: asked.extend(f"{name}/{f}" for f in files),
        "module": lambda name, base_path, opt: asked.append(name),
    }
    here = os.getcwd()
    os.chdir(FIRMWARE)  # as MicroPython's makemanifest.py does
    try:
        exec((FIRMWARE / "manifest.py").read_text(), names)
    finally:
        os.chdir(here)
    return asked


def test_the_freeze_manifest_takes_every_module_and_native_engines_only_on_request():
    plain = frozen("")
    assert {"boot.py", "main.py", "suit/launcher.py", "suit/port/rp2.py"} <= set(plain)
    assert not [name for name in plain if name.endswith(("_viper.py", "_thumb.py"))]
    native = frozen("viper thumb")
    # as provisioning has it: where there is assembly, viper is left out
    starts = {"boot.py", "main.py", "suit_start.py", updater.NUMBERS}
    assert set(native) == {name for _, name in updater.modules("armv6m")} | starts
    assert set(frozen("viper")) == {name for _, name in updater.modules("xtensawin")} | starts
    assert set(plain) < set(native)
