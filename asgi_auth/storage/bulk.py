"""Users that are added many at a time: many rows in one statement, and one by one only where something is taken."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol, TypeAlias, TypeVar

import msgspec

from asgi_auth.errors import ValidationError
from asgi_auth.model.records import Credential, User
from asgi_auth.storage.driver import ConflictError, ValueRefusedError
from asgi_auth.storage.rows import Row, columns, user_of
from asgi_auth.storage.statements import credentials, schema
from asgi_auth.storage.user_columns import is_assigned

T = TypeVar("T")
#: A user with its credentials.
New: TypeAlias = tuple[User, Sequence[Credential]]
#: The numbers of rows in one statement, so that there are few different statements. Fewer users are added one by one.
SIZES = (50, 10, 1)
LEAST = 10


class Adding(Protocol):
    """The part of a storage that adds users, inside a transaction."""

    id_type: str
    filled_fields: tuple[str, ...]

    async def run(self, statement: str, values: Mapping[str, Any]) -> Sequence[Row]:
        """Run one statement."""

    def adding(self, user: User) -> str:
        """Return the INSERT of a user."""

    async def run_many(self, statement: str, rows: Sequence[Mapping[str, Any]]) -> Sequence[Row]:
        """Run an INSERT of one row for many rows."""

    async def add_user(self, user: User, credential: Credential | None = None) -> User | None:
        """Insert a user."""

    async def add_credential(self, credential: Credential) -> bool:
        """Insert a credential."""


def parts(items: Sequence[T]) -> Iterator[Sequence[T]]:
    """Divide items into parts of the sizes of a statement, in their order."""
    start = 0
    for size in SIZES:
        while len(items) - start >= size:
            yield items[start : start + size]
            start += size


async def add(storage: Adding, given: Sequence[New]) -> list[User | None]:
    """Add users in a transaction; None stands for each of which something is taken."""
    added: list[User | None] = []
    for chunk in parts(given):
        added += await _add_together(storage, chunk) or [await add_if_free(storage, *each) for each in chunk]
    return added


async def _add_together(storage: Adding, chunk: Sequence[New]) -> list[User | None] | None:
    """Add users by two statements; None, and nothing is added, when they have to be added one by one."""
    ids, statements = {user.id for user, _ in chunk}, {storage.adding(user) for user, _ in chunk}
    if len(chunk) < LEAST or len(ids) < len(chunk) or len(statements) > 1 or is_assigned(storage.id_type):
        return None
    await storage.run(schema.SAVEPOINT_OF_USER, {})
    try:
        new_rows = [columns(user) | {"access_changed_at": 0} for user, _ in chunk]
        there = {str(row["id"]): row for row in await storage.run_many(statements.pop(), new_rows)}
        new = [credential for user, mine in chunk if user.id in there for credential in mine]
        stored = 0
        for part in parts(new):
            stored += len(await storage.run_many(credentials.ADD_CREDENTIAL, [columns(each) for each in part]))
        if stored == len(new):
            return [as_added(storage, user, there[user.id]) if user.id in there else None for user, _ in chunk]
    except (ConflictError, ValueRefusedError):
        pass
    await storage.run(schema.ROLLBACK_TO_SAVEPOINT_OF_USER, {})
    return None


async def add_if_free(storage: Adding, user: User, given: Sequence[Credential]) -> User | None:
    """Insert a user with its credentials, or nothing, in the current transaction."""
    await storage.run(schema.SAVEPOINT_OF_USER, {})
    try:
        added = await storage.add_user(user, given[0] if given else None)
        mine = [of_user(credential, added.id) for credential in given[1:]] if added else []
        is_whole = all([await storage.add_credential(credential) for credential in mine])
    except (ConflictError, ValidationError):
        added, is_whole = None, False
    if not is_whole:
        await storage.run(schema.ROLLBACK_TO_SAVEPOINT_OF_USER, {})
    return added if is_whole else None


def as_added(storage: Adding, user: User, row: Row) -> User:
    """Return a user as the database has added it: it may have assigned the id, and values of fields."""
    if storage.filled_fields:
        return user_of(row)
    added_id = str(row["id"])
    return user if added_id == user.id else msgspec.structs.replace(user, id=added_id)


def of_user(credential: Credential, user_id: str) -> Credential:
    """Give a credential the id that the database has assigned to its user."""
    identifier = user_id if credential.identifier == credential.user_id else credential.identifier
    return msgspec.structs.replace(credential, user_id=user_id, identifier=identifier)
