"""Impersonation: an administrator acts for a user for an hour, and goes back."""

from collections.abc import Callable, Mapping
from typing import Any

from asgi_auth.accounts.authority import Administrator
from asgi_auth.accounts.user_base import found
from asgi_auth.errors import AccountDisabledError, ForbiddenError, InvalidTokenError
from asgi_auth.model import event_types as events
from asgi_auth.model.answers import TokenPair
from asgi_auth.model.ban import Ban
from asgi_auth.model.records import Client
from asgi_auth.sessions.acting import ActingSessions
from asgi_auth.sessions.event_sink import EventSink
from asgi_auth.sessions.identity import Identity
from asgi_auth.sessions.service import SessionService
from asgi_auth.sessions.tokens import ACT
from asgi_auth.storage import Storage


class Impersonation:
    """Begins and ends sessions in which administrators act for users: `auth.impersonation`."""

    def __init__(
        self,
        storage: Storage,
        acting: ActingSessions,
        sessions: SessionService,
        events: EventSink,
        now: Callable[[], float],
    ) -> None:
        """Take the collaborators."""
        self._storage = storage
        self._acting = acting
        self._sessions = sessions
        self._events = events
        self._now = now

    async def begin(self, by: Administrator, identity: Identity, user_id: str, client: Client) -> TokenPair:
        """Start a session of a user in which the administrator acts; `identity` is the administrator's.

        Raises the refusals of `by`, UserNotFoundError, and AccountDisabledError for an account that is switched off.
        """
        async with self._storage.transaction() as storage:
            await by.judge(storage, user_id)
            user = found(await storage.user(user_id))
            if user.status != "active":
                raise AccountDisabledError(Ban.of(user))
            session, pair = self._acting.new(user, identity, client)
            if not await storage.add_acting_session(session):
                raise AccountDisabledError
        for name in (events.SESSION_START, events.IMPERSONATE):
            await self._events.emit(name, user_id=user_id, session_id=session.id, client=client, actor=identity.id)
        return pair

    async def stop(self, identity: Identity, parked: str, client: Client) -> TokenPair | None:
        """End the session in which another user acts, and return tokens of that user's own session.

        `parked` is the refresh token of the own session; None is returned without one, and for one of another session.
        The own session is no fresh login then.
        """
        act: Mapping[str, Any] = identity.claims.get(ACT) or {}
        if identity.actor is None or "sid" not in act:
            raise ForbiddenError("You act for no other user.")
        await self._sessions.end(identity.id, only=identity.session_id, client=client)
        session = await self._sessions.session_of(parked) if parked else None
        if session is None or (session.id, session.user_id) != (act["sid"], act["sub"]):
            return None
        now = int(self._now())
        if await self._storage.renew_session(session.id, auth_time=0, amr=(), data={}, now=now) is None:
            return None
        try:
            return await self._sessions.refresh(parked, client, rotate=True)
        except InvalidTokenError:
            return None
