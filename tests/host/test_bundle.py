"""Modules of the updater that are joined when they are compiled mean what they meant before."""

import subprocess

import pytest
from suitup.boards import updater
from suitup.images import bundle


def joined(members, home="suit.all", **others):
    sources = {"suit." + name: source for name, source in (members | others).items()}
    names = bundle.Names(sources, {home: tuple("suit." + name for name in members)})
    return bundle.join(home, names), {name: bundle.redirect("suit." + name, names) for name in others}


def run(source):
    scope = {}
    exec(source, scope)
    return scope


def test_members_use_each_other_without_an_import():
    made, _ = joined({
        "a": "from hashlib import sha256\ndef one():\n    return 1\n",
        "b": "from . import a\nfrom .a import one as first\nfrom hashlib import sha256\n"
             "def two():\n    return a.one() + first()\n",
    })  # fmt: skip
    assert made.count("import") == 1
    assert run(made.replace("uhashlib", "hashlib"))["two"]() == 2


def test_private_names_that_two_members_have_stay_two():
    made, _ = joined({
        "a": "_n = 1\ndef one():\n    global _n\n    _n += 1\n    return _n\n",
        "b": "_n = 10\ndef ten(_n=_n):\n    return _n\ndef again():\n    return _n\n",
    })  # fmt: skip
    scope = run(made)
    assert (scope["one"](), scope["ten"](), scope["ten"](5), scope["again"]()) == (2, 10, 5, 10)


def test_a_local_name_is_not_taken_for_a_module():
    made, _ = joined({
        "a": "def one():\n    return 1\n",
        "b": "from . import a\nclass B:\n    def get(self):\n        return a.one()\n"
             "def other(a):\n    return a.one\n",
    })  # fmt: skip
    scope = run(made)
    assert scope["B"]().get() == 1 and scope["other"](type("X", (), {"one": 7})) == 7


def test_who_stays_alone_imports_from_where_it_is_now():
    _, others = joined(
        {"a": "def one():\n    return 1\n"},
        c="from .a import one as first\nfrom . import a, d\nx = a.one\n",
        d="y = 1\n",
    )
    text = others["c"]
    assert "from suit.all import one as first" in text
    assert "from suit import all as a" in text and "from suit import d" in text


@pytest.mark.parametrize("members", [
    {"a": "x = 1\n", "b": "x = 2\n"},  # the same public name
    {"a": "def open():\n    pass\n"},  # hides a builtin
    {"a": "from .b import x\n", "b": "x = 1\n"},  # needs one that comes later
    {"a": "x = 1\n", "b": "from . import a\ny = [a]\n"},  # the module as an object
    {"a": "x = 1\n", "b": "from . import a\na.x = 2\n"},  # set from outside
])  # fmt: skip
def test_what_would_change_its_meaning_is_refused(members):
    with pytest.raises(ValueError):
        joined(members)


def test_long_integers_are_no_decimal_digits_in_a_compiled_module():
    made, _ = joined({"a": "P = 2**255 - 19\nN = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFF\n"})
    assert run(made)["N"] == 0xFFFFFFFF00000000FFFFFFFFFFFFFFFF and "from_bytes" in made


def test_the_compiled_updater_imports_every_module_it_has(tmp_path, micropython):
    for path, data in updater.files("x64").items():
        file = tmp_path / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    names = []
    for name in updater.programs("x64"):
        module = bundle.module(name.replace("/more/", "/"))
        if not module.endswith(("port.rp2", "port.esp32", "viper", "__init__")) and module != "suit":
            names.append(module)
    script = "".join(f"import {name}\n" for name in ["suit", *names])
    script += "from suit.errors import SuitError\nassert SuitError is suit.core.SuitError\nprint('all')\n"
    shims = updater.paths.firmware().parent / "boards" / "virtual"
    done = subprocess.run(
        [micropython, "-c", script], capture_output=True, text=True, timeout=60,
        env={"MICROPYPATH": "%s/lib:.frozen:%s" % (tmp_path, shims)},
    )  # fmt: skip
    assert done.stdout == "all\n", done.stderr

