"""Sessions over SQL."""

from collections.abc import Collection, Mapping
from typing import Any

import msgspec

from asgi_auth.model.records import Credential, Session
from asgi_auth.model.revocations import Access
from asgi_auth.storage.rows import columns, first, roles_of, session_of, strings_of
from asgi_auth.storage.runner import Runner
from asgi_auth.storage.sql_feed import PAGE
from asgi_auth.storage.statements import feed, sessions

#: Concurrent logins of one user miss each other's sessions, so this close to the limit a transaction counts them.
MARGIN = 32
NO_LIMIT = 2**40


def _texts(**values: object) -> dict[str, str]:
    """Return values as JSON texts."""
    return {name: msgspec.json.encode(value).decode() for name, value in values.items()}


class SQLSessions(Runner):
    """The methods of `Storage` for sessions."""

    async def add_session(
        self, session: Session, credential: Credential, limit: int, *, factor: Credential | None = None
    ) -> list[str] | None:
        """Insert the session in one statement; near the limit, in a transaction that ends the oldest sessions."""
        if session.grant_id not in {None, credential.id}:
            raise ValueError("the credential of a session of a grant is the grant")
        values = columns(session) | {"credential_id": credential.id, "version": credential.version}
        values["factor_id"] = (factor or credential).id
        del values["revoked_at"], values["used_generation"]
        room = limit - MARGIN
        if room > 0 and await self.run(sessions.ADD_SESSION[self.dialect], values | {"room": room}):
            return []

        async def add(storage: "SQLSessions") -> list[str] | None:
            if not await storage.run(sessions.ADD_SESSION[storage.dialect], values | {"room": NO_LIMIT}):
                return None
            oldest = {"user_id": session.user_id, "now": session.created_at, "most": limit}
            oldest["grant_id"] = session.grant_id
            ended = [row["id"] for row in await storage.run(sessions.END_OLDEST, oldest)]
            await storage.tell_ended(session.user_id, session.created_at, ended)
            return ended

        return await self._atomically(add)

    async def add_acting_session(self, session: Session) -> bool:
        """Insert the session in one statement."""
        values = columns(session)
        del values["revoked_at"], values["used_generation"]
        return bool(await self.run(sessions.ADD_ACTING_SESSION, values))

    async def session(self, session_id: str) -> Session | None:
        """Select the session by id."""
        return first(session_of, await self.run(sessions.SESSION, {"session_id": session_id}, read=True))

    async def sessions(self, user_id: str, now: int, idle_since: int) -> list[Session]:
        """Select the live sessions of the user."""
        values = {"user_id": user_id, "now": now, "idle_since": idle_since}
        return [session_of(row) for row in await self.run(sessions.SESSIONS, values, read=True)]

    async def rotate_session(
        self,
        session_id: str,
        generation: int,
        *,
        now: int,
        idle_since: int,
        grant: bool = False,
        ahead: bool = False,
    ) -> tuple[Session, tuple[str, ...]] | None:
        """Compare and swap the generation in one statement."""
        values = {"session_id": session_id, "generation": generation, "now": now, "idle_since": idle_since}
        return await self._rotate_or_touch(values | {"grant": grant, "raise_by": 1}, ahead=ahead)

    async def touch_session(
        self,
        session_id: str,
        generation: int,
        *,
        now: int,
        idle_since: int,
        grant: bool = False,
        ahead: bool = False,
    ) -> tuple[Session, tuple[str, ...]] | None:
        """Compare the generation and set the time of the last use in one statement."""
        values = {"session_id": session_id, "generation": generation, "now": now, "idle_since": idle_since}
        return await self._rotate_or_touch(values | {"grant": grant, "raise_by": 0}, ahead=ahead)

    async def renew_session(
        self,
        session_id: str,
        *,
        auth_time: int | None,
        amr: Collection[str],
        data: Mapping[str, Any],
        now: int,
        factor: Credential | None = None,
    ) -> tuple[Session, tuple[str, ...]] | None:
        """Lock the session, join methods and data, and update it."""

        async def renew(storage: "SQLSessions") -> tuple[Session, tuple[str, ...]] | None:
            values = {"session_id": session_id, "now": now}
            old = first(session_of, await storage.run(sessions.SESSION_TO_CHANGE, values))
            if old is None:
                return None
            joined = [*old.amr, *(method for method in amr if method not in old.amr)]
            values["auth_time"] = old.auth_time if auth_time is None else auth_time
            values |= _texts(amr=joined, data=old.data | dict(data))
            values["factor_id"] = factor.id if factor is not None else None
            rows = await storage.run(sessions.RENEW_SESSION, values)
            return (session_of(rows[0]), roles_of(rows[0]["user_roles"])) if rows else None

        return await self._atomically(renew)

    async def lower_sessions(self, user_id: str, methods: Collection[str], now: int) -> list[str]:
        """Lock the sessions of the user, update those that have one of the methods, and notify other processes."""

        async def lower(storage: "SQLSessions") -> list[str]:
            rows = await storage.run(sessions.SESSIONS_TO_CHANGE, {"user_id": user_id, "now": now})
            changed = [session for session in map(session_of, rows) if not set(methods).isdisjoint(session.amr)]
            for session in changed:
                left = [method for method in session.amr if method not in methods]
                texts = _texts(amr=left, data=session.data | {sessions.LOWERED: now})
                await storage.run(sessions.SET_METHODS, {"session_id": session.id, **texts})
            if changed:
                await storage.run(feed.ADD_CHANGED, {"user_id": user_id, "now": now, "expires_at": now + feed.KEPT})
                await storage.announce()
            return [session.id for session in changed]

        return await self._atomically(lower)

    async def use_generation(self, session_id: str, generation: int) -> None:
        """Raise the used generation in one statement, which changes no row if it was raised before."""
        await self.run(sessions.USE_GENERATION, {"session_id": session_id, "generation": generation})

    async def _rotate_or_touch(
        self, values: Mapping[str, object], *, ahead: bool
    ) -> tuple[Session, tuple[str, ...]] | None:
        rows = await self.run(sessions.RAISE_SESSION if ahead else sessions.ROTATE_SESSION, values)
        return (session_of(rows[0]), roles_of(rows[0]["user_roles"])) if rows else None

    async def end_sessions(
        self,
        user_id: str,
        now: int,
        *,
        only: str | None = None,
        keep: str | None = None,
        grant_id: str | None = None,
    ) -> list[str]:
        """End the sessions, and notify other processes. Sessions that have expired are ended, but not returned."""

        async def end(storage: "SQLSessions") -> list[str]:
            values = {"user_id": user_id, "now": now, "only": only, "keep": keep, "grant_id": grant_id}
            rows = await storage.run(sessions.END_SESSIONS, values)
            await storage.tell_ended(user_id, now, rows)
            return [row["id"] for row in rows if row["expires_at"] > now]

        return await self._atomically(end)

    async def tell_ended(self, user_id: str, now: int, ended: Collection[object]) -> None:
        """Add the sessions of a user that were `ended` in this transaction to the feed, and notify other processes."""
        if not ended:
            return
        values = {"user_id": user_id, "now": now}
        is_told = len(ended) > 1 and await self.run(feed.ADD_ENDED_OF_USER, values | {"page": PAGE})
        if not is_told:
            await self.run(feed.ADD_ENDED, values)
        await self.announce()

    async def end_batch(
        self, after: str, now: int, batch: int, *, up_to: str | None = None, begun_by: int | None = None
    ) -> list[str]:
        """End one batch of sessions, by the primary key, and notify other processes."""
        values = {"after": after, "now": now, "batch": batch, "up_to": up_to, "begun_by": begun_by}

        async def end(storage: "SQLSessions") -> list[str]:
            rows = await storage.run(sessions.END_BATCH, values)
            ended = sorted(row["id"] for row in rows)
            if ended:
                await storage.run(feed.ADD_BATCH, {"after": after, "last": ended[-1], "now": now})
                await storage.announce()
            return ended

        return await self._atomically(end)

    async def access(self, session_id: str, now: int) -> Access | None:
        """Select the state of the session joined with its user."""
        rows = await self.run(sessions.ACCESS, {"session_id": session_id}, read=True)
        if not rows:
            return None
        row = rows[0]
        alive = row["revoked_at"] is None and row["expires_at"] > now and row["status"] == "active"
        alive = alive and bool(row["granted"])
        return Access(
            user_id=str(row["user_id"]), alive=alive, roles=roles_of(row["roles"]), amr=strings_of(row["amr"])
        )

    async def end_inactive(self, user_id: str, now: int) -> list[str]:
        """End the sessions in the statement that reads the status, and notify other processes."""

        async def end(storage: "SQLSessions") -> list[str]:
            rows = await storage.run(sessions.END_INACTIVE, {"user_id": user_id, "now": now})
            await storage.tell_ended(user_id, now, rows)
            return [row["id"] for row in rows]

        return await self._atomically(end)
