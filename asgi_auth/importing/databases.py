"""Imports directly from the databases of other systems, which are only read."""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, TypeAlias

from asgi_auth.auth import Auth
from asgi_auth.importing.batches import MOST
from asgi_auth.importing.calls import context_of, finish
from asgi_auth.importing.files import Entry
from asgi_auth.importing.formats import Context, Other, Record, better_auth, django, supabase
from asgi_auth.importing.importer import Importer, OnConflict, Options
from asgi_auth.importing.record import RefusedError
from asgi_auth.importing.report import ImportReport, Refusal
from asgi_auth.importing.times import truth_of
from asgi_auth.importing.updating import Updates
from asgi_auth.storage.source_tables import Join, SourceTable

System: TypeAlias = Literal["fastapi-users", "django", "auth101", "pg-simple-auth", "better-auth", "supabase"]


@dataclass(frozen=True)
class Tables:
    """Where a system keeps its users, and what reads a row."""

    table: str
    convert: Callable[[Record, Context], Record | None]
    join: Join | None = None


@dataclass(frozen=True)
class Columns:
    """Reads a row of a system whose columns have other names: where each value is. `flag` is that of administrators."""

    password_hash: str
    verified: str
    active: str = ""
    flag: str = ""

    def __call__(self, record: Record, context: Context) -> Record:
        """Return the row in the library's own format. Raises RefusedError for a flag that is no truth value."""
        return Other(
            id=record.get("id"),
            email=record.get("email"),
            verified=record.get(self.verified) or False,
            active=not self.active or _truth(record, self.active),
            created_at=record.get("created_at"),
            password_hash=record.get(self.password_hash),
            flags=[self.flag] if self.flag and _truth(record, self.flag) else [],
            extras=record,
        ).native(context)


#: Where auth101 keeps passwords.
OF_AUTH101 = Join("account", "user_id", "provider_id", "credential", "password")
#: How each system names its tables; `table` of an import may be another one.
SYSTEMS: dict[str, Tables] = {
    "fastapi-users": Tables("user", Columns("hashed_password", "is_verified", "is_active", "is_superuser")),
    "django": Tables("auth_user", django),
    "auth101": Tables("users", Columns("password", "email_verified", "is_active"), OF_AUTH101),
    "pg-simple-auth": Tables("users", Columns("password_hash", "verified")),
    "better-auth": Tables("user", better_auth, Join("account", "userId", "providerId", "credential", "password")),
    "supabase": Tables("auth.users", supabase),
}


async def import_database(
    auth: Auth,
    url: str,
    *,
    format: System,  # noqa: A002 (the word of the command line)
    table: str | None = None,
    dry_run: bool = False,
    on_conflict: OnConflict = "skip",
    with_roles: bool = False,
    with_credentials: bool = False,
    new_ids: bool = False,
    roles: Mapping[str, str] | None = None,
    progress: Callable[[ImportReport], None] = lambda _: None,
    refused: Callable[[Refusal], None] = lambda _: None,
) -> ImportReport:
    """Import users from the database of another system, by the rules of `import_users`. The database is only read.

    `url` is that of a file of SQLite or of PostgreSQL, `table` the name of the users table if it is not the usual one.
    The lines of the report are the numbers of the rows, in the order of the ids. Raises ValueError, StorageSetupError
    if the other database cannot be read, and StorageUnavailableError.
    """
    if format not in SYSTEMS:
        raise ValueError(f"the formats of databases are {', '.join(SYSTEMS)}")
    system = SYSTEMS[format]
    rows = SourceTable(url, table or system.table, "id", system.join)
    updates = Updates(roles=with_roles, credentials=with_credentials)
    options = Options(on_conflict=on_conflict, updates=updates, dry_run=dry_run, new_ids=new_ids)
    await auth.start()
    importer = Importer(auth, system.convert, context_of(auth, roles or {}), options, refused)
    await rows.source.open()
    try:
        total = await rows.count()
        # A row that is added meanwhile is read, too.
        part = partial(_part, importer.report, total)
        return await finish(auth, importer, _pages(rows), progress, part, dry_run=dry_run)
    finally:
        await rows.source.close()


def _part(report: ImportReport, total: int) -> float | None:
    return min(report.line / total, 1.0) if total else None


async def _pages(rows: SourceTable) -> AsyncIterator[list[Entry]]:
    number, after = 0, None
    while True:
        page, after = await rows.page(after, MOST)
        if not page:
            return
        yield [Entry(number + index, 0, dict(row)) for index, row in enumerate(page, 1)]
        number += len(page)


def _truth(record: Mapping[str, Any], name: str) -> bool:
    """Return a flag that every row has. Raises RefusedError."""
    try:
        return truth_of(record.get(name))
    except ValueError:
        raise RefusedError(f"{name}: neither true nor false") from None
