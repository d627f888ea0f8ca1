"""Whether a caller meets the demands of a guard."""

from typing import Protocol

from asgi_auth.errors import (
    AuthError,
    EmailNotVerifiedError,
    ForbiddenError,
    FreshLoginRequiredError,
    InsufficientScopeError,
    SecondFactorNeededError,
    UnauthorizedError,
)
from asgi_auth.model.limits import MAX_SKEW
from asgi_auth.model.records import User
from asgi_auth.sessions.demand import Demand
from asgi_auth.sessions.source import Source

#: The kind of the identity of a session.
SESSION = "session"
#: The kind of the identity of a client that the user has let in, such as an MCP client.
CLIENT = "client"
#: The authentication method of a login with a second factor (RFC 8176).
MFA = "mfa"


class Caller(Protocol):
    """The part of an identity that demands are about."""

    @property
    def is_authenticated(self) -> bool:
        """Whether the caller is logged in."""

    @property
    def error(self) -> AuthError | None:
        """The reason why credentials were rejected."""

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles."""

    @property
    def permissions(self) -> frozenset[str]:
        """The permissions."""

    @property
    def scopes(self) -> list[str]:
        """The scopes."""

    @property
    def kind(self) -> str:
        """The kind of the credential."""

    @property
    def client(self) -> str | None:
        """The client that acts for the user."""

    @property
    def amr(self) -> tuple[str, ...]:
        """The authentication methods."""

    @property
    def auth_time(self) -> int:
        """The time of the login."""


def check(caller: Caller, demand: Demand, source: Source | None, user: User | None) -> None:
    """Check the demands; `user` is that of the caller, if it was read. Raises the errors of `Identity.require`."""
    if not caller.is_authenticated:
        raise caller.error or UnauthorizedError()
    if not demand.allows(caller.roles, caller.permissions if demand.permissions else ()):
        raise ForbiddenError
    if demand.scopes and not _has_scopes(caller, demand, source):
        raise InsufficientScopeError(scopes=demand.scopes)
    if caller.client is not None and (demand.fresh is not None or demand.second_factor):
        raise ForbiddenError
    if demand.fresh is not None and (
        source is None or not -MAX_SKEW <= source.now() - caller.auth_time <= demand.fresh.total_seconds()
    ):
        raise FreshLoginRequiredError
    if demand.second_factor and MFA not in caller.amr:
        raise SecondFactorNeededError
    if demand.verified:
        _check_verified(user)


def _check_verified(user: User | None) -> None:
    if user is None:
        raise RuntimeError("verified=True needs the user: `await identity.load()` before, or use `await admit(…)`")
    if not user.email_verified:
        raise EmailNotVerifiedError


def _has_scopes(caller: Caller, demand: Demand, source: Source | None) -> bool:
    """Tell whether a client has the scopes; a session of the user lacks those that are permissions of others."""
    if caller.client is not None:
        return set(demand.scopes) <= set(caller.scopes)
    declared = source.permissions.declared if source is not None else frozenset[str]()
    asked = set(demand.scopes) if caller.kind != SESSION else declared.intersection(demand.scopes)
    return asked <= caller.permissions
