"""Errors about the state of an account."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from asgi_auth.errors.authorization import ForbiddenError
from asgi_auth.errors.base import AuthError
from asgi_auth.errors.request import NotFoundError, ValidationError
from asgi_auth.model.ban import Ban


class AccountDisabledError(ForbiddenError):
    """The account is closed or disabled; answered only after the right password.

    `reason` and `until` (seconds since 1970) are those of a ban whose user is told.
    """

    code = "account_disabled"
    default_detail = "The account is disabled."
    oauth2 = "invalid_grant"
    sometimes: ClassVar[frozenset[str]] = frozenset({"reason", "until"})
    reason: str = ""
    until: int | None = None

    def __init__(self, ban: Ban | None = None) -> None:
        """Take the ban, if there is one."""
        super().__init__()
        if ban is not None and ban.tell:
            self.reason, self.until = ban.reason, ban.until

    def members(self) -> dict[str, Any]:
        """Return reason and end, where they are told."""
        told = {"reason": self.reason, "until": self.until}
        return {name: value for name, value in told.items() if value}

    @classmethod
    def example(cls) -> "AccountDisabledError":
        """Return the error of a ban that is told."""
        return cls(Ban(reason="Spam in three discussions", until=1_800_086_400, tell=True))


class EmailNotVerifiedError(ForbiddenError):
    """The address must be verified first; at a login, answered only after the right password."""

    code = "email_not_verified"
    default_detail = "Verify your email address first."
    oauth2 = "invalid_grant"


class AlreadyVerifiedError(AuthError):
    """The user's address is verified already."""

    status = 409
    code = "already_verified"
    default_detail = "This address is verified already."


class UserExistsError(AuthError):
    """Another account has this email address."""

    status = 409
    code = "user_exists"
    fields: ClassVar[tuple[str, ...]] = ("email", "new_email")
    default_detail = "There is already an account with this address."


class UserIdExistsError(UserExistsError):
    """Another account has this id; raised in administration only, never by a public endpoint."""

    code = "user_id_exists"
    default_detail = "There is already an account with this id."


class SessionNotFoundError(NotFoundError):
    """The user has no live session with this id."""

    code = "session_not_found"
    default_detail = "There is no such session."


class FactorExistsError(AuthError):
    """The account has this second factor already, or must set up none while it has another one."""

    status = 409
    code = "factor_exists"
    default_detail = "The account has this second factor already. Remove it first."


class PasskeyExistsError(AuthError):
    """An account has this passkey already."""

    status = 409
    code = "passkey_exists"
    default_detail = "This passkey is registered already."
    fields: ClassVar[tuple[str, ...]] = ("credential",)


class TooManyPasskeysError(AuthError):
    """The account has as many passkeys as it may have."""

    status = 409
    code = "too_many_passkeys"
    default_detail = "The account has too many passkeys. Delete one first."


class LastWayInError(AuthError):
    """The account would have no way to log in any more."""

    status = 409
    code = "last_way_in"
    default_detail = "This is the last way to log in to the account. Add another one first."


class LastAdministratorError(AuthError):
    """The user is the last one that may give roles, and may not close the account."""

    status = 409
    code = "last_administrator"
    default_detail = "You are the last user that may give roles. Give another user this right first."


class UserNotFoundError(NotFoundError):
    """No user has this id; raised in administration only, never by a public endpoint."""

    code = "user_not_found"
    default_detail = "There is no such user."


class UnknownRoleError(ValidationError, ValueError):
    """The setting `permissions` names no such role; in process, a ValueError as well."""

    code = "unknown_role"
    default_detail = "There is no such role."

    def __init__(self, errors: Mapping[str, Sequence[str]], text: str | None = None) -> None:
        """Take the reasons by field name; `text`, for the developer of the host, is in no answer."""
        super().__init__(errors)
        self.text: str = text or self.detail

    def __str__(self) -> str:
        """Return the text for the developer."""
        return self.text

    @classmethod
    def example(cls) -> "UnknownRoleError":
        """Return the error of one role."""
        return cls({"roles": ["There is no role editro."]})
