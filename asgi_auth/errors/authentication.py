"""Errors of requests that need a login, or another one."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, TypeVar

from asgi_auth.errors.authorization import ForbiddenError
from asgi_auth.errors.base import AuthError

#: The characters that the attributes of a challenge must not contain (RFC 6750, section 3).
UNQUOTABLE = re.compile(r"[^\x20\x21\x23-\x5b\x5d-\x7e]")


class UnauthorizedError(AuthError):
    """The request is not authenticated; `challenge` is the error attribute of RFC 6750, section 3."""

    status = 401
    code = "unauthorized"
    default_detail = "Log in to do this."
    oauth2 = "invalid_grant"
    challenge: ClassVar[str | None] = None
    header_meanings: ClassVar[Mapping[str, str]] = {"WWW-Authenticate": "The Bearer challenge (RFC 6750, section 3)."}

    @property
    def headers(self) -> list[tuple[str, str]]:
        """The Bearer challenge; without credentials it names no error (RFC 6750, section 3.1)."""
        if self.challenge is None:
            return [("www-authenticate", "Bearer")]
        description = UNQUOTABLE.sub("?", self.detail)
        value = f'Bearer error="{self.challenge}", error_description="{description}"'
        return [("www-authenticate", value)]


class InvalidCredentialsError(UnauthorizedError):
    """The address or the password is wrong; the error never tells which."""

    code = "invalid_credentials"
    default_detail = "The address or the password is wrong."


class PasswordNeededError(UnauthorizedError):
    """The link alone is not enough: log in to that account, or send its `password`. The link stays valid."""

    code = "password_needed"
    fields: ClassVar[tuple[str, ...]] = ("password",)
    default_detail = "Log in to this account, or enter its password."


class FreshLoginRequiredError(UnauthorizedError):
    """The login is too old for this action (RFC 9470)."""

    code = "fresh_login_required"
    page: ClassVar[str] = "reauthenticate"
    default_detail = "Log in again to do this."
    challenge: ClassVar[str | None] = "insufficient_user_authentication"


class InvalidCodeError(UnauthorizedError):
    """The code of a second factor is wrong, too old, or was used before; the error never tells which."""

    code = "invalid_code"
    default_detail = "The code is wrong, or was used before."


class PendingLoginExpiredError(UnauthorizedError):
    """The pending login is too old, was finished, has had too many attempts, or its first factor has changed."""

    code = "pending_login_expired"
    default_detail = "This login has ended. Log in again."


class SecondFactorRequiredError(UnauthorizedError):
    """The first factor was right, and a second one is required; `factors` names those that are accepted.

    `pending` is the secret of the pending login, which the second factor finishes within `expires_in` seconds.
    """

    code = "second_factor_required"
    page: ClassVar[str] = "second_factor"
    default_detail = "A second factor is needed."
    oauth2 = "mfa_required"
    pending: str = ""
    expires_in: int = 0

    def __init__(self, factors: Sequence[str] = ()) -> None:
        """Take the factors that are accepted, such as `otp`."""
        super().__init__()
        self.factors: tuple[str, ...] = tuple(factors)

    def members(self) -> dict[str, Any]:
        """Return the factors and the pending login."""
        return {"factors": self.factors, **_pending_of(self)}

    def oauth2_members(self) -> dict[str, Any]:
        """Return the same for the token endpoint."""
        return self.members()

    @classmethod
    def example(cls) -> "SecondFactorRequiredError":
        """Return the error of a login that needs a one-time password."""
        return _with_pending(cls(["otp"]))


class SecondFactorSetupRequiredError(ForbiddenError):
    """The first factor was right, and the user has to set up a second one to log in.

    `pending` is the secret of the pending login, which only the endpoints that set up a factor take.
    """

    code = "second_factor_setup_required"
    default_detail = "Set up a second factor to log in."
    oauth2 = "mfa_required"
    pending: str = ""
    expires_in: int = 0

    def members(self) -> dict[str, Any]:
        """Return the pending login."""
        return _pending_of(self)

    @classmethod
    def example(cls) -> "SecondFactorSetupRequiredError":
        """Return the error of a login."""
        return _with_pending(cls())


P = TypeVar("P", SecondFactorRequiredError, SecondFactorSetupRequiredError)


def _pending_of(error: SecondFactorRequiredError | SecondFactorSetupRequiredError) -> dict[str, Any]:
    return {"pending": error.pending, "expires_in": error.expires_in} if error.pending else {}


def _with_pending(error: P) -> P:
    error.pending, error.expires_in = "3q2-7wAAyXo1b9dVYxM0Jc5nQmTtU8r6LhKpEfGsZiA", 300
    return error
