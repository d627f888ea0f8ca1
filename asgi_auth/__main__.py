"""Commands: `python -m asgi_auth check app:auth` and `python -m asgi_auth end-everything app:auth`."""

import argparse
import asyncio
import importlib
import sys
from collections.abc import Callable

from asgi_auth.auth import Auth


def main(arguments: list[str] | None = None) -> int:
    """Import an `Auth`, `AuthApp` or `AuthMiddleware`, run a command on it, and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m asgi_auth")
    commands = parser.add_subparsers(required=True, dest="command", metavar="command")
    for name, (_, text) in COMMANDS.items():
        command = commands.add_parser(name, help=text)
        command.add_argument(
            "auth", metavar="module:name", help="the import path of your Auth, AuthApp or AuthMiddleware"
        )
    given = parser.parse_args(arguments)
    module, _, name = given.auth.partition(":")
    found = getattr(importlib.import_module(module), name or "auth")
    auth = found if isinstance(found, Auth) else getattr(found, "auth", None)
    if not isinstance(auth, Auth):
        parser.error(f"{module}:{name} is not an Auth")
    return COMMANDS[given.command][0](auth)


def check(auth: Auth) -> int:
    """Print the findings of `auth.check()`; return 1 if there are any."""
    findings = auth.check()
    if not findings:
        sys.stdout.write("No problems found.\n")
    for finding in findings:
        sys.stdout.write("{}: {}. {}.\n".format(*finding))
    return 1 if findings else 0


def end_everything(auth: Auth) -> int:
    """End all sessions and void all mailed tokens, and print how many there were."""

    async def run() -> int:
        async with auth:
            return await auth.end_everything()

    sys.stdout.write(f"Ended sessions and voided tokens: {asyncio.run(run())}.\n")
    return 0


#: The commands with their help texts.
COMMANDS: dict[str, tuple[Callable[[Auth], int], str]] = {
    "check": (check, "list the settings that will not work or are not safe"),
    "end-everything": (end_everything, "end all sessions and void all mailed tokens, as after a restore"),
}

if __name__ == "__main__":
    raise SystemExit(main())
