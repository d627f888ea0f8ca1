"""The lifespan protocol around an inner app that may not support it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from starlette.types import Message, Receive, Scope, Send

from asgi_auth.auth import Auth
from asgi_auth.errors import StorageUnavailableError

logger: logging.Logger = logging.getLogger("asgi_auth")
Messages = asyncio.Queue[Message]
# Each host has its own types for scope, receive and send.
HostApp = Callable[..., Awaitable[None]]


async def serve_lifespan(auth: Auth, app: HostApp | None, scope: Scope, receive: Receive, send: Send) -> None:
    """Start `auth`, pass the events on to `app` if it supports them, and close `auth` at the end.

    An app that raises or returns without an answer does not support the protocol (Django, WSGI adapters), and is left
    out. An unreachable database does not keep the server from starting: the first request tries again.
    """
    message = await receive()
    await start_or_warn(auth)
    inner = _Inner(app, scope) if app is not None else None
    reply = await inner.ask(message) if inner else None
    if reply is not None and reply["type"] == "lifespan.startup.failed":
        await auth.close()
        await send(reply)
        return
    await send({"type": "lifespan.startup.complete"})
    message = await receive()
    last = await inner.ask(message) if inner and reply is not None else None
    await auth.close()
    await send(last or {"type": "lifespan.shutdown.complete"})


async def start_or_warn(auth: Auth) -> None:
    """Start `auth`; when the database is unreachable the server starts anyway, and the first request tries again."""
    try:
        await auth.start()
    except StorageUnavailableError:
        logger.warning("asgi_auth starts without its database; requests will try again")


class _Inner:
    """The inner app in a task of its own, since both lifespans run at the same time."""

    def __init__(self, app: HostApp, scope: Scope) -> None:
        self._to_app: Messages = asyncio.Queue()
        self._from_app: Messages = asyncio.Queue()
        self._task = asyncio.ensure_future(app(scope, self._to_app.get, self._from_app.put))
        self._task.add_done_callback(_ended)

    async def ask(self, message: Message) -> Message | None:
        """Send the app a message and return its answer; None when the app ended without one."""
        await self._to_app.put(message)
        answering = asyncio.ensure_future(self._from_app.get())
        await asyncio.wait({answering, self._task}, return_when=asyncio.FIRST_COMPLETED)
        if answering.done() or not self._from_app.empty():
            return await answering
        answering.cancel()
        return None


def _ended(task: "asyncio.Future[None]") -> None:
    """Log the error that ended the lifespan of an app, once; it may be harmless."""
    if not task.cancelled() and (error := task.exception()) is not None:
        logger.info("the lifespan of the app inside ended with %r", error)
