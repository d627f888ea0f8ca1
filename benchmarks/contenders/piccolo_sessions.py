"""piccolo_api's session middleware in front of Starlette, on SQLite: session and user are read for each request."""

from typing import Any

from piccolo.apps.user.tables import BaseUser
from piccolo.engine.sqlite import SQLiteEngine
from piccolo_api.session_auth.middleware import SessionsAuthBackend
from piccolo_api.session_auth.tables import SessionsBase
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.authentication import AuthenticationMiddleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from benchmarks.contenders import base
from benchmarks.contenders.ours import starlette


class Piccolo(base.Contender):
    """Sessions in a table, found by their cookie."""

    kinds = ("cookie",)
    operations = ()

    async def open(self) -> None:
        """Make tables, user, session and apps."""
        engine = SQLiteEngine(path=self.options.database.removeprefix("sqlite:///"))
        for table in (BaseUser, SessionsBase):
            table._meta._db = engine  # noqa: SLF001 (its configuration file is not for two databases)
            await table.create_table(if_not_exists=True)
        user = BaseUser(username="user0", password=base.PASSWORD, email=base.email_of(0), active=True)
        await user.save()
        self.session = await SessionsBase.create_session(user.id)

        async def home(_request: Any) -> PlainTextResponse:
            return PlainTextResponse("ok")

        self.bare = starlette()
        middleware = [Middleware(AuthenticationMiddleware, backend=SessionsAuthBackend(admin_only=False))]
        self.app = Starlette(routes=[Route("/", home)], middleware=middleware)

    async def requests(self, kind: str, count: int) -> list[base.Request]:
        """One cookie, again and again."""
        return [base.Request("GET", "/", [(b"cookie", f"id={self.session.token}".encode())])] * count


make = Piccolo
