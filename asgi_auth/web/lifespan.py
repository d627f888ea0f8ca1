"""The ASGI lifespan protocol, around an inner app that may not support it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.types import Message, Receive, Scope, Send

from asgi_auth.auth import Auth
from asgi_auth.errors import AsyncioRequiredError, StorageSetupError
from asgi_auth.process.log import logger
from asgi_auth.runtime.event_loop import runs_asyncio

Messages = asyncio.Queue[Message]
# Hosts annotate scope, receive and send differently.
HostApp = Callable[..., Awaitable[None]]
STARTUP_FAILED = "lifespan.startup.failed"


async def serve_lifespan(auth: Auth, app: HostApp | None, scope: Scope, receive: Receive, send: Send) -> None:
    """Start `auth`, forward the lifespan events to `app`, and close `auth` at shutdown.

    An app that raises or returns without a reply does not support the protocol (Django, WSGI adapters), and is
    skipped. An unreachable database is no failure: the first request tries again. If the database refuses `auth`, the
    startup and shutdown of `app` still run, and the start of the server fails with the reason.
    """
    if not runs_asyncio():
        await receive()
        await send({"type": STARTUP_FAILED, "message": f"asgi_auth: {AsyncioRequiredError.default_detail}"})
        return
    inner = _InnerLifespan(app, scope) if app is not None else None
    try:
        failure = await _startup(auth, inner, await receive())
        if failure is not None:
            await _close(auth)
            await send(failure)
            return
        await send({"type": "lifespan.startup.complete"})
        last = await inner.exchange(await receive()) if inner else await receive()
        complete = last if inner and last else {"type": "lifespan.shutdown.complete"}
        await send(await _close(auth) or complete)
    except BaseException:
        if inner is not None:
            inner.stop()
        raise


async def _startup(auth: Auth, inner: "_InnerLifespan | None", message: Message) -> Message | None:
    """Start `auth`, then the inner app; return the failure of either."""
    failure = await _start(auth)
    reply = await inner.exchange(message) if inner else None
    if reply is not None and reply["type"] == STARTUP_FAILED:
        return reply
    if failure is not None:
        # The startup of the host may have created what was missing, such as its users table.
        failure = await _start(auth)
    if failure is not None and inner is not None:
        await inner.exchange({"type": "lifespan.shutdown"})
    return failure


async def _start(auth: Auth) -> Message | None:
    try:
        await auth.start(reachable=False)
    except StorageSetupError as error:
        return {"type": STARTUP_FAILED, "message": f"asgi_auth cannot start: {error}"}
    return None


async def _close(auth: Auth) -> Message | None:
    """Close `auth`; return the failure."""
    try:
        await auth.close()
    except Exception as error:
        logger.exception("asgi_auth failed to close")
        return {"type": "lifespan.shutdown.failed", "message": f"asgi_auth failed to close: {error!r}"}
    return None


class _InnerLifespan:
    """The lifespan of the inner app, in a separate task. An app that has ended gets no more messages."""

    def __init__(self, app: HostApp, scope: Scope) -> None:
        self._to_app: Messages = asyncio.Queue()
        self._from_app: Messages = asyncio.Queue()
        self._app = app
        self._scope = scope
        self._task: asyncio.Future[None] | None = None

    async def exchange(self, message: Message) -> Message | None:
        """Send the app a message and return its reply; None when the app ended without one."""
        if self._task is None:
            self._task = asyncio.ensure_future(self._app(self._scope, self._to_app.get, self._from_app.put))
            self._task.add_done_callback(_log_error)
        await self._to_app.put(message)
        reply = asyncio.ensure_future(self._from_app.get())
        waiting: set[asyncio.Future[Any]] = {reply, self._task}
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        if reply.done() or not self._from_app.empty():
            return await reply
        reply.cancel()
        return None

    def stop(self) -> None:
        """Cancel an app that still runs, as the server does when it cancels the lifespan."""
        if self._task is not None:
            self._task.cancel()


def _log_error(task: "asyncio.Future[None]") -> None:
    """Log the error that ended the app's lifespan, as information: most such apps do not support the protocol."""
    if not task.cancelled() and (error := task.exception()) is not None:
        logger.info("the lifespan of the inner app ended with %r", error)
