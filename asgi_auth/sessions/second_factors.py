"""The gate of second factors, which every login passes, whatever the first factor was."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import timedelta
from typing import ClassVar, Protocol

from asgi_auth.errors import (
    AuthError,
    FreshLoginRequiredError,
    SecondFactorNeededError,
    SecondFactorRequiredError,
    SecondFactorSetupRequiredError,
)
from asgi_auth.model.limits import MAX_SKEW
from asgi_auth.model.records import Client, Credential, LoginAttempt
from asgi_auth.sessions.factor import Factor
from asgi_auth.sessions.identity import MFA, SESSION, Identity
from asgi_auth.storage import Storage

#: The member of `Session.data` with the time at which a second factor was proven after the login.
SECOND_FACTOR_AT = "second_factor_at"
#: The member of `Credential.data` that marks a factor which cannot be shown any more.
USED_UP = "used_up"


class LoginCheck(Protocol):
    """The part of a feature that a login passes."""

    factor_kinds: Mapping[str, Factor]
    reauthenticates: ClassVar[Mapping[str, str]]

    async def before_login(self, login: LoginAttempt) -> None:
        """Raise to refuse the login."""

    async def second_factor(self, login: LoginAttempt) -> Collection[str]:
        """Name the further factors of which one is required."""

    def way_of(self, credential: Credential) -> str:
        """Name the way by which a logged-in user can prove a credential again."""

    async def needs_second_factor(self, login: LoginAttempt) -> bool:
        """Tell whether the user must have a second factor."""

    async def waives(self, login: LoginAttempt) -> bool:
        """Tell whether a login needs no second factor, though the user has one."""

    def overrides(self, hook: str) -> bool:
        """Tell whether the feature has a hook."""


class SecondFactorGate:
    """Asks the features which factors a user has, and whether one is required."""

    def __init__(self, features: Sequence[LoginCheck], storage: Storage, now: Callable[[], float]) -> None:
        """Take the features, the storage and the clock."""
        self._storage = storage
        self._now = now
        self._before = [feature for feature in features if feature.overrides("before_login")]
        self._named = [feature for feature in features if feature.overrides("second_factor")]
        self._policies = [feature for feature in features if feature.overrides("needs_second_factor")]
        self._waivers = [feature for feature in features if feature.overrides("waives")]
        self._provers = [item for item in features if item.reauthenticates or item.overrides("way_of")]
        self._kinds = {kind: factor for feature in features for kind, factor in feature.factor_kinds.items()}

    async def check(self, login: LoginAttempt) -> bool:
        """Run before a login. Raises the refusals of features, or an error that names the factors.

        Returns whether a waiver takes the place of a second factor.

        A login whose methods hold `mfa` has shown two factors. Only that: another method of the same kind as a factor
        may be the first one.
        """
        for feature in self._before:
            await feature.before_login(login)
        if MFA in login.amr:
            return False
        if factors := await self.factors(login):
            if not await self.is_waived(login):
                raise SecondFactorRequiredError(factors)
            return True
        if await self.is_needed(login):
            raise SecondFactorSetupRequiredError
        return False

    @property
    def knows_factors(self) -> bool:
        """Whether any feature has second factors."""
        return bool(self._kinds or self._named)

    @property
    def login_errors(self) -> list[type[AuthError]]:
        """The errors of a login that depend on second factors."""
        wanted: list[type[AuthError]] = [SecondFactorRequiredError] if self.knows_factors else []
        return [*wanted, SecondFactorSetupRequiredError] if self._policies else wanted

    async def demand(self, identity: Identity, fresh: timedelta | None) -> None:
        """Require that a session has shown a second factor if its user has one, `fresh` ago at most.

        The session is read from the database: a factor that was removed and added again must be shown again. Raises
        SecondFactorNeededError and FreshLoginRequiredError.
        """
        session = await self._storage.session(identity.session_id) if identity.kind == SESSION else None
        has_shown = session is not None and MFA in session.amr
        if session is not None and has_shown:
            proven = session.data.get(SECOND_FACTOR_AT, session.created_at)
            if fresh is None or -MAX_SKEW <= self._now() - proven <= fresh.total_seconds():
                return
        if await self.has_factors(identity):
            raise FreshLoginRequiredError if has_shown else SecondFactorNeededError

    async def has_factors(self, identity: Identity) -> bool:
        """Tell whether a user has a second factor other than a backup, as the database has it."""
        user = await self._storage.user(identity.id)
        return user is not None and bool(await self.factors(LoginAttempt(user, (), Client())))

    async def ways(self, identity: Identity, *, second_factor: bool) -> tuple[str, ...]:
        """Return the ways by which a user can prove who they are, sorted; only second factors where one is wanted."""
        found = await self._storage.credentials(identity.id)
        ways = [(each, way) for each in found for item in self._provers if (way := item.way_of(each))]
        if second_factor and self.names([each for each, _ in ways]):
            ways = [(each, way) for each, way in ways if self.is_factor(each.kind)]
        return tuple(sorted({way for _, way in ways}))

    async def factors(self, login: LoginAttempt) -> list[str]:
        """Return the names of the second factors of a user, sorted; none if all are backups of others."""
        credentials = await self._storage.credentials(login.user.id) if self._kinds else []
        others = [name for feature in self._named for name in await feature.second_factor(login)]
        return self.names(credentials, others)

    def names(self, credentials: Sequence[Credential], others: Sequence[str] = ()) -> list[str]:
        """Return the names of the factors among credentials, and of others; none if all are backups."""
        usable = [each for each in credentials if not each.data.get(USED_UP)]
        found = [self._kinds[each.kind] for each in usable if each.kind in self._kinds]
        found += [Factor(name) for name in others]
        return [] if all(factor.is_backup for factor in found) else sorted({factor.name for factor in found})

    def is_factor(self, kind: str) -> bool:
        """Tell whether credentials of a kind are second factors."""
        return kind in self._kinds

    async def is_needed(self, login: LoginAttempt) -> bool:
        """Tell whether a policy requires a second factor of a user."""
        return any([await feature.needs_second_factor(login) for feature in self._policies])

    async def is_waived(self, login: LoginAttempt) -> bool:
        """Tell whether a feature waives the second factor of a login."""
        return any([await feature.waives(login) for feature in self._waivers])
