"""The parts of an `Auth`: what is made of its settings, its storage and its features."""

from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from dataclasses import replace
from functools import cached_property, partial
from typing import Any, TypeAlias

from asgi_auth.accounts.factors import Factors
from asgi_auth.accounts.impersonation import Impersonation
from asgi_auth.accounts.invitations import InvitationService
from asgi_auth.accounts.known_clients import KnownClients
from asgi_auth.accounts.letters import Letters
from asgi_auth.accounts.links import Links
from asgi_auth.accounts.one_time_tokens import OneTimeTokens
from asgi_auth.accounts.ownership_proof import OwnershipProof
from asgi_auth.accounts.passwords import PasswordService
from asgi_auth.accounts.pending_logins import PendingLogins
from asgi_auth.accounts.registration import RegistrationService
from asgi_auth.accounts.resealing import Resealing
from asgi_auth.accounts.resets import ResetService
from asgi_auth.accounts.user_base import UserParts
from asgi_auth.accounts.users import Users
from asgi_auth.accounts.ways_in import WaysIn
from asgi_auth.bounds.deadline import DEFAULT
from asgi_auth.crypto.argon2 import Argon2, PasswordHasher
from asgi_auth.crypto.key_file import KeyFile
from asgi_auth.crypto.keys import KeyRing
from asgi_auth.crypto.vault import Vault
from asgi_auth.errors import AuthError
from asgi_auth.events.registry import HookRegistry
from asgi_auth.events.stream import Stream
from asgi_auth.feature.admission import Admission
from asgi_auth.feature.base import BaseFeature
from asgi_auth.feature.lookup import FeatureLookup
from asgi_auth.feature.pipeline import Pipeline
from asgi_auth.limits.counter_keys import CounterKeys
from asgi_auth.limits.counters import Counters
from asgi_auth.limits.factor_guesses import FactorGuesses
from asgi_auth.limits.rules import Limiter
from asgi_auth.mail.delivery import Delivery
from asgi_auth.mail.mailers import Callbacks
from asgi_auth.mail.message import Mailer
from asgi_auth.mail.templates import Templates
from asgi_auth.model.look import Look
from asgi_auth.runtime.attach import attach, check_verification, load_validators, texts_of, with_fields_of
from asgi_auth.runtime.config_check import ConfigCheck
from asgi_auth.runtime.lifecycle import Lifecycle
from asgi_auth.runtime.page_urls import PageUrls
from asgi_auth.runtime.purge import Purger
from asgi_auth.sessions.acting import ActingSessions
from asgi_auth.sessions.generations import UsedGenerations
from asgi_auth.sessions.permissions import PermissionMap
from asgi_auth.sessions.resources import ProtectedResources
from asgi_auth.sessions.revocation import Revocation
from asgi_auth.sessions.second_factors import SecondFactorGate
from asgi_auth.sessions.service import HostClaims, SessionService
from asgi_auth.sessions.source import Source
from asgi_auth.sessions.tokens import AccessTokens, RefreshTokens
from asgi_auth.sessions.verifier import TokenVerifier
from asgi_auth.settings import Settings
from asgi_auth.storage import Storage
from asgi_auth.texts import Texts
from asgi_auth.validation.password_policy import PasswordPolicy

#: Makes the response that leads a browser on, from the error and the ASGI scope of a refused request; None for others.
Leads: TypeAlias = Callable[[AuthError, MutableMapping[str, Any]], Any]

#: Returns the ASGI app for the path of a scope; None for the paths of the host.
Root: TypeAlias = Callable[[MutableMapping[str, Any]], Callable[..., Awaitable[None]] | None]


