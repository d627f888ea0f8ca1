"""The pages of the feed of changes, read ahead: the database reads the next one while this process takes one in."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from typing import Any

from asgi_auth.model.revocations import Changes
from asgi_auth.process.background import step


async def read_ahead(
    read: Callable[[str], Coroutine[Any, Any, Changes]], position: str
) -> AsyncGenerator[Changes, None]:
    """Yield the changes after a position, page by page; `read` reads a page. Close it to stop between two pages."""
    changes = await read(position)
    while changes.more:
        following = step(read(changes.position), "next page")
        try:
            # Sends the query.
            await asyncio.sleep(0)
            yield changes
            changes = await following
        finally:
            following.cancel()
    yield changes
