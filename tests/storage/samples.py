"""Records for the tests of the storage, and a way to call many times at once."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from asgi_auth.records import Credential, Session, User
from asgi_auth.storage import Storage

T = TypeVar("T")
NOW = 1_800_000_000
CALLERS = 32


async def at_once(call: Callable[[int], Awaitable[T]], callers: int = CALLERS) -> list[T]:
    """Call many times concurrently; every call gets its number."""
    return await asyncio.gather(*(call(number) for number in range(callers)))


async def added(storage: Storage, number: int = 1, **changes: Any) -> tuple[User, Credential]:
    """Add a user with a password."""
    user = a_user(number, **changes)
    credential = a_credential(user)
    assert await storage.add_user(user, credential)
    return user, credential


def a_user(number: int = 1, **changes: Any) -> User:
    """A user with a number."""
    email = f"u{number}@example.com"
    values: dict[str, Any] = {"id": f"user-{number}", "email": email.upper(), "email_canonical": email}
    return User(**{**values, "created_at": NOW, "updated_at": NOW, **changes})


def a_credential(user: User, **changes: Any) -> Credential:
    """A password of a user's."""
    values: dict[str, Any] = {"id": f"password of {user.id}", "user_id": user.id, "kind": "password"}
    values |= {"identifier": user.id, "secret": "first", "created_at": NOW, "updated_at": NOW}
    return Credential(**{**values, **changes})


def a_session(user: User, number: int = 1, **changes: Any) -> Session:
    """A session of a user's; it lives for an hour."""
    times = dict.fromkeys(("created_at", "last_used_at", "rotated_at", "auth_time"), NOW)
    values: dict[str, Any] = {"id": f"session-{number}", "user_id": user.id, "expires_at": NOW + 3600, **times}
    return Session(**{**values, **changes})
