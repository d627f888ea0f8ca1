"""The core: storage, settings and features in one object, without HTTP."""

import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import Any, Self

from asgi_auth.accounts.known_clients import KnownClients
from asgi_auth.accounts.letters import Letters
from asgi_auth.accounts.one_time_tokens import OneTimeTokens
from asgi_auth.accounts.ownership_proof import OwnershipProof
from asgi_auth.accounts.registration import RegistrationService
from asgi_auth.accounts.users import Users
from asgi_auth.bounds.deadline import DEFAULT, deadline
from asgi_auth.crypto.keys import KeyRing
from asgi_auth.events.registry import HookRegistry
from asgi_auth.events.stream import Stream
from asgi_auth.feature.base import BaseFeature
from asgi_auth.feature.lookup import FeatureLookup
from asgi_auth.feature.pipeline import Pipeline
from asgi_auth.limits.counter_keys import CounterKeys
from asgi_auth.limits.counters import Counters
from asgi_auth.limits.rules import Limiter
from asgi_auth.mail.delivery import Delivery
from asgi_auth.mail.mailers import Callbacks, as_mailer
from asgi_auth.mail.message import Mail, Mailer
from asgi_auth.mail.templates import Templates
from asgi_auth.model.answers import TokenPair
from asgi_auth.model.event_types import Outcome
from asgi_auth.model.records import Client, Credential, Session, User
from asgi_auth.runtime.attach import attach, check_verification, load_validators, texts_of
from asgi_auth.runtime.config_check import ConfigCheck, Finding
from asgi_auth.runtime.lifecycle import Lifecycle
from asgi_auth.runtime.page_urls import PageUrls
from asgi_auth.runtime.purge import Purger
from asgi_auth.sessions.generations import UsedGenerations
from asgi_auth.sessions.identity import Identity, Transport
from asgi_auth.sessions.revocation import Revocation
from asgi_auth.sessions.service import HostClaims, SessionService
from asgi_auth.sessions.tokens import AccessTokens, RefreshTokens
from asgi_auth.sessions.verifier import TokenVerifier
from asgi_auth.settings import Secrets, Settings
from asgi_auth.storage import Storage, from_url
from asgi_auth.texts import Texts