class Composition(HookRegistry, FeatureLookup):
    """The base class of `Auth`, which adds what a host calls."""

    def __init__(
        self,
        storage: Storage,
        settings: Settings,
        features: Sequence[BaseFeature],
        *,
        claims: HostClaims | None,
        mailer: Mailer | None,
        counters: Counters | None,
        now: Callable[[], float],
    ) -> None:
        """Make the parts, and attach the features. Raises ValueError for features that do not fit together."""
        self.settings: Settings = with_fields_of(features, settings)
        settings = self.settings
        self.now = now
        self.storage: Storage = storage
        if columns := [field for field in settings.fields if field.column]:
            storage.use_fields(columns)
        #: The seconds that a request has for the database, the counters and password hashes: the storage's `timeout`.
        self.request_timeout: float = getattr(storage, "timeout", DEFAULT)
        self.counters: Counters = storage if counters is None else counters
        self.features: list[BaseFeature] = list(features)
        self.texts: Texts = texts_of(settings, self.features)
        look = next((feature.look for feature in self.features if feature.look is not None), None)
        templates = Templates(self.texts, settings.name, settings.templates, _in_mails(look, settings))
        self._compose_sessions(claims)
        self.mail: Delivery = Delivery(mailer, templates, self.stream.emit)
        self._compose_runtime()
        self._compose_accounts()
        # A token by a key that was dropped is not valid any more, also where it was verified before.
        self.keys.on_reload.append(self.verifier.forget)
        self._attach_features()
        #: Leads browsers from refused pages of the host to the pages of an app. The app sets it.
        self.leads: Leads | None = None
        #: Finds the app that serves a path at the root of the host, such as `/.well-known/…`. The app sets it.
        self.root: Root | None = None

    def _compose_sessions(self, claims: HostClaims | None) -> None:
        self._host_claims = claims
        settings, now = self.settings, self.now
        self.permissions: PermissionMap = PermissionMap(settings.permissions, self.features)
        source = KeyFile(settings.signing_keys_file) if settings.signing_keys_file is not None else None
        self.keys: KeyRing = KeyRing(
            settings.secrets, settings.signing_keys, settings.issuer, settings.audience, source
        )
        self.access_tokens: AccessTokens = AccessTokens(settings, self.keys, now, self.storage.is_user_id)
        self.refresh_tokens: RefreshTokens = RefreshTokens(self.keys)
        #: The parts of the host that clients of users reach; features add them.
        self.resources: ProtectedResources = ProtectedResources()
        self.revocation: Revocation = Revocation(self.storage, settings, now)
        self.used_generations: UsedGenerations = UsedGenerations(self.storage, settings.token_cache)
        self.stream: Stream = Stream(self.features, settings, self.keys, now)
        self.second_factors: SecondFactorGate = SecondFactorGate(self.features, self.storage, now)
        self.sessions: SessionService = SessionService(
            self.storage,
            settings,
            self.access_tokens,
            self.refresh_tokens,
            self.revocation,
            self.second_factors,
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
        self.page_urls: PageUrls = PageUrls(
            settings,
            pages=self.shows_pages,
            redirects_to={url for feature in self.features for url in feature.redirects_to},
        )
        self.letters: Letters = Letters(self.mail, self.texts, self.page_urls.url)
        self.one_time: OneTimeTokens = OneTimeTokens(
            storage, self.counters, self.keys, counter_keys, self.known_clients, self.letters, self.stream, now
        )
        self.ownership: OwnershipProof = OwnershipProof(self.one_time, storage)
        self.vault: Vault = Vault(self.keys)
        sealed = {kind for feature in self.features for kind in feature.sealed_kinds}
        self.resealing: Resealing = Resealing(storage, self.vault, sealed, now, self._lifecycle.start)
        self.ways_in: WaysIn = WaysIn(self.features)
        self.factor_guesses: FactorGuesses = FactorGuesses(self.limiter, now)
        self.factors: Factors = Factors(storage, self.second_factors, self.revocation, now)
        self.users: Users = Users(self._parts_of_users())
        links = Links(storage, self.sessions, self.second_factors, self.stream, now)
        self.pending: PendingLogins = PendingLogins(storage, self.sessions, self.known_clients, links, now)
        self.impersonation: Impersonation = Impersonation(
            storage,
            ActingSessions(self.access_tokens, self._host_claims, now, settings.session_idle),
            self.sessions,
            self.stream,
            self.permissions,
            now,
        )
        self.verifier: TokenVerifier = TokenVerifier(
            self.access_tokens,
            self.revocation,
            storage,
            settings,
            Source(self.users.find, now, self.permissions, self._lifecycle.loop),
            self.used_generations,
        )

    def _attach_features(self) -> None:
        """Attach the features; raises ValueError for one that is listed twice, or lacks another."""
        stream = self.stream
        self.pipeline: Pipeline = Pipeline(
            self.features,
            Admission(
                self.features,
                self.second_factors,
                self.settings.fresh,
                self._lifecycle.start_call,
                self.verifier.confirm,
            ),
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

    async def _end_bans(self, now: int, batch: int) -> int:
        return await self.users.end_bans(now, batch)

    def _parts_of_users(self) -> UserParts:
        return UserParts(
            storage=self.storage,
            settings=self.settings,
            events=self.stream,
            revocation=self.revocation,
            sessions=self.sessions,
            permissions=self.permissions,
            factors=self.factors,
            letters=self.letters,
            passwords=lambda: self.get(PasswordService) or self._own_passwords,
            registration=partial(self.get, RegistrationService),
            invitations=partial(self.get, InvitationService),
            resets=partial(self.get, ResetService),
            features=self.features,
            mails={purpose for feature in self.features for purpose in feature.mails},
            now=self.now,
            start=self._lifecycle.start,
        )

    @cached_property
    def _own_passwords(self) -> PasswordService:
        """The passwords of an `Auth` without the feature: with the default policy and cost."""
        prove = self.pipeline.admission.prove
        return PasswordService(PasswordPolicy(), PasswordHasher(Argon2()), self.storage, self.stream, self.now, prove)

    def _compose_runtime(self) -> None:
        settings, features = self.settings, self.features
        self.config_check: ConfigCheck = ConfigCheck(
            settings, self.mail.mailer, features, lambda: self.conceals, getattr(self.storage, "findings", list)
        )
        self.purger: Purger = Purger(
            self.storage,
            [self._end_bans, *(feature.purge for feature in features if feature.overrides("purge"))],
            settings.purge_interval,
            self.now,
            self.revocation.clock,
        )
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


def _in_mails(look: Look | None, settings: Settings) -> Look | None:
    """Return a look with the absolute URL of its logo: mails have no site of their own."""
    if look is None or not look.logo.startswith("/"):
        return look
    origin, path = settings.origin or "", (settings.base_url or "").partition("://")[2].partition("/")[2]
    below = look.logo if not path or look.logo.startswith(f"/{path}/") else f"/{path}{look.logo}"
    return replace(look, logo=f"{origin}{below}" if origin.startswith("https:") else "")
