"""AuthMiddleware: authenticates every request, for every ASGI framework. It rejects only with `required=True`."""

from collections.abc import Awaitable
from contextlib import suppress
from functools import cache

import msgspec
from starlette.types import Message, Receive, Scope, Send

from asgi_auth.app import SPENT, AuthApp, authenticator_of
from asgi_auth.auth import Auth
from asgi_auth.bounds.deadline import Deadline
from asgi_auth.bounds.settling import Settling
from asgi_auth.errors import AuthError, UnauthorizedError
from asgi_auth.process.log import logger
from asgi_auth.runtime.event_loop import unexpected
from asgi_auth.runtime.parts import shown
from asgi_auth.sessions.identity import Identity, current
from asgi_auth.sessions.resources import ProtectedResource
from asgi_auth.settings import check_mount
from asgi_auth.web.authenticator import Headers
from asgi_auth.web.body import ClientDisconnectedError
from asgi_auth.web.challenges import RESOURCE, challenged, readable
from asgi_auth.web.client import client_of
from asgi_auth.web.cookies import Cookies
from asgi_auth.web.cors import Cors
from asgi_auth.web.forwarded import see_through_proxies
from asgi_auth.web.lifespan import HostApp, serve_lifespan
from asgi_auth.web.paths import CHANGE_PASSWORD, below_mount, readings
from asgi_auth.web.responses import BY, OUTER, REFUSALS, WEBSOCKET_UNAUTHORIZED, send_error, send_late_error
from asgi_auth.web.tool_calls import admit_calls
from asgi_auth.web.unserved import UnservedResources
from asgi_auth.web.websockets import SessionSocket

NO_HEADERS: Headers = []
#: The types of scopes that have a caller.
CONNECTIONS = frozenset({"http", "websocket"})
#: The messages after which a websocket is open.
OPEN_SOCKET = ("websocket.accept", "websocket.send")
NO_STORE = (b"cache-control", b"no-store")