class Auth(HookRegistry, FeatureLookup):
    """Authentication for one set of users.

    `storage` is a URL (`sqlite:///auth.db`, `sqlite://`, `postgresql://…`) or a storage object; `secret` and the
    other settings may come as `settings`. A mistake in any of them is a ValueError here, not at the first request.
    It starts by itself with the first request of each event loop. Without `features` it has accounts and sessions, and
    with a `mailer` (or in development) all flows by mail but the magic link.
    """

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
        """Compose. `claims` returns extra claims of access tokens; `counters` count limits; `now` is the clock."""
        if settings is None:
            settings = Settings(secret=secret or "")
        elif secret is not None:
            settings = replace(settings, secret=secret)
        self.settings = settings
        self.now = now
        self.storage: Storage = from_url(storage) if isinstance(storage, str) else storage
        #: The seconds that a request has for the database, the counters and password hashes: those of a storage call.
        self.request_timeout: float = getattr(self.storage, "timeout", DEFAULT)
        self.counters: Counters = self.storage if counters is None else counters
        sender = as_mailer(mailer, development=settings.development)
        if features is None:
            from asgi_auth.features.defaults import defaults  # noqa: PLC0415 (an Auth with named features needs no others)

            features = defaults(mail=sender is not None)
        self.features: list[BaseFeature] = list(features)
        self.texts: Texts = texts_of(settings, self.features)
        templates = Templates(self.texts, settings.name, settings.templates)
        self._compose_sessions(claims)
        self.mail: Delivery = Delivery(sender, templates, self.stream.emit)
        self._compose_runtime()
        self._compose_accounts()
        self._attach_features()

    def _compose_sessions(self, claims: HostClaims | None) -> None:
        settings, now = self.settings, self.now
        self.keys: KeyRing = KeyRing(settings.secrets, settings.signing_keys, settings.issuer, settings.audience)
        self.access_tokens: AccessTokens = AccessTokens(settings, self.keys, now, self.storage.is_user_id)
        self.refresh_tokens: RefreshTokens = RefreshTokens(self.keys)
        self.revocation: Revocation = Revocation(self.storage, settings, now)
        self.used_generations: UsedGenerations = UsedGenerations(self.storage, settings.token_cache)
        self.stream: Stream = Stream(self.features, settings, self.keys, now)
        self.sessions: SessionService = SessionService(
            self.storage,
            settings,
            self.access_tokens,
            self.refresh_tokens,
            self.revocation,
            [item for item in self.features if item.overrides("before_login") or item.overrides("second_factor")],
            self.stream,
            now,
            self.storage.user,
            self.used_generations,
            claims,
        )

    def _compose_accounts(self) -> None:
        storage, settings, now = self.storage, self.settings, self.now
        counter_keys = CounterKeys(self.keys)
        self.known_clients: KnownClients = KnownClients(storage, self.keys, counter_keys, now)
        self.limiter: Limiter = Limiter(self.counters, counter_keys, now, self.known_clients.label)
        self.page_urls: PageUrls = PageUrls(settings, pages=self.shows_pages)
        self.letters: Letters = Letters(self.mail, self.texts, self.page_urls.url)
        self.one_time: OneTimeTokens = OneTimeTokens(
            storage, self.counters, self.keys, counter_keys, self.known_clients, self.letters, self.stream, now
        )
        self.ownership: OwnershipProof = OwnershipProof(self.one_time, storage)
        self.users: Users = Users(
            storage,
            self.stream,
            self.revocation,
            self.sessions,
            partial(self.get, RegistrationService),
            settings.fields,
            now,
            self._lifecycle.start,
        )
        self.verifier: TokenVerifier = TokenVerifier(
            self.access_tokens, self.revocation, storage, settings, now, self.users.find, self.used_generations
        )

    def _attach_features(self) -> None:
        """Attach the features; raises ValueError for one that is listed twice, or lacks another."""
        stream = self.stream
        self.pipeline: Pipeline = Pipeline(
            self.features,
            self.settings.fields,
            stream.hooks.before,
            stream,
            self._lifecycle.start_call,
            stream.telemetry.span if stream.telemetry else None,
            self.request_timeout,
            after_answer=self.settings.after_answer,
        )
        attach(self.features, self)
        if isinstance(self.mail.mailer, Callbacks):
            self.mail.mailer.check(purpose for feature in self.features for purpose in feature.mails)
        check_verification(self)

    def _compose_runtime(self) -> None:
        settings, features = self.settings, self.features
        self.config_check: ConfigCheck = ConfigCheck(settings, self.mail.mailer, features, lambda: self.conceals)
        self.purger: Purger = Purger(self.storage, features, settings.purge_interval, self.now)
        self._lifecycle = Lifecycle(
            self.storage,
            self.counters,
            self.keys,
            settings,
            self.revocation,
            self.used_generations,
            self.mail,
            self.purger,
            self.config_check,
            features,
            self.now,
            partial(load_validators, self),
        )

    @property
    def conceals(self) -> bool:
        """Whether registering hides that an address is known: as set, where a mail can complete a registration."""
        return self.settings.enumeration == "hide" and self.get(RegistrationService) is not None

    @property
    def shows_pages(self) -> bool:
        """Whether there are HTML pages."""
        return any(feature.shows_pages for feature in self.features)

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

    async def login(self, user: User, credential: Credential, *, amr: Sequence[str], client: Client) -> TokenPair:
        """Start a session for a user. Every login passes this method.

        Raises AccountDisabledError, SecondFactorRequiredError, InvalidCredentialsError when the credential has changed
        meanwhile, and the refusals of features.
        """
        client = client.identified()
        pair = await self.sessions.login(user, credential, tuple(amr), client)
        await self.known_clients.remember(user, client)
        return pair

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
        """End all sessions and void all mailed tokens, as after the restore of a backup; return how many there were."""
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
