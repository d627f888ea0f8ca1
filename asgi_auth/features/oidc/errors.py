"""The errors of logins by other providers."""

from asgi_auth.errors import AuthError, ForbiddenError, UnauthorizedError


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

    def __init__(self, cause: str = "") -> None:
        """Take the cause, in one line."""
        super().__init__()
        self.cause: str = " ".join(cause.split())

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


class EmailNeededError(AuthError):
    """The provider named no address, and an account needs one."""

    status = 422
    code = "email_needed"
    default_detail = "The other service named no email address. Allow it to, or register with an address."


class RegistrationClosedError(ForbiddenError):
    """Logins by providers make no accounts."""

    code = "registration_closed"
    default_detail = "There is no account for this login, and none can be made this way."
