"""Sessions as the core makes them: one gate for every login, and refresh tokens that never log honest users out."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from asgi_auth.errors import (
    AccountDisabledError,
    InvalidCredentialsError,
    InvalidTokenError,
    SecondFactorRequiredError,
    TokenExpiredError,
    TokenReuseError,
    TokenRevokedError,
)
from asgi_auth.model import event_types as events
from asgi_auth.model.records import Client, Credential, LoginAttempt, Session, TokenPair, User, new_id

if TYPE_CHECKING:
    from asgi_auth.auth import Auth

Rotated = tuple[Session, tuple[str, ...]]


class SessionService:
    """Starts, refreshes and ends sessions."""

    def __init__(self, auth: "Auth", claims: Callable[[User], Mapping[str, Any]] | None) -> None:
        """Belong to an `Auth`; `claims` are the host's own for access tokens."""
        self._auth = auth
        self._claims = claims

    async def login(self, user: User, credential: Credential, amr: tuple[str, ...], client: Client) -> TokenPair:
        """Ask every feature, then make the session if user and credential are still what they were."""
        auth = self._auth
        if user.status != "active":
            raise AccountDisabledError
        await self._ask_features(LoginAttempt(user, amr, client))
        session = self._new(user, amr, client)
        # First: claims of the host's own may fail, and then there is no session without tokens.
        pair = await self._pair(session, user.roles, user)
        ended = await auth.storage.add_session(session, credential, auth.settings.max_sessions)
        if ended is None:
            raise InvalidCredentialsError
        await auth.ended(user.id, ended, client)
        await self._end_previous(client)
        for name in (events.SESSION_START, events.LOGIN):
            data = {"amr": list(amr)}
            await auth.emit(name, user_id=user.id, session_id=session.id, client=client, data=data)
        return pair

    async def refresh(self, refresh_token: str, client: Client, *, rotate: bool) -> TokenPair:
        """Rotate by compare-and-swap; who lost the race, or the answer, gets the same successor for a short time.

        Without `rotate` the refresh token stays the same, and only the access token is new.
        """
        auth = self._auth
        session_id, generation = auth.refresh_tokens.read(refresh_token)
        now = int(auth.now())
        idle_since = now - auth.settings.session_idle
        use = auth.storage.rotate_session if rotate else auth.storage.touch_session
        rotated = await use(session_id, generation, now=now, idle_since=idle_since)
        session, roles = rotated or await self._successor(session_id, generation, now, client)
        if rotated:
            await auth.emit(events.REFRESH, user_id=session.user_id, session_id=session.id, client=client)
        return await self._pair(session, roles)

    async def session_of(self, refresh_token: str) -> Session | None:
        """Look up the session of a genuine refresh token."""
        try:
            session_id, _ = self._auth.refresh_tokens.read(refresh_token)
        except InvalidTokenError:
            return None
        return await self._auth.storage.session(session_id)

    async def _ask_features(self, login: LoginAttempt) -> None:
        wanted: set[str] = set()
        for feature in self._auth.features:
            await feature.before_login(login)
            wanted |= set(await feature.second_factor(login))
        if wanted and not wanted.intersection(login.amr):
            raise SecondFactorRequiredError(sorted(wanted))

    def _new(self, user: User, amr: tuple[str, ...], client: Client) -> Session:
        now = int(self._auth.now())
        return Session(
            id=new_id(self._auth.now()),
            user_id=user.id,
            created_at=now,
            last_used_at=now,
            rotated_at=now,
            expires_at=now + self._auth.settings.session_ttl,
            auth_time=now,
            amr=amr,
            user_agent=client.user_agent,
            address=client.address,
        )

    async def _end_previous(self, client: Client) -> None:
        """End the session that the browser came with: no session outlives a new login (ASVS 7.2.4)."""
        if client.session_id is None:
            return
        previous = await self._auth.storage.session(client.session_id)
        if previous is not None:
            await self._auth.end_sessions(previous.user_id, only=previous.id, client=client)

    async def _successor(self, session_id: str, generation: int, now: int, client: Client) -> Rotated:
        """Judge a genuine token that could not be rotated."""
        auth = self._auth
        session = await auth.storage.session(session_id)
        access = await auth.storage.access(session_id, now)
        if session is None or access is None or session.revoked_at is not None:
            raise TokenRevokedError
        if session.expires_at <= now or session.last_used_at <= now - auth.settings.session_idle:
            raise TokenExpiredError
        if not access.alive or generation >= session.generation:
            raise TokenRevokedError
        if generation == session.generation - 1 and now - session.rotated_at <= auth.settings.refresh_grace:
            return session, access.roles
        only = session.id if auth.settings.on_reuse == "session" else None
        await auth.end_sessions(session.user_id, only=only, client=client)
        error = TokenReuseError().about(session.user_id, session.id)
        await auth.report_refusal(error, client)
        raise error

    async def _pair(self, session: Session, roles: tuple[str, ...], user: User | None = None) -> TokenPair:
        auth = self._auth
        custom: Mapping[str, Any] = {}
        if self._claims is not None:
            user = user or await auth.users.get(session.user_id)
            custom = self._claims(user)
        token, seconds = auth.access_tokens.make(session, roles, custom)
        idle_end = session.last_used_at + auth.settings.session_idle
        return TokenPair(
            access_token=token,
            refresh_token=auth.refresh_tokens.make(session.id, session.generation),
            token_type="Bearer",
            expires_in=seconds,
            refresh_expires_in=max(0, min(session.expires_at, idle_end) - int(auth.now())),
        )
