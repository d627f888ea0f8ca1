"""Every error the library raises on purpose; each knows its HTTP status and its stable code.

AuthError
├── BadRequestError                 400 bad_request
├── UnauthorizedError               401 unauthorized
│   ├── InvalidCredentialsError     401 invalid_credentials
│   ├── FreshLoginRequiredError     401 fresh_login_required
│   ├── SecondFactorRequiredError   401 second_factor_required
│   └── InvalidTokenError           401 invalid_token
│       ├── TokenExpiredError       401 token_expired
│       ├── TokenRevokedError       401 token_revoked
│       └── TokenReuseError         401 token_reuse
├── ForbiddenError                  403 forbidden
│   ├── AccountDisabledError        403 account_disabled
│   └── CrossSiteRequestError       403 cross_site_request
├── NotFoundError                   404 not_found
│   ├── SessionNotFoundError        404 session_not_found
│   └── UserNotFoundError           404 user_not_found
├── MethodNotAllowedError           405 method_not_allowed
├── RequestTimeoutError             408 request_timeout
├── UserExistsError                 409 user_exists
├── BodyTooLargeError               413 body_too_large
├── UnsupportedMediaTypeError       415 unsupported_media_type
├── ValidationError                 422 validation_error
│   └── PasswordPolicyError         422 password_validation
├── InternalError                   500 internal_error
└── ServiceUnavailableError         503 service_unavailable
    ├── BusyError                   503 busy
    └── StorageUnavailableError     503 storage_unavailable

Mistakes in the configuration are a plain ValueError, raised when the object is made.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from asgi_auth._refusal import UNQUOTABLE, Refusal
from asgi_auth.model import event_types as events


class AuthError(Refusal):
    """Base of all errors that are answered to the client; `detail` is written for people."""

    status: ClassVar[int] = 400
    code: ClassVar[str] = "auth_error"
    default_detail: ClassVar[str] = "The request was refused."
    #: Error names of RFC 6749, section 5.2, for the OAuth 2 token endpoint.
    oauth2: ClassVar[str] = "invalid_request"

    def __init__(self, detail: str | None = None) -> None:
        """Take the text for people; the class's own by default."""
        self.detail = detail or self.default_detail
        super().__init__(self.detail)

    @property
    def headers(self) -> list[tuple[str, str]]:
        """Headers that the answer must carry because of this error."""
        return []


class BadRequestError(AuthError):
    """The request can't be read: broken JSON, doubled header, malformed value."""

    code = "bad_request"
    default_detail = "The request could not be understood."


class UnauthorizedError(AuthError):
    """Nobody is logged in; `challenge` is the error attribute of RFC 6750, section 3."""

    status = 401
    code = "unauthorized"
    default_detail = "Log in to do this."
    oauth2 = "invalid_grant"
    challenge: ClassVar[str | None] = None
    header_meanings: ClassVar = {"WWW-Authenticate": "The Bearer challenge (RFC 6750, section 3)."}

    @property
    def headers(self) -> list[tuple[str, str]]:
        """The Bearer challenge; without credentials it names no error (RFC 6750, section 3.1)."""
        if self.challenge is None:
            return [("www-authenticate", "Bearer")]
        description = UNQUOTABLE.sub("?", self.detail)
        value = f'Bearer error="{self.challenge}", error_description="{description}"'
        return [("www-authenticate", value)]


class InvalidCredentialsError(UnauthorizedError):
    """The login was refused; it never tells which part was wrong."""

    code = "invalid_credentials"
    default_detail = "The address or the password is wrong."


class FreshLoginRequiredError(UnauthorizedError):
    """The login is too long ago for this action (RFC 9470)."""

    code = "fresh_login_required"
    default_detail = "Log in again to do this."
    challenge = "insufficient_user_authentication"


class SecondFactorRequiredError(UnauthorizedError):
    """One factor was right and another is still wanted; `factors` names those that will do."""

    code = "second_factor_required"
    default_detail = "A second factor is needed."

    def __init__(self, factors: Sequence[str] = ()) -> None:
        """Name the factors that are open, such as `otp`."""
        super().__init__()
        self.factors = tuple(factors)


class InvalidTokenError(UnauthorizedError):
    """The token is malformed, forged, or not for us."""

    code = "invalid_token"
    default_detail = "The token is not valid."
    challenge = "invalid_token"


class TokenExpiredError(InvalidTokenError):
    """The token was good once."""

    code = "token_expired"
    default_detail = "The token has expired."


class TokenRevokedError(InvalidTokenError):
    """The session of the token has ended."""

    code = "token_revoked"
    default_detail = "The session has ended."


