"""Starlette's AuthenticationMiddleware with a backend that decodes by PyJWT, and `@requires`, as its documentation."""

import time
from typing import Any

import jwt
from starlette.applications import Starlette
from starlette.authentication import AuthCredentials, AuthenticationBackend, AuthenticationError, SimpleUser, requires
from starlette.middleware import Middleware
from starlette.middleware.authentication import AuthenticationMiddleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from benchmarks.contenders import base
from benchmarks.contenders.ours import starlette


class Backend(AuthenticationBackend):
    """Bearer tokens."""

    async def authenticate(self, conn: HTTPConnection) -> tuple[AuthCredentials, SimpleUser] | None:
        """Decode the token."""
        if "Authorization" not in conn.headers:
            return None
        scheme, _, token = conn.headers["Authorization"].partition(" ")
        if scheme.lower() != "bearer":
            return None
        try:
            claims = jwt.decode(token, base.SECRET, algorithms=["HS256"])
        except jwt.InvalidTokenError as error:
            raise AuthenticationError("Invalid token") from error
        return AuthCredentials(["authenticated"]), SimpleUser(claims["sub"])


class StarlettePyJWT(base.Contender):
    """Tokens are believed until they expire."""

    operations = ()

    async def open(self) -> None:
        """Make the apps."""

        @requires("authenticated")
        async def home(request: Request) -> PlainTextResponse:
            return PlainTextResponse("ok")

        self.bare = starlette()
        middleware = [Middleware(AuthenticationMiddleware, backend=Backend())]
        self.app = Starlette(routes=[Route("/", home)], middleware=middleware)

    async def requests(self, kind: str, count: int) -> list[base.Request]:
        """One token, again and again."""
        claims: dict[str, Any] = {"sub": "user0", "exp": int(time.time()) + 900}
        return [base.Request("GET", "/", base.bearer(jwt.encode(claims, base.SECRET, "HS256")))] * count


make = StarlettePyJWT
