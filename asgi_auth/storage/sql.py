"""The storage contract over any SQL driver: methods build statements from records, and records from rows."""

import time
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
    session_of,
    strings_of,
    user_of,
    user_with_credential_of,
)
from asgi_auth.storage.sql_audit import SQLAudit
from asgi_auth.storage.sql_counters import SQLCounters
from asgi_auth.storage.sql_tokens import SQLTokens

#: Concurrent logins of one user miss each other's sessions, so this close to the limit a transaction counts them.
MARGIN = 32
NO_LIMIT = 2**40


class SQLStorage(SQLTokens, SQLCounters, SQLAudit):
    """Implements `Storage` over a driver; `Storage` documents the methods."""

    async def migrate(self, now: int | None = None) -> list[int]:
        """Open the storage and run the missing migrations."""
        await self.open()
        at = int(time.time()) if now is None else now
        return await self._atomically(lambda storage: migrate(storage, self._driver, at))

    async def add_user(self, user: User, credential: Credential | None = None) -> bool:
        """Insert the user, unless the address is taken, and the credential."""

        async def add(storage: "SQLStorage") -> bool:
            if not await storage.run(statements.ADD_USER, columns(user)):
                return False
            if credential is not None and not await storage.add_credential(credential):
                raise ConflictError
            return True

        return await self._atomically(add)

    async def user(self, user_id: str) -> User | None:
        """Select the user by id."""
        return first(user_of, await self.run(statements.USER, {"user_id": user_id}, read=True))

    async def user_by_email(self, canonical: str) -> User | None:
        """Select the user by canonical address."""
        return first(user_of, await self.run(statements.USER_BY_EMAIL, {"canonical": canonical}, read=True))

    async def user_with_credential(self, canonical: str, kind: str) -> tuple[User, Credential | None] | None:
        """Select the user joined with the newest credential."""
        values = {"canonical": canonical, "kind": kind}
        return first(user_with_credential_of, await self.run(statements.USER_WITH_CREDENTIAL, values, read=True))

    async def update_user(self, user_id: str, changes: Mapping[str, Any], now: int) -> User | None:
        """Lock the row, merge the changes, and update it."""

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

        # In PostgreSQL a failed statement aborts the whole transaction, unless a savepoint precedes it.
        inside = self._connection is not None and "email_canonical" in changes
        if inside:
            await self.run(statements.SAVEPOINT, {})
        try:
            return await self._atomically(update)
        except ConflictError:
            if inside:
                await self.run(statements.ROLLBACK_TO_SAVEPOINT, {})
            raise UserExistsError from None

    async def delete_user(self, user_id: str, now: int) -> list[str] | None:
        """End and anonymize the sessions, anonymize the audit records, and delete the user; the rest cascades."""

        async def delete(storage: "SQLStorage") -> list[str] | None:
            values = {"user_id": user_id, "now": now}
            ended = [row["id"] for row in await storage.run(statements.ANONYMIZE_SESSIONS, values)]
            if not await storage.run(statements.DELETE_USER, {"user_id": user_id}):
                return None
            await storage.run(statements.ANONYMIZE_AUDIT_RECORDS, {"user_id": user_id})
            await storage.announce()
            return ended

        return await self._atomically(delete)

    async def stored(self, user_id: str) -> Stored | None:
        """Select everything about the user except secrets."""
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
        stored = {name: [dict(row) for row in await self.run(each, values, read=True)] for name, each in tables.items()}
        return Stored(user=user, **stored)

    async def add_credential(self, credential: Credential) -> bool:
        """Insert the credential, unless its kind and identifier are taken."""
        return bool(await self.run_unless_conflict(statements.ADD_CREDENTIAL, columns(credential)))

    async def credential(self, user_id: str, kind: str) -> Credential | None:
        """Select the newest credential of the kind."""
        rows = await self.run(statements.CREDENTIAL, {"user_id": user_id, "kind": kind}, read=True)
        return first(credential_of, rows)

    async def replace_secret(self, credential: Credential, secret: str, now: int) -> Credential | None:
        """Update the credential if its version is unchanged."""
        values = {"id": credential.id, "version": credential.version, "secret": secret, "now": now}
        rows = await self.run(statements.REPLACE_SECRET, values)
        changed = {"secret": secret, "version": credential.version + 1, "updated_at": now}
        return msgspec.structs.replace(credential, **changed) if rows else None

    async def add_session(self, session: Session, credential: Credential, limit: int) -> list[str] | None:
        """Insert the session in one statement; near the limit, in a transaction that ends the oldest sessions."""
        values = columns(session) | {"credential_id": credential.id, "version": credential.version}
        del values["revoked_at"]
        room = limit - MARGIN
        if room > 0 and await self.run(statements.ADD_SESSION, values | {"room": room}):
            return []

        async def add(storage: "SQLStorage") -> list[str] | None:
            if not await storage.run(statements.ADD_SESSION, values | {"room": NO_LIMIT}):
                return None
            oldest = {"user_id": session.user_id, "now": session.created_at, "most": limit}
            ended = [row["id"] for row in await storage.run(statements.END_OLDEST, oldest)]
            if ended:
                await storage.announce()
            return ended

        return await self._atomically(add)

    async def session(self, session_id: str) -> Session | None:
        """Select the session by id."""
        return first(session_of, await self.run(statements.SESSION, {"session_id": session_id}, read=True))

    async def sessions(self, user_id: str, now: int, idle_since: int) -> list[Session]:
        """Select the live sessions of the user."""
        values = {"user_id": user_id, "now": now, "idle_since": idle_since}
        return [session_of(row) for row in await self.run(statements.SESSIONS, values, read=True)]

    async def rotate_session(
        self, session_id: str, generation: int, *, now: int, idle_since: int
    ) -> tuple[Session, tuple[str, ...]] | None:
        """Compare and swap the generation in one statement."""
        return await self._rotate_or_touch(session_id, generation, now, idle_since, raise_by=1)

    async def touch_session(
        self, session_id: str, generation: int, *, now: int, idle_since: int
    ) -> tuple[Session, tuple[str, ...]] | None:
        """Compare the generation and set the time of the last use in one statement."""
        return await self._rotate_or_touch(session_id, generation, now, idle_since, raise_by=0)

    async def _rotate_or_touch(
        self, session_id: str, generation: int, now: int, idle_since: int, *, raise_by: int
    ) -> tuple[Session, tuple[str, ...]] | None:
        values = {"session_id": session_id, "generation": generation, "now": now, "idle_since": idle_since}
        rows = await self.run(statements.ROTATE_SESSION, values | {"raise_by": raise_by})
        return (session_of(rows[0]), strings_of(rows[0]["user_roles"])) if rows else None

    async def end_sessions(
        self, user_id: str, now: int, *, only: str | None = None, keep: str | None = None
    ) -> list[str]:
        """End the live sessions, and notify other processes."""
        values = {"user_id": user_id, "now": now, "only": only, "keep": keep}
        ended = [row["id"] for row in await self.run(statements.END_SESSIONS, values)]
        if ended:
            await self.announce()
        return ended

    async def access(self, session_id: str, now: int) -> Access | None:
        """Select the state of the session joined with its user."""
        rows = await self.run(statements.ACCESS, {"session_id": session_id}, read=True)
        if not rows:
            return None
        row = rows[0]
        alive = row["revoked_at"] is None and row["expires_at"] > now and row["status"] == "active"
        return Access(alive=alive, roles=strings_of(row["roles"]))

    async def changes_since(self, since: int) -> Changes:
        """Select recent changes by the indexes of their times."""
        ended = await self.run(statements.ENDED_SINCE, {"since": since}, read=True)
        users = await self.run(statements.CHANGED_SINCE, {"since": since}, read=True)
        return Changes(
            sessions=[(row["id"], row["revoked_at"]) for row in ended],
            users=[(str(row["id"]), strings_of(row["roles"]), row["changed_at"]) for row in users],
        )

    async def purge(self, before: int, batch: int) -> int:
        """Delete one batch of sessions, tokens and counters each."""
        values = {"before": before, "batch": batch}
        tables = (statements.PURGE_SESSIONS, statements.PURGE_TOKENS, statements.PURGE_COUNTERS)
        return sum([len(await self.run(each, values)) for each in tables])