class TokenReuseError(InvalidTokenError):
    """A refresh token was used again after its time; its session has been ended (RFC 9700, 4.14.2)."""

    event = events.TOKEN_REUSE
    code = "token_reuse"
    default_detail = "The refresh token was used before; the session has been ended."


class ForbiddenError(AuthError):
    """Somebody is logged in, and may not do this (RFC 6750: insufficient_scope)."""

    status = 403
    code = "forbidden"
    default_detail = "You may not do this."
    oauth2 = "access_denied"


class AccountDisabledError(ForbiddenError):
    """The account is closed or disabled; told only after the right password."""

    code = "account_disabled"
    default_detail = "The account is disabled."
    oauth2 = "invalid_grant"


class CrossSiteRequestError(ForbiddenError):
    """An unsafe request with cookies came from a page of another origin."""

    event = events.CROSS_SITE
    code = "cross_site_request"
    default_detail = "The request came from another site."


class NotFoundError(AuthError):
    """There is no such thing, or it isn't yours."""

    status = 404
    code = "not_found"
    default_detail = "There is nothing here."


class SessionNotFoundError(NotFoundError):
    """No live session of the user has this id."""

    code = "session_not_found"
    default_detail = "There is no such session."


class UserNotFoundError(NotFoundError):
    """No user has this id; for administration only, never told to strangers."""

    code = "user_not_found"
    default_detail = "There is no such user."


class MethodNotAllowedError(AuthError):
    """The path exists, the method doesn't; `allow` lists those that do."""

    status = 405
    code = "method_not_allowed"
    default_detail = "This method is not offered here."
    header_meanings: ClassVar = {"Allow": "The methods that are offered."}

    def __init__(self, allow: Sequence[str] = ()) -> None:
        """Take the methods of the Allow header."""
        super().__init__()
        self.allow = tuple(allow)

    @property
    def headers(self) -> list[tuple[str, str]]:
        """The Allow header (RFC 9110, section 15.5.6)."""
        return [("allow", ", ".join(self.allow))]


class RequestTimeoutError(AuthError):
    """The body did not arrive in time."""

    status = 408
    code = "request_timeout"
    default_detail = "The request took too long to arrive."


class UserExistsError(AuthError):
    """The email address is taken."""

    status = 409
    code = "user_exists"
    default_detail = "There is already an account with this address."


class BodyTooLargeError(AuthError):
    """The body is larger than `max_body` bytes."""

    status = 413
    code = "body_too_large"
    default_detail = "The request is too large."


class UnsupportedMediaTypeError(AuthError):
    """The content type or encoding isn't the one this endpoint reads."""

    status = 415
    code = "unsupported_media_type"
    default_detail = "Send this request as application/json."


class ValidationError(AuthError):
    """Fields are missing, unknown or wrong; `errors` says for each field what is the matter."""

    status = 422
    code = "validation_error"
    default_detail = "Some fields are not right."

    def __init__(self, errors: Mapping[str, Sequence[str]], detail: str | None = None) -> None:
        """Take the reasons for each field's name; `reasons` keeps those that know their code."""
        super().__init__(detail)
        self.reasons = {name: list(reasons) for name, reasons in errors.items()}
        self.errors = {name: [str(reason) for reason in reasons] for name, reasons in errors.items()}


class PasswordPolicyError(ValidationError):
    """The new password breaks the policy; all reasons at once (NIST SP 800-63B-4, 3.1.1.2)."""

    code = "password_validation"
    default_detail = "Choose another password."


class InternalError(AuthError):
    """Something of ours broke; it is in the log, not in the answer."""

    status = 500
    code = "internal_error"
    default_detail = "Something went wrong on our side."
    oauth2 = "server_error"


class ServiceUnavailableError(AuthError):
    """Try again in `retry_after` seconds."""

    status = 503
    code = "service_unavailable"
    default_detail = "The service is not available right now. Try again in a moment."
    oauth2 = "temporarily_unavailable"
    header_meanings: ClassVar = {"Retry-After": "Seconds to wait."}
    retry_after: ClassVar[int] = 2

    @property
    def headers(self) -> list[tuple[str, str]]:
        """When to try again (RFC 9110, section 10.2.3)."""
        return [("retry-after", str(self.retry_after))]


class BusyError(ServiceUnavailableError):
    """Too many passwords are waiting to be hashed."""

    code = "busy"
    default_detail = "Too many logins at once. Try again in a moment."


class StorageUnavailableError(ServiceUnavailableError):
    """The database is away, locked or too slow."""

    code = "storage_unavailable"
