"""Why a command did not do what it was asked: one line for people, or one JSON object, and an exit status."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from asgi_auth.command.output import shown
from asgi_auth.errors import (
    AuthError,
    BusyError,
    PasswordPolicyError,
    StorageSetupError,
    StorageUnavailableError,
    UnknownRoleError,
    ValidationError,
)


class RefusedError(Exception):
    """The command cannot be done: exit status 1. `code` is stable, for scripts."""

    status = 1

    def __init__(self, text: str, code: str = "refused", members: Mapping[str, Any] | None = None) -> None:
        """Take the text of one line; `members` are further ones of the JSON object."""
        super().__init__(text)
        self.code = code
        self.members: Mapping[str, Any] = members or {}


class WrongUseError(RefusedError):
    """The command was called in a wrong way, or its configuration is not valid: exit status 2."""

    status = 2

    def __init__(self, text: str, code: str = "wrong_use") -> None:
        """Take the text of one line."""
        super().__init__(text, code)


def refusal_of(error: Exception) -> RefusedError:
    """Return the refusal that an error of the library, or of the system, is."""
    if isinstance(error, RefusedError):
        return error
    for kind, text in TEXTS:
        if isinstance(error, kind):
            members = error.members() if isinstance(error, AuthError) else {}
            return RefusedError(text(error), getattr(error, "code", CODES.get(kind, "refused")), members)
    return RefusedError(f"failed by a mistake in the library or in your app: {_named(error)}", "internal_error")


def line_of(refusal: RefusedError, *, as_json: bool) -> str:
    """Return the line of standard error."""
    text = shown(" ".join(str(refusal).split()))
    members = {"error": text, "code": refusal.code, **refusal.members}
    return json.dumps(members) if as_json else f"asgi-auth: {text}"


def _unavailable(error: StorageUnavailableError) -> str:
    cause = error.__cause__
    return f"the database is not available: {_named(cause) if cause is not None else 'it does not answer in time'}"


def _of_system(error: OSError) -> str:
    text = error.strerror or str(error)
    return f"{error.filename}: {text}" if error.filename is not None else text


def _named(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"


def _reasons(error: ValidationError, *, named: bool = False) -> str:
    """Return the reasons as one text, with the names of the fields if there are several."""
    lines = [
        f"{name}: {reason}" if named else str(reason) for name, reasons in error.errors.items() for reason in reasons
    ]
    return " ".join(lines)


def _plain(text: str) -> str:
    """Return a sentence as part of a line: without its period, and with a small first letter."""
    return text[:1].lower() + text[1:].rstrip(".")


#: The texts of errors; the first kind that fits counts.
TEXTS: tuple[tuple[type[Exception], Callable[[Any], str]], ...] = (
    (StorageSetupError, lambda error: f"the database cannot be used: {error.reason}"),
    (BusyError, lambda _: "the machine is too busy to hash a password, or short of memory: try again"),
    (StorageUnavailableError, _unavailable),
    (PasswordPolicyError, lambda error: f"the password is refused: {_reasons(error)}"),
    (UnknownRoleError, str),
    (ValidationError, lambda error: f"refused: {_reasons(error, named=True)}"),
    (AuthError, lambda error: _plain(error.detail)),
    (ValueError, str),
    (OSError, _of_system),
)
#: Codes of errors that have none.
CODES: dict[type[Exception], str] = {OSError: "system"}
