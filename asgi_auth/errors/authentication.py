"""Errors of requests that need a login, or another one."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, TypeVar

from asgi_auth.errors.authorization import SETUP_PAGES, ForbiddenError
from asgi_auth.errors.base import AuthError
from asgi_auth.model.answers import SetCookie

#: The characters that the attributes of a challenge must not contain (RFC 6750, section 3).
UNQUOTABLE = re.compile(r"[^\x20\x21\x23-\x5b\x5d-\x7e]")


class UnauthorizedError(AuthError):
    """The request is not authenticated; `challenge` is the error attribute of RFC 6750, section 3."""

    status = 401
    code = "unauthorized"
    default_detail = "Log in to do this."
    oauth2 = "invalid_grant"
    challenge: ClassVar[str | None] = None
    #: Further parameters of the challenge, at a protected resource (RFC 9728, 5.1).
    at_resource: str = ""
    header_meanings: ClassVar[Mapping[str, str]] = {"WWW-Authenticate": "The Bearer challenge (RFC 6750, section 3)."}

    @property
    def headers(self) -> list[tuple[str, str]]:
        """The Bearer challenge; without credentials it names no error (RFC 6750, section 3.1)."""
        if self.challenge is None:
            return [("www-authenticate", f"Bearer {self.at_resource}".strip())]
        description = UNQUOTABLE.sub("?", self.detail)
        value = f'Bearer error="{self.challenge}", error_description="{description}"'
        return [("www-authenticate", ", ".join(filter(None, (value, self.at_resource))))]


class InvalidClientError(AuthError):
    """A program that must name itself has not, or its secret is wrong (RFC 6749, section 5.2)."""

    status = 401
    code = "invalid_client"
    default_detail = "The program is unknown, or its secret is wrong."
    oauth2 = "invalid_client"
    of_program: ClassVar[bool] = True
    header_meanings: ClassVar[Mapping[str, str]] = {"WWW-Authenticate": "The Basic challenge (RFC 7617, section 2)."}

    @property
    def headers(self) -> list[tuple[str, str]]:
        """The challenge: name and secret are shown by Basic."""
        return [("www-authenticate", 'Basic realm="programs", charset="UTF-8"')]


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
    """The login is too old for this action (RFC 9470); `ways` names what the user can prove again."""

    code = "fresh_login_required"
    page: ClassVar[str] = "reauthenticate"
    default_detail = "Log in again to do this."
    challenge: ClassVar[str | None] = "insufficient_user_authentication"
    ways: tuple[str, ...] = ()

    def members(self) -> dict[str, Any]:
        """Return the ways by which the user can prove who they are, where they are known."""
        return {"ways": self.ways} if self.ways else {}


class InvalidCodeError(UnauthorizedError):
    """The code of a second factor is wrong, too old, or was used before; the error never tells which."""

    code = "invalid_code"
    default_detail = "The code is wrong, or was used before."
    fields: ClassVar[tuple[str, ...]] = ("code",)


class InvalidPasskeyError(UnauthorizedError):
    """The answer of the browser is wrong, too old, was used before, or its key is unknown; it never tells which."""

    code = "invalid_passkey"
    default_detail = "The passkey was not accepted. Try again."
    fields: ClassVar[tuple[str, ...]] = ("credential",)


class PendingLoginExpiredError(UnauthorizedError):
    """The pending login is too old, was finished, has had too many attempts, or its first factor has changed."""

    code = "pending_login_expired"
    default_detail = "This login has ended. Log in again."


class WithNextStep:
    """The errors with a secret that the next step takes.

    The secret is in the body, or with `in_cookie` in a cookie that only the endpoints of the library read.
    """

    in_cookie: bool = False


class WithPendingLogin(WithNextStep):
    """The errors with a pending login: its secret `pending` finishes it within `expires_in` seconds."""

    oauth2 = "mfa_required"
    sometimes: ClassVar[frozenset[str]] = frozenset({"pending"})
    pending: str = ""
    expires_in: int = 0

    @property
    def http_cookies(self) -> Sequence[SetCookie]:
        """The cookie with the secret."""
        return (SetCookie("pending", self.pending, self.expires_in),) if self.in_cookie and self.pending else ()

    def members(self) -> dict[str, Any]:
        """Return the pending login."""
        if not self.pending:
            return {}
        return {"expires_in": self.expires_in} if self.in_cookie else self.shown()

    def shown(self) -> dict[str, Any]:
        """Return the pending login with its secret."""
        return {"pending": self.pending, "expires_in": self.expires_in}

    def oauth2_members(self) -> dict[str, Any]:
        """Return the same for the token endpoint."""
        return self.members()


class SecondFactorRequiredError(WithPendingLogin, UnauthorizedError):
    """The first factor was right, and a second one is required; `factors` names those that are accepted."""

    code = "second_factor_required"
    default_detail = "A second factor is needed."
    page: ClassVar[str] = "second_factor"

    def __init__(self, factors: Sequence[str] = ()) -> None:
        """Take the factors that are accepted, such as `otp`."""
        super().__init__()
        self.factors: tuple[str, ...] = tuple(factors)

    def members(self) -> dict[str, Any]:
        """Return the factors and the pending login."""
        return {"factors": self.factors, **super().members()}

    @classmethod
    def example(cls) -> "SecondFactorRequiredError":
        """Return the error of a login that needs a one-time password."""
        return with_pending(cls(["otp"]))


class SecondFactorSetupRequiredError(WithPendingLogin, ForbiddenError):
    """The first factor was right, and the user has to set up a second one to log in.

    Only the endpoints that set up a factor take the pending login.
    """

    code = "second_factor_setup_required"
    default_detail = "Set up a second factor to log in."

    @property
    def leads_to(self) -> Sequence[str]:
        """The pages where a second factor is set up."""
        return SETUP_PAGES

    @classmethod
    def example(cls) -> "SecondFactorSetupRequiredError":
        """Return the error of a login."""
        return with_pending(cls())


P = TypeVar("P", bound=WithPendingLogin)


def with_pending(error: P) -> P:
    """Give an error the pending login of an example."""
    error.pending, error.expires_in = "3q2-7wAAyXo1b9dVYxM0Jc5nQmTtU8r6LhKpEfGsZiA", 300
    return error
