"""The storage contract over any SQL driver: records in, statements out."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from copy import copy
from typing import Any, TypeVar

import msgspec

from asgi_auth.errors import StorageUnavailableError, UserExistsError
from asgi_auth.records import Access, Changes, Credential, Session, User
from asgi_auth.storage import statements
from asgi_auth.storage.driver import ConflictError, Connection, Driver, RetryError
from asgi_auth.storage.migrate import migrate
from asgi_auth.storage.names import Names
from asgi_auth.storage.rows import Row, columns, credential_of, first, roles_of, session_of, user_of

T = TypeVar("T")
TRIES = 5


class SQLStorage:
    """Keeps the contract of `Storage`; `connection` is set in the copy that a transaction gives."""

    def __init__(self, driver: Driver, names: Names | None = None) -> None:
        """Take a driver, and the names of the tables."""
        self.names = names or Names()
        self._driver = driver
        self._connection: Connection | None = None
        postgres = driver.dialect == "postgresql"
        locks = {
            name: name.upper().replace("_", " ") if postgres else "" for name in ("for_update", "for_no_key_update")
        }
        self._parts = self.names.parts() | locks
        self._sql: dict[str, str] = {}

    async def open(self) -> None:
        """Connect."""
        await self._driver.open()

    async def close(self) -> None:
        """Disconnect."""
        await self._driver.close()

    async def migrate(self, now: int) -> list[int]:
        """Run the migrations that are missing."""
        return await self._atomically(lambda storage: migrate(storage, self._driver, now))

    async def wait_for_change(self, seconds: float) -> None:
        """Wait for other processes."""
        await self._driver.wait(self.names.channel, seconds)

    @property
    def connection(self) -> Connection:
        """The connection of the transaction that this storage stands in."""
        if self._connection is None:
            raise RuntimeError("this needs a transaction")
        return self._connection

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator["SQLStorage"]:
        """Hold a transaction; one inside another is the same one."""
        if self._connection is not None:
            yield self
            return
        try:
            async with self._driver.transaction() as connection:
                yield self._inside(connection)
        except RetryError as error:
            raise StorageUnavailableError from error

    async def add_user(self, user: User, credential: Credential | None = None) -> bool:
        """Insert the user, unless the address is taken, and the credential with it."""

        async def add(storage: "SQLStorage") -> bool:
            if not await storage.run(statements.ADD_USER, columns(user)):
                return False
            if credential is not None:
                await storage.run(statements.ADD_CREDENTIAL, columns(credential))
            return True

        return await self._atomically(add)

    async def user(self, user_id: str) -> User | None:
        """Select by id."""
        return first(user_of, await self.run(statements.USER, {"user_id": user_id}, read=True))

    async def user_by_email(self, canonical: str) -> User | None:
        """Select by canonical address."""
        return first(user_of, await self.run(statements.USER_BY_EMAIL, {"canonical": canonical}, read=True))

    async def update_user(self, user_id: str, changes: Mapping[str, Any], now: int) -> User | None:
        """Merge the changes into the row under its lock."""

        async def update(storage: "SQLStorage") -> User | None:
            old = first(user_of, await storage.run(statements.USER_TO_CHANGE, {"user_id": user_id}))
            if old is None:
                return None
            new = msgspec.structs.replace(old, **changes)
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
        """Take the credential's row, insert, then end what is over the limit."""

        async def add(storage: "SQLStorage") -> list[str] | None:
            now = session.created_at
            used = {"id": credential.id, "version": credential.version, "now": now}
            if not await storage.run(statements.USE_CREDENTIAL, used):
                return None
            values = columns(session)
            del values["revoked_at"]
            if not await storage.run(statements.ADD_SESSION, values):
                return None
            oldest = {"user_id": session.user_id, "now": now, "most": limit}
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
        values = {"session_id": session_id, "generation": generation, "now": now, "idle_since": idle_since}
        rows = await self.run(statements.ROTATE_SESSION, values)
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
        """Delete one batch."""
        return len(await self.run(statements.PURGE, {"before": before, "batch": batch}))

    async def announce(self) -> None:
        """Tell the other processes: with the commit, when in a transaction."""
        await self._driver.announce(self.names.channel, self._connection)

    async def run(self, statement: str, values: Mapping[str, Any], *, read: bool = False) -> Sequence[Row]:
        """Run one statement, in the transaction when there is one."""
        sql = self._sql.get(statement) or self._sql.setdefault(statement, statement.format_map(self._parts))
        if self._connection is not None:
            return await self._connection.fetch(sql, values)
        if read:
            return await self._driver.read(sql, values)
        return await self._retrying(lambda: self._driver.write(sql, values))

    async def _atomically(self, work: Callable[["SQLStorage"], Awaitable[T]]) -> T:
        """Run several statements in one transaction, again when the database asks for it."""

        async def attempt() -> T:
            if self._connection is not None:
                return await work(self)
            async with self._driver.transaction() as connection:
                return await work(self._inside(connection))

        return await self._retrying(attempt)

    def _inside(self, connection: Connection) -> "SQLStorage":
        inner = copy(self)
        inner._connection = connection  # noqa: SLF001 (it is one of us)
        return inner

    async def _retrying(self, attempt: Callable[[], Awaitable[T]]) -> T:
        for number in range(1, TRIES + 1):
            try:
                return await attempt()
            except RetryError as error:
                if number == TRIES or self._connection is not None:
                    raise StorageUnavailableError from error
                await asyncio.sleep(random.uniform(0, 0.01 * 2**number))  # noqa: S311 (jitter, no secret)
        raise AssertionError
