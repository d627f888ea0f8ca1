"""Pending logins: the first factor was right, and the second one is still to come.

Only the digest of a pending login is stored. It is bound to the version of the first factor's credential: a new
password between the two factors ends it.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import msgspec

from asgi_auth.accounts.known_clients import KnownClients
from asgi_auth.accounts.links import Link, Links
from asgi_auth.accounts.secret_tokens import digest_of, new_token
from asgi_auth.errors import (
    AccountLockedError,
    AuthError,
    InvalidCredentialsError,
    PendingLoginExpiredError,
    SecondFactorRequiredError,
    SecondFactorSetupRequiredError,
    ServiceUnavailableError,
)
from asgi_auth.model.answers import TokenPair
from asgi_auth.model.records import NO_USER_ID, Client, Credential, OneTimeToken, Record, User
from asgi_auth.sessions.ends import PENDING_LOGIN
from asgi_auth.sessions.identity import MFA
from asgi_auth.sessions.service import SessionService
from asgi_auth.storage import Storage

#: Seconds until a pending login ends, and the attempts at the second factor that it has (ASVS 6.6.3).
TTL, TRIES = 300, 5
#: The errors that a pending login is answered with.
PendingError = SecondFactorRequiredError | SecondFactorSetupRequiredError


class PendingLogin(Record, frozen=True, kw_only=True):
    """A login that lacks its second factor; in `setup`, the user has to set one up first."""

    token_id: str
    user_id: str
    amr: tuple[str, ...]
    kind: str
    credential_id: str
    version: int
    setup: bool
    #: The credential that is stored when the login is finished.
    link: Link | None = None

    @classmethod
    def of(cls, token: OneTimeToken) -> "PendingLogin":
        """Read the token of a pending login."""
        data: dict[str, Any] = {**token.data, "token_id": token.id, "user_id": token.user_id or ""}
        return msgspec.convert(data, cls)


class PendingLogins:
    """Begins, finds and finishes pending logins: `auth.pending`."""

    def __init__(
        self,
        storage: Storage,
        sessions: SessionService,
        known_clients: KnownClients,
        links: Links,
        now: Callable[[], float],
    ) -> None:
        """Take the collaborators."""
        self._links = links
        self._storage = storage
        self._sessions = sessions
        self._known_clients = known_clients
        self._now = now

    async def login(
        self,
        user: User,
        credential: Credential,
        amr: tuple[str, ...],
        client: Client,
        factor: Credential | None = None,
        *,
        link: Link | None = None,
    ) -> TokenPair:
        """Start a session, or begin a pending login and raise its error.

        `link` is the credential where it is not stored yet: it is, once every factor was shown.
        """
        if link is not None:
            credential, user = link.credential, link.owner(user)
        store = partial(self._links.add, link, client) if link is not None else None
        try:
            pair = await self._sessions.login(user, credential, amr, client, factor, store=store)
        except (SecondFactorRequiredError, SecondFactorSetupRequiredError) as error:
            await self._begin(error, user, credential, amr, link)
            raise
        await self._known_clients.remember(user, client)
        return pair

    async def _begin(
        self, error: PendingError, user: User, credential: Credential, amr: tuple[str, ...], link: Link | None
    ) -> None:
        """Store a pending login, and give its secret to the error that the caller gets."""
        data = {
            "amr": list(amr),
            "kind": credential.kind,
            "credential_id": credential.id,
            "version": credential.version,
            "setup": isinstance(error, SecondFactorSetupRequiredError),
        }
        if link is not None:
            data["link"] = msgspec.to_builtins(link)
        token, secret = new_token(PENDING_LOGIN, user.id, data, now=int(self._now()), seconds=TTL)
        await self._storage.add_token(token)
        error.pending, error.expires_in = secret, TTL

    @asynccontextmanager
    async def attempt(self, secret: str, *, setup: bool = False) -> AsyncIterator[PendingLogin]:
        """Find a pending login, and count an attempt at its second factor. Raises PendingLoginExpiredError.

        With `setup`, finds only one whose user has to set up a factor; without, only one whose user has a factor. The
        attempt is counted before the block, so that concurrent guesses do not get around the count, and taken back when
        the block raises ServiceUnavailableError or AccountLockedError: then nothing was judged.
        """
        found = await self.find(secret, setup=setup)
        if not await self._storage.count_password(found.token_id, now=int(self._now()), tries=TRIES):
            raise PendingLoginExpiredError
        try:
            yield found
        except AuthError as error:
            if isinstance(error, ServiceUnavailableError | AccountLockedError):
                await self._storage.uncount_password(found.token_id)
            error.about(found.user_id, error.session_id)
            raise

    async def find(self, secret: str, *, setup: bool = False) -> PendingLogin:
        """Find a pending login without an attempt, as for the options of a factor. Raises PendingLoginExpiredError."""
        token = await self._storage.find_token(PENDING_LOGIN, digest_of(secret), int(self._now()))
        if token is None or token.data["setup"] is not setup:
            raise PendingLoginExpiredError
        return PendingLogin.of(token)

    async def user(self, pending: PendingLogin) -> User:
        """Return the user of a pending login. Raises PendingLoginExpiredError when the user was deleted."""
        user = await self._storage.user(pending.user_id or NO_USER_ID)
        if user is None:
            raise PendingLoginExpiredError
        return user

    async def finish(
        self, pending: PendingLogin, amr: tuple[str, ...], client: Client, factor: Credential | None = None
    ) -> TokenPair:
        """Use a pending login up, and start the session: exactly one of many concurrent calls does.

        `amr` are the methods of the second factor, which the caller has verified, and `factor` is its credential: a
        login during its removal gets no session. Only a factor that is no credential leaves it out. Raises
        PendingLoginExpiredError when the first factor has changed or the second one was removed meanwhile, and the
        refusals of a login.
        """
        user = await self._storage.user(pending.user_id)
        if user is None or not await self._storage.use_token(pending.token_id, int(self._now())):
            raise PendingLoginExpiredError
        methods = (*pending.amr, *amr, MFA)
        try:
            if pending.link is not None:
                return await self.login(user, pending.link.credential, methods, client, factor, link=pending.link)
            return await self.login(user, await self._first(pending), methods, client, factor)
        except InvalidCredentialsError:
            raise PendingLoginExpiredError from None

    async def _first(self, pending: PendingLogin) -> Credential:
        """Return the credential of the first factor. Raises PendingLoginExpiredError when it has changed."""
        for credential in await self._storage.credentials(pending.user_id, pending.kind):
            if (credential.id, credential.version) == (pending.credential_id, pending.version):
                return credential
        raise PendingLoginExpiredError
