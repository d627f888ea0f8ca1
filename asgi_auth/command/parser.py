"""The arguments of all commands."""

from argparse import SUPPRESS, ArgumentParser, _SubParsersAction
from collections.abc import Sequence
from typing import Any, TypeAlias

import asgi_auth
from asgi_auth.command.command import Command

Subparsers: TypeAlias = "_SubParsersAction[ArgumentParser]"
PROG = "asgi-auth"
TEXT = "Administer the accounts, sessions and tables of an app with asgi_auth."
APP_HELP = "your Auth, AuthApp or AuthMiddleware (default: AUTH_APP; without it, AUTH_DATABASE_URL and the settings)"
END = "Exit status: 0 done, 1 found something or refused, 2 wrong use, 130 interrupted."


def make_parser(commands: Sequence[Command]) -> ArgumentParser:
    """Return the parser of `asgi-auth`. Its result has the `command`, and the `parser` itself."""
    parser = ArgumentParser(prog=PROG, description=TEXT, epilog=END, allow_abbrev=False)
    parser.add_argument(
        "--version", action="version", version=f"{PROG} {asgi_auth.__version__}", help="show the version and exit"
    )
    _add_common(parser, app=None, json=False, verbose=False)
    subparsers = parser.add_subparsers(required=True, metavar="command", title="commands")
    groups: dict[str, Subparsers] = {}
    for command in commands:
        group, _, name = command.name.rpartition(" ")
        if group and group not in groups:
            names = ", ".join(each.name for each in commands if each.name.startswith(f"{group} "))
            inner = subparsers.add_parser(group, help=f"see {names}", allow_abbrev=False)
            groups[group] = inner.add_subparsers(required=True, metavar="command", title="commands")
        _add_command(groups[group] if group else subparsers, name, command)
    parser.set_defaults(parser=parser)
    return parser


def _add_command(subparsers: Subparsers, name: str, command: Command) -> None:
    text = f"{command.help[0].upper()}{command.help[1:]}."
    parser = subparsers.add_parser(name, help=command.help, description=text, epilog=END, allow_abbrev=False)
    command.arguments(parser)
    if command.app_first:
        parser.add_argument("app_first", nargs="?", metavar="module:name", help="the same as --app")
    if command.password:
        parser.add_argument("--password-stdin", action="store_true", help="read the password from standard input")
    _add_common(parser, app=SUPPRESS, json=SUPPRESS, verbose=SUPPRESS)
    parser.set_defaults(command=command)


def _add_common(parser: ArgumentParser, **defaults: Any) -> None:
    """Add the options that stand before or after the name of a command; what is not given keeps its default."""
    parser.add_argument("--app", metavar="module:name", default=defaults["app"], help=APP_HELP)
    parser.add_argument("--json", action="store_true", default=defaults["json"], help="write JSON for scripts")
    parser.add_argument(
        "--verbose", action="store_true", default=defaults["verbose"], help="show the log, and tracebacks of failures"
    )
