"""Errors of the server itself."""

from collections.abc import Mapping
from typing import ClassVar, Self

from asgi_auth.errors.base import AuthError


class InternalError(AuthError):
    """The library or the host failed; the log has the cause, the answer does not."""

    status = 500
    code = "internal_error"
    default_detail = "Something went wrong on our side."
    oauth2 = "server_error"


class AsyncioRequiredError(InternalError):
    """The server runs an event loop that is not asyncio's, such as that of trio."""

    code = "asyncio_required"
    default_detail = "The server runs without asyncio, which authentication needs. Start it with asyncio workers."
    # An event could not be delivered without asyncio.
    reported = True


class ServiceUnavailableError(AuthError):
    """The service is not available; try again in `retry_after` seconds."""

    status = 503
    code = "service_unavailable"
    default_detail = "The service is not available right now. Try again in a moment."
    oauth2 = "temporarily_unavailable"
    header_meanings: ClassVar[Mapping[str, str]] = {"Retry-After": "Seconds to wait."}
    retry_after: ClassVar[int] = 2

    @property
    def headers(self) -> list[tuple[str, str]]:
        """The seconds to wait (RFC 9110, section 10.2.3)."""
        return [("retry-after", str(self.retry_after))]


class BusyError(ServiceUnavailableError):
    """No password can be hashed now: too many wait, or memory is short."""

    code = "busy"
    default_detail = "The server is busy. Try again in a moment."


class _Reasoned:
    """What errors share whose reason is for the log: the answer does not show it."""

    def __init__(self, reason: str) -> None:
        """Take the reason, in one line."""
        super().__init__()
        self.reason: str = " ".join(reason.split())

    def __str__(self) -> str:
        """Return the reason."""
        return self.reason

    @classmethod
    def example(cls) -> Self:
        """Return an instance as the OpenAPI document shows it."""
        return cls("")


class ProviderLoginNeededError(AuthError):
    """No token of the user at a provider is valid, and none can be refreshed: the user has to log in there again."""

    status = 409
    code = "provider_login_needed"
    default_detail = "Log in at the other service again."


class ProviderUnavailableError(_Reasoned, ServiceUnavailableError):
    """Another server that the request needs, such as an identity provider, gave no whole answer.

    `reason` says what happened. The log has it, and the answer does not.
    """

    code = "provider_unavailable"
    default_detail = "The other service does not answer right now. Try again in a moment."


class StorageUnavailableError(ServiceUnavailableError):
    """The database is unreachable, locked or too slow."""

    code = "storage_unavailable"


class StorageSetupError(_Reasoned, StorageUnavailableError):
    """The database works, but refuses this server: a grant, a password, a name, a certificate or a table is wrong.

    `reason` says what to do. The log has it, and the answer does not.
    """
