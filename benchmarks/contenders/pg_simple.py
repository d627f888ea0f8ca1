"""pg_simple_auth behind Quart, as its documentation has it; hashes on the event loop, and no refresh."""

import asyncpg
import pg_simple_auth
from passlib.hash import argon2
from pg_simple_auth import auth
from quart import Quart, request

from benchmarks.contenders import base
from benchmarks.contenders.calls import checked

STRONG = "Correct horse battery 1!"


class PgSimple(base.Contender):
    """SessionService only: what it does with a token is a function for the app to call."""

    operations = ("login",)

    async def open(self) -> None:
        """Make the table, the app and the users."""
        if self.options.variant != "real":
            auth.argon2 = argon2.using(time_cost=1, memory_cost=8, parallelism=1)
        pool = await asyncpg.create_pool(self.options.database)
        await pg_simple_auth.initialize(pool, base.SECRET, "users")
        self.bare = self.app = Quart("app")

        @self.app.post("/login")
        async def login() -> dict[str, str]:
            body = await request.get_json()
            found = await pg_simple_auth.login(body["email"], body["password"])
            return {"access_token": found["token"]}

        @self.app.get("/open")
        async def probed() -> str:
            return "ok"

        for number in range(self.options.users):
            made = await pg_simple_auth.signup(base.email_of(number), STRONG)
            await pg_simple_auth.verify(made["verification_token"])
        await checked(self.app, self.login(0))

    def login(self, number: int) -> base.Request:
        """Log in by turns."""
        email = base.email_of(number % self.options.users)
        return base.json_request("/login", {"email": email, "password": STRONG}, number)


make = PgSimple
