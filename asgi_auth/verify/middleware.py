"""A middleware for services that verify the tokens of another one."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from asgi_auth.errors import AuthError, BadRequestError, InvalidTokenError, UnauthorizedError
from asgi_auth.sessions.identity import ANONYMOUS, Identity, current
from asgi_auth.verify.verifier import Verifier
from asgi_auth.web.headers import headers
from asgi_auth.web.responses import send_error, send_late_error


class VerifierMiddleware:
    """Puts the `Identity` of a bearer token into `scope["user"]` and `scope["auth"]`; `require(scope)` guards.

    With `required=True`, which is the default, requests without a valid token are answered with 401. While no keys of
    the issuer could be fetched, requests with a token are answered with 503.
    """

    def __init__(self, app: ASGIApp, verifier: Verifier, *, required: bool = True) -> None:
        """Wrap an app."""
        self.app = app
        self._verifier = verifier
        self._required = required

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Authenticate, then call the app with a copy of the scope."""
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        try:
            identity = await self._identity(scope)
            if self._required and not identity.is_authenticated and scope.get("method") != "OPTIONS":
                raise identity.error or UnauthorizedError()
        except AuthError as error:
            await send_error(error, scope, receive, send)
            return
        scope = {**scope, "user": identity, "auth": identity, "asgi_auth": identity}
        token = current.set(identity)
        try:
            await self._call(scope, receive, send)
        finally:
            current.reset(token)

    async def _identity(self, scope: Scope) -> Identity:
        """Return the identity of the bearer token; anonymous without one, and with the `error` of one that is wrong."""
        lines = headers(scope, b"authorization")
        if len(lines) > 1:
            raise BadRequestError("The header authorization occurs twice.")
        scheme, _, token = (lines[0] if lines else "").partition(" ")
        if scheme.lower() != "bearer":
            return ANONYMOUS
        try:
            return await self._verifier.authenticate(token.strip(" "))
        except InvalidTokenError as error:
            return Identity(error=error)

    async def _call(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the app, and answer an AuthError that it raises before its own response."""
        began = False

        async def watched(message: Message) -> None:
            nonlocal began
            began = True
            await send(message)

        try:
            await self.app(scope, receive, watched)
        except AuthError as error:
            if began:
                raise
            await send_late_error(error, scope, receive, send)
