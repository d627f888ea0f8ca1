"""The session service: login, rotation of refresh tokens, and the end of sessions."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from asgi_auth.errors import (
    AccountDisabledError,
    AuthError,
    ImpersonatedError,
    InvalidCredentialsError,
    InvalidTokenError,
    SecondFactorRequiredError,
    TokenExpiredError,
    TokenReuseError,
    TokenRevokedError,
)
from asgi_auth.model import event_types as events
from asgi_auth.model.answers import TokenPair
from asgi_auth.model.ban import Ban
from asgi_auth.model.records import Client, Credential, LoginAttempt, Session, User
from asgi_auth.sessions.bans import lifted
from asgi_auth.sessions.ends import SessionEnds
from asgi_auth.sessions.event_sink import EventSink
from asgi_auth.sessions.generations import UsedGenerations
from asgi_auth.sessions.identity import MFA, Identity
from asgi_auth.sessions.new_session import new_session
from asgi_auth.sessions.revocation import Revocation
from asgi_auth.sessions.second_factors import SECOND_FACTOR_AT, SecondFactorGate
from asgi_auth.sessions.source import Loader
from asgi_auth.sessions.tokens import ACTOR, AccessTokens, RefreshTokens
from asgi_auth.settings import Settings
from asgi_auth.storage import Storage

Rotated = tuple[Session, tuple[str, ...]]
HostClaims = Callable[[User], Mapping[str, Any]]
#: Seconds in which an unused successor is returned again.
REPEATABLE = 86400

#: The errors of every login.
LOGIN_ERRORS = (InvalidCredentialsError, AccountDisabledError)


class SessionService(SessionEnds):
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
        super().__init__(storage, revocation, events, now)
        self._settings = settings
        self._access_tokens = access_tokens
        self._refresh_tokens = refresh_tokens
        self._gate = gate
        self._load_user = load_user
        self._used = used
        self._claims = claims

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
        rotated = await self._rotate(session_id, generation, client, rotate=rotate)
        session, roles = rotated or await self._successor(session_id, generation, client, rotate=rotate)
        if custom is None:
            # The user became active during this call. A repeated call gets the same successor.
            raise TokenRevokedError
        return self._pair(session, roles, custom)

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
        if previous is not None:
            await self.end(previous.user_id, only=previous.id, client=client)

    async def _rotate(
        self, session_id: str, generation: int, client: Client, *, rotate: bool, ahead: bool = False
    ) -> Rotated | None:
        """Rotate or touch the session, and emit the event; None unless the session has, or lacks, the generation."""
        now = int(self._now())
        rotate_or_touch = self._storage.rotate_session if rotate else self._storage.touch_session
        idle_since = now - self._settings.session_idle
        rotated = await rotate_or_touch(session_id, generation, now=now, idle_since=idle_since, ahead=ahead)
        if rotated is not None:
            name = events.REFRESH_AHEAD if ahead else events.REFRESH
            await self._events.emit(name, user_id=rotated[0].user_id, session_id=session_id, client=client)
        return rotated

    async def _successor(self, session_id: str, generation: int, client: Client, *, rotate: bool | None) -> Rotated:
        """Return the successor of a genuine token that could not be rotated, or raise the reason.

        A used token gets the same successor for `refresh_grace` seconds, and, until any token of the successor is used,
        for a day: the server may have failed to answer. Otherwise it is a copy, and the session ends. Nobody can make
        a token that is ahead of its session: there, the database has lost rotations, and the session follows the token;
        `rotate` is None if that was tried.
        """
        settings, now = self._settings, int(self._now())
        session = await self._storage.session(session_id)
        access = await self._storage.access(session_id, now)
        # The refresh token of a client gives no tokens of the user.
        if session is None or access is None or session.revoked_at is not None or session.grant_id is not None:
            raise TokenRevokedError
        if session.expires_at <= now or session.last_used_at <= now - settings.session_idle:
            raise TokenExpiredError
        if not access.alive:
            raise TokenRevokedError
        if generation >= session.generation:
            if rotate is None:
                raise TokenRevokedError
            return await self._follow_token(session_id, generation, client, rotate=rotate)
        if generation == session.generation - 1:
            if now - session.rotated_at <= settings.refresh_grace:
                return session, access.roles
            if not self._is_used(session) or self._revocation.outages.excuse(session.rotated_at):
                return await self._repeat(session, access.roles, now, client)
        await self.end(session.user_id, only=session.id if settings.on_reuse == "session" else None, client=client)
        error = TokenReuseError().about(session.user_id, session.id)
        await self._events.report_refusal(error, client)
        raise error

    async def _follow_token(self, session_id: str, generation: int, client: Client, *, rotate: bool) -> Rotated:
        """Raise the session to a genuine token that is ahead of it.

        A database that has lost rotations may have lost the end of the session, too, which this process may know.
        Of concurrent calls one raises the session, and the others find its new generation.
        """
        if session_id in self._revocation.dead:
            raise TokenRevokedError
        for ahead in (True, False):
            if rotated := await self._rotate(session_id, generation, client, rotate=rotate, ahead=ahead):
                return rotated
        return await self._successor(session_id, generation, client, rotate=None)

    def _is_used(self, session: Session) -> bool:
        """Tell whether a client has used a token of the newest generation, and so has received it."""
        return session.used_generation >= session.generation or self._used.has(session.id, session.generation)

    async def _repeat(self, session: Session, roles: tuple[str, ...], now: int, client: Client) -> Rotated:
        """Return the session again, for a day: an unused successor is no sign of a theft, but it does not live on."""
        if now - session.rotated_at > REPEATABLE:
            raise TokenExpiredError
        await self._events.emit(events.REFRESH_REPEATED, user_id=session.user_id, session_id=session.id, client=client)
        return session, roles

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
