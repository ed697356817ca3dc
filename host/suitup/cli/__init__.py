"""`suitup VERB ...`: each verb is a file of this package that exposes `command`, and is imported when it is named.

Failures are printed as `error: what: why` and `hint: what next` on stderr; exit codes are 0 done, 1 refused or
failed, 2 used wrongly. Colour only on a terminal and never with NO_COLOR set. Every option can be given through
the environment as SUIT_<OPTION>."""

import importlib
import os
import pkgutil
import sys

import click

from suitup import __version__
from suitup.errors import REFUSED, Failure


def colour(stream) -> bool:
    """May this stream be coloured? (https://no-color.org)"""
    return not os.environ.get("NO_COLOR") and stream.isatty()


def print_failure(failure: Failure):
    """`error: ...` and `hint: ...` on stderr."""
    plain = not colour(sys.stderr)
    for word, text, shade in (("error", str(failure), "red"), ("hint", failure.hint, "cyan")):
        if text:
            label = word if plain else click.style(word, fg=shade, bold=True)
            print(f"{label}: {text}", file=sys.stderr)


class _Verbs(click.Group):
    """The modules beside this one; those with a leading underscore are helpers."""

    def list_commands(self, ctx):
        names = (module.name for module in pkgutil.iter_modules(__path__))
        return sorted(name.replace("_", "-") for name in names if not name.startswith("_"))

    def get_command(self, ctx, name):
        if name not in self.list_commands(ctx):
            return None
        command = importlib.import_module(f"{__name__}.{name.replace('-', '_')}").command
        # one environment variable per option, the same for every verb that has it: SUIT_KEY, SUIT_PORT ...
        for parameter in command.params:
            if isinstance(parameter, click.Option) and parameter.envvar is None:
                parameter.envvar = "SUIT_" + parameter.name.upper()
        return command


@click.group(cls=_Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="suitup")
def group():
    """Signed, standard, brick-proof updates for MicroPython boards (IETF SUIT)."""


def main(arguments=None):
    """The entry point; ends the process with its exit code."""
    try:
        code = group.main(arguments, prog_name="suitup", standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except click.Abort:
        print("stopped", file=sys.stderr)
        code = REFUSED
    except Failure as failure:
        print_failure(failure)
        code = failure.code
    except BrokenPipeError:
        # the reader of a pipe (head, less) left: nothing to say, and nothing to flush at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = REFUSED
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        print_failure(Failure(f"{where}{error.strerror or error}"))
        code = REFUSED
    sys.exit(code if isinstance(code, int) else 0)
