"""The storage contract over any SQL driver: methods build statements from records, and records from rows."""

import time
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec

from asgi_auth.bounds.deadline import Deadline, left
from asgi_auth.errors import StorageUnavailableError, UserExistsError, ValidationError
from asgi_auth.model.records import NO_USER_ID, Credential, Status, User
from asgi_auth.model.stored import Stored
from asgi_auth.storage import bulk, field_columns, triggers, user_columns
from asgi_auth.storage import partitions as parts
from asgi_auth.storage.driver import ConflictError, SchemaError, ValueRefusedError
from asgi_auth.storage.migrate import add_installation, check, fit, migrate, missing
from asgi_auth.storage.rows import columns, first, user_of
from asgi_auth.storage.script import script
from asgi_auth.storage.sql_audit import SQLAudit
from asgi_auth.storage.sql_counters import SQLCounters
from asgi_auth.storage.sql_credentials import SQLCredentials
from asgi_auth.storage.sql_feed import SQLFeed
from asgi_auth.storage.sql_networks import SQLNetworks
from asgi_auth.storage.sql_sessions import SQLSessions
from asgi_auth.storage.sql_tokens import SQLTokens
from asgi_auth.storage.statements import audit, counters, credentials, feed, networks, schema, sessions, tokens, users

#: Seconds for all migrations together, outside of requests. A driver may have a bound of its own.
MIGRATION_TIME = 60.0
#: A time after all others.
YEAR_9999 = 253402300799
#: The character that sorts after all that an address can have.
LAST = "\U0010ffff"


