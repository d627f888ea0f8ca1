"""The end of sessions: one of a user, all of a user, or those of everyone."""

from collections.abc import Callable, Sequence

from asgi_auth.model import event_types as events
from asgi_auth.model.records import Client
from asgi_auth.sessions.event_sink import EventSink
from asgi_auth.sessions.revocation import Revocation
from asgi_auth.storage import Storage

#: The purpose of the tokens of logins that lack their second factor.
PENDING_LOGIN = "pending_login"
#: The purpose of the codes by which the sessions of clients begin.
AUTHORIZATION_CODE = "authorization_code"
#: Rows that one statement of `end_everything` changes.
BATCH = 1000


class SessionEnds:
    """The part of the session service that ends sessions."""

    def __init__(self, storage: Storage, revocation: Revocation, events: EventSink, now: Callable[[], float]) -> None:
        """Take the collaborators."""
        self._storage = storage
        self._revocation = revocation
        self._events = events
        self._now = now

    async def end(
        self, user_id: str, *, only: str | None = None, keep: str | None = None, client: Client | None = None
    ) -> list[str]:
        """End the live sessions of a user, `only` one or all but `keep`; return the ids of the ended sessions.

        Unless it is `only` one, pending logins and the codes of clients end as well: a thief of the password may wait
        for the second factor, and a thief of a session may hold a code.
        """
        now = int(self._now())
        async with self._storage.transaction() as storage:
            # First: this waits for a transaction that uses a code up, and then sees the session that it began.
            for purpose in (PENDING_LOGIN, AUTHORIZATION_CODE) if only is None else ():
                await storage.void_tokens(user_id, now, purpose)
            ended = await storage.end_sessions(user_id, now, only=only, keep=keep)
        await self.ended(user_id, ended, client)
        return ended

    async def end_by_token(self, user_id: str, session_id: str, client: Client | None = None) -> None:
        """End the session of a genuine token of a user, also one that the database does not know.

        A failover may have lost its login. Its access tokens are as good as before, until each process knows its end.
        """
        if not await self.end(user_id, only=session_id, client=client):
            await self.end_lost_session(session_id)

    async def end_lost_session(self, session_id: str) -> None:
        """End the session of a genuine token if the database does not know it."""
        if session_id and await self._storage.session(session_id) is None:
            await self._storage.end_again([session_id], int(self._now()))
            self._revocation.end([session_id])

    async def end_everything(self, progress: Callable[[int], None] = lambda _: None) -> int:
        """End all sessions and void all one-time tokens, in batches; return how many there were.

        `progress` is told the number after each batch.
        """
        now, after, number = int(self._now()), "", 0
        # Tokens first: a mailed link could start a session.
        while voided := await self._storage.void_batch(after, now, BATCH):
            after, number = voided[-1], number + len(voided)
            progress(number)
        after = ""
        while ended := await self._storage.end_batch(after, now, BATCH):
            self._revocation.sweep(ended[-1])
            after, number = ended[-1], number + len(ended)
            progress(number)
        await self._events.emit(events.SESSION_END, data={"everything": number})
        return number

    async def ended(
        self, user_id: str, session_ids: Sequence[str], client: Client | None = None, actor: str | None = None
    ) -> None:
        """Revoke sessions that were ended in the storage, and emit their events; `actor` is the user who did it."""
        self._revocation.end(session_ids)
        if not session_ids:
            return
        client = (client or Client()).identified()
        for session_id in session_ids:
            await self._events.emit(
                events.SESSION_END, user_id=user_id, session_id=session_id, client=client, actor=actor
            )
