"""The ASGI lifespan protocol, around an inner app that may not support it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from starlette.types import Message, Receive, Scope, Send

from asgi_auth.auth import Auth
from asgi_auth.errors import StorageUnavailableError

logger: logging.Logger = logging.getLogger("asgi_auth")
Messages = asyncio.Queue[Message]
# Hosts annotate scope, receive and send differently.
HostApp = Callable[..., Awaitable[None]]


async def serve_lifespan(auth: Auth, app: HostApp | None, scope: Scope, receive: Receive, send: Send) -> None:
    """Start `auth`, forward the lifespan events to `app`, and close `auth` at shutdown.

    An app that raises or returns without a reply does not support the protocol (Django, WSGI adapters), and is
    skipped. The server starts without a reachable database; the first request tries again.
    """
    message = await receive()
    await start_or_warn(auth)
    inner = _InnerLifespan(app, scope) if app is not None else None
    reply = await inner.exchange(message) if inner else None
    if reply is not None and reply["type"] == "lifespan.startup.failed":
        await auth.close()
        await send(reply)
        return
    await send({"type": "lifespan.startup.complete"})
    message = await receive()
    last = await inner.exchange(message) if inner and reply is not None else None
    await auth.close()
    await send(last or {"type": "lifespan.shutdown.complete"})


async def start_or_warn(auth: Auth) -> None:
    """Start `auth`; log a warning when the database is unreachable, because the first request tries again."""
    try:
        await auth.start()
    except StorageUnavailableError:
        logger.warning("asgi_auth started without its database; requests will try again")


class _InnerLifespan:
    """The lifespan of the inner app, in a separate task."""

    def __init__(self, app: HostApp, scope: Scope) -> None:
        self._to_app: Messages = asyncio.Queue()
        self._from_app: Messages = asyncio.Queue()
        self._task = asyncio.ensure_future(app(scope, self._to_app.get, self._from_app.put))
        self._task.add_done_callback(_log_error)

    async def exchange(self, message: Message) -> Message | None:
        """Send the app a message and return its reply; None when the app ended without one."""
        await self._to_app.put(message)
        reply = asyncio.ensure_future(self._from_app.get())
        await asyncio.wait({reply, self._task}, return_when=asyncio.FIRST_COMPLETED)
        if reply.done() or not self._from_app.empty():
            return await reply
        reply.cancel()
        return None


def _log_error(task: "asyncio.Future[None]") -> None:
    """Log the error that ended the app's lifespan, as information: most such apps do not support the protocol."""
    if not task.cancelled() and (error := task.exception()) is not None:
        logger.info("the lifespan of the inner app ended with %r", error)