class SQLStorage(SQLCredentials, SQLSessions, SQLFeed, SQLTokens, SQLCounters, SQLAudit, SQLNetworks):
    """Implements `Storage` over a driver; `Storage` documents the methods."""

    async def migrate(self, now: int | None = None) -> list[int]:
        """Open the storage and run the missing migrations."""
        await self.open()
        await fit(self)
        at = int(time.time()) if now is None else now
        ran: list[int] = []
        if await missing(self):
            # SQLite changes a large table for longer than a call may take.
            with Deadline(left(MIGRATION_TIME), urgent=True):
                ran = await self._atomically(lambda storage: migrate(storage, self._driver, at))
        await check(self)
        if not await triggers.are_there(self):
            await self._create_triggers()
        return ran

    async def partition(self, number: int) -> list[str]:
        """Partition the tables of sessions, counters and audit records by hash; return the names of those it changed.

        For PostgreSQL. Rows are copied in one transaction, which locks the tables and takes at most `timeout` seconds.
        Raises ValueError for another database, or a number that is not from 2 to 1,024.
        """
        parts.statement(self, number)
        await self.open()
        return await self._atomically(lambda storage: parts.partition(storage, self._driver, number))

    async def check_tables(self) -> None:
        """Open the storage, and compare its tables with the migrations."""
        await self.open()
        await fit(self)
        if numbers := await self.missing_migrations():
            raise SchemaError(
                f"the migrations {', '.join(map(str, numbers))} have not run: set auto_migrate=True, "
                "or run asgi-auth migrate with a role that may change tables"
            )
        await check(self)
        if not await triggers.are_there(self):
            triggers.warn()

    async def missing_migrations(self) -> list[int]:
        """Open the storage, and compare its tables with the migrations."""
        await self.open()
        return [number for number, _ in await missing(self)]

    async def ping(self) -> None:
        """Select from the smallest table."""
        await self.run(schema.PING, {}, read=True)

    async def installation(self, now: int) -> str:
        """Select the id; insert one if the row was deleted."""
        if not await self.run(schema.INSTALLATION, {}, read=True):
            await add_installation(self, now)
        [row] = await self.run(schema.INSTALLATION, {}, read=True)
        return str(row["id"])

    async def script(self, after: int = 0, partitions: int = 0) -> str:
        """Return the migrations with numbers above `after` as a text of SQL, for a role that may change tables.

        With `partitions`, the text then partitions tables, as `partition` does, however many rows they have.
        Reads the database only with a users table of the host, whose columns it follows.
        """
        if self.names.own_users_table:
            await self.open()
            await fit(self)
        return script(self, after, partitions)

    async def _create_triggers(self) -> None:
        """Create the triggers of the users table; log a warning where the role may not."""
        try:
            await self._atomically(lambda storage: triggers.create(storage, self._driver))
        except StorageUnavailableError as error:
            triggers.warn(error)

    async def add_user(self, user: User, credential: Credential | None = None) -> User | None:
        """Insert the user, unless the address is taken, and the credential."""
        is_assigned = user_columns.is_assigned(self.id_type)
        statement = self.adding(user)

        async def add(storage: "SQLStorage") -> User | None:
            try:
                rows = await storage.run(statement, columns(user) | {"access_changed_at": 0})
            except (ConflictError, ValueRefusedError) as error:
                self._check_fields(error, user.data)
                raise
            if not rows:
                return None
            added, first_credential = bulk.as_added(self, user, rows[0]), credential
            if is_assigned:
                first_credential = bulk.of_user(credential, added.id) if credential is not None else None
            if first_credential is not None and not await storage.add_credential(first_credential):
                raise ConflictError
            return added

        return await self._atomically(add)

    def adding(self, user: User) -> str:
        """Return the INSERT of a user: without the columns that the database fills where the user has no value."""
        statement = users.ADD_USER_WITHOUT_ID if user_columns.is_assigned(self.id_type) else users.ADD_USER
        if not self.filled_fields:
            return statement
        return users.with_fields(statement, [name for name in self.filled_fields if user.data.get(name) is not None])

    def _check_fields(self, error: Exception, data: Mapping[str, Any], *, only_named: bool = False) -> None:
        """Raise ValidationError if a unique index or a column of the host rejected a field."""
        if reasons := field_columns.reasons(error, self.fields, data, only_named=only_named):
            raise ValidationError(reasons) from None

    async def add_users(self, users: Sequence[tuple[User, Sequence[Credential]]]) -> list[User | None]:
        """Insert the users one after the other in one transaction, each behind a savepoint."""
        return await self._atomically(lambda storage: bulk.add(storage, users))

    async def user(self, user_id: str) -> User | None:
        """Select the user by id."""
        return first(user_of, await self.run(users.USER, {"user_id": user_id}, read=True))

    async def user_by_email(self, canonical: str) -> User | None:
        """Select the user by canonical address."""
        return first(user_of, await self.run(users.USER_BY_EMAIL, {"canonical": canonical}, read=True))

    async def update_user(self, user_id: str, changes: Mapping[str, Any], now: int) -> User | None:
        """Lock the row, merge the changes, and update it."""

        async def update(storage: "SQLStorage") -> User | None:
            old = first(user_of, await storage.run(users.USER_TO_CHANGE, {"user_id": user_id}))
            if old is None:
                return None
            merged = {"data": old.data | changes["data"]} if "data" in changes else {}
            new = msgspec.structs.replace(old, **{**changes, **merged})
            has_changed = (new.status, new.roles) != (old.status, old.roles)
            values = columns(new) | {"user_id": user_id, "updated_at": now}
            values["access_changed_at"] = now if has_changed else None
            for name in ("id", "created_at"):
                del values[name]
            rows = await storage.run(users.UPDATE_USER, values)
            if has_changed:
                await storage.run(feed.ADD_CHANGED, {"user_id": user_id, "now": now, "expires_at": now + feed.KEPT})
                await storage.announce()
            return first(user_of, rows)

        # In PostgreSQL a failed statement aborts the whole transaction, unless a savepoint precedes it.
        inside = self._connection is not None and "email_canonical" in changes
        if inside:
            await self.run(schema.SAVEPOINT, {})
        try:
            return await self._atomically(update)
        except (ConflictError, ValueRefusedError) as error:
            if inside:
                await self.run(schema.ROLLBACK_TO_SAVEPOINT, {})
            self._check_fields(error, changes.get("data", {}), only_named="email_canonical" in changes)
            if isinstance(error, ValueRefusedError):
                raise
            raise UserExistsError from None

    async def users(
        self,
        *,
        prefix: str = "",
        status: Status | None = None,
        role: str | None = None,
        after: User | None = None,
        limit: int,
        newest: bool = False,
    ) -> list[User]:
        """Select one page by the index of the times, or of the addresses."""
        values = _filter(status, role) | {"limit": limit}
        if prefix:
            statement = users.USERS_BY_PREFIX
            last = after.email_canonical if after else ""
            values |= {"first": max(prefix, last), "end": prefix + LAST, "after": last}
        else:
            statement, beyond = (users.NEWEST_USERS, YEAR_9999) if newest else (users.USERS, -1)
            values |= {"at": after.created_at if after else beyond, "user_id": after.id if after else NO_USER_ID}
        return [user_of(row) for row in await self.run(statement, values, read=True)]

    async def count_users(self, *, prefix: str = "", status: Status | None = None, role: str | None = None) -> int:
        """Count in one statement, by the same indexes."""
        values = _filter(status, role)
        if prefix:
            values |= {"first": prefix, "end": prefix + LAST, "after": ""}
        else:
            values |= {"at": -1, "user_id": NO_USER_ID}
        [row] = await self.run(users.COUNT_USERS_BY_PREFIX if prefix else users.COUNT_USERS, values, read=True)
        return int(row["count"])

    async def lock_users(self, user_ids: Collection[str]) -> dict[str, User]:
        """Lock one row after the other."""
        found: dict[str, User] = {}
        for user_id in sorted(user_ids):
            for row in await self.run(users.USER_TO_LOCK, {"user_id": user_id}):
                found[user_id] = user_of(row)
        return found

    async def users_to_unban(self, now: int, limit: int) -> list[User]:
        """Select the users by the end in their data; of all users, only those whose access has ever changed."""
        return [user_of(row) for row in await self.run(users.USERS_TO_UNBAN, {"now": now, "limit": limit}, read=True)]

    async def note_change(self, user_id: str, now: int) -> tuple[User | None, list[str]]:
        """Set the time of the change, and end the sessions unless the user is active."""

        async def note(storage: "SQLStorage") -> tuple[User | None, list[str]]:
            values = {"user_id": user_id, "access_changed_at": now}
            user, ended = first(user_of, await storage.run(users.NOTE_CHANGE, values)), list[str]()
            if user is not None:
                await storage.run(feed.ADD_CHANGED, {"user_id": user_id, "now": now, "expires_at": now + feed.KEPT})
            else:
                ended = [row["id"] for row in await storage.run(sessions.END_ORPHANS, {"now": now})]
                await storage.run(feed.ADD_ORPHANS, {"now": now})
            if user is None or user.status != "active":
                ended += await storage.end_sessions(user_id, now)
            await storage.announce()
            return user, ended

        return await self._atomically(note)

    async def delete_user(self, user_id: str, now: int) -> list[str] | None:
        """End and anonymize the sessions, anonymize the audit records, and delete the user; the rest cascades."""

        async def delete(storage: "SQLStorage") -> list[str] | None:
            values = {"user_id": user_id, "now": now}
            ended = [row["id"] for row in await storage.run(sessions.ANONYMIZE_SESSIONS, values)]
            await storage.run(tokens.DELETE_TOKENS_OF, {"user_id": user_id})
            await storage.tell_ended(user_id, now, ended)
            if not await storage.run(users.DELETE_USER, {"user_id": user_id}):
                return None
            await storage.run(audit.ANONYMIZE_AUDIT_RECORDS, {"user_id": user_id})
            await storage.announce()
            return ended

        return await self._atomically(delete)

    async def closed_users(self, before: int, limit: int) -> list[str]:
        """Select the users by the time of their last change of status."""
        values = {"before": before, "limit": limit}
        return [str(row["id"]) for row in await self.run(users.CLOSED_USERS, values, read=True)]

    async def stored(self, user_id: str, *, events: bool = True) -> Stored | None:
        """Select everything about the user except secrets."""
        user = await self.user(user_id)
        if user is None:
            return None
        tables = {
            "credentials": credentials.STORED_CREDENTIALS,
            "sessions": sessions.STORED_SESSIONS,
            "tokens": tokens.STORED_TOKENS,
        }
        values = {"user_id": user_id}
        stored = {name: [dict(row) for row in await self.run(each, values, read=True)] for name, each in tables.items()}
        pages = [page async for page in self.stored_events(user_id)] if events else []
        return Stored(user=user, **stored, features={}, events=[event for page in pages for event in page])

    async def purge(self, before: int, batch: int) -> int:
        """Delete one batch of sessions, tokens, counters and networks each."""
        values = {"before": before, "batch": batch}
        await self.run(feed.PURGE_CHANGES, values)
        tables = (sessions.PURGE_SESSIONS, tokens.PURGE_TOKENS, counters.PURGE_COUNTERS, networks.PURGE_NETWORKS)
        return sum([len(await self.run(each, values)) for each in tables])


def _filter(status: Status | None, role: str | None) -> dict[str, Any]:
    return {"status": status, "role": None if role is None else msgspec.json.encode(role).decode()}
