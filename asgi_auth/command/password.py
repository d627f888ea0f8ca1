"""Passwords that a person types or another program sends; arguments can be read by every user of a machine."""

import getpass
import sys
import warnings
from argparse import Namespace

from asgi_auth.command.refusals import RefusedError, WrongUseError


def read_password(options: Namespace) -> str | None:
    """Read a password from standard input, or twice from the terminal; None with `--no-password`.

    Raises WrongUseError without a terminal, and RefusedError for an empty password or two that differ.
    """
    if getattr(options, "no_password", False):
        return None
    return _from_stdin() if options.password_stdin else _from_terminal()


def _from_stdin() -> str:
    """Read all of standard input: one line, whose line break is not part of the password."""
    try:
        text = sys.stdin.buffer.read().decode("utf-8")
    except UnicodeDecodeError:
        raise RefusedError("the password in standard input is not UTF-8", "invalid_password") from None
    line = text.removesuffix("\n").removesuffix("\r")
    if "\n" in line or "\r" in line:
        raise RefusedError("standard input has more than one line, and the password is one", "invalid_password")
    return _given(line)


def _from_terminal() -> str:
    """Ask twice, without echo."""
    with warnings.catch_warnings():
        # Without a terminal the password would be seen.
        warnings.simplefilter("error", getpass.GetPassWarning)
        try:
            first = _given(getpass.getpass("Password: "))
            second = getpass.getpass("Password again: ")
        except getpass.GetPassWarning:
            raise WrongUseError("there is no terminal to ask for the password: send it to --password-stdin") from None
        except EOFError:
            raise RefusedError("no password was given", "invalid_password") from None
        except UnicodeDecodeError:
            raise RefusedError("the password is not text of the terminal's encoding", "invalid_password") from None
    if first != second:
        raise RefusedError("the two passwords differ", "invalid_password")
    return first


def _given(password: str) -> str:
    if not password:
        raise RefusedError("the password is empty", "invalid_password")
    return password
