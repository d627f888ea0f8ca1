"""The core: storage, settings and features in one object, without HTTP; all that endpoints do can be called here."""

import logging
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, Self, TypeVar

import msgspec

from asgi_auth.accounts.one_time_tokens import OneTimeTokens
from asgi_auth.accounts.registration import RegistrationService
from asgi_auth.accounts.users import Users
from asgi_auth.crypto.keys import KeyRing
from asgi_auth.errors import AuthError, StorageUnavailableError, ValidationError
from asgi_auth.events.hooks import HookRegistry
from asgi_auth.events.stream import Stream
from asgi_auth.feature import Call, Feature
from asgi_auth.limits.counters import Counters
from asgi_auth.mail.delivery import Delivery
from asgi_auth.mail.mailers import Callbacks, as_mailer
from asgi_auth.mail.message import Mail, Mailer
from asgi_auth.mail.templates import Templates
from asgi_auth.model import event_types as events
from asgi_auth.model.event_types import Outcome
from asgi_auth.model.records import Client, Credential, Session, TokenPair, User
from asgi_auth.runtime.config_check import ConfigCheck, Finding
from asgi_auth.runtime.lifecycle import Lifecycle
from asgi_auth.runtime.page_urls import PageUrls
from asgi_auth.runtime.purge import Purger
from asgi_auth.sessions.identity import Identity, Transport
from asgi_auth.sessions.revocation import Revocation
from asgi_auth.sessions.service import SessionService
from asgi_auth.sessions.tokens import AccessTokens, RefreshTokens
from asgi_auth.sessions.verifier import TokenVerifier
from asgi_auth.settings import Secrets, Settings
from asgi_auth.storage import Storage, from_url
from asgi_auth.texts import Texts
from asgi_auth.validation.reasons import Reason

logger = logging.getLogger("asgi_auth")
FeatureType = TypeVar("FeatureType", bound=Feature)


