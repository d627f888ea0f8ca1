"""auth101 with SQLAlchemy and its FastAPI router, as its documentation has it; it works on the event loop."""

import contextlib

from auth101 import Auth101
from auth101.adapters import SQLAlchemyAdapter
from auth101.features.email_password import service
from fastapi import Depends, FastAPI
from passlib.context import CryptContext

from benchmarks.contenders import base
from benchmarks.contenders.calls import checked
from benchmarks.contenders.fastapi_tutorial import plain

CHEAP = CryptContext(["argon2"], argon2__time_cost=1, argon2__memory_cost=8, argon2__parallelism=1)


class Auth101Contender(base.Contender):
    """The user is loaded for each request; refresh tokens rotate with the session's row."""

    async def open(self) -> None:
        """Make tables, apps and users."""
        if self.options.variant != "real":
            service.DEFAULT_PWD_CTX = CHEAP
        url = self.options.database.replace("postgresql:", "postgresql+psycopg:")
        auth = Auth101(secret=base.SECRET, database=SQLAlchemyAdapter(url))
        self.bare, self.app = plain(), FastAPI()
        self.app.include_router(auth.fastapi_router(), prefix="/auth")

        @self.app.get("/", dependencies=[Depends(auth.fastapi_current_user())])
        async def home() -> str:
            return "ok"

        @self.app.get("/open")
        async def probed() -> str:
            return "ok"

        for number in range(self.options.users if self.options.seed else 0):
            content = {"email": base.email_of(number), "password": base.PASSWORD}
            with contextlib.suppress(RuntimeError):
                await checked(self.app, base.json_request("/auth/sign-up/email", content))

    async def requests(self, kind: str, count: int) -> list[base.Request]:
        """One token, again and again."""
        token = base.parsed(await checked(self.app, self.login(0)))["access_token"]
        return [base.Request("GET", "/", base.bearer(token))] * count

    def login(self, number: int) -> base.Request:
        """Log in by turns."""
        email = base.email_of(number % self.options.users)
        return base.json_request("/auth/sign-in/email", {"email": email, "password": base.PASSWORD}, number)

    def refresh(self, answer: bytes, number: int) -> base.Request:
        """Use the refresh token of the answer before."""
        token = base.parsed(answer)["refresh_token"]
        return base.json_request("/auth/refresh", {"refresh_token": token}, number)


make = Auth101Contender
