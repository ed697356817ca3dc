"""Templates of `sign` on a board, with its policy: another owner's part under a key of its own, settings without the app."""

import re

from test_push import ROOT, app_options, desk  # noqa: F401  the fixture

OPERATOR = """\
name = "operator"
version = "1"
vendor = "example.com"
class = "thermostat"
key = "operator.pem"
release = "release"
[files]
"site.json" = "site.json"
[template]
part = true
"""


def test_two_owners_update_one_board_each_with_what_is_theirs(desk):  # noqa: F811
    operator = desk.folder / "operator"
    operator.mkdir()
    (operator / "site.json").write_text('{"site": 7}')
    (operator / "suitup.toml").write_text(OPERATOR)
    desk("keygen", "operator/operator.pem")
    (desk.folder / "site.toml").write_text('components = ["file/site.json"]\n')
    board = desk.folder / "board"
    desk("board", "create", board)
    desk("board", "start", board)
    desk("sign", *app_options("1.0.0"))
    release = desk.folder / "build/release"
    trust = ("--trust", "dev.pem", "--trust", "operator/operator.pub.pem:app:access=site.toml")
    first = ("--first", release / "thermostat-1.0.0.suit")
    made = desk("provision", "--port", board, "--app", ROOT / "examples" / "thermostat", *trust, *first, "--trial", 20)
    assert any('only components ["file", "site.json"]' in line for line in made)

    def push():
        return desk("push", "--port", board, "--release", release, code=None)

    desk("sign", "--app", operator)
    part = f"owner={operator}/release/operator-1.suit"
    desk("sign", *app_options("2.0.0"), "--template", part, "--template", "uninstall")
    lines = push()
    assert lines[-1] == "confirmed 2.0.0", lines

    # what the app is stays as it is: nothing but the settings goes over the air
    desk("sign", *app_options("2.0.1"), "--template", "config-only")
    text = "\n".join(push())
    assert text.endswith("confirmed 2.0.1")
    assert not re.search(r"GET \w+-thermostat\.img", text), text

    # the operator's key reaches no further than the operator's file, whatever is signed around it
    toml = OPERATOR.replace('"site.json" = "site.json"', '"settings.json" = "site.json"')
    (operator / "suitup.toml").write_text(toml.replace('version = "1"', 'version = "2"'))
    desk("sign", "--app", operator)
    part = f"owner={operator}/release/operator-2.suit"
    # the project's own settings.json would be the same component
    desk("sign", *app_options("3.0.0"), "--template", part)
    assert push()[-1].startswith("refused: ")
