"""The command `python -m asgi_auth check app:auth`: print the findings of `auth.check()`; exit status 1 for any."""

import argparse
import importlib
import sys

from asgi_auth.auth import Auth


def main(arguments: list[str] | None = None) -> int:
    """Find the `Auth`, also in an `AuthApp` or `AuthMiddleware`, and print its findings."""
    parser = argparse.ArgumentParser(prog="python -m asgi_auth")
    commands = parser.add_subparsers(required=True, metavar="check")
    check = commands.add_parser("check", help="print every setting that will not work or is not safe")
    check.add_argument("auth", metavar="module:name", help="your Auth, AuthApp or AuthMiddleware")
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
