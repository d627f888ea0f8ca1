"""The core: storage, settings and features in one object, without HTTP."""

import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import fields, replace
from functools import wraps
from inspect import signature
from typing import Any, ParamSpec, Self

from asgi_auth.accounts.links import Link
from asgi_auth.bounds.deadline import deadline
from asgi_auth.feature.base import BaseFeature
from asgi_auth.limits.counters import Counters
from asgi_auth.mail.mailers import as_mailer
from asgi_auth.mail.message import Mail, Mailer
from asgi_auth.model.answers import TokenPair
from asgi_auth.model.event_types import Outcome
from asgi_auth.model.records import Client, Credential, Session, User
from asgi_auth.runtime.composition import Composition
from asgi_auth.runtime.config_check import Finding
from asgi_auth.runtime.parts import check_parts
from asgi_auth.sessions.identity import Identity, Transport
from asgi_auth.sessions.service import HostClaims
from asgi_auth.settings import Secrets, Settings
from asgi_auth.storage import Storage, from_url
from asgi_auth.validation.permissions import check_name

P = ParamSpec("P")


def _names_settings(function: Callable[P, None]) -> Callable[P, None]:
    """Let the constructor say where a setting belongs that it does not take itself."""
    own = signature(function).parameters

    @wraps(function)
    def checked(*given: P.args, **named: P.kwargs) -> None:
        if found := sorted({field.name for field in fields(Settings)} & named.keys() - own.keys()):
            shown = ", ".join(f"{name}=…" for name in found)
            raise TypeError(f"{', '.join(found)}: a setting belongs into Auth(…, settings=Settings(secret=…, {shown}))")
        function(*given, **named)

    return checked


