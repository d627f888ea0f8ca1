"""Impersonation: an administrator acts for a user for an hour, and goes back."""

from collections.abc import Callable, Mapping
from typing import Any

from asgi_auth.accounts.authority import Administrator
from asgi_auth.accounts.user_base import found
from asgi_auth.errors import AccountDisabledError, ForbiddenError, InvalidTokenError, TokenRevokedError
from asgi_auth.model import event_types as events
from asgi_auth.model.answers import TokenPair
from asgi_auth.model.ban import Ban
from asgi_auth.model.records import Client, Event, Session
from asgi_auth.sessions.acting import IMPERSONATE, ActingSessions
from asgi_auth.sessions.event_sink import EventSink
from asgi_auth.sessions.identity import Identity
from asgi_auth.sessions.permissions import PermissionMap
from asgi_auth.sessions.second_factors import SECOND_FACTOR_AT
from asgi_auth.sessions.service import SessionService
from asgi_auth.sessions.tokens import ACT, ACTOR
from asgi_auth.storage import Storage

#: The member of `Session.data` with the sessions in which its user acts: user and time of expiry, by session id.
LINKS = "acts_in"
#: The data of a session that has no fresh second factor.
STALE = {SECOND_FACTOR_AT: 0}


class Impersonation:
    """Begins and ends sessions in which administrators act for users: `auth.impersonation`."""

    def __init__(  # noqa: PLR0917 (each is a collaborator)
        self,
        storage: Storage,
        acting: ActingSessions,
        sessions: SessionService,
        events: EventSink,
        permissions: PermissionMap,
        now: Callable[[], float],
    ) -> None:
        """Take the collaborators."""
        self._permissions = permissions
        self._storage = storage
        self._acting = acting
        self._sessions = sessions
        self._events = events
        self._now = now

    async def begin(self, by: Administrator, identity: Identity, user_id: str, client: Client) -> TokenPair:
        """Start a session of a user in which the administrator acts; `identity` is the administrator's.

        An own session in cookies is no fresh login any more: its refresh token is parked in the browser.
        Raises the refusals of `by`, UserNotFoundError, and AccountDisabledError for an account that is switched off.
        """
        async with self._storage.transaction() as storage:
            await by.judge(storage, user_id)
            user = found(await storage.user(user_id))
            if user.status != "active":
                raise AccountDisabledError(Ban.of(user))
            own = await storage.session(identity.session_id)
            if own is None:
                raise TokenRevokedError
            session, pair = self._acting.new(user, own, client)
            if not await storage.add_acting_session(session):
                raise AccountDisabledError
        await self._link(own.id, session, is_parked=identity.transport == "cookie")
        for name in (events.SESSION_START, events.IMPERSONATE):
            await self._events.emit(name, user_id=user_id, session_id=session.id, client=client, actor=identity.id)
        return pair

    async def stop(self, identity: Identity, parked: str, client: Client) -> TokenPair | None:
        """End the session in which another user acts, and return tokens of that user's own session.

        `parked` is the refresh token of that session; None is returned without one, and for one of another session.
        That session is no fresh login then, and has no fresh second factor.
        """
        act: Mapping[str, Any] = identity.claims.get(ACT) or {}
        if identity.actor is None or "sid" not in act:
            raise ForbiddenError("You act for no other user.")
        await self._sessions.end(identity.id, only=identity.session_id, client=client)
        session = await self._sessions.session_of(parked) if parked else None
        if session is None or (session.id, session.user_id) != (act["sid"], act["sub"]):
            return None
        now = int(self._now())
        if await self._storage.renew_session(session.id, auth_time=0, amr=(), data=STALE, now=now) is None:
            return None
        try:
            return await self._sessions.refresh(parked, client, rotate=True)
        except InvalidTokenError:
            return None

    async def end_parked(self, parked: str, client: Client) -> None:
        """End the session of a parked refresh token: no browser has it any more."""
        session = await self._sessions.session_of(parked)
        if session is not None:
            await self._sessions.end(session.user_id, only=session.id, client=client)

    async def observe(self, event: Event) -> None:
        """End what a user began, with the user's session or right; report the end of an impersonation.

        The access token of each session is refused already: this tidies the lists of sessions.
        """
        if event.outcome != "success" or event.user_id is None:
            return
        if event.name == events.ROLE_CHANGE:
            await self._judge_again(event.user_id, event.client)
        elif event.session_id and (session := await self._storage.session(event.session_id)) is not None:
            if (actor := session.data.get(ACTOR)) is not None:
                await self._events.emit(
                    events.IMPERSONATE_END,
                    user_id=event.user_id,
                    session_id=session.id,
                    client=event.client,
                    actor=actor["id"],
                )
            await self._end_linked(event.user_id, session, event.client)

    async def _judge_again(self, user_id: str, client: Client) -> None:
        """End what a user began who has lost the right."""
        user = await self._storage.user(user_id)
        if user is not None and IMPERSONATE in self._permissions.of(user.roles):
            return
        for session in await self._storage.sessions(user_id, int(self._now()), 0):
            await self._end_linked(user_id, session, client)

    async def _link(self, own_id: str, session: Session, *, is_parked: bool) -> None:
        """Note a new session in the data of the administrator's own one. Sessions that have expired are forgotten.

        Not in the transaction that has locked the users: a ban locks the sessions first. Raises TokenRevokedError if
        the administrator's session has ended; the new one ends with it.
        """
        own, now = await self._storage.session(own_id), session.created_at
        if own is not None:
            live = {key: value for key, value in own.data.get(LINKS, {}).items() if value[1] > now}
            links = {LINKS: live | {session.id: [session.user_id, session.expires_at]}}
            data, at = (links | STALE, 0) if is_parked else (links, None)
            if await self._storage.renew_session(own_id, auth_time=at, amr=(), data=data, now=now):
                return
        await self._storage.end_sessions(session.user_id, now, only=session.id)
        raise TokenRevokedError

    async def _end_linked(self, user_id: str, own: Session, client: Client) -> None:
        for session_id, (of, _) in own.data.get(LINKS, {}).items():
            ended = await self._storage.end_sessions(of, int(self._now()), only=session_id)
            await self._sessions.ended(of, ended, client, user_id)
