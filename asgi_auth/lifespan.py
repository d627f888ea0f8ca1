"""The lifespan protocol around an inner app that may not know it."""

import asyncio
from typing import TYPE_CHECKING

from starlette.types import ASGIApp, Message, Receive, Scope, Send

if TYPE_CHECKING:
    from asgi_auth.auth import Auth

Messages = asyncio.Queue[Message]


async def serve_lifespan(auth: "Auth", app: ASGIApp | None, scope: Scope, receive: Receive, send: Send) -> None:
    """Start `auth`, pass the events on to `app` if it takes them, and close `auth` at the end.

    An app that raises or returns before it has answered doesn't know the protocol (Django, WSGI adapters): we go on
    without it. A database that is away doesn't keep the server from starting: the first request tries again.
    """
    message = await receive()
    await auth.lifespan_start()
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


class _Inner:
    """An app in a task of its own, as its lifespan runs beside ours."""

    def __init__(self, app: ASGIApp, scope: Scope) -> None:
        self._to_app: Messages = asyncio.Queue()
        self._from_app: Messages = asyncio.Queue()
        self._task = asyncio.ensure_future(app(scope, self._to_app.get, self._from_app.put))

    async def ask(self, message: Message) -> Message | None:
        """Give the app a message and return its answer; None from an app that has ended without one."""
        await self._to_app.put(message)
        answering = asyncio.ensure_future(self._from_app.get())
        await asyncio.wait({answering, self._task}, return_when=asyncio.FIRST_COMPLETED)
        if answering.done() or not self._from_app.empty():
            return await answering
        answering.cancel()
        self._task.exception()
        return None
