"""Litestar's JWTCookieAuth with a user from a dictionary, as its documentation has it."""

from typing import Any

from litestar import Litestar, Request, get
from litestar.connection import ASGIConnection
from litestar.security.jwt import JWTCookieAuth, Token

from benchmarks.contenders import base

USERS = {"user0": {"id": "user0"}}


async def retrieve(token: Token, _connection: ASGIConnection[Any, Any, Any, Any]) -> dict[str, str] | None:
    """Look the user up."""
    return USERS.get(token.sub)


class LitestarJWT(base.Contender):
    """Tokens are believed until they expire; users are in memory."""

    kinds = ("cookie",)
    operations = ()

    async def open(self) -> None:
        """Make the apps."""

        @get("/")
        async def home() -> str:
            return "ok"

        @get("/")
        async def protected(request: Request[Any, Any, Any]) -> str:
            return "ok" if request.user else ""

        self.auth = JWTCookieAuth[dict[str, str]](
            retrieve_user_handler=retrieve, token_secret=base.SECRET, exclude=["/login", "/schema"]
        )
        self.bare = Litestar([home], openapi_config=None)
        self.app = Litestar([protected], on_app_init=[self.auth.on_app_init], openapi_config=None)

    async def requests(self, kind: str, count: int) -> list[base.Request]:
        """One cookie, again and again."""
        cookie = f"{self.auth.key}=Bearer {self.auth.create_token('user0')}".encode()
        return [base.Request("GET", "/", [(b"cookie", cookie)])] * count


make = LitestarJWT