class AuthMiddleware:
    """Puts an `Identity` into `scope["user"]` and `scope["auth"]` of requests and websockets.

    With `mount="/auth"` it serves the auth routes itself, for hosts that have no mount. With `required=True` it
    answers 401 to anonymous requests, or sends a browser to the login page that it serves; but not to OPTIONS and not
    on the routes of its own `mount` (it cannot know routes that the host has mounted). `auth` may be an `AuthApp`,
    whose selection of routes is then kept. As the outermost app it also owns the lifespan. With `Pages` it answers
    `/.well-known/change-password`, and always the paths at the root of the host that features have, such as the
    metadata of the server.
    """

    def __init__(self, app: HostApp, auth: Auth | AuthApp, *, mount: str | None = None, required: bool = False) -> None:
        """Wrap an app.

        Raises ValueError when `mount` is not a path such as `/auth`, or links would lead elsewhere, and TypeError for
        an `auth` that is neither an `Auth` nor an `AuthApp`.
        """
        if not isinstance(auth, Auth | AuthApp):
            raise TypeError(f"AuthMiddleware(app, auth) takes an Auth second, and not {shown(auth)}")
        if mount is not None:
            check_mount(mount)
        self.app = app
        self.auth: Auth = auth if isinstance(auth, Auth) else auth.auth
        self._mount = mount or self.auth.settings.mount
        self._served: AuthApp | None = None
        if mount is not None:
            self._served = auth if isinstance(auth, AuthApp) else AuthApp(auth)
            self.auth.page_urls.mount(mount)
        self._pages = self._served.pages if self._served is not None else None
        self._cors = Cors(self.auth.settings)
        self._required = required
        #: Whether every request may be for another one than the app.
        self._decides = required or self._pages is not None
        self._authenticator = authenticator_of(self.auth)
        self._resources = self.auth.resources
        self._unserved = UnservedResources(self.auth.config_check.note_unserved)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Authenticate, then call the app with a copy of the scope."""
        kind = scope["type"]
        if kind not in CONNECTIONS:
            await self._call_unauthenticated(scope, receive, send)
            return
        if self._resources.found and (resource := self._resources.at(*readings(scope))) is not None:
            await self._serve_resource(resource, scope, receive, send)
            return
        try:
            # Fast path: cached tokens need no await.
            identity, headers = self._authenticator.from_cache(scope), NO_HEADERS
            if identity is None:
                identity, headers, scope = await self._authenticate(scope)
        except Exception as error:  # noqa: BLE001 (`unexpected` logs all but AuthError)
            await self._reject(error, scope, receive, send)
            return
        outer, scope = scope, dict(scope)
        scope["user"] = scope["auth"] = scope["asgi_auth"] = identity
        scope[BY], scope[OUTER] = self.auth, outer
        token = current.set(identity)
        try:
            # Most requests are for the app alone, which a condition tells sooner than a call.
            if headers or self._decides or kind == "websocket" or self._mount in scope["path"] or self.auth.root:
                await self._pass_on(identity, headers, scope, receive, send)
            else:
                await self._call_app(scope, receive, send)
        finally:
            current.reset(token)

    async def _serve_resource(self, resource: ProtectedResource, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the clients of a resource in, and tell all others where they get a token. Preflights pass."""
        try:
            identity, headers = self._authenticator.client_from_cache(scope, resource), NO_HEADERS
            if identity is None:
                with Deadline(self.auth.request_timeout):
                    identity, headers = await self._authenticator.authenticate_client(scope, resource)
            if not identity.is_authenticated and scope.get("method") != "OPTIONS":
                identity.require()
            if resource.calls:
                receive = await admit_calls(resource, identity, scope, receive, self.auth.settings)
        except ClientDisconnectedError:
            return
        except Exception as error:  # noqa: BLE001 (`unexpected` logs all but AuthError)
            refusal = error if isinstance(error, AuthError) else unexpected(error, "authenticate a request")
            await send_error(challenged(refusal, resource), {**scope, BY: None}, receive, readable(resource, send))
            return
        outer, scope = scope, dict(scope)
        scope["user"] = scope["auth"] = scope["asgi_auth"] = identity
        scope[BY], scope[OUTER], scope[RESOURCE] = self.auth, outer, resource
        if identity.is_authenticated:
            send = self._unserved.watching(resource, outer, send)
        token = current.set(identity)
        try:
            await self._pass_on(identity, headers, scope, receive, send)
        finally:
            current.reset(token)

    async def _call_unauthenticated(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the lifespan; leave scopes of other types to the app."""
        if scope["type"] == "lifespan":
            await serve_lifespan(self.auth, self.app, scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _authenticate(self, scope: Scope) -> tuple[Identity, Headers, Scope]:
        """Authenticate by the database; return the scope with the time that it took.

        The rest of the time is for the auth routes; the code of the host has no deadline.
        """
        with Deadline(self.auth.request_timeout) as deadline:
            identity, headers = await self._authenticator.authenticate(scope)
            return identity, headers, {**scope, SPENT: self.auth.request_timeout - deadline.left()}

    async def _reject(self, error: Exception, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request that could not be authenticated."""
        if not isinstance(error, AuthError):
            await self._refuse(unexpected(error, "authenticate a request"), scope, receive, send)
            return
        async with Settling(enabled=not self.auth.settings.after_answer):
            await self.auth.stream.report_refusal(error, client_of(scope, self.auth.settings))
        await self._refuse(error, scope, receive, send)

    def _pass_on(
        self, identity: Identity, headers: Headers, scope: Scope, receive: Receive, send: Send
    ) -> Awaitable[None]:
        """Serve an auth route, refuse, or call the app: with cookies to set if there are any."""
        if headers and scope["type"] == "http":
            send = _SetCookies(send, headers, self._authenticator.cookies)
        if (
            self._served is not None
            and self._mount in scope["path"]
            and (path := below_mount(self._mount, scope)) is not None
        ):
            return self._served.serve(path, scope, receive, send)
        if self.auth.root is not None and (at_root := self.auth.root(scope)) is not None:
            return at_root(scope, receive, send)
        if self._pages is not None and scope["path"].endswith(CHANGE_PASSWORD):
            page = self._pages.to_change_password(scope, self._mount)
            if page is not None:
                return page(scope, receive, send)
        if self._required and not identity.is_authenticated and scope.get("method") != "OPTIONS":
            return self._refuse(identity.error or UnauthorizedError(), scope, receive, send)
        if scope["type"] == "websocket" and identity.is_authenticated:
            return self._socket(identity, headers, receive, send).run(self._call_app, scope)
        return self._call_app(scope, receive, send)

    def _socket(self, identity: Identity, headers: Headers, receive: Receive, send: Send) -> SessionSocket:
        auth = self.auth
        return SessionSocket(
            identity, headers, receive, send, auth.revocation, auth.storage, auth.settings.access_ttl, auth.now
        )

    async def _call_app(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the app, and answer an AuthError that it raises before its own response.

        A websocket that was accepted is closed with code 4401.
        """
        if self.auth.settings.trusted_proxies:
            see_through_proxies(scope, self.auth.settings)
        last = ""
        refusals: list[AuthError] = []
        if scope["type"] == "websocket":
            scope[REFUSALS] = refusals

        # A coroutine function, as adapters of WSGI apps expect it.
        async def watched(message: Message) -> None:
            nonlocal last
            is_refusal, last = bool(refusals) and not last, message["type"]
            if is_refusal and last == "websocket.close":
                await send_error(refusals[0], scope, receive, send)
            else:
                await send(message)

        try:
            await self.app(scope, receive, watched)
        except AuthError as error:
            if last in OPEN_SOCKET:
                with suppress(OSError):  # the client has disconnected
                    await send({"type": "websocket.close", "code": WEBSOCKET_UNAUTHORIZED, "reason": error.code})
            elif last:
                note_answered(error.code)
                raise
            elif (resource := scope.get(RESOURCE)) is not None:
                refused = {**scope, BY: None}
                await send_late_error(challenged(error, resource), refused, receive, readable(resource, send))
            else:
                await send_late_error(error, scope, receive, send)

    async def _refuse(self, error: AuthError, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse a request. On an auth route, which the host may have mounted, scripts may read the reason.

        A browser gets an HTML page where the pages are known to be.
        """
        path = below_mount(self._mount, scope)
        sending = self._cors.sending(scope, send) if path is not None else send
        page = self._served.page_of(error, path, scope) if self._served is not None else None
        if page is not None:
            await page(scope, receive, send)
        else:
            # A host that mounts the routes itself would be asked for the login page, and refused again.
            known = {BY: self.auth} if self._served is not None else {BY: None}
            await send_error(error, {**scope, **known}, receive, sending)


class _SetCookies(msgspec.Struct):
    """Adds cookies to the response, unless the app has set or cleared them itself."""

    send: Send
    headers: Headers
    cookies: Cookies

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            present = list(message.get("headers", ()))
            if not any(name.lower() == b"set-cookie" and self.cookies.sets_token(value) for name, value in present):
                # No cache may keep a response that holds a session (RFC 9111, 7.3). Some servers require a list.
                kept = [pair for pair in present if pair[0].lower() != b"cache-control"]
                message = {**message, "headers": [*kept, NO_STORE, *self.headers]}
        await self.send(message)


@cache
def note_answered(code: str) -> None:
    """Log that an AuthError reached the middleware after an answer of the app; once in a process for each code."""
    logger.warning(
        "the app had begun an answer when the error %s of a guard came here, so the client got a 500 or a part of the "
        "answer: call install(app) of asgi_auth.hosts.fastapi, or of the module of your framework, which answers it",
        code,
    )
