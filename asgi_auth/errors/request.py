"""Errors of requests that cannot be read, routed or accepted as they are."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from asgi_auth.errors.base import AuthError


class BadRequestError(AuthError):
    """The request cannot be read: broken JSON, a repeated header, a malformed value."""

    code = "bad_request"
    default_detail = "The request could not be understood."
    #: Whether the cookies of the session cannot be used, such as those of two users: a logout deletes them.
    of_cookies: bool = False

    @property
    def text_code(self) -> str:
        """The code of the text: another one for cookies that cannot be used."""
        return "unusable_cookies" if self.of_cookies else self.code


class UnsupportedGrantTypeError(BadRequestError):
    """The token endpoint takes `password` and `refresh_token` (RFC 6749, section 5.2)."""

    code = "unsupported_grant_type"
    default_detail = "The grant type is password or refresh_token."
    oauth2 = "unsupported_grant_type"


class NotFoundError(AuthError):
    """The path or the object does not exist, or belongs to another user."""

    status = 404
    code = "not_found"
    default_detail = "There is nothing here."


class MethodNotAllowedError(AuthError):
    """The path does not support this method; `allow` lists the supported methods."""

    status = 405
    code = "method_not_allowed"
    default_detail = "This method is not offered here."
    header_meanings: ClassVar[Mapping[str, str]] = {"Allow": "The methods that are offered."}

    def __init__(self, allow: Sequence[str] = ()) -> None:
        """Take the methods of the Allow header."""
        super().__init__()
        self.allow: tuple[str, ...] = tuple(allow)

    @property
    def headers(self) -> list[tuple[str, str]]:
        """The Allow header (RFC 9110, section 15.5.6)."""
        return [("allow", ", ".join(self.allow))]


class RequestTimeoutError(AuthError):
    """The body did not arrive within `body_timeout` seconds."""

    status = 408
    code = "request_timeout"
    default_detail = "The request took too long to arrive."


class BodyTooLargeError(AuthError):
    """The body is larger than `max_body` bytes."""

    status = 413
    code = "body_too_large"
    default_detail = "The request is too large."


class UnsupportedMediaTypeError(AuthError):
    """The endpoint does not read this content type or content encoding."""

    status = 415
    code = "unsupported_media_type"
    default_detail = "Send this request as application/json."


class ValidationError(AuthError):
    """Fields are missing, unknown or invalid; `errors` has the reasons for each field."""

    status = 422
    code = "validation_error"
    default_detail = "Some fields are not right."

    def __init__(self, errors: Mapping[str, Sequence[str]], detail: str | None = None) -> None:
        """Take the reasons by field name; `reasons` keeps the objects, which know their codes."""
        super().__init__(detail)
        self.reasons: dict[str, list[str]] = {name: list(reasons) for name, reasons in errors.items()}
        self.errors: dict[str, list[str]] = {
            name: [str(reason) for reason in reasons] for name, reasons in errors.items()
        }

    def members(self) -> dict[str, Any]:
        """Return the reasons for each field."""
        return {"errors": self.errors}

    @classmethod
    def example(cls) -> "ValidationError":
        """Return the error of a missing address."""
        return cls({"email": ["This field is missing."]})


class PasswordPolicyError(ValidationError):
    """The new password breaks the policy; all reasons at once (NIST SP 800-63B-4, 3.1.1.2)."""

    code = "password_validation"
    default_detail = "Choose another password."
