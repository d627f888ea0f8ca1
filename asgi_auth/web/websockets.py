"""Websockets of a session: closed when the session ends or the user's roles change (ASVS 4.4.3, 8.3.2)."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from asgi_auth.errors import StorageUnavailableError
from asgi_auth.sessions.identity import Identity
from asgi_auth.sessions.revocation import Revocation
from asgi_auth.sessions.tokens import ACT
from asgi_auth.storage import Storage
from asgi_auth.web.credentials import SUBPROTOCOL
from asgi_auth.web.responses import WEBSOCKET_UNAUTHORIZED

REASON = "token_revoked"
CLOSE: Message = {"type": "websocket.close", "code": WEBSOCKET_UNAUTHORIZED, "reason": REASON}


class SessionSocket:
    """Wraps `receive` and `send` of one websocket that belongs to a session."""

    def __init__(  # noqa: PLR0917 (each is a collaborator)
        self,
        identity: Identity,
        headers: list[tuple[bytes, bytes]],
        receive: Receive,
        send: Send,
        revocation: Revocation,
        storage: Storage,
        access_ttl: int,
        now: Callable[[], float],
    ) -> None:
        """Take the session; `headers` set cookies on accept, checks are at most `access_ttl` seconds apart."""
        self._revocation = revocation
        self._storage = storage
        self._longest = access_ttl
        self._now = now
        self._identity = identity
        self._headers = headers
        self._receive = receive
        self._send = send
        self._ended = asyncio.Event()
        self._protocols: list[str] = []
        self._accepted = False
        self._closed = False
        self._receiving: asyncio.Future[Any] | None = None

    async def run(self, app: ASGIApp, scope: Scope) -> None:
        """Run the app until it returns; close the websocket when the session ends."""
        offered = scope.get("subprotocols") or []
        self._protocols = [item for item in offered if not item.startswith(SUBPROTOCOL)]
        if len(self._protocols) < len(offered):
            scope["subprotocols"] = self._protocols
            scope["headers"] = [pair for pair in scope["headers"] if pair[0] != b"sec-websocket-protocol"]
        else:
            self._protocols = []
        loop = asyncio.get_running_loop()
        close = partial(_set_threadsafe, loop, self._ended)
        stop = self._revocation.watch(self._identity.session_id, self._identity.id, self._identity.roles, close)
        stop_actor = self._watch_actor(close)
        watcher = asyncio.ensure_future(self._watch())
        try:
            await app(scope, self.receive, self.send)
        finally:
            stop()
            stop_actor()
            if not self._ended.is_set():
                watcher.cancel()
            await asyncio.gather(watcher, return_exceptions=True)
            if self._receiving is not None:
                self._receiving.cancel()

    async def receive(self) -> Message:
        """Return the next message, or a disconnect once the session has ended. May be cancelled and called again."""
        if self._receiving is None:
            self._receiving = asyncio.ensure_future(self._receive())
        ended: asyncio.Future[Any] = asyncio.ensure_future(self._ended.wait())
        try:
            await asyncio.wait((self._receiving, ended), return_when=asyncio.FIRST_COMPLETED)
        finally:
            ended.cancel()
        if self._ended.is_set():
            return {"type": "websocket.disconnect", "code": WEBSOCKET_UNAUTHORIZED, "reason": REASON}
        message: Message = await self._receiving
        self._receiving = None
        return message

    async def send(self, message: Message) -> None:
        """Send a message of the app. Raises OSError after the close, as servers do for a disconnected client.

        A second close is ignored: frameworks answer a disconnect by one.
        """
        if self._closed:
            if message["type"] == "websocket.close":
                return
            raise OSError("the session of this websocket has ended")
        if message["type"] == "websocket.accept" and self._ended.is_set():
            message = CLOSE
        if message["type"] == "websocket.accept":
            self._accepted = True
            message = {**message, "headers": [*message.get("headers", ()), *self._headers]}
            if self._protocols and not message.get("subprotocol"):
                # A browser that offers subprotocols fails the connection unless one is accepted.
                message["subprotocol"] = self._protocols[0]
        self._closed = message["type"] == "websocket.close"
        await self._send(message)

    async def _watch(self) -> None:
        """Close when the session ends: at once by revocation, else at the check after the token expires.

        A session that has lost methods is checked first: it may have lost them during the handshake.
        """
        ended = self._identity.session_id in self._revocation.lowered and not await self._is_alive()
        while not ended:
            seconds = max(1.0, self._identity.expires_at - self._now())
            ended = await self._ends_within(seconds) or not await self._is_alive()
        self._ended.set()
        if self._accepted and not self._closed:
            self._closed = True
            if self._receiving is not None:
                # Granian delays a close while a receive is pending.
                self._receiving.cancel()
                await asyncio.wait([self._receiving])
            await self._send(CLOSE)

    async def _ends_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(min(seconds, self._longest)):
                await self._ended.wait()
        except TimeoutError:
            return False
        return True

    def _watch_actor(self, close: Callable[[], None]) -> Callable[[], None]:
        """Watch the session of the user who acts in this one, and that user's roles; return what stops it."""
        act = self._identity.claims.get(ACT)
        if act is None or "sid" not in act:
            return lambda: None
        return self._revocation.watch(act["sid"], act["sub"], self._revocation.roles.get(act["sub"], ()), close)

    async def _is_alive(self) -> bool:
        """Tell whether the session is live with the methods of the handshake, as the database has it.

        The websocket stays open while the database is unreachable.
        """
        try:
            access = await self._storage.access(self._identity.session_id, int(self._now()))
        except StorageUnavailableError:
            return True
        if access is None or not access.alive or access.user_id != self._identity.id:
            return False
        return set(self._identity.amr) <= set(access.amr)


def _set_threadsafe(loop: asyncio.AbstractEventLoop, event: asyncio.Event) -> None:
    """Set an event from any thread: the session may have ended in another event loop."""
    # A closed event loop has no websocket any more. The sessions after this one must still end.
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(event.set)
