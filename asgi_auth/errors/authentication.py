"""Errors of requests that need a login, or another one."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

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
    default_detail = "Log in again to do this."
    challenge: ClassVar[str | None] = "insufficient_user_authentication"


class SecondFactorRequiredError(UnauthorizedError):
    """The first factor was right, and a second one is required; `factors` names those that are accepted."""

    code = "second_factor_required"
    default_detail = "A second factor is needed."

    def __init__(self, factors: Sequence[str] = ()) -> None:
        """Take the factors that are accepted, such as `otp`."""
        super().__init__()
        self.factors: tuple[str, ...] = tuple(factors)

    def members(self) -> dict[str, Any]:
        """Return the factors."""
        return {"factors": self.factors}

    @classmethod
    def example(cls) -> "SecondFactorRequiredError":
        """Return the error of a login that needs a one-time password."""
        return cls(["otp"])
