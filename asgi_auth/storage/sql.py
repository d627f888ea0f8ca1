"""The storage contract over any SQL driver: records in, statements out."""

from collections.abc import Mapping
from typing import Any

import msgspec

from asgi_auth.errors import UserExistsError
from asgi_auth.model.records import Access, Changes, Credential, Session, Stored, User
from asgi_auth.storage import statements
from asgi_auth.storage.driver import ConflictError
from asgi_auth.storage.migrate import migrate
from asgi_auth.storage.rows import (
    columns,
    credential_of,
    first,
    roles_of,
    session_of,
    user_of,
    user_with_credential_of,
)
from asgi_auth.storage.sql_audit import SQLAudit
from asgi_auth.storage.sql_counters import SQLCounters
from asgi_auth.storage.sql_devices import SQLDevices
from asgi_auth.storage.sql_tokens import SQLTokens

# How many logins of one user, at one moment, may not see each other's sessions before the limit is counted exactly.
UNSEEN = 32
ANY = 2**40


class SQLStorage(SQLTokens, SQLCounters, SQLAudit, SQLDevices):
    """Keeps the contract of `Storage`."""

    async def migrate(self, now: int) -> list[int]:
        """Run the migrations that are missing."""
        return await self._atomically(lambda storage: migrate(storage, self._driver, now))

    async def add_user(self, user: User, credential: Credential | None = None) -> bool:
        """Insert the user, unless the address is taken, and the credential with it."""

        async def add(storage: "SQLStorage") -> bool:
            if not await storage.run(statements.ADD_USER, columns(user)):
                return False
            if credential is not None and not await storage.add_credential(credential):
                raise ConflictError
            return True

        return await self._atomically(add)

    async def user(self, user_id: str) -> User | None:
        """Select by id."""
        return first(user_of, await self.run(statements.USER, {"user_id": user_id}, read=True))

    async def user_by_email(self, canonical: str) -> User | None:
        """Select by canonical address."""
        return first(user_of, await self.run(statements.USER_BY_EMAIL, {"canonical": canonical}, read=True))

    async def user_with_credential(self, canonical: str, kind: str) -> tuple[User, Credential | None] | None:
        """Join users and credentials."""
        values = {"canonical": canonical, "kind": kind}
        return first(user_with_credential_of, await self.run(statements.USER_WITH_CREDENTIAL, values, read=True))

    async def update_user(self, user_id: str, changes: Mapping[str, Any], now: int) -> User | None:
        """Merge the changes into the row under its lock."""

        async def update(storage: "SQLStorage") -> User | None:
            old = first(user_of, await storage.run(statements.USER_TO_CHANGE, {"user_id": user_id}))
            if old is None:
                return None
            merged = {"data": old.data | changes["data"]} if "data" in changes else {}
            new = msgspec.structs.replace(old, **{**changes, **merged})
            values = columns(new) | {"user_id": user_id, "now": now}
            for name in ("id", "created_at", "updated_at"):
                del values[name]
            rows = await storage.run(statements.UPDATE_USER, values)
            if (new.status, new.roles) != (old.status, old.roles):
                await storage.announce()
            return first(user_of, rows)

        # In PostgreSQL a refused row spoils the whole transaction, which may want to go on without it.
        inside = self._connection is not None and "email_canonical" in changes
        if inside:
            await self.run(statements.SAVEPOINT, {})
        try:
            return await self._atomically(update)
        except ConflictError:
            if inside:
                await self.run(statements.BACK_TO_SAVEPOINT, {})
            raise UserExistsError from None

    async def delete_user(self, user_id: str, now: int) -> list[str] | None:
        """Keep of the sessions that they ended, of audit records what tells of no person, and delete the rest."""

        async def delete(storage: "SQLStorage") -> list[str] | None:
            values = {"user_id": user_id, "now": now}
            ended = [row["id"] for row in await storage.run(statements.FORGET_SESSIONS, values)]
            if not await storage.run(statements.DELETE_USER, {"user_id": user_id}):
                return None
            await storage.run(statements.ANONYMISE_AUDIT_RECORDS, {"user_id": user_id})
            await storage.announce()
            return ended

        return await self._atomically(delete)

    async def stored(self, user_id: str) -> Stored | None:
        """Select everything but secrets."""
        user = await self.user(user_id)
        if user is None:
            return None
        tables = {
            "credentials": statements.STORED_CREDENTIALS,
            "sessions": statements.STORED_SESSIONS,
            "tokens": statements.STORED_TOKENS,
            "events": statements.STORED_AUDIT_RECORDS,
        }
        values = {"user_id": user_id}
        found = {name: [dict(row) for row in await self.run(each, values, read=True)] for name, each in tables.items()}
        return Stored(user=user, **found)

    async def add_credential(self, credential: Credential) -> bool:
        """Insert, unless kind and identifier are taken."""
        return bool(await self.run_unless_refused(statements.ADD_CREDENTIAL, columns(credential)))

    async def credential(self, user_id: str, kind: str) -> Credential | None:
        """Select the newest of this kind."""
        rows = await self.run(statements.CREDENTIAL, {"user_id": user_id, "kind": kind}, read=True)
        return first(credential_of, rows)

    async def replace_secret(self, credential: Credential, secret: str, now: int) -> Credential | None:
        """Update where the version is still the same."""
        values = {"id": credential.id, "version": credential.version, "secret": secret, "now": now}
        rows = await self.run(statements.REPLACE_SECRET, values)
        changed = {"secret": secret, "version": credential.version + 1, "updated_at": now}
        return msgspec.structs.replace(credential, **changed) if rows else None

    async def add_session(self, session: Session, credential: Credential, limit: int) -> list[str] | None:
        """Insert where user and credential are unchanged; only when the limit may be near, end the oldest with it."""
        values = columns(session) | {"credential_id": credential.id, "version": credential.version}
        del values["revoked_at"]
        room = limit - UNSEEN
        if room > 0 and await self.run(statements.ADD_SESSION, values | {"room": room}):
            return []

        async def add(storage: "SQLStorage") -> list[str] | None:
            if not await storage.run(statements.ADD_SESSION, values | {"room": ANY}):
                return None
            oldest = {"user_id": session.user_id, "now": session.created_at, "most": limit}
            ended = [row["id"] for row in await storage.run(statements.END_OLDEST, oldest)]
            if ended:
                await storage.announce()
            return ended

        return await self._atomically(add)

    async def session(self, session_id: str) -> Session | None:
        """Select by id."""
        return first(session_of, await self.run(statements.SESSION, {"session_id": session_id}, read=True))

    async def sessions(self, user_id: str, now: int, idle_since: int) -> list[Session]:
        """Select the live ones."""
        values = {"user_id": user_id, "now": now, "idle_since": idle_since}
        return [session_of(row) for row in await self.run(statements.SESSIONS, values, read=True)]

    async def rotate_session(
        self, session_id: str, generation: int, *, now: int, idle_since: int
    ) -> tuple[Session, tuple[str, ...]] | None:
        """Compare and swap in one statement."""
        return await self._use_session(session_id, generation, now, idle_since, step=1)

    async def touch_session(
        self, session_id: str, generation: int, *, now: int, idle_since: int
    ) -> tuple[Session, tuple[str, ...]] | None:
        """Compare and mark."""
        return await self._use_session(session_id, generation, now, idle_since, step=0)

    async def _use_session(
        self, session_id: str, generation: int, now: int, idle_since: int, *, step: int
    ) -> tuple[Session, tuple[str, ...]] | None:
        values = {"session_id": session_id, "generation": generation, "now": now, "idle_since": idle_since}
        rows = await self.run(statements.ROTATE_SESSION, values | {"step": step})
        return (session_of(rows[0]), roles_of(rows[0]["user_roles"])) if rows else None

    async def end_sessions(
        self, user_id: str, now: int, *, only: str | None = None, keep: str | None = None
    ) -> list[str]:
        """Update the live ones and tell the other processes."""
        values = {"user_id": user_id, "now": now, "only": only, "keep": keep}
        ended = [row["id"] for row in await self.run(statements.END_SESSIONS, values)]
        if ended:
            await self.announce()
        return ended

    async def access(self, session_id: str, now: int) -> Access | None:
        """Join session and user."""
        rows = await self.run(statements.ACCESS, {"session_id": session_id}, read=True)
        if not rows:
            return None
        row = rows[0]
        alive = row["revoked_at"] is None and row["expires_at"] > now and row["status"] == "active"
        return Access(alive=alive, roles=roles_of(row["roles"]))

    async def changes_since(self, since: int) -> Changes:
        """Read the two indexes of what has changed lately."""
        ended = await self.run(statements.ENDED_SINCE, {"since": since}, read=True)
        users = await self.run(statements.CHANGED_SINCE, {"since": since}, read=True)
        return Changes(
            sessions=[(row["id"], row["revoked_at"]) for row in ended],
            users=[(str(row["id"]), roles_of(row["roles"]), row["changed_at"]) for row in users],
        )

    async def purge(self, before: int, batch: int) -> int:
        """Delete one batch of each."""
        values = {"before": before, "batch": batch}
        tables = (statements.PURGE_SESSIONS, statements.PURGE_TOKENS, statements.PURGE_COUNTERS)
        return sum([len(await self.run(each, values)) for each in tables])
