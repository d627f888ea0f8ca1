"""Errors about the state of an account."""

from typing import ClassVar

from asgi_auth.errors.authorization import ForbiddenError
from asgi_auth.errors.base import AuthError
from asgi_auth.errors.request import NotFoundError


class AccountDisabledError(ForbiddenError):
    """The account is closed or disabled; answered only after the right password."""

    code = "account_disabled"
    default_detail = "The account is disabled."
    oauth2 = "invalid_grant"


class EmailNotVerifiedError(ForbiddenError):
    """The address must be verified first; answered only after the right password."""

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


class SessionNotFoundError(NotFoundError):
    """The user has no live session with this id."""

    code = "session_not_found"
    default_detail = "There is no such session."


class FactorExistsError(AuthError):
    """The account has this second factor already, or must set up none while it has another one."""

    status = 409
    code = "factor_exists"
    default_detail = "The account has this second factor already. Remove it first."


class LastWayInError(AuthError):
    """The account would have no way to log in any more."""

    status = 409
    code = "last_way_in"
    default_detail = "This is the last way to log in to the account. Add another one first."


class UserNotFoundError(NotFoundError):
    """No user has this id; raised in administration only, never by a public endpoint."""

    code = "user_not_found"
    default_detail = "There is no such user."
