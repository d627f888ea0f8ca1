"""What an endpoint demands of its caller: a login, a fresh one, a second factor, a permission, a session."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Protocol

from asgi_auth.errors import (
    AuthError,
    ForbiddenError,
    FreshLoginRequiredError,
    ImpersonatedError,
    SecondFactorNeededError,
    ServiceUnavailableError,
    SessionNeededError,
)
from asgi_auth.feature.endpoint import Endpoint
from asgi_auth.sessions.identity import SESSION, Identity
from asgi_auth.sessions.second_factors import SecondFactorGate


class Participant(Protocol):
    """The part of a feature that authenticates."""

    @property
    def endpoints(self) -> Sequence[Endpoint]:
        """The endpoints that it declares."""

    def overrides(self, hook: str) -> bool:
        """Tell whether the feature has a hook."""


class Admission:
    """Checks the caller of an endpoint, before its fields are looked at."""

    def __init__(
        self,
        features: Sequence[Participant],
        gate: SecondFactorGate,
        fresh: int,
        start: Callable[[], Awaitable[None]],
        confirm: Callable[[Identity], Awaitable[Identity]],
    ) -> None:
        """Take the features, and the gate that knows the second factors of a user.

        A fresh login is at most `fresh` seconds old. `start` starts the storage; `confirm` reads session and roles of
        an identity from it, and the status of its user.
        """
        self._gate = gate
        self._lets_act = any(
            endpoint.acting and endpoint.gives_tokens and endpoint.ends_session
            for feature in features
            for endpoint in feature.endpoints
        )
        self._takes_others = any(feature.overrides("authenticate") for feature in features)
        self._fresh = timedelta(seconds=fresh)
        self._start = start
        self._confirm = confirm

    async def check(self, endpoint: Endpoint, identity: Identity) -> Identity:
        """Return the identity for the endpoint; raises UnauthorizedError and ForbiddenError.

        An endpoint that demands more than a login gets session and roles as the database has them, whatever is cached.
        """
        if identity.actor is not None and identity.kind == SESSION:
            identity = await self._check_actor(endpoint, identity)
        if endpoint.needs_login:
            identity.require()
        if "identity" not in endpoint.injected or not identity.is_authenticated:
            return identity
        if identity.kind != SESSION and not endpoint.keys:
            raise SessionNeededError
        if endpoint.fresh or endpoint.second_factor or endpoint.permission:
            await self._start()
            identity = await self._confirm(identity)
            identity.require(permissions=endpoint.permission or ())
            await self._prove(identity, fresh=endpoint.fresh, second_factor=endpoint.second_factor)
        return identity

    async def _check_actor(self, endpoint: Endpoint, identity: Identity) -> Identity:
        """Refuse an endpoint that is for the user alone, and to write for a user with more permissions by now."""
        if endpoint.is_for_user_alone:
            raise ImpersonatedError
        if endpoint.may_be_outranked or "identity" not in endpoint.injected:
            return identity
        await self._start()
        identity = await self._confirm(identity)
        if identity.outranks_actor:
            raise ImpersonatedError
        return identity

    async def prove(self, identity: Identity, *, fresh: bool = True) -> None:
        """Require a fresh login, and a fresh second factor of users that have one, in place of a password.

        Without `fresh`, beside a password: a second factor of users that have one, however long ago.

        Raises FreshLoginRequiredError with the ways to prove it again, and SecondFactorNeededError.
        """
        if identity.actor is not None:
            raise ImpersonatedError
        await self._prove(await self._confirm(identity.require()), fresh=fresh, second_factor=True)

    async def _prove(self, identity: Identity, *, fresh: bool, second_factor: bool) -> None:
        try:
            if fresh:
                identity.require(fresh=self._fresh)
            if second_factor:
                await self._gate.demand(identity, self._fresh if fresh else None)
        except FreshLoginRequiredError as error:
            error.ways = await self._gate.ways(identity, second_factor=second_factor)
            raise

    async def explain(self, error: SecondFactorNeededError, identity: Identity) -> None:
        """Complete an error for a user without a second factor. While the database is away, it stays as it is."""
        with suppress(ServiceUnavailableError):
            if identity.is_authenticated and not await self._gate.has_factors(identity):
                error.for_users_without()

    def errors_at(self, endpoint: Endpoint) -> list[type[AuthError]]:
        """Name the errors of callers that are logged in, and that the endpoint does not accept."""
        knows_caller = "identity" in endpoint.injected
        is_judged = knows_caller and not endpoint.may_be_outranked
        possible: dict[type[AuthError], object] = {
            ForbiddenError: endpoint.permission,
            FreshLoginRequiredError: endpoint.fresh,
            SecondFactorNeededError: endpoint.second_factor and self._gate.knows_factors,
            ImpersonatedError: self._lets_act and (endpoint.is_for_user_alone or is_judged),
            SessionNeededError: self._takes_others and knows_caller and not endpoint.keys,
        }
        return [kind for kind, is_possible in possible.items() if is_possible]
