"""Errors of access tokens, refresh tokens and mailed one-time tokens."""

from typing import ClassVar

from asgi_auth.errors.authentication import UnauthorizedError
from asgi_auth.errors.request import BadRequestError
from asgi_auth.model import event_types as events


class InvalidTokenError(UnauthorizedError):
    """The token is malformed, forged, or issued for another service."""

    code = "invalid_token"
    default_detail = "The token is not valid."
    challenge: ClassVar[str | None] = "invalid_token"


class TokenExpiredError(InvalidTokenError):
    """The token is genuine and has expired."""

    code = "token_expired"
    default_detail = "The token has expired."


class TokenRevokedError(InvalidTokenError):
    """The session of the token has ended."""

    #: Whether another user acted in the session. The session of that user may be back in the browser by now: a late
    #: response must not delete its cookies.
    of_actor: bool = False
    code = "token_revoked"
    default_detail = "The session has ended."


class TokenReuseError(InvalidTokenError):
    """A refresh token came again after its successor was used; its session has been ended (RFC 9700, 4.14.2)."""

    event: ClassVar[str | None] = events.TOKEN_REUSE
    code = "token_reuse"
    default_detail = "The refresh token was used before; the session has been ended."


class InvalidOneTimeTokenError(BadRequestError):
    """The mailed token or code is wrong, expired, or was used before."""

    event: ClassVar[str | None] = events.ONE_TIME_TOKEN
    code = "invalid_one_time_token"
    default_detail = "This link or code is not valid any more. Ask for a new one."


class InvalidVerificationTokenError(InvalidOneTimeTokenError):
    """The link or code of a verification mail is wrong, expired, or was used before."""

    code = "invalid_verification_token"


class InvalidResetTokenError(InvalidOneTimeTokenError):
    """The link or code of a reset mail is wrong, expired, or was used before."""

    code = "invalid_reset_token"
