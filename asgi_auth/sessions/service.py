"""The session service: login, refresh, and the access tokens of sessions."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any

from asgi_auth.errors import (
    AccountDisabledError,
    AuthError,
    ImpersonatedError,
    InvalidCredentialsError,
    InvalidTokenError,
    SecondFactorRequiredError,
    TokenRevokedError,
)
from asgi_auth.model import event_types as events
from asgi_auth.model.answers import TokenPair
from asgi_auth.model.ban import Ban
from asgi_auth.model.records import Client, Credential, LoginAttempt, Session, User
from asgi_auth.sessions.bans import lifted
from asgi_auth.sessions.event_sink import EventSink
from asgi_auth.sessions.generations import UsedGenerations
from asgi_auth.sessions.identity import MFA, Identity
from asgi_auth.sessions.new_session import new_session
from asgi_auth.sessions.revocation import Revocation
from asgi_auth.sessions.rotation import Lives, SessionRotation
from asgi_auth.sessions.second_factors import SECOND_FACTOR_AT, SecondFactorGate
from asgi_auth.sessions.source import Loader
from asgi_auth.sessions.tokens import ACTOR, AccessTokens, RefreshTokens
from asgi_auth.settings import Settings
from asgi_auth.storage import Storage

HostClaims = Callable[[User], Mapping[str, Any]]
#: The errors of every login.
LOGIN_ERRORS = (InvalidCredentialsError, AccountDisabledError)


class SessionService(SessionRotation):
    """Starts, refreshes and ends sessions."""

    def __init__(  # noqa: PLR0917 (each is a collaborator)
        self,
        storage: Storage,
        settings: Settings,
        access_tokens: AccessTokens,
        refresh_tokens: RefreshTokens,
        revocation: Revocation,
        gate: SecondFactorGate,
        events: EventSink,
        now: Callable[[], float],
        load_user: Loader,
        used: UsedGenerations,
        claims: HostClaims | None,
    ) -> None:
        """Take the collaborators; every login passes `gate`, `claims` returns extra claims of access tokens."""
        super().__init__(storage, settings, refresh_tokens, revocation, events, now, used)
        self._access_tokens = access_tokens
        self._gate = gate
        self._load_user = load_user
        self._claims = claims
        self._own = Lives(grant=False, idle=settings.session_idle, grace=settings.refresh_grace)

    async def login(
        self,
        user: User,
        credential: Credential,
        amr: tuple[str, ...],
        client: Client,
        factor: Credential | None = None,
        *,
        store: Callable[[], Awaitable[None]] | None = None,
    ) -> TokenPair:
        """Run every check, then start the session if user and credential are still unchanged.

        `factor` is the credential of the second factor that was proven: it must still exist. `store` stores a new
        credential once every check has passed; no waiver takes the place of a second factor then.
        """
        try:
            return await self._login(LoginAttempt(user, amr, client), credential, factor, store)
        except AuthError as error:
            error.about(user.id)
            raise

    async def refresh(self, refresh_token: str, client: Client, *, rotate: bool) -> TokenPair:
        """Rotate by compare-and-swap. A repeated call gets the same successor, as `_successor` says.

        Without `rotate` the refresh token stays the same, and only the access token is new.
        """
        session_id, generation = self._refresh_tokens.read(refresh_token)
        # First, because the host's claims may raise: a token that was not rotated can be used again.
        custom = await self._claims_of(session_id)
        session, roles = await self._rotated(session_id, generation, client, self._own, rotate=rotate)
        if custom is None:
            # The user became active during this call. A repeated call gets the same successor.
            raise TokenRevokedError
        return self._pair(session, roles, custom)

    async def begin_for_client(
        self, session: Session, grant: Credential, most: int, code_id: str, client: Client
    ) -> bool:
        """Use up a code, and start the session of a client that its user has let in, in one transaction.

        The user has `most` sessions of a grant; the oldest one ends. Returns False for a code that was used before, a
        grant that was withdrawn, and a user who is not active.
        """
        ended: list[str] | None = None
        async with self._storage.transaction() as storage:
            if await storage.use_token(code_id, int(self._now())):
                ended = await storage.add_session(session, grant, most)
        if ended is None:
            return False
        await self.ended(session.user_id, ended, client)
        await self._events.emit(events.SESSION_START, user_id=session.user_id, session_id=session.id, client=client)
        return True

    async def renew(
        self, identity: Identity, amr: tuple[str, ...], client: Client, factor: Credential | None = None
    ) -> TokenPair:
        """Record that the user of a session has proven a factor again; return a new access token with it.

        The refresh token stays the same. Raises TokenRevokedError when the session has ended, or `factor`, the
        credential of the second factor that was proven, was deleted.
        """
        if identity.actor is not None:
            raise ImpersonatedError
        custom = await self._claims_of(identity.session_id)
        now = int(self._now())
        data = {SECOND_FACTOR_AT: now} if MFA in amr else {}
        renewed = await self._storage.renew_session(
            identity.session_id, auth_time=now, amr=amr, data=data, now=now, factor=factor
        )
        if renewed is None or custom is None:
            raise TokenRevokedError
        session, roles = renewed
        await self._events.emit(
            events.REAUTHENTICATE,
            user_id=session.user_id,
            session_id=session.id,
            client=client,
            data={"amr": list(amr)},
        )
        return self._pair(session, roles, custom)

    async def session_of(self, refresh_token: str) -> Session | None:
        """Look up the user's own session of a genuine refresh token; None for all others."""
        try:
            session_id, _ = self._refresh_tokens.read(refresh_token)
        except InvalidTokenError:
            return None
        session = await self._storage.session(session_id)
        return session if session is not None and session.grant_id is None else None

    async def any_session_of(self, refresh_token: str) -> Session | None:
        """Look up the session of a genuine refresh token, that of a client too; None for all others."""
        for grant in (False, True):
            with suppress(InvalidTokenError):
                session_id, _ = self._refresh_tokens.read(refresh_token, grant=grant)
                return await self._storage.session(session_id)
        return None

    async def end_lost_session_of(self, refresh_token: str) -> None:
        """End the session of a genuine refresh token, that of a client too, if the database does not know it."""
        for grant in (False, True):
            with suppress(InvalidTokenError):
                session_id, _ = self._refresh_tokens.read(refresh_token, grant=grant)
                await self.end_lost_session(session_id)

    async def _login(
        self,
        attempt: LoginAttempt,
        credential: Credential,
        factor: Credential | None,
        store: Callable[[], Awaitable[None]] | None,
    ) -> TokenPair:
        user, amr, client = attempt.user, attempt.amr, attempt.client
        if user.status == "disabled":
            user = await lifted(self._storage, user, int(self._now()))
            attempt = LoginAttempt(user, amr, client)
        if user.status != "active":
            raise AccountDisabledError(Ban.of(user))
        waived = await self._gate.check(attempt)
        if store is not None:
            if waived:
                raise SecondFactorRequiredError(await self._gate.factors(attempt))
            await store()
        session = new_session(user, amr, client, self._now(), self._settings.session_ttl)
        # First, because the host's claims may raise: no session must exist without its tokens.
        pair = self._pair(session, user.roles, self._claims(user) if self._claims is not None else {})
        ended = await self._storage.add_session(session, credential, self._settings.max_sessions, factor=factor)
        if ended is None:
            raise InvalidCredentialsError
        await self.ended(user.id, ended, client)
        if waived and not await self._gate.is_waived(attempt):
            # What ends all sessions may have voided the waiver, and missed this session.
            await self.end(user.id, only=session.id, client=client)
            raise SecondFactorRequiredError(await self._gate.factors(attempt))
        await self._end_previous(client)
        for name in (events.SESSION_START, events.LOGIN):
            data = {"amr": list(amr)}
            await self._events.emit(name, user_id=user.id, session_id=session.id, client=client, data=data)
        return pair

    async def _end_previous(self, client: Client) -> None:
        """End the session of the browser's cookie: no session outlives a new login (ASVS 7.2.4)."""
        if client.session_id is None:
            return
        previous = await self._storage.session(client.session_id)
        if previous is None:
            await self.end_lost_session(client.session_id)
        else:
            await self.end(previous.user_id, only=previous.id, client=client)

    async def _claims_of(self, session_id: str) -> Mapping[str, Any] | None:
        """Return the host's claims for a session, after a check that a token can hold them.

        Returns None for a session or user that is not active: the rotation will find the reason.
        """
        if self._claims is None:
            return {}
        session = await self._storage.session(session_id)
        user = await self._load_user(session.user_id) if session is not None else None
        if session is None or user is None or session.revoked_at is not None or user.status != "active":
            return None
        custom = self._claims(user)
        self._access_tokens.make(session, user.roles, custom)
        return custom

    def _pair(self, session: Session, roles: tuple[str, ...], custom: Mapping[str, Any]) -> TokenPair:
        if ACTOR in session.data:
            # A session in which another user acts gets no other tokens than its first one.
            raise TokenRevokedError
        token, seconds = self._access_tokens.make(session, roles, custom)
        idle_end = session.last_used_at + self._settings.session_idle
        return TokenPair(
            access_token=token,
            refresh_token=self._refresh_tokens.make(session.id, session.generation),
            token_type="Bearer",
            expires_in=seconds,
            refresh_expires_in=max(0, min(session.expires_at, idle_end) - int(self._now())),
        )
