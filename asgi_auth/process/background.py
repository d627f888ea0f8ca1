"""Work that outlives the call that began it."""

import asyncio
from collections.abc import Coroutine
from contextvars import Context
from typing import Any, TypeVar

T = TypeVar("T")


def begin(work: Coroutine[Any, Any, T], name: str) -> asyncio.Task[T]:
    """Start a task in an empty context: it does not see the user, or any other context variable, of a request."""
    return asyncio.create_task(work, name=f"asgi_auth {name}", context=Context())


def is_cancelled() -> bool:
    """Tell, after a CancelledError, whether the current task is cancelled; else a function awaited a cancelled one."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
