"""The command `python -m asgi_auth check app:auth`: prints the findings of `auth.check()`; exit status 1 for any."""

import argparse
import importlib
import sys

from asgi_auth.auth import Auth


def main(arguments: list[str] | None = None) -> int:
    """Import an `Auth`, `AuthApp` or `AuthMiddleware` and print the problems of its configuration."""
    parser = argparse.ArgumentParser(prog="python -m asgi_auth")
    commands = parser.add_subparsers(required=True, metavar="check")
    check = commands.add_parser("check", help="list the settings that will not work or are not safe")
    check.add_argument("auth", metavar="module:name", help="the import path of your Auth, AuthApp or AuthMiddleware")
    module, _, name = parser.parse_args(arguments).auth.partition(":")
    found = getattr(importlib.import_module(module), name or "auth")
    auth = found if isinstance(found, Auth) else getattr(found, "auth", None)
    if not isinstance(auth, Auth):
        parser.error(f"{module}:{name} is not an Auth")
    findings = auth.check()
    if not findings:
        sys.stdout.write("No problems found.\n")
    for finding in findings:
        sys.stdout.write("{}: {}. {}.\n".format(*finding))
    return 1 if findings else 0


if __name__ == "__main__":
    raise SystemExit(main())
