"""What tests of imports share: files, an `Auth` that takes foreign hashes, and all rows of a database."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import bcrypt

from asgi_auth import Auth
from asgi_auth.feature import Credential, User
from asgi_auth.importing import export_users
from asgi_auth.storage import Storage
from tests.support import PASSWORD, Clock, make_auth

HASHED = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
UUID = "0197a3b2-7c1d-7e5f-8a9b-0c1d2e3f4a5b"
OTHER_UUID = "0197a3b2-7c1d-7e5f-8a9b-0c1d2e3f4a5c"


def importing(storage: str | Storage = "sqlite://", *, clock: Clock | None = None, **settings: Any) -> Auth:
    """An `Auth` that verifies hashes of other systems, at the usual priority of threads."""
    return make_auth(storage, clock=clock, passwords={"import_hashes": True, "niceness": 0}, **settings)


def lines(folder: Path, records: Sequence[Any], name: str = "users.jsonl") -> Path:
    """A file of JSON lines; a text is a line as it is."""
    file = folder / name
    texts = [record if isinstance(record, str) else json.dumps(record) for record in records]
    file.write_text("".join(text + "\n" for text in texts), "utf-8", errors="surrogateescape")
    return file


async def users_of(auth: Auth) -> list[User]:
    """All users, oldest first."""
    return await auth.storage.users(limit=10_000)


async def rows_of(auth: Auth) -> list[tuple[User, list[Credential]]]:
    """All users with their credentials, by id."""
    found = [(user, await auth.storage.credentials(user.id)) for user in await users_of(auth)]
    return sorted(found, key=lambda row: row[0].id)


async def exported(auth: Auth, *, secrets: bool = True) -> list[dict[str, Any]]:
    """The records of an export."""
    return [json.loads(line) async for line in export_users(auth, secrets=secrets)]