class Auth(HookRegistry):
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
        features: Sequence[Feature] | None = None,
        claims: Callable[[User], Mapping[str, Any]] | None = None,
        mailer: Mailer | Callable[[Mail], Any] | None = None,
        counters: Counters | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Compose. `claims` adds to access tokens; `mailer` sends; `counters` count limits; `now` is the clock."""
        if settings is None:
            settings = Settings(secret=secret or "")
        elif secret is not None:
            settings = replace(settings, secret=secret)
        self.settings = settings
        self.now = now
        self.storage: Storage = from_url(storage) if isinstance(storage, str) else storage
        self.counters: Counters = self.storage if counters is None else counters
        self.texts = Texts(settings.language, settings.texts, [f"field.{item.name}" for item in settings.fields])
        templates = Templates(self.texts, settings.name, settings.templates)
        self.mail = Delivery(as_mailer(mailer, development=settings.development), templates, self.emit)
        self.keys = KeyRing(settings.secrets, list(settings.signing_keys))
        self.access_tokens = AccessTokens(settings, self.keys, now)
        self.refresh_tokens = RefreshTokens(self.keys)
        self.revocation = Revocation(self.storage, settings, now)
        self.users = Users(self)
        self.features = list(features) if features is not None else _defaults(mail=self.mail.mailer is not None)
        self._check_features()
        self.page_urls = PageUrls(settings, pages=self.shows_pages)
        self.stream = Stream(self)
        self.one_time = OneTimeTokens(self)
        self.verifier = TokenVerifier(self)
        self.config_check = ConfigCheck(self)
        self.purger = Purger(self)
        self.sessions = SessionService(self, claims)
        self._lifecycle = Lifecycle(self)

    def _check_features(self) -> None:
        """Take the features in; raises ValueError for one that is listed twice, or lacks another."""
        for number, feature in enumerate(self.features):
            if any(type(feature) is type(other) for other in self.features[:number]):
                raise ValueError("a feature is listed twice")
            for kind in feature.needs:
                if self.get(kind) is None:
                    raise ValueError(f"{type(feature).__name__} needs a {kind.__name__}")
            feature.auth = self
        there = {endpoint.name for feature in self.features for endpoint in feature.endpoints}
        if unknown := {name for feature in self.features for name in feature.needs_endpoints} - there:
            raise ValueError(f"there is no endpoint {', '.join(sorted(unknown))}")
        if isinstance(self.mail.mailer, Callbacks):
            self.mail.mailer.check(purpose for feature in self.features for purpose in feature.mails)
        if self.settings.verification == "required" and self.get(RegistrationService) is None:
            raise ValueError("verification needs the feature EmailVerification")
        if self.settings.verification == "off" and self.conceals:
            raise ValueError(
                "without verification registering tells whether an address is known: "
                "say enumeration='tell' too, or leave EmailVerification out"
            )

    @property
    def conceals(self) -> bool:
        """Whether registering must not tell if an address is known: as asked, where a mail can finish it."""
        return self.settings.enumeration == "hide" and self.get(RegistrationService) is not None

    @property
    def shows_pages(self) -> bool:
        """Whether there are pages for people."""
        return any(feature.shows_pages for feature in self.features)

    def check(self) -> list[Finding]:
        """Name every setting that will not work or is not safe, with the reason and the mend; start logs them, too."""
        return self.config_check.check()

    def __getitem__(self, kind: type[FeatureType]) -> FeatureType:
        """Get a feature by its class or a base of it: `auth[Passwords]`. Raises KeyError when it isn't switched on."""
        found = self.get(kind)
        if found is None:
            raise KeyError(kind.__name__)
        return found

    def get(self, kind: type[FeatureType]) -> FeatureType | None:
        """Get a feature in the same way; None when it isn't switched on."""
        return next((feature for feature in self.features if isinstance(feature, kind)), None)

    # Life

    async def start(self) -> None:
        """Open the storage and look for revoked sessions, once for each event loop; nothing when that is done."""
        await self._lifecycle.start()

    async def close(self) -> None:
        """Let go of everything that the running loop holds open."""
        await self._lifecycle.close()

    async def lifespan_start(self) -> None:
        """Start, unless the database is away: the server may come up, and the first request tries again."""
        try:
            await self.start()
        except StorageUnavailableError:
            logger.warning("asgi_auth starts without its database; requests will try again")

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
        async with self:
            yield

    async def purge(self) -> int:
        """Delete what expired a day ago and more, as happens by itself; return how many rows went.

        None while another process is at it. Raises StorageUnavailableError.
        """
        await self._lifecycle.start()
        return await self.purger.run()

    # Who is asking

    async def authenticate(self, token: str, transport: Transport = "bearer") -> Identity:
        """Recognise an access token. Raises InvalidTokenError and those below it, or StorageUnavailableError."""
        await self._lifecycle.start()
        return await self.verifier.verify(token, transport)

    # Sessions

    async def login(self, user: User, credential: Credential, *, amr: Sequence[str], client: Client) -> TokenPair:
        """Give a user a session: the one gate that every way of logging in goes through.

        Raises AccountDisabledError, SecondFactorRequiredError, InvalidCredentialsError when the credential has been
        changed meanwhile, and whatever a feature refuses with.
        """
        try:
            return await self.sessions.login(user, credential, tuple(amr), client)
        except AuthError as error:
            error.about(user.id)
            raise

    async def refresh(self, refresh_token: str, client: Client | None = None, *, rotate: bool = True) -> TokenPair:
        """Exchange a refresh token for its successor; without `rotate` for itself, with a new access token.

        Raises InvalidTokenError, TokenExpiredError, TokenRevokedError, or TokenReuseError when it was used before.
        """
        await self._lifecycle.start()
        return await self.sessions.refresh(refresh_token, client or Client(), rotate=rotate)

    async def end_sessions(
        self, user_id: str, *, only: str | None = None, keep: str | None = None, client: Client | None = None
    ) -> list[str]:
        """End the live sessions of a user, `only` one or all but `keep`; return the ids of those that ended."""
        await self._lifecycle.start()
        ended = await self.storage.end_sessions(user_id, int(self.now()), only=only, keep=keep)
        await self.ended(user_id, ended, client)
        return ended

    async def ended(self, user_id: str, session_ids: Sequence[str], client: Client | None = None) -> None:
        """Let everybody know of sessions that have been ended in the storage."""
        self.revocation.end(session_ids)
        for session_id in session_ids:
            await self.emit(events.SESSION_END, user_id=user_id, session_id=session_id, client=client)

    async def session_of(self, refresh_token: str) -> Session | None:
        """Look up the session of a genuine refresh token of any generation; None for all others."""
        return await self.sessions.session_of(refresh_token)

    # Features

    async def ask_before(self, call: Call) -> None:
        """Ask the features, then the host's hooks, before an endpoint runs; the storage has been opened."""
        await self._lifecycle.start()
        self.purger.nudge()
        for feature in self.features:
            await feature.before(call)
        await self.stream.hooks.before(call)

    # What happens

    async def report_refusal(self, error: AuthError, client: Client, call: Call | None = None) -> None:
        """Tell of a refusal, of an endpoint's `call` or before it came to one; each is told once."""
        await self.stream.report_refusal(error, client, call)

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
        """Tell the log, the features and the hooks what has happened; an error of theirs changes nothing."""
        await self.stream.tell(
            name,
            outcome,
            user_id=user_id,
            session_id=session_id,
            client=client or Client(),
            data=data or {},
            account=account,
        )

    def checked_data(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Check values of extra fields against their declaration; raises ValidationError."""
        declared = {item.name: item for item in self.settings.fields}
        errors: dict[str, list[Reason]] = {name: [Reason("unknown")] for name in data.keys() - declared.keys()}
        for name in data.keys() & declared.keys():
            try:
                msgspec.convert(data[name], declared[name].change)
            except msgspec.ValidationError as error:
                errors[name] = [Reason.of(error)]
        if errors:
            raise ValidationError(errors)
        return dict(data)


def _defaults(*, mail: bool) -> list[Feature]:
    from asgi_auth.features.defaults import defaults  # noqa: PLC0415 (who names features needs no others)

    return defaults(mail=mail)
