"""Records for the tests of the storage, and a way to call many times at once."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from asgi_auth.model.records import Credential, OneTimeToken, Session, User
from asgi_auth.storage import Storage
from asgi_auth.storage.migrate import migrations

T = TypeVar("T")
NOW = 1_800_000_000
MIGRATIONS = [number for number, _ in migrations()]
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


def a_token(user: User | None, number: int = 1, **changes: Any) -> OneTimeToken:
    """A one-time token about a user's address; it lives for an hour."""
    subject, user_id = (user.email_canonical, user.id) if user else ("nobody@example.com", None)
    values: dict[str, Any] = {"id": f"request-{number}", "purpose": "reset", "subject": subject, "user_id": user_id}
    values |= {"digest": f"digest-{number}", "code": f"code-{number}", "created_at": NOW, "expires_at": NOW + 3600}
    return OneTimeToken(**{**values, **changes})
