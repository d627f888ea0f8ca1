"""Work that outlives the call that began it."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from contextvars import Context
from typing import Any, TypeVar

T = TypeVar("T")


def begin(work: Coroutine[Any, Any, T], name: str) -> asyncio.Task[T]:
    """Start a task in an empty context: it does not see the user, or any other context variable, of a request."""
    return asyncio.create_task(work, name=f"asgi_auth {name}", context=Context())


def step(work: Coroutine[Any, Any, T], name: str) -> asyncio.Task[T]:
    """Start a task for a step of the current call, with its context: a cancellation of the call does not end it."""
    return asyncio.create_task(work, name=f"asgi_auth {name}")


async def finish(work: Coroutine[Any, Any, T], on_cancel: Callable[[T], Awaitable[None]] | None = None) -> T:
    """Run work to its end and return its result, also when the current task is cancelled meanwhile.

    `on_cancel` then takes the result, and the cancellation goes on. A second one ends the work.
    """
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        # An error of the work does not replace the cancellation.
        with suppress(Exception):
            result = await task
            if on_cancel is not None:
                await on_cancel(result)
        raise


def is_cancelled() -> bool:
    """Tell, after a CancelledError, whether the current task is cancelled; else a function awaited a cancelled one."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