class Auth(Composition):
    """Authentication for one set of users.

    `storage` is a URL (`sqlite:///auth.db`, `sqlite://`, `postgresql://…`) or a storage object; `secret` and the
    other settings may come as `settings`. A mistake in any of them is a ValueError here, not at the first request.
    It starts by itself with the first request of each event loop. Without `features` it has accounts and sessions, and
    with a `mailer` (or in development) all flows by mail but the magic link.
    """

    @_names_settings
    def __init__(
        self,
        storage: str | Storage,
        *,
        secret: Secrets | None = None,
        settings: Settings | None = None,
        features: Sequence[BaseFeature] | None = None,
        claims: HostClaims | None = None,
        mailer: Mailer | Callable[[Mail], Any] | None = None,
        counters: Counters | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Compose. `claims` returns extra claims of access tokens; `counters` count limits; `now` is the clock.

        Raises TypeError for a storage and for features that are none, and ValueError for a mistake in a value.
        """
        check_parts(storage, features)
        if settings is None:
            settings = Settings(secret=secret or "")
        elif secret is not None:
            settings = replace(settings, secret=secret)
        made = from_url(storage) if isinstance(storage, str) else storage
        sender = as_mailer(mailer, development=settings.development)
        if features is None:
            from asgi_auth.features.defaults import defaults  # noqa: PLC0415 (an Auth with named features needs no others)

            features = defaults(mail=sender is not None)
        elif any(feature.announces for feature in features):
            from asgi_auth.features.defaults import completed  # noqa: PLC0415 (an Auth with named features needs no others)

            features = completed(features)
        super().__init__(
            made,
            settings,
            features,
            claims=claims,
            mailer=sender,
            counters=counters,
            now=now,
        )

    def check(self) -> list[Finding]:
        """Return every setting that will not work or is not safe, with the reason and the fix; start logs them too."""
        return self.config_check.check()

    async def start(self, *, reachable: bool = True) -> None:
        """Open the storage and load the ended sessions, once for each event loop; a no-op when that is done.

        Raises StorageSetupError if the database refuses the server. If it is unreachable, raises
        StorageUnavailableError, or with `reachable=False` leaves the next attempt to the first request.
        """
        await self._lifecycle.start(reachable=reachable)

    async def close(self) -> None:
        """Release the resources of the running event loop."""
        await self._lifecycle.close()

    async def __aenter__(self) -> Self:
        """Start."""
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close."""
        await self.close()

    @asynccontextmanager
    async def lifespan(self, _app: object = None) -> AsyncIterator[None]:
        """Start and close around a host's own lifespan: `Starlette(lifespan=auth.lifespan)`."""
        try:
            await self.start(reachable=False)
            yield
        finally:
            await self.close()

    async def purge(self) -> int:
        """Delete rows that expired at least a day ago, and return their number. Also runs automatically.

        Returns 0 while another process purges. Raises StorageUnavailableError.
        """
        await self.start()
        return await self.purger.run()

    async def authenticate(self, token: str, transport: Transport = "bearer") -> Identity:
        """Verify an access token. Raises InvalidTokenError and its subclasses, or StorageUnavailableError."""
        with deadline(self.request_timeout):
            await self.start()
            return await self.verifier.verify(token, transport)

    def can(self, user: User | Identity, permission: str) -> bool:
        """Tell whether a user has a permission, by the roles of the object, without a query.

        An account that is not active has none. Raises ValueError for a text that is no name of a permission.
        """
        check_name(permission)
        if isinstance(user, Identity):
            return permission in user.permissions
        return user.status == "active" and permission in self.permissions.of(user.roles)

    async def login(
        self, user: User, credential: Credential, *, amr: Sequence[str], client: Client, link: Link | None = None
    ) -> TokenPair:
        """Start a session for a user. Every login passes this method.

        Raises AccountDisabledError, SecondFactorRequiredError and SecondFactorSetupRequiredError with a pending login,
        InvalidCredentialsError when the credential has changed meanwhile, and the refusals of features. `link` is the
        credential where it is not stored yet: it is, once every factor was shown.
        """
        return await self.pending.login(user, credential, tuple(amr), client.identified(), link=link)

    async def renew(
        self, identity: Identity, *, amr: Sequence[str], client: Client, factor: Credential | None = None
    ) -> TokenPair:
        """Record that the user of a session has proven a factor again by the methods `amr`.

        Returns the same refresh token, and a new access token with all methods of the session. `factor` is the
        credential of a second factor. Raises TokenRevokedError when the session has ended, or `factor` was deleted
        meanwhile.
        """
        return await self.sessions.renew(identity, tuple(amr), client.identified(), factor)

    async def refresh(self, refresh_token: str, client: Client | None = None, *, rotate: bool = True) -> TokenPair:
        """Exchange a refresh token for its successor; without `rotate` for itself, with a new access token.

        Raises InvalidTokenError, TokenExpiredError, TokenRevokedError, or TokenReuseError when it was used before.
        """
        with deadline(self.request_timeout):
            await self.start()
            return await self.sessions.refresh(refresh_token, (client or Client()).identified(), rotate=rotate)

    async def session_of(self, refresh_token: str) -> Session | None:
        """Look up the session of a genuine refresh token of any generation; None for all others."""
        await self.start()
        return await self.sessions.session_of(refresh_token)

    async def end_sessions(
        self, user_id: str, *, only: str | None = None, keep: str | None = None, client: Client | None = None
    ) -> list[str]:
        """End the live sessions of a user, `only` one or all but `keep`; return the ids of the ended sessions."""
        with deadline(self.request_timeout):
            await self.start()
            return await self.sessions.end(user_id, only=only, keep=keep, client=client)

    async def end_everything(self) -> int:
        """End all sessions and void all mailed tokens, as after the restore of a backup; return how many there were.

        Runs in batches, so an error leaves a part undone: call it again. Raises StorageUnavailableError.
        """
        await self.start()
        return await self.sessions.end_everything()

    async def emit(
        self,
        name: str,
        *,
        outcome: Outcome = "success",
        user_id: str | None = None,
        session_id: str | None = None,
        client: Client | None = None,
        data: dict[str, Any] | None = None,
        account: str | None = None,
    ) -> None:
        """Emit an event to the log, the features and the hooks. Their errors are logged, and not raised."""
        await self.stream.emit(
            name, outcome=outcome, user_id=user_id, session_id=session_id, client=client, data=data, account=account
        )
