"""The errors of logins by other providers."""

from collections.abc import Sequence
from typing import Any, ClassVar

from asgi_auth.errors import AuthError, ForbiddenError, UnauthorizedError
from asgi_auth.errors.authentication import WithNextStep
from asgi_auth.feature import SetCookie

#: The field, the member and the cookie with the secret of a sign-up that is not complete.
SIGN_UP = "sign_up"
EXAMPLE = "3q2-7wAAyXo1b9dVYxM0Jc5nQmTtU8r6LhKpEfGsZiA"


class InvalidLoginStateError(AuthError):
    """The browser did not begin this login, has finished it before, or took longer than ten minutes."""

    code = "invalid_login_state"
    default_detail = "This login was not begun in this browser, or has expired. Begin again."


class InvalidHandoffError(UnauthorizedError):
    """The token of a login is unknown, older than a minute or used, or the verifier is not that of its script."""

    code = "invalid_handoff"
    default_detail = "This login has expired, or was finished before. Begin again."


class ProviderRefusedError(AuthError):
    """The provider has refused the login, or its answer failed a check.

    `cause` says which check. The event in the log has it, and the answer has not.
    """

    code = "provider_refused"
    default_detail = "The other service did not log you in. Try again, or log in another way."

    def __init__(self, cause: str = "", *, ends_grant: bool = False) -> None:
        """Take the cause, in one line. `ends_grant`: the provider says that the code or the refresh token is void."""
        super().__init__()
        self.cause: str = " ".join(cause.split())
        self.ends_grant = ends_grant

    def __str__(self) -> str:
        """Return the cause."""
        return self.cause


class IdentityTakenError(AuthError):
    """The account at the provider is linked to another user."""

    status = 409
    code = "identity_taken"
    default_detail = "This login of the other service belongs to another account."


class OtherIdentityError(ForbiddenError):
    """The account at the provider is none of those that are linked to this user."""

    code = "other_identity"
    default_detail = "You logged in to another account of the other service. Use the one that is linked here."


class LinkNeededError(AuthError):
    """An account has the address of the provider, and the provider's account is not linked to it."""

    status = 409
    code = "link_needed"
    default_detail = "There is an account with this address. Log in to it, and link the other service there."


class SignUpIncompleteError(WithNextStep, AuthError):
    """The account lacks something that the provider does not know: `missing` names it.

    The secret `sign_up` completes the sign-up within `expires_in` seconds. It is in the body, or in a cookie.
    """

    status = 422
    code = "sign_up_incomplete"
    page: ClassVar[str] = "oidc_sign_up"
    sometimes: ClassVar[frozenset[str]] = frozenset({SIGN_UP})

    def __init__(self, missing: Sequence[str] = (), secret: str = "", expires_in: int = 0) -> None:
        """Take the names of what is missing, and the secret with the seconds that it lives."""
        super().__init__()
        self.missing = tuple(missing)
        self.expires_in = expires_in
        self._secret = secret

    @property
    def http_cookies(self) -> Sequence[SetCookie]:
        """The cookie with the secret."""
        return (SetCookie(SIGN_UP, self._secret, self.expires_in),) if self.in_cookie and self._secret else ()

    def members(self) -> dict[str, Any]:
        """Return what is missing, and the secret unless it is in the cookie."""
        known = {"missing": self.missing, "expires_in": self.expires_in}
        return known if self.in_cookie else known | {SIGN_UP: self._secret}


class EmailNeededError(SignUpIncompleteError):
    """The provider named no address, and an account needs one."""

    code = "email_needed"
    default_detail = "The other service named no email address. Enter one to go on."

    @classmethod
    def example(cls) -> "EmailNeededError":
        """Return the error of a sign-up that lacks the address."""
        return cls(["email"], EXAMPLE, 600)


class FieldsNeededError(SignUpIncompleteError):
    """An account needs further fields, which the provider does not know."""

    code = "fields_needed"
    default_detail = "Your account needs some more. Enter it to go on."

    @classmethod
    def example(cls) -> "FieldsNeededError":
        """Return the error of a sign-up that lacks a field."""
        return cls(["username"], EXAMPLE, 600)


class RegistrationClosedError(ForbiddenError):
    """Logins by providers make no accounts."""

    code = "registration_closed"
    default_detail = "There is no account for this login, and none can be made this way."
