"""A small app and keys for the host's tests."""

import pytest
from suitup import keys


@pytest.fixture
def app(tmp_path):
    """A project folder with two modules, a data file and a file component; returns its path."""
    folder = tmp_path / "hello"
    (folder / "app" / "lib").mkdir(parents=True)
    (folder / "app" / "main.py").write_text("import helper\nprint(helper.greet('world'))\n")
    (folder / "app" / "lib" / "helper.py").write_text(
        "def greet(who):\n    return 'hello ' + who\n"
    )
    (folder / "app" / "words.txt").write_bytes(b"hello\n")
    (folder / "settings.json").write_text('{"volume": 3}')
    keys.save(keys.generate(development=True), folder / "dev.pem")
    (folder / "suitup.toml").write_text(
        'name = "hello"\nversion = "1.0.0"\napp = "app"\nvendor = "example.com"\nclass = "hello"\n'
        'key = "dev.pem"\nrelease = "release"\n[files]\n"settings.json" = "settings.json"\n'
    )
    return folder
