"""The rotation of refresh tokens, of users' own sessions and of those of clients."""

from collections.abc import Callable

from asgi_auth.errors import TokenExpiredError, TokenReuseError, TokenRevokedError
from asgi_auth.model import event_types as events
from asgi_auth.model.records import Client, Record, Session
from asgi_auth.sessions.ends import SessionEnds
from asgi_auth.sessions.event_sink import EventSink
from asgi_auth.sessions.generations import UsedGenerations
from asgi_auth.sessions.revocation import Revocation
from asgi_auth.sessions.tokens import RefreshTokens
from asgi_auth.settings import Settings
from asgi_auth.storage import Storage

Rotated = tuple[Session, tuple[str, ...]]
#: Seconds in which an unused successor is returned again.
REPEATABLE = 86400


class Lives(Record, frozen=True, kw_only=True):
    """How long a session lives without a refresh, and how long a used refresh token gets the same successor.

    With `grant`, the session is that of a client.
    """

    grant: bool
    idle: int
    grace: int


class SessionRotation(SessionEnds):
    """The part of the session service that rotates refresh tokens."""

    def __init__(  # noqa: PLR0917 (each is a collaborator)
        self,
        storage: Storage,
        settings: Settings,
        refresh_tokens: RefreshTokens,
        revocation: Revocation,
        events: EventSink,
        now: Callable[[], float],
        used: UsedGenerations,
    ) -> None:
        """Take the collaborators."""
        super().__init__(storage, revocation, events, now)
        self._settings = settings
        self._refresh_tokens = refresh_tokens
        self._used = used

    async def rotated(self, refresh_token: str, client: Client, lives: Lives) -> Rotated:
        """Rotate the refresh token of a session of any kind; return the session with the roles of its user.

        Raises what `refresh` raises, and InvalidTokenError for the token of a session of the other kind.
        """
        session_id, generation = self._refresh_tokens.read(refresh_token, grant=lives.grant)
        return await self._rotated(session_id, generation, client, lives, rotate=True)

    async def _rotated(
        self, session_id: str, generation: int, client: Client, lives: Lives, *, rotate: bool
    ) -> Rotated:
        found = await self._rotate(session_id, generation, client, lives, rotate=rotate)
        return found or await self._successor(session_id, generation, client, lives, rotate=rotate)

    async def _rotate(
        self, session_id: str, generation: int, client: Client, lives: Lives, *, rotate: bool, ahead: bool = False
    ) -> Rotated | None:
        """Rotate or touch the session, and emit the event; None unless the session has, or lacks, the generation."""
        now = int(self._now())
        rotate_or_touch = self._storage.rotate_session if rotate else self._storage.touch_session
        rotated = await rotate_or_touch(
            session_id, generation, now=now, idle_since=now - lives.idle, grant=lives.grant, ahead=ahead
        )
        if rotated is not None:
            name = events.REFRESH_AHEAD if ahead else events.REFRESH
            await self._events.emit(name, user_id=rotated[0].user_id, session_id=session_id, client=client)
        return rotated

    async def _successor(
        self, session_id: str, generation: int, client: Client, lives: Lives, *, rotate: bool | None
    ) -> Rotated:
        """Return the successor of a genuine token that could not be rotated, or raise the reason.

        A used token gets the same successor for `refresh_grace` seconds, and, until any token of the successor is used,
        for a day: the server may have failed to answer. Otherwise it is a copy, and the session ends. No client can
        make a token that is ahead of its session: there, the database has lost rotations, and the session follows the
        token; `rotate` is None if that was tried.
        """
        settings, now = self._settings, int(self._now())
        session = await self._storage.session(session_id)
        access = await self._storage.access(session_id, now)
        if session is None or access is None or session.revoked_at is not None:
            raise TokenRevokedError
        # The refresh token of a client gives no tokens of the user.
        if lives.grant != (session.grant_id is not None):
            raise TokenRevokedError
        if session.expires_at <= now or session.last_used_at <= now - lives.idle:
            raise TokenExpiredError
        if not access.alive:
            raise TokenRevokedError
        if generation >= session.generation:
            if rotate is None:
                raise TokenRevokedError
            return await self._follow_token(session_id, generation, client, lives, rotate=rotate)
        if generation == session.generation - 1:
            if now - session.rotated_at <= lives.grace:
                return session, access.roles
            if not self._is_used(session) or self._revocation.outages.excuse(session.rotated_at):
                return await self._repeat(session, access.roles, now, client)
        # The program of a thief tells nothing about the other sessions of the user.
        ends_one = lives.grant or settings.on_reuse == "session"
        await self.end(session.user_id, only=session.id if ends_one else None, client=client)
        error = TokenReuseError().about(session.user_id, session.id)
        await self._events.report_refusal(error, client)
        raise error

    async def _follow_token(
        self, session_id: str, generation: int, client: Client, lives: Lives, *, rotate: bool
    ) -> Rotated:
        """Raise the session to a genuine token that is ahead of it.

        A database that has lost rotations may have lost the end of the session, too, which this process may know.
        Of concurrent calls one raises the session, and the others find its new generation.
        """
        if session_id in self._revocation.dead:
            raise TokenRevokedError
        for ahead in (True, False):
            if rotated := await self._rotate(session_id, generation, client, lives, rotate=rotate, ahead=ahead):
                return rotated
        return await self._successor(session_id, generation, client, lives, rotate=None)

    def _is_used(self, session: Session) -> bool:
        """Tell whether a client has used a token of the newest generation, and so has received it."""
        return session.used_generation >= session.generation or self._used.has(session.id, session.generation)

    async def _repeat(self, session: Session, roles: tuple[str, ...], now: int, client: Client) -> Rotated:
        """Return the session again, for a day: an unused successor is no sign of a theft, but it does not live on."""
        if now - session.rotated_at > REPEATABLE:
            raise TokenExpiredError
        await self._events.emit(events.REFRESH_REPEATED, user_id=session.user_id, session_id=session.id, client=client)
        return session, roles
