"""Triggers on the users table: what the host changes by SQL reaches the processes, as what the library changes does.

A status other than `active` and a deletion end the sessions of the user, and new roles are announced. The times are
those of the database. Triggers belong to no migration: a host may make its users table anew, so a start checks them.
"""

from collections.abc import Sequence

from asgi_auth.errors import StorageUnavailableError
from asgi_auth.process.log import logger
from asgi_auth.storage.driver import Driver
from asgi_auth.storage.runner import Runner
from asgi_auth.storage.statements import triggers


async def are_there(storage: Runner) -> bool:
    """Tell whether the tables have the triggers."""
    values = {"table": storage.users_table, "sessions": f"{storage.names.prefix}sessions"}
    rows = await storage.run(triggers.FIND[storage.dialect], values, read=True)
    wanted = [*triggers.NAMES, *([triggers.OF_LOGINS] if _notes_logins(storage) else [])]
    return {f"{storage.names.prefix}{name}" for name in wanted} <= {row["name"] for row in rows}


def statements_of(storage: Runner) -> Sequence[str]:
    """Return the statements that create the triggers."""
    more = [triggers.NOTE_LOGINS] if _notes_logins(storage) else []
    return [*triggers.CREATE[storage.dialect], *more]


def _notes_logins(storage: Runner) -> bool:
    """Tell whether a trigger notes logins; in PostgreSQL, the statement of a login does."""
    return storage.dialect == "sqlite" and storage.notes_logins


async def create(storage: Runner, driver: Driver) -> None:
    """Create the triggers in the transaction of `storage`, unless another process has."""
    await driver.lock_migrations(storage.connection, "asgi_auth")
    if await are_there(storage):
        return
    if storage.dialect == "postgresql":
        [row] = await storage.run(triggers.SCHEMA_OF, {"table": storage.users_table}, read=True)
        storage.adapt(storage.id_type, storage.names.parts_in(row["name"]))
    for statement in statements_of(storage):
        await storage.run(statement, {})


def warn(error: StorageUnavailableError | None = None) -> None:
    """Log that changes by SQL are not noticed."""
    logger.warning(
        "the users table has no triggers, so changes by SQL are noticed late%s: run await auth.storage.migrate() with "
        "a role that may create them, or call await auth.users.changed(id) after each change",
        f" ({error})" if error else "",
    )
