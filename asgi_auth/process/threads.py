"""Work of the event loop that a thread waits for."""

import asyncio
from asyncio import AbstractEventLoop
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")
#: Seconds that a thread waits at most. The work has bounds of its own; this one is for a loop that has stopped.
LONGEST = 60.0


def in_loop(loop: AbstractEventLoop | None, work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in an event loop from a thread, and return its result.

    Raises RuntimeError on an event loop, and without a running one; TimeoutError for a loop that has stopped.
    """
    if is_on_a_loop() or loop is None or not loop.is_running():
        work.close()
        raise RuntimeError("this needs a thread beside the running event loop; in async code, await instead")
    return asyncio.run_coroutine_threadsafe(work, loop).result(LONGEST)


def is_on_a_loop() -> bool:
    """Tell whether the caller runs on an event loop, where it must not wait."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
